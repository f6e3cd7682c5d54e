"""An activity of instances skipped and repeated by commands alone on real engines, with two versions of a process
in one wave.

Where instances are is asked of the engine by REST, by nothing of the console.
"""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_run_night import Shell
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
NUMBER = 12
"""Instances of each version."""
CHARGE, SHIP = Step("Charge", "charge-card"), Step("Ship", "ship")
NOT_HERE = {
    "fork": """<serviceTask id="Charge" camunda:type="external" camunda:topic="charge-card"/>
<endEvent id="Other"/><sequenceFlow id="s3" sourceRef="Charge" targetRef="Other"/>""",
    "many": """<serviceTask id="Charge" camunda:type="external" camunda:topic="charge-card">
<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics></serviceTask>""",
}
"""Processes whose activity is not skipped: two sequence flows leave it, or it is a multi-instance activity."""


def drawn(key: str) -> str:
    """The file of one of these."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://retriage/tests"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
<process id="{key}" isExecutable="true" camunda:historyTimeToLive="30"><startEvent id="Begin"/><endEvent id="Done"/>
{NOT_HERE[key]}<sequenceFlow id="s1" sourceRef="Begin" targetRef="Charge"/>
<sequenceFlow id="s2" sourceRef="Charge" targetRef="Done"/></process></definitions>"""


def deployed(http: httpx.Client, name: str, xml: str) -> None:
    """One more version of a process."""
    asked(http, "POST", "/deployment/create", files={name: (name, xml)})


def started(http: httpx.Client, key: str, number: int) -> list[str]:
    """Ids of new instances."""
    return [str(asked(http, "POST", f"/process-definition/key/{key}/start", json={})["id"]) for _ in range(number)]


def failed(http: httpx.Client) -> None:
    """A worker fails all tasks for good."""
    topic = {"topicName": "charge-card", "lockDuration": 60_000}
    failure = {"workerId": "w", "errorMessage": "HTTP 503", "retries": 0, "retryTimeout": 0}
    for task in asked(
        http, "POST", "/external-task/fetchAndLock", json={"workerId": "w", "maxTasks": 999, "topics": [topic]}
    ):
        asked(http, "POST", f"/external-task/{task['id']}/failure", json=failure)


def where(http: httpx.Client) -> dict[str, list[tuple[str, int | None]]]:
    """Instance -> activities of its tasks, with their retries."""
    found: dict[str, list[tuple[str, int | None]]] = {}
    for task in asked(http, "GET", "/external-task", params={"maxResults": "999"}):
        found.setdefault(task["processInstanceId"], []).append((task["activityId"], task["retries"]))
    return found


def task_of(http: httpx.Client, id: str) -> dict[str, Any]:
    """The task of an instance."""
    (task,) = asked(http, "GET", "/external-task", params={"processInstanceId": id})
    return dict(task)


def batches(http: httpx.Client) -> list[tuple[str, int]]:
    """Type and jobs of all batches."""
    return sorted((one["type"], one["totalJobs"]) for one in asked(http, "GET", "/history/batch"))


