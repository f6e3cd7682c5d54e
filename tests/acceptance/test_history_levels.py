"""What a run says at each history level of a real engine, against what its workers did.

The tasks had failed with a retry time that is not over when they are retried, and somebody sets the retries of one
back. The console is killed; workers complete most of the tasks, fail some with the words of before, and report a BPMN
error that nothing catches; a later console says what became of them.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_run_night import Shell
from tests.engines import camunda
from tests.store.drawings import ONE_TASK

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
if missing := camunda.what_is_missing(configured=True):
    pytestmark.append(pytest.mark.skip(reason=f"the reference engine {missing}"))

TASKS, FAILING = 20, 3
OUTAGE = "HTTP 503 from psp"
RETRY_TIME = 1_800_000
PATIENCE = 300.0


def order(http: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = http.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def fetched(http: httpx.Client, worker: str) -> list[str]:
    """Ids of the tasks that a worker gets now."""
    topic = {"topicName": "charge", "lockDuration": 61_437, "variables": []}
    body = {"workerId": worker, "maxTasks": 100, "topics": [topic]}
    return [task["id"] for task in order(http, "/external-task/fetchAndLock", body)]


def fail(http: httpx.Client, worker: str, id: str, timeout: int) -> None:
    body = {"workerId": worker, "errorMessage": OUTAGE, "retries": 0, "retryTimeout": timeout}
    order(http, f"/external-task/{id}/failure", body)


def until(what: Callable[[], Any], said: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
    return found


def set_back(http: httpx.Client, id: str) -> None:
    """Somebody takes the retries back, at a moment that is not whole seconds before the end of its retry time: of such
    an incident nothing tells that it is not of the failure."""
    ends = datetime.fromisoformat(http.get(f"/external-task/{id}").json()["lockExpirationTime"])
    while True:
        assert http.put(f"/external-task/{id}/retries", json={"retries": 0}).status_code == 204
        (incident,) = http.get("/incident", params={"configuration": id}).json()
        if (datetime.fromisoformat(incident["incidentTimestamp"]) - ends).total_seconds() % 1 > 0.3:
            return
        assert http.put(f"/external-task/{id}/retries", json={"retries": 1}).status_code == 204


@pytest.mark.parametrize("level", ["none", "activity", "audit", "full"])
def test_a_run_says_what_became_of_its_tasks(tmp_path: Path, level: str) -> None:
    options = {**camunda.EAGER, "camunda.bpm.history-level": level}
    with (
        camunda.running(tmp_path / "engine.log", options, heap="600m") as root,
        httpx.Client(base_url=root, timeout=30, trust_env=False) as http,
    ):
        night(http, Shell(tmp_path, root), root, level)


def night(http: httpx.Client, shell: Shell, root: str, level: str) -> None:
    parts = {"deployment-name": (None, "night"), "data": ("order.bpmn", ONE_TASK)}
    assert http.post("/deployment/create", files=parts).status_code == 200
    for number in range(TASKS):
        order(http, "/process-definition/key/order/start", {"businessKey": f"ord-{number}"})
    for id in fetched(http, "w"):
        fail(http, "w", id, RETRY_TIME)
    words = ("--query", "topic:charge retries:0", "--retries", "1", "--waves", "rest", "--gate", "20%")
    process = shell.start("run", "--engine", root, "--env", "TEST", *words, "--watch", "240", "--json", "--yes")
    # Nobody gets them before their retry time is over, or taken off: before that somebody takes one back.
    until(lambda: {task["retries"] for task in http.get("/external-task").json()} == {1}, "they are not set")
    assert fetched(http, "w") == []
    changed = min(task["id"] for task in http.get("/external-task").json())
    set_back(http, changed)
    assert process.stdout is not None
    seen = (json.loads(line) for line in process.stdout)
    assert any(event["event"] == "outcome" and event["delayed"] >= TASKS - 1 for event in seen), "no retry time is seen"
    os.kill(process.pid, signal.SIGKILL)
    _, warned = process.communicate()
    assert ("History level none" in warned) == (level == "none"), warned
    for task in http.get("/external-task").json():
        order(http, f"/external-task/{task['id']}/unlock", {})
    mine = fetched(http, "w")
    assert len(mine) == TASKS - 1
    again = sorted(mine)[:FAILING]
    for id in again:
        fail(http, "w", id, 0)
    error, *done = sorted(mine)[FAILING:]
    order(http, f"/external-task/{error}/bpmnError", {"workerId": "w", "errorCode": "DECLINED"})
    for id in done:
        order(http, f"/external-task/{id}/complete", {"workerId": "w"})
    code, events, said = shell.run("watch", "1", "--engine", root, "--env", "TEST", "--resume", "--yes", "--json")
    gone = {"unknown": len(done) + 1} if level == "none" else {"done": len(done), "cancelled": 1}
    expected = {"done": 0, "again": FAILING, "changed": 1, "newCause": 0, "unknown": 0, "cancelled": 0, **gone}
    last = events[-1]
    assert {name: last[name] for name in expected} == expected, f"{events} {said}"
    assert (last["event"], last["state"], code) == ("end", "passed", 0), said
