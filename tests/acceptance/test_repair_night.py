"""A night of repair by commands alone, and a console that is killed at every order that it sends.

A wrong fix is held and undone, the right one goes through, an activity is skipped, instances are cancelled, failed jobs
retried. The console is killed when the engine has carried an order out and the console has not heard of it, and goes on
by ``watch --resume``, or by the same ``undo`` typed again. What came of it is asked of the engine by REST, or is in the
book of a worker that works all the time; nothing of the console is asked.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.night_engine import NightEngine
from tests.acceptance.test_old_engine import REAL, asked, engine
from tests.acceptance.test_retry_jobs_engine import failures, jobs
from tests.acceptance.test_run_night import PROFILE, Shell, wait_for
from tests.acceptance.test_set_variables_engine import variables
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.store.drawings import JUDGED
from tests.support.fault_proxy import FaultProxy, Hang

ORDERS, CLAIMS, JUDGED_ONES = 24, 40, 10
WRONG, RIGHT = 70070707, 130
ORDER = (
    r"^(POST|PUT|DELETE) .*(retries(-async)?|variables(-async)?|process-instance/delete|"
    r"modification/execute(Async)?|suspended(-async)?)$"
)
"""What changes something at the engine."""
STORE = pytest.param(None, id="store")


class Worker:
    """Completes tasks with the right amount and fails the others; ``seen`` has what it was given, in order."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self.seen: list[tuple[str, Any]] = []
        self.ends = threading.Event()

    def once(self) -> None:
        topic = {"topicName": "charge-card", "lockDuration": 60_000}
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


class Killed:
    """A shell whose commands are killed at every order.

    Args:
        shell: where they are typed.
        between: what stands before the engine.
        orders: which orders, a pattern of the proxy; None lets them all live.
    """

    def __init__(self, shell: Shell, between: FaultProxy, orders: str | None = ORDER) -> None:
        self._shell = shell
        self._faults = between.faults
        self._orders = orders
        self.kills = 0

    def run(self, first: list[str], again: list[str]) -> tuple[int, list[dict[str, Any]], str]:
        """Type a command, and ``again`` whenever it was killed, until that ends by itself.

        Returns what the last one came to: its exit code, its lines of JSON, what it said on stderr.
        """
        command = first
        while True:
            self._faults.hanging.clear()
            if self._orders is not None:
                self._faults.play(Hang(passed_on=True), on=self._orders, times=1)
            with self._shell.start(*command) as process:
                try:
                    wait_for(lambda: process.poll() is not None or self._faults.hanging.is_set(), "no order, no end")
                    if process.poll() is not None:
                        out, said = process.communicate()
                        return process.returncode, [json.loads(line) for line in out.splitlines()], said
                finally:
                    process.kill()
                    self._faults.clear()
            self.kills += 1
            command = again


@contextmanager
def opened(kind: camunda.EngineKind | None, folder: Path) -> Iterator[httpx.Client]:
    """A fresh engine; without a kind it is the store, as ``retriage serve`` serves it."""
    if kind is not None:
        with engine(kind, folder) as http:
            yield http
    else:
        with NightEngine(folder / "store.db", {"RETRIAGE_RUNNER_IDLE_SECONDS": "1"}) as store:
            yield store.http