@pytest.mark.parametrize("kind", REAL)
def test_two_versions_are_skipped_in_a_wave_and_repeated(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        deployed(http, "order.bpmn", Drawing("order", [CHARGE, SHIP]).xml())
        old = started(http, "order", NUMBER)
        deployed(http, "order.bpmn", Drawing("order", [CHARGE, Step("Pack", "pack"), SHIP]).xml())
        new = started(http, "order", NUMBER)
        failed(http)
        asked(http, "PUT", f"/process-instance/{old[0]}/suspended", json={"suspended": True})
        start = {"instructions": [{"type": "startBeforeActivity", "activityId": "Charge"}]}
        asked(http, "POST", f"/process-instance/{old[1]}/modification", json=start)
        lock = {"workerId": "w", "lockDuration": 3_600_000}
        asked(http, "PUT", f"/external-task/{task_of(http, new[0])['id']}/retries", json={"retries": 1})
        asked(http, "POST", f"/external-task/{task_of(http, new[0])['id']}/lock", json=lock)
        there = ["--engine", str(http.base_url), "--env", "TEST"]
        shell = Shell(tmp_path, str(http.base_url))
        order = ["run", *there, "--do", "skip", "--activity", "Charge", "--instances", "process:order", "--json"]
        before = where(http)
        code, (plan,), said = shell.run(*order, "--waves", "5,rest", "--dry-run")
        meant = 2 * NUMBER - 3
        assert (code, plan["do"], plan["instances"], plan["waves"]) == (0, "skip", meant, [5, meant - 5]), said
        assert (plan["leftOut"], plan["also"]) == ({"suspended": 1, "several": 1, "held": 1}, {}), said
        assert "2 process versions" in said
        code, _, said = shell.run(*order, "--yes")
        assert (code != 0, where(http), batches(http)) == (True, before, []), said
        code, events, said = shell.run(*order, "--waves", "5,rest", "--yes", "--count", str(meant))
        assert (code, events[-1]["state"], events[-1]["done"]) == (0, "passed", meant), said
        left = {id: before[id] for id in (*old[:2], new[0])}
        past = {id: [("Ship", None)] for id in old[2:]} | {id: [("Pack", None)] for id in new[1:]}
        assert where(http) == left | past
        sizes = [jobs for kind, jobs in batches(http) if kind == "instance-modification"]
        # The first wave is of one version; the second has the rest of it, and all of the other.
        assert (len(sizes), sum(sizes), 5 in sizes) == (3, meant, True)
        code, _, said = shell.run("undo", "1", *there, "--yes")
        assert (code, "There is no way back" in said, where(http)) == (3, True, left | past)
        # Repeated at another activity of the second version only, two tokens of one instance and a lock included.
        order = ["run", *there, "--do", "repeat", "--query", "topic:charge-card -suspended", "--json"]
        code, events, said = shell.run(
            *order, "--activity", "Charge", "--all-tokens", "--locked", "--count", "2", "--yes"
        )
        assert (code, events[0]["also"], events[-1]["done"]) == (0, {"free": 2, "tokens": 1}, 2), said
        assert where(http) == past | {id: [("Charge", None)] for id in (old[1], new[0])} | {old[0]: before[old[0]]}
        history = asked(http, "GET", "/history/activity-instance", params={"activityId": "Charge", "canceled": "true"})
        assert len(history) == meant + 3


@pytest.mark.parametrize("kind", REAL)
def test_what_no_batch_could_do_is_refused_before_it_is_sent(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        for key in NOT_HERE:
            deployed(http, f"{key}.bpmn", drawn(key))
        fork, many = started(http, "fork", 2), started(http, "many", 1)
        failed(http)
        before = where(http)
        shell = Shell(tmp_path, str(http.base_url))
        there = ["--engine", str(http.base_url), "--env", "TEST"]
        order = ["run", *there, "--activity", "Charge", "--all-tokens", "--instances", "", "--yes", "--count", "2"]
        code, _, said = shell.run(*order, "--do", "skip")
        assert (code, where(http), batches(http)) == (3, before, []), said
        assert "2 of a version in which several sequence flows leave the activity" in said
        assert "1 of a version in which it is a multi-instance activity" in said
        code, events, said = shell.run(*order, "--do", "repeat", "--json")
        assert (code, events[-1]["done"], batches(http)) == (0, 2, [("instance-modification", 2)]), said
        assert where(http) == {many[0]: before[many[0]]} | {id: [("Charge", None)] for id in fork}


@pytest.mark.parametrize("kind", REAL)
def test_jobs_that_fail_hold_the_run(kind: camunda.EngineKind, tmp_path: Path) -> None:
    """A gateway behind the activity decides by a variable that nobody has set: the engine refuses each job."""
    gateway = """<serviceTask id="Charge" camunda:type="external" camunda:topic="charge-card"/>
<exclusiveGateway id="Choose"/><endEvent id="Other"/>
<sequenceFlow id="s3" sourceRef="Choose" targetRef="Done"><conditionExpression
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="tFormalExpression">${ok}</conditionExpression>
</sequenceFlow><sequenceFlow id="s4" sourceRef="Choose" targetRef="Other"/>"""
    with engine(kind, tmp_path) as http:
        xml = drawn("fork").replace(NOT_HERE["fork"], gateway).replace('targetRef="Done"/>', 'targetRef="Choose"/>')
        deployed(http, "fork.bpmn", xml)
        (one,) = started(http, "fork", 1)
        failed(http)
        shell = Shell(tmp_path, str(http.base_url))
        order = ["run", "--engine", str(http.base_url), "--env", "TEST", "--do", "skip", "--activity", "Charge"]
        code, events, said = shell.run(
            *order, "--instances", "process:fork", "--yes", "--count", "1", "--watch", "20s", "--json"
        )
        assert (code, events[-1]["event"], events[-1]["cause"]) == (6, "held", "jobs-failed"), said
        assert "Choose decides by the variables of now" in said
        assert where(http) == {one: [("Charge", 0)]}
