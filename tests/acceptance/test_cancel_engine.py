"""Instances cancelled by commands alone on real engines, in waves, with those that they call and that call them.

Which instances run, and how others ended, is asked of the engine by REST, by nothing of the console.
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
NUMBER = 40
TWICE = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://retriage/tests"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn">
<process id="twice" isExecutable="true" camunda:historyTimeToLive="30">
<startEvent id="Begin"/><parallelGateway id="Split"/><parallelGateway id="Join"/><endEvent id="Done"/>
<callActivity id="First" calledElement="once"/><callActivity id="Second" calledElement="once"/>
<sequenceFlow id="f1" sourceRef="Begin" targetRef="Split"/><sequenceFlow id="f2" sourceRef="Split" targetRef="First"/>
<sequenceFlow id="f3" sourceRef="Split" targetRef="Second"/><sequenceFlow id="f4" sourceRef="First" targetRef="Join"/>
<sequenceFlow id="f5" sourceRef="Second" targetRef="Join"/><sequenceFlow id="f6" sourceRef="Join" targetRef="Done"/>
</process>
<process id="once" isExecutable="true" camunda:historyTimeToLive="30">
<startEvent id="Begin1"/><callActivity id="Only" calledElement="order"/><endEvent id="Done1"/>
<sequenceFlow id="f7" sourceRef="Begin1" targetRef="Only"/><sequenceFlow id="f8" sourceRef="Only" targetRef="Done1"/>
</process></definitions>"""
"""A process that calls another at two places at once, and that one, which calls the process with the task."""


def running(http: httpx.Client, **which: str) -> set[str]:
    """Ids of the instances that run."""
    return {one["id"] for one in asked(http, "GET", "/process-instance", params=which)}


def ended(http: httpx.Client) -> dict[str, tuple[str, str | None]]:
    """How instances ended, and why."""
    found: list[dict[str, Any]] = asked(http, "GET", "/history/process-instance", params={"finished": "true"})
    return {one["id"]: (one["state"], one["deleteReason"]) for one in found}


def deployed(http: httpx.Client) -> None:
    """A process with a task, one that calls it, and one that calls that one twice."""
    drawing = Drawing("order", [Step("Charge", "charge-card")])
    for name, xml in ((drawing.resource, drawing.xml()), ("twice.bpmn", TWICE)):
        asked(http, "POST", "/deployment/create", files={name: (name, xml)})


def started(http: httpx.Client, key: str) -> str:
    """Id of a new instance."""
    return str(asked(http, "POST", f"/process-definition/key/{key}/start", json={})["id"])


@pytest.mark.parametrize("kind", REAL)
def test_waves_of_cancelling(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        deployed(http)
        everyone = sorted(started(http, "order") for _ in range(NUMBER))
        kept = started(http, "order")
        asked(http, "PUT", f"/process-instance/{everyone[0]}/suspended", json={"suspended": True})
        chosen = tmp_path / "ids.txt"
        chosen.write_text("\n".join([*everyone, "no-such-instance"]))
        shell = Shell(tmp_path, str(http.base_url))
        there = ["--engine", str(http.base_url), "--env", "TEST"]
        order = [
            "run",
            *there,
            "--do",
            "cancel",
            "--ids",
            str(chosen),
            "--waves",
            "5,rest",
            "--reason",
            "INC-7",
            "--json",
        ]
        code, (plan,), said = shell.run(*order, "--dry-run")
        assert (code, plan["do"], plan["instances"], plan["waves"]) == (0, "cancel", NUMBER, [5, 35]), said
        assert (plan["leftOut"], plan["also"]) == ({"gone": 1}, {"tasks": NUMBER}), said
        code, _, said = shell.run(*order, "--yes")
        assert code != 0, said
        assert running(http) == {*everyone, kept}
        code, events, said = shell.run(*order, "--yes", "--count", str(NUMBER))
        assert (code, events[-1]["state"], events[-1]["done"]) == (0, "passed", NUMBER), said
        assert running(http) == {kept}
        assert ended(http) == dict.fromkeys(everyone, ("EXTERNALLY_TERMINATED", "INC-7"))
        batches = asked(http, "GET", "/history/batch")
        assert sorted((one["type"], one["totalJobs"]) for one in batches) == [
            ("instance-deletion", 5), ("instance-deletion", 35),
        ]  # fmt: skip
        code, _, said = shell.run("undo", "1", *there, "--yes")
        assert (code, "There is no way back" in said, running(http)) == (3, True, {kept})


@pytest.mark.parametrize("kind", REAL)
def test_what_is_said_to_end_too_ends_too(kind: camunda.EngineKind, tmp_path: Path) -> None:
    """``twice`` has called two times ``once``, and each of these ``order``."""
    with engine(kind, tmp_path) as http:
        deployed(http)
        top, alone = started(http, "twice"), started(http, "order")
        left, right = sorted(running(http, superProcessInstance=top))
        below = {id: running(http, superProcessInstance=id) for id in (left, right)}
        chosen, shell = tmp_path / "ids.txt", Shell(tmp_path, str(http.base_url))

        def cancelled(id: str, *skip: str) -> dict[str, int]:
            """Cancel one; what was said to end with it."""
            chosen.write_text(id)
            order = ["run", "--engine", str(http.base_url), "--env", "TEST", "--do", "cancel", "--ids", str(chosen)]
            code, events, said = shell.run(*order, "--count", "1", *skip, "--yes", "--json")
            assert (code, events[-1]["done"]) == (0, 1), said
            return dict(events[0]["also"])

        # Another branch of the caller is at work: it goes on.
        assert cancelled(left) == {"calling": 1, "called": 1}
        assert running(http) == {top, alone, right, *below[right]}
        # Nothing else of it runs: it ends, and what is called is left alone as it was asked for.
        assert cancelled(right, "--skip", "called") == {"calling": 1, "called": 1}
        assert running(http) == {alone, *below[right]}
        assert ended(http).keys() == {top, left, right, *below[left]}
