"""A fix and a retry by commands alone on real engines: the wrong fix is held and undone, the right one goes through.

What instances have is asked of the engine by REST; what workers saw is in the book of a worker that works all the time.
"""

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_run_night import Shell
from tests.acceptance.test_set_variables_engine import variables
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
NUMBER, TOPIC, RIGHT = 40, "charge-card", 130


class Worker:
    """Completes tasks with the right amount and fails the others; ``seen`` has what it was given, in order."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.seen: list[tuple[str, Any]] = []
        self.ends = threading.Event()

    def once(self) -> None:
        topic = {"topicName": TOPIC, "lockDuration": 60_000}
        order = {"workerId": "w", "maxTasks": 20, "topics": [topic]}
        for task in asked(self._http, "POST", "/external-task/fetchAndLock", json=order):
            amount = task["variables"].get("amount", {}).get("value")
            self.seen.append((task["processInstanceId"], amount))
            path, body = f"/external-task/{task['id']}", {"workerId": "w"}
            if amount == RIGHT:
                asked(self._http, "POST", f"{path}/complete", json=body)
            else:
                failure = {**body, "errorMessage": "amount refused", "retries": 0, "retryTimeout": 0}
                asked(self._http, "POST", f"{path}/failure", json=failure)

    def run(self) -> None:
        while not self.ends.wait(0.1):
            self.once()


@pytest.mark.parametrize("kind", REAL)
def test_a_wrong_fix_is_held_and_undone_and_the_right_one_goes_through(
    kind: camunda.EngineKind, tmp_path: Path
) -> None:
    with engine(kind, tmp_path) as http:
        drawing = Drawing("order", [Step("Charge", TOPIC)])
        asked(http, "POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        ids = []
        for place in range(NUMBER):
            body = {"amount": {"value": -1 - place, "type": "Integer"}} if place % 8 != 5 else {}
            started = asked(http, "POST", "/process-definition/key/order/start", json={"variables": body})
            ids.append(started["id"])
        worker = Worker(http)
        while len(worker.seen) < NUMBER:
            worker.once()
        before = variables(http, ids)
        worker.seen.clear()
        working = threading.Thread(target=worker.run)
        working.start()
        try:
            shell = Shell(tmp_path, str(http.base_url))
            there = ["--engine", str(http.base_url), "--env", "TEST"]
            order = ["run", *there, "--query", f"topic:{TOPIC} retries:0", "--retries", "1", "--gate", "20%"]
            order += ["--waves", "10,rest", "--yes", "--json"]
            code, events, said = shell.run(*order, "--set", "amount=70070707")
            assert (code, events[-1]["cause"], events[-1]["wave"]) == (6, "failed-again", 1), said
            # It may be held early: the worker comes to the last ones of the wave.
            for _ in range(200):
                if len(worker.seen) >= 10:
                    break
                time.sleep(0.1)
            now = variables(http, ids)
            changed = {id for id in ids if now[id] != before[id]}
            assert len(changed) == 10
            assert {now[id]["amount"] for id in changed} == {("Integer", 70070707)}
            assert sorted(worker.seen) == sorted((id, 70070707) for id in changed)
            assert "70070707" not in str(events)
            code, events, said = shell.run("undo", "1", *there, "--yes", "--json")
            assert (code, events[0]["tasks"], events[0]["back"]) == (0, 10, {"set": 10}), said
            # Those that failed after the run was held have the retries of before.
            assert sum(events[0]["leftAlone"].values()) == 10
            assert events[0]["leftAlone"].keys() <= {"again", "before"}
            assert variables(http, ids) == before
            # A batch that has set all is closed within a minute; until then it may be somebody else's at work.
            for _ in range(240):
                if not asked(http, "GET", "/batch/count")["count"]:
                    break
                time.sleep(0.5)
            worker.seen.clear()
            code, events, said = shell.run(*order, "--set", f"amount={RIGHT}")
            end = events[-1]
            assert (code, end["state"], end["again"]) == (0, "passed", 0), said
            # The first wave passes while its last two tasks are at work: its figures may be of that moment.
            assert NUMBER - 2 * ("1" in end["olderWaves"]) <= end["done"] <= NUMBER, end
            for _ in range(200):
                if not asked(http, "GET", "/external-task/count")["count"]:
                    break
                time.sleep(0.1)
        finally:
            worker.ends.set()
            working.join()
        assert sorted(worker.seen) == sorted((id, RIGHT) for id in ids)
        assert asked(http, "GET", "/external-task/count")["count"] == 0
        assert asked(http, "GET", "/process-instance/count")["count"] == 0
