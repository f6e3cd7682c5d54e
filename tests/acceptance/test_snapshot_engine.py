"""A snapshot of a real engine, taken by the command, tells through the contract what the engine told; and a run is
rehearsed on it, over a process that the embedded engine would not even deploy.

Both are read by a client that is none of the console's.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.store.contract.model import Shape
from retriage.store.contract.records import (
    BatchStatistics,
    ExternalTask,
    HistoricBatch,
    HistoricProcessInstance,
    Incident,
    Job,
    JobDefinition,
    ProcessDefinition,
    ProcessInstance,
)
from retriage.store.embedded import embedded_app
from tests.acceptance.test_run_night import Shell
from tests.engines import camunda
from tests.store.drawings import END, START, file, flows, process, task
from tests.store.running import client_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
if missing := camunda.what_is_missing():
    pytestmark.append(pytest.mark.skip(reason=f"the reference engine {missing}"))

TASKS = 24
PATIENCE = 90.0
USER_TASK = '<userTask id="check"/>'
ORDER = file(process(START, task("charge"), USER_TASK, END, flows("begin>charge", "charge>check", "check>done")))
LISTS: dict[str, tuple[str, type[Shape]]] = {
    "/external-task": ("POST", ExternalTask),
    "/process-instance": ("POST", ProcessInstance),
    "/history/process-instance?unfinished=true": ("GET", HistoricProcessInstance),
    "/incident": ("GET", Incident),
    "/process-definition": ("GET", ProcessDefinition),
    "/batch/statistics": ("GET", BatchStatistics),
    "/history/batch": ("GET", HistoricBatch),
    "/job": ("POST", Job),
    "/job-definition": ("POST", JobDefinition),
}
"""List -> how it is asked for, and the record in which both are compared: times in one zone, fields of the contract."""


def order(http: httpx.Client, method: str, path: str, body: dict[str, Any]) -> Any:
    answer = http.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def fill(http: httpx.Client) -> None:
    """Failed tasks with details, one that is locked, one that never failed; a batch that has ended, one suspended."""
    parts = {"deployment-name": (None, "night"), "data": ("order.bpmn", ORDER)}
    assert http.post("/deployment/create", files=parts).status_code == 200
    for number in range(TASKS):
        variables = {"amount": {"value": number, "type": "Integer"}, "apiToken": {"value": "s3cret", "type": "String"}}
        body = {"businessKey": f"ord-{number}", "variables": variables}
        order(http, "POST", "/process-definition/key/order/start", body)
    topic = {"topicName": "charge", "lockDuration": 600_000, "variables": []}
    fetch = {"workerId": "w", "maxTasks": TASKS - 1, "topics": [topic]}
    got = order(http, "POST", "/external-task/fetchAndLock", fetch)
    for number, one in enumerate(got[1:]):
        said = {"errorMessage": f"HTTP 503 from psp ({number})", "errorDetails": f"at line {number}"}
        failure = {"workerId": "w", "retries": 0, "retryTimeout": 0, **said}
        order(http, "POST", f"/external-task/{one['id']}/failure", failure)
    ids = [one["id"] for one in got[1:]]
    order(http, "POST", "/external-task/retries-async", {"retries": 1, "externalTaskIds": ids[:5]})
    until(lambda: not http.get("/batch").json(), "the batch does not end")
    suspended = order(http, "POST", "/external-task/retries-async", {"retries": 2, "externalTaskIds": ids[5:9]})
    order(http, "PUT", f"/batch/{suspended['id']}/suspended", {"suspended": True})
    time.sleep(2)  # jobs that were at work when it was suspended end


def until(fulfilled: Any, otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fulfilled():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


def told(answer: httpx.Response, kind: type[Shape]) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found = [kind.model_validate(one).model_dump(mode="json", by_alias=True) for one in answer.json()]
    return {one["id"]: one for one in found}


def test_a_snapshot_of_the_reference_engine(tmp_path: Path) -> None:
    with (
        camunda.running(tmp_path / "engine.log") as root,
        httpx.Client(base_url=root, timeout=30, trust_env=False) as http,
    ):
        fill(http)
        shell = Shell(tmp_path, root)
        place = tmp_path / "snapshot.db"
        words = ["--out", str(place), "--variables", "*", "--details", "100", "--json"]
        code, (mark,), said = shell.run("snapshot", "--engine", root, "--env", "TEST", *words)
        assert code == 0, said
        assert (mark["kind"], mark["numbers"]["external tasks"]) == ("Camunda 7 7.24.0", TASKS)
        assert "external tasks" in said
        engine = {path: told(http.request(method, path, json={} if method == "POST" else None), kind)
                  for path, (method, kind) in LISTS.items()}  # fmt: skip
        details = {id: http.get(f"/external-task/{id}/errorDetails").text for id in engine["/external-task"]}
        (definition,) = engine["/process-definition"]
        drawing = http.get(f"/process-definition/{definition}/xml").json()["bpmn20Xml"]
    # The engine is gone.
    asyncio.run(compare(place, engine, details, drawing))
    rehearse = ["run", "--rehearse", str(place), "--query", "retries:0", "--retries", "1", "--yes", "--json"]
    code, events, said = shell.run(*rehearse, "--failure-rate", "0%", "--gate", "0%")
    assert (code, events[-1]["event"], events[-1]["done"]) == (0, "end", events[0]["tasks"]), said
    code, events, said = shell.run(*rehearse, "--failure-rate", "100%")
    assert (code, events[-1]["cause"]) == (6, "failed-again"), said
    assert shell.run("runs", "--json")[1] == [], "a rehearsal leaves nothing in the operator's journal"
    asyncio.run(compare(place, engine, details, drawing))


def differences(found: dict[str, Any], expected: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Id, field, what was found and what the engine has told."""
    assert set(found) == set(expected)
    for id, record in expected.items():
        for name, value in record.items():
            # The engine writes this into two rows of a running batch, at two moments.
            if found[id][name] != value and (name, record.get("endTime", "")) != ("executionStartTime", None):
                yield id, name, found[id][name], value


async def compare(place: Path, engine: dict[str, Any], details: dict[str, str], drawing: str) -> None:
    async with client_of(embedded_app(str(place))) as kept:
        for path, (method, kind) in LISTS.items():
            answer = await kept.request(method, path, json={} if method == "POST" else None)
            assert list(differences(told(answer, kind), engine[path])) == [], path
            assert engine[path], path
        for id, text in details.items():
            assert (await kept.get(f"/external-task/{id}/errorDetails")).text == text
        (definition,) = engine["/process-definition"]
        assert (await kept.get(f"/process-definition/{definition}/xml")).json()["bpmn20Xml"] == drawing
        values = (await kept.get(f"/process-instance/{next(iter(engine['/process-instance']))}/variables")).json()
        assert values["amount"]["type"] == "Integer"
        assert values["apiToken"]["value"] == "***"
