"""Two consoles that send one wave over the same tasks in the same moment, on a real engine: one goes on to the end, the
other holds and names the batch of the first. Batches and tasks are asked of the engine by REST."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.test_old_engine import asked, engine
from tests.acceptance.test_run_night import Shell, wait_for
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.support.fault_proxy import FaultProxy, Slow

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
ROUNDS, NUMBER, FIRST = 3, 40, 30
RUN = [
    "--query", "topic:charge retries:0", "--retries", "1", "--waves", f"{FIRST},rest", "--gate", "20%",
    "--watch", "60s", "--yes", "--json",
]  # fmt: skip


def fetched(http: httpx.Client, worker: str) -> list[str]:
    """Ids of all tasks that a worker gets."""
    topic = {"topicName": "charge", "lockDuration": 60_000}
    fetch = {"workerId": worker, "maxTasks": 1000, "topics": [topic]}
    return [task["id"] for task in asked(http, "POST", "/external-task/fetchAndLock", json=fetch)]


def outage(http: httpx.Client) -> set[str]:
    """New tasks, all of which have failed; the only ones of the engine."""
    for _ in range(NUMBER):
        asked(http, "POST", "/process-definition/key/claim/start", json={})
    failure = {"workerId": "w", "errorMessage": "HTTP 503", "retries": 0, "retryTimeout": 0}
    ids = fetched(http, "w")
    for id in ids:
        asked(http, "POST", f"/external-task/{id}/failure", json=failure)
    return set(ids)


def batches(http: httpx.Client) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in asked(http, "GET", "/batch/statistics")}


def test_of_two_runs_over_the_same_tasks_one_goes_on_and_the_other_names_it(tmp_path: Path) -> None:
    with engine(camunda.REFERENCE, tmp_path) as http:
        drawing = Drawing("claim", [Step("Charge", "charge")])
        asked(http, "POST", "/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        address = http.base_url.host, http.base_url.port
        assert address[1] is not None
        for round in range(ROUNDS):
            tasks = outage(http)
            with FaultProxy((address[0], address[1])) as proxy:
                race(http, proxy, tmp_path / str(round), tasks)


def race(http: httpx.Client, proxy: FaultProxy, folder: Path, tasks: set[str]) -> None:
    """Both orders reach the engine at once."""
    proxy.faults.play(Slow(), on="^POST .*/retries-async$")
    shells = []
    for name in ("ann", "bob"):
        (folder / name).mkdir(parents=True)
        shells.append(Shell(folder / name, proxy.root))
    processes = [shell.start("run", "--engine", proxy.root, "--env", "TEST", *RUN) for shell in shells]
    try:
        for shell in shells:
            wait_for(lambda: shell.journal.exists() and _sent(shell), "it is not sent")  # noqa: B023 - called at once
        proxy.faults.clear()
        wait_for(lambda: any(one.poll() is not None for one in processes), "neither holds")
        left = [one for one in processes if one.poll() is None]
        assert len(left) == 1, "one goes on"
        (loser,) = [at for at, one in enumerate(processes) if one is not left[0]]
        ((given,),) = shells[loser].asked("SELECT batch_id FROM launch")
        ((first,),) = shells[1 - loser].asked("SELECT batch_id FROM launch")
        there = batches(http)
        assert there[given]["suspended"], "what its jobs have not set by then is not set"
        assert not there[first]["suspended"]
        assert (there[first]["startTime"], first) < (there[given]["startTime"], given)
        done: set[str] = set()
        while left[0].poll() is None:
            for id in fetched(http, "w"):
                asked(http, "POST", f"/external-task/{id}/complete", json={"workerId": "w"})
                done.add(id)
        told = [process.communicate() for process in processes]
        events = [[json.loads(line) for line in out.splitlines()] for out, _ in told]
        assert [one.returncode for one in (processes[loser], left[0])] == [6, 0], told
        held, ended = events[loser][-1], events[1 - loser][-1]
        assert (held["event"], held["cause"], held["wave"]) == ("held", "other-batches", 1)
        assert first in str(held)
        assert (ended["event"], ended["state"], ended["done"]) == ("end", "passed", NUMBER)
        assert done == tasks
        log = {"successLog": True, "topicName": "charge"}
        succeeded = asked(http, "POST", "/history/external-task-log", json=log)
        assert sorted(one["externalTaskId"] for one in succeeded if one["externalTaskId"] in tasks) == sorted(tasks)
        sent = [id for (id,) in shells[1 - loser].asked("SELECT batch_id FROM launch ORDER BY id")]
        sizes = [asked(http, "GET", f"/history/batch/{id}")["totalJobs"] for id in sent]
        assert sizes == [FIRST, NUMBER - FIRST]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()
        for id in batches(http):
            asked(http, "DELETE", f"/batch/{id}")


def _sent(shell: Shell) -> bool:
    tables = shell.asked("SELECT count(*) FROM sqlite_master WHERE name = 'launch'")
    return tables == [(1,)] and shell.asked("SELECT state FROM launch") == [("sent",)]
