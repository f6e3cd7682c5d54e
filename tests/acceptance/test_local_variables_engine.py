"""Local variables that hide a fix from workers, set by commands alone on real engines and given back: that of a task,
which an input mapping made, and that of a subprocess around a task.

Every variable is asked of the engine by REST, scope by scope; what workers saw is in the book of a worker.
"""

import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_repair_night import RIGHT, Worker
from tests.acceptance.test_run_night import Shell, wait_for
from tests.engines import camunda

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
EACH, WRONG = 8, 70070707
TASK = '<serviceTask id="Charge" camunda:type="external" camunda:topic="charge-card">{}</serviceTask>'
COPY = (
    "<extensionElements><camunda:inputOutput>"
    '<camunda:inputParameter name="amount">${amount}</camunda:inputParameter>'
    "</camunda:inputOutput></extensionElements>"
)
"""The usual input mapping: a copy of the variable of the instance, which hides it from then on."""
FLOWS = (
    '<sequenceFlow id="in" sourceRef="Begin" targetRef="{0}"/><sequenceFlow id="out" sourceRef="{0}" targetRef="End"/>'
)
WITHIN = (
    f'<subProcess id="Payment">{COPY}<startEvent id="Enter"/>{TASK.format("")}<endEvent id="Leave"/>'
    '<sequenceFlow id="a" sourceRef="Enter" targetRef="Charge"/>'
    '<sequenceFlow id="b" sourceRef="Charge" targetRef="Leave"/></subProcess>'
)
BODIES = {
    "plain": TASK.format("") + FLOWS.format("Charge"),
    "mapped": TASK.format(COPY) + FLOWS.format("Charge"),
    "within": WITHIN + FLOWS.format("Payment"),
}
Scopes = dict[tuple[str, str], tuple[str, int]]
"""(Process instance, execution) -> type and value of its amount."""


def deploy(http: httpx.Client) -> list[str]:
    """Start instances of the three processes in turn, with an amount each; return their ids in that order."""
    for key, body in BODIES.items():
        xml = (
            '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
            'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t">'
            f'<process id="{key}" isExecutable="true" camunda:historyTimeToLive="30">'
            f'<startEvent id="Begin"/><endEvent id="End"/>{body}</process></definitions>'
        )
        asked(http, "POST", "/deployment/create", files={f"{key}.bpmn": (f"{key}.bpmn", xml)})
    ids = []
    for place in range(EACH * len(BODIES)):
        key = list(BODIES)[place % len(BODIES)]
        body = {"variables": {"amount": {"value": -1 - place, "type": "Integer"}}}
        ids.append(asked(http, "POST", f"/process-definition/key/{key}/start", json=body)["id"])
    return ids


def scopes(http: httpx.Client) -> Scopes:
    """Every amount of every scope of an instance; what a batch is still to set stands among them, and is no scope's."""
    found = asked(http, "GET", "/variable-instance", params={"variableName": "amount", "maxResults": 1000})
    return {
        (one["processInstanceId"], one["executionId"]): (one["type"], one["value"])
        for one in found
        if one["processInstanceId"] is not None
    }


def within(all_scopes: Scopes) -> Scopes:
    """Those that are not the instance's own."""
    return {where: what for where, what in all_scopes.items() if where[0] != where[1]}


def wait_for_no_batch(http: httpx.Client) -> None:
    """A batch that has set all is closed within a minute; until then it may be somebody else's at work."""
    wait_for(lambda: not asked(http, "GET", "/batch/count")["count"], "no batch is left")


@pytest.mark.parametrize("kind", REAL)
def test_local_variables_are_set_too_and_given_back(kind: camunda.EngineKind, tmp_path: Path) -> None:
    with engine(kind, tmp_path) as http:
        ids = deploy(http)
        worker = Worker(http)
        while len(worker.seen) < len(ids):
            worker.once()
        before = scopes(http)
        assert Counter(instance for instance, _ in within(before)) == dict.fromkeys(
            (id for place, id in enumerate(ids) if place % 3), 1
        )
        shell = Shell(tmp_path, str(http.base_url))
        there = ["--engine", str(http.base_url), "--env", "TEST"]
        order = ["run", *there, "--query", "topic:charge-card retries:0", "--retries", "1", "--gate", "20%", "--json"]
        order += ["--waves", "9,rest"]

        # What would be done without and with it.
        code, (plan,), said = shell.run(*order, "--set", f"amount={RIGHT}", "--dry-run")
        assert (code, plan["tasks"], plan["leftOut"]) == (0, EACH, {"local": 2 * EACH}), said
        assert f"--local sets the local variables too that hide the new value: {2 * EACH} left alone" in said
        code, (plan,), said = shell.run(*order, "--local", "--set", f"amount={RIGHT}", "--dry-run")
        assert (code, plan["tasks"], plan["leftOut"], plan["also"]) == (0, 3 * EACH, {}, {"local": 2 * EACH}), said
        assert scopes(http) == before

        # The wrong value: workers see it in all scopes, the gate holds, and an undo gives back what each scope had.
        worker.seen.clear()
        working = threading.Thread(target=worker.run)
        working.start()
        try:
            code, events, said = shell.run(*order, "--local", "--yes", "--set", f"amount={WRONG}")
            assert (code, events[-1]["cause"], events[-1]["wave"]) == (6, "failed-again", 1), said
            assert str(WRONG) not in str(events) + said
            wait_for(lambda: len(worker.seen) >= 9, "all of the wave are seen")
            now = scopes(http)
            wave = {instance for (instance, _), what in now.items() if what == ("Integer", WRONG)}
            changed = {where for where in now if now[where] != before[where]}
            assert (len(wave), changed) == (9, {where for where in before if where[0] in wave})
            assert sorted(worker.seen) == sorted((id, WRONG) for id in wave)
            number = len(within({where: now[where] for where in changed}))
            assert number > 0
            code, events, said = shell.run("undo", "1", *there, "--yes", "--json")
            assert (code, events[0]["back"]) == (0, {"set": 9, "set-local": number}), said
            assert (events[-1]["executions"], events[-1]["came"]) == (number, {"done": number})
            wait_for(lambda: scopes(http) == before, "what each scope had")
            wait_for_no_batch(http)

            # The right one goes through.
            worker.seen.clear()
            code, events, said = shell.run(*order, "--local", "--yes", "--set", f"amount={RIGHT}")
            assert (code, events[-1]["state"], events[-1]["again"]) == (0, "passed", 0), said
            wait_for(lambda: not asked(http, "GET", "/process-instance/count")["count"], "all instances have ended")
        finally:
            worker.ends.set()
            working.join()
        assert sorted(worker.seen) == sorted((id, RIGHT) for id in ids)
