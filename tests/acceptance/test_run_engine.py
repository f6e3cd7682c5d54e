"""A run by commands alone on a real engine: the gate holds, the run is killed, resumed, released and undone.

What was done is asked of the engine by REST, by nothing of the console.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_run_night import Shell, read_until
from tests.engines import camunda
from tests.store.drawings import ONE_TASK

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
if missing := camunda.what_is_missing():
    pytestmark.append(pytest.mark.skip(reason=f"the reference engine {missing}"))

TASKS = 60
OUTAGE, EXPIRED = "HTTP 503 from psp", "card expired"
PATIENCE = 90.0


class Worker:
    """Works on the topic while it is told to.

    Args:
        http: the engine.
    """

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.paused = self.ending = False
        self.fails: Callable[[str], str] = lambda id: ""
        """Answers the message with which a task fails; empty for one that is completed."""

    def order(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def once(self) -> None:
        topic = {"topicName": "charge", "lockDuration": 60_000, "variables": []}
        for task in self.order("/external-task/fetchAndLock", {"workerId": "w", "maxTasks": 10, "topics": [topic]}):
            path, said = f"/external-task/{task['id']}", self.fails(task["id"])
            if said:
                self.order(f"{path}/failure", {"workerId": "w", "errorMessage": said, "retries": 0, "retryTimeout": 0})
            else:
                self.order(f"{path}/complete", {"workerId": "w"})

    def run(self) -> None:
        while not self.ending:
            if not self.paused:
                self.once()
            time.sleep(0.2)


def test_a_run_on_the_reference_engine(tmp_path: Path) -> None:
    with (
        camunda.running(tmp_path / "engine.log") as root,
        httpx.Client(base_url=root, timeout=30, trust_env=False) as http,
    ):
        parts = {"deployment-name": (None, "night"), "data": ("order.bpmn", ONE_TASK)}
        assert http.post("/deployment/create", files=parts).status_code == 200
        for number in range(TASKS):
            started = http.post("/process-definition/key/order/start", json={"businessKey": f"ord-{number}"})
            assert started.status_code == 200, started.text
        worker = Worker(http)
        worker.fails = lambda id: OUTAGE
        while retries(http) != Counter({0: TASKS}):
            worker.once()
        worker.paused = True
        with ThreadPoolExecutor(1) as hands:
            working = hands.submit(worker.run)
            try:
                night(http, Shell(tmp_path, root), worker, root)
            finally:
                worker.ending = True
                working.result(timeout=PATIENCE)


def retries(http: httpx.Client) -> Counter[int]:
    """How many tasks have how many retries."""
    return Counter(task["retries"] for task in http.get("/external-task").json())


def jobs(http: httpx.Client) -> list[int]:
    """Sizes of all batches that ever were."""
    return sorted(batch["totalJobs"] for batch in http.get("/history/batch").json())


def night(http: httpx.Client, shell: Shell, worker: Worker, root: str) -> None:
    engine = ["--engine", root, "--env", "TEST"]
    order = ["run", *engine, "--query", f'topic:charge retries:0 error:"{OUTAGE}"', "--retries", "1", "--json", "--yes"]
    process = shell.start(*order, "--waves", "5,15,rest", "--gate", "20%")
    worker.fails, worker.paused = lambda id: "", False
    read_until(process, 1, "passed")
    worker.paused = True
    read_until(process, 2, "watching")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert jobs(http) == [5, 15]
    assert shell.run("watch", "1")[0] == 130
    # The provider is down again: the second wave fails once more, one task of another cause, with the same retries.
    second = shell.wave(2)
    expired = min(second)
    worker.fails = lambda id: EXPIRED if id == expired else OUTAGE
    worker.paused = False
    code, events, said = shell.run("watch", "1", *engine, "--resume", "--yes", "--json")
    assert (code, events[-1]["event"], events[-1]["wave"], events[-1]["cause"]) == (6, "held", 2, "failed-again"), said
    deadline = time.monotonic() + PATIENCE
    while retries(http) != Counter({0: TASKS - 5}):
        assert time.monotonic() < deadline, retries(http)
        time.sleep(0.2)
    assert jobs(http) == [5, 15]
    # Released, but for three tasks that nobody completes: those can be put back.
    rest = shell.wave(3)
    left = set(sorted(rest)[:3])
    worker.paused = True
    released = shell.start("watch", "1", *engine, "--resume", "--yes", "--json")
    read_until(released, 3, "watching")
    for id in left:
        while (task := http.get(f"/external-task/{id}").json())["retries"] != 1:
            assert time.monotonic() < deadline + PATIENCE, task
            time.sleep(0.2)
        worker.order(f"/external-task/{id}/lock", {"workerId": "elsewhere", "lockDuration": 3_600_000})
    worker.fails, worker.paused = lambda id: "", False
    out, said = released.communicate(timeout=PATIENCE)
    last = json.loads(out.splitlines()[-1])
    assert (released.returncode, last["event"], last["state"]) == (8, "end", "finished"), said
    deadline = time.monotonic() + PATIENCE
    while {task["id"] for task in http.get("/external-task").json()} != left | second:
        assert time.monotonic() < deadline, "not all of the rest were done"
        time.sleep(0.2)
    worker.paused = True
    for id in left:
        worker.order(f"/external-task/{id}/unlock", {})
    while any(batch["completedJobs"] < batch["totalJobs"] for batch in http.get("/batch/statistics").json()):
        assert time.monotonic() < deadline, "a batch does not end"
        time.sleep(0.2)
    code, events, said = shell.run("undo", "1", *engine, "--yes", "--json")
    assert (code, events[0]["back"]) == (0, {"0": 3}), said
    assert events[0]["leftAlone"] == {"again": 15, "gone": TASKS - 18}
    assert retries(http) == Counter({0: 18})
    assert jobs(http) == [3, 5, 15, TASKS - 20]