def deployed(http: httpx.Client, drawing: Drawing) -> None:
    asked(http, "POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})


def started(http: httpx.Client, key: str, variables: dict[str, Any] | None = None) -> str:
    """Id of a new instance."""
    body = {"variables": variables or {}}
    return str(asked(http, "POST", f"/process-definition/key/{key}/start", json=body)["id"])


def batches(http: httpx.Client) -> Counter[tuple[str, int]]:
    """Type and jobs of every batch that ever was."""
    return Counter((one["type"], one["totalJobs"]) for one in asked(http, "GET", "/history/batch"))


def nothing_at_work(http: httpx.Client) -> None:
    """Wait until no batch runs: one that has set all is closed within a minute, and may be somebody else's."""
    wait_for(lambda: not asked(http, "GET", "/batch/count")["count"], "a batch does not end")


def tasks_at(http: httpx.Client, activity: str) -> Counter[str]:
    """Instances with a task at an activity, and with how many."""
    found = asked(http, "GET", "/external-task", params={"maxResults": "1000"})
    return Counter(one["processInstanceId"] for one in found if one["activityId"] == activity)


def ended(http: httpx.Client, key: str) -> dict[str, tuple[str, str | None]]:
    """How instances of a process ended, and why."""
    found = asked(http, "GET", "/history/process-instance", params={"finished": "true", "processDefinitionKey": key})
    return {one["id"]: (one["state"], one["deleteReason"]) for one in found}


@contextmanager
def failed_orders(http: httpx.Client) -> Iterator[tuple[Worker, list[str]]]:
    """Orders whose charges have failed, all amounts different and some absent, and a worker at work on them."""
    deployed(http, Drawing("order", [Step("Charge", "charge-card"), Step("Ship", "ship")]))
    worker = Worker(http)
    orders = [
        started(http, "order", {"amount": {"value": -1 - place, "type": "Integer"}} if place % 8 != 5 else {})
        for place in range(ORDERS)
    ]
    while len(worker.seen) < ORDERS:
        worker.once()
    working = threading.Thread(target=worker.run)
    working.start()
    try:
        yield worker, orders
    finally:
        worker.ends.set()
        working.join()


@contextmanager
def console(http: httpx.Client, folder: Path, orders: str | None = ORDER) -> Iterator[Killed]:
    """A shell whose console reaches the engine through a proxy that kills it at these orders."""
    home = folder / "home"
    home.mkdir()
    with FaultProxy((http.base_url.host, http.base_url.port or 80)) as between:
        yield Killed(Shell(home, between.root), between, orders)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", [STORE, *REAL])
def test_a_night_of_repair(kind: camunda.EngineKind | None, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as http, console(http, tmp_path) as killed:
        with failed_orders(http) as (worker, orders):
            fix_and_retry(http, killed, worker, orders)
        skip(http, killed, orders)
        cancel(http, killed)
        retry_jobs(http, killed)
        # Two orders of the wave that was held, one at least of its undo, four of the right fix, two of each other run.
        assert killed.kills >= 2 + 1 + 4 + 3 * 2


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [STORE, *REAL])
def test_a_wrong_fix_and_its_undo_report_what_they_did(kind: camunda.EngineKind | None, tmp_path: Path) -> None:
    """Commands that nobody kills say it in one piece: how many values, of how many tasks, and never which value."""
    with (
        opened(kind, tmp_path) as http,
        console(http, tmp_path, None) as alive,
        failed_orders(http) as (worker, orders),
    ):
        held, undone = fix_and_retry(http, alive, worker, orders)
    assert alive.kills == 0
    assert str(WRONG) not in str(held)
    assert (undone[0]["tasks"], undone[0]["back"]) == (10, {"set": 10})
    # Those that failed after the run was held have the retries of before.
    assert sum(undone[0]["leftAlone"].values()) == 10
    assert undone[0]["leftAlone"].keys() <= {"again", "before"}


def fix_and_retry(
    http: httpx.Client, killed: Killed, worker: Worker, orders: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The wrong value on ten, what was there before, the right one on all.

    Returns the events of the run that was held, and those of its undo.
    """
    before = variables(http, orders)
    worker.seen.clear()
    run = ["run", "--profile", PROFILE, "--query", "topic:charge-card retries:0", "--retries", "1", "--gate", "20%"]
    run += ["--waves", "10,rest", "--count", str(ORDERS), "--reason", "INC-1", "--yes", "--json"]
    code, held, said = killed.run([*run, "--set", f"amount={WRONG}"], resumed(1))
    assert (code, held[-1]["cause"], held[-1]["wave"]) == (6, "failed-again", 1), said
    # It may be held early: the worker comes to the last ones of the wave.
    wait_for(lambda: len(worker.seen) >= 10, "not all of the wave are worked on")
    now = variables(http, orders)
    changed = {id for id in orders if now[id] != before[id]}
    assert len(changed) == 10
    assert {now[id]["amount"] for id in changed} == {("Integer", WRONG)}
    assert sorted(worker.seen) == sorted((id, WRONG) for id in changed)
    assert batches(http) == {("set-variables", 10): 1, ("set-external-task-retries", 10): 1}
    undo = ["undo", "1", "--yes", "--json"]
    code, undone, said = killed.run(undo, undo)
    assert code in (0, 3), said
    wait_for(lambda: variables(http, orders) == before, "not each has what it had")
    assert tasks_at(http, "Charge").keys() == set(orders)
    nothing_at_work(http)
    worker.seen.clear()
    code, events, said = killed.run([*run, "--set", f"amount={RIGHT}"], resumed(2))
    assert (code, events[-1]["state"], events[-1]["again"]) == (0, "passed", 0), said
    wait_for(lambda: tasks_at(http, "Ship") == dict.fromkeys(orders, 1), "not all are completed")
    assert sorted(worker.seen) == sorted((id, RIGHT) for id in orders)
    rest = ORDERS - 10
    assert (batches(http)["set-variables", rest], batches(http)["set-external-task-retries", rest]) == (1, 1)
    return held, undone


def skip(http: httpx.Client, killed: Killed, orders: list[str]) -> None:
    """All orders past their second activity."""
    run = ["run", "--profile", PROFILE, "--do", "skip", "--activity", "Ship", "--instances", "process:order"]
    run += ["--waves", "5,rest", "--count", str(ORDERS), "--reason", "INC-2", "--yes", "--json"]
    code, events, said = killed.run(run, resumed(3))
    assert (code, events[-1]["state"]) == (0, "passed"), said
    assert ended(http, "order") == dict.fromkeys(orders, ("COMPLETED", None))
    history = asked(http, "GET", "/history/activity-instance", params={"activityId": "Ship"})
    assert Counter(one["processInstanceId"] for one in history if one["canceled"]) == dict.fromkeys(orders, 1)
    assert batches(http)["instance-modification", 5] == batches(http)["instance-modification", ORDERS - 5] == 1


def cancel(http: httpx.Client, killed: Killed) -> None:
    """Claims that nobody wants any more."""
    deployed(http, Drawing("claim", [Step("Check", "check-claim")]))
    claims = [started(http, "claim") for _ in range(CLAIMS + 1)]
    kept = claims.pop()
    asked(http, "PUT", f"/process-instance/{kept}/suspended", json={"suspended": True})
    run = ["run", "--profile", PROFILE, "--do", "cancel", "--instances", "process:claim -suspended"]
    run += ["--waves", "5,rest", "--count", str(CLAIMS), "--reason", "INC-3", "--yes", "--json"]
    code, events, said = killed.run(run, resumed(4))
    assert (code, events[-1]["state"]) == (0, "passed"), said
    assert ended(http, "claim") == dict.fromkeys(claims, ("EXTERNALLY_TERMINATED", "INC-3"))
    assert tasks_at(http, "Check") == {kept: 1}
    assert batches(http)["instance-deletion", 5] == batches(http)["instance-deletion", CLAIMS - 5] == 1


def retry_jobs(http: httpx.Client, killed: Killed) -> None:
    """Jobs that fail as long as a variable is missing."""
    asked(http, "POST", "/deployment/create", files={"judged.bpmn": ("judged.bpmn", JUDGED)})
    instances = [started(http, "judged") for _ in range(JUDGED_ONES)]
    wait_for(lambda: list(jobs(http).values()) == [0] * JUDGED_ONES, "not all jobs fail")
    failed, all_jobs = failures(http), set(jobs(http))
    for instance in instances:
        asked(http, "PUT", f"/process-instance/{instance}/variables/ok", json={"value": 1, "type": "Integer"})
    run = ["run", "--profile", PROFILE, "--jobs", "process:judged", "--retries", "1", "--waves", "4,rest"]
    run += ["--gate", "20%", "--count", str(JUDGED_ONES), "--reason", "INC-4", "--yes", "--json"]
    code, events, said = killed.run(run, resumed(5))
    assert (code, events[-1]["state"], events[-1]["again"]) == (0, "passed", 0), said
    query = {"processDefinitionKey": "judged", "successLog": True}
    wait_for(lambda: not jobs(http), "not all jobs are carried out")
    done = Counter(one["jobId"] for one in asked(http, "POST", "/history/job-log", json=query))
    assert (done, failures(http)) == (dict.fromkeys(all_jobs, 1), failed)
    assert tasks_at(http, "good") == dict.fromkeys(instances, 1)
    assert batches(http)["set-job-retries", 4] == batches(http)["set-job-retries", JUDGED_ONES - 4] == 1


def resumed(number: int) -> list[str]:
    """The command that goes on with a run."""
    return ["watch", str(number), "--resume", "--yes", "--json"]
