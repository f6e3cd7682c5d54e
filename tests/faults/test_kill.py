"""Killing the server in the middle of a batch, again and again, loses nothing and does nothing twice.

``pytest -m long tests/faults/test_kill.py --kills 200`` is the long form.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from store.database import open_database
from tests.engines.processes import free_port
from tests.support.plain import plain_world

TASKS = 6000
KILLS = 3
PATIENCE = 60.0


@contextmanager
def serving(store: Path) -> Iterator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    """A server with small sets, so that a batch takes many transactions."""
    port = free_port()
    command = [sys.executable, "-m", "console", "serve", "--port", str(port), "--store", str(store)]
    environment = os.environ | {"RETRIAGE_RUNNER_SET_SIZE": "40", "RETRIAGE_BATCH_JOBS_PER_SEED": "40"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"Serving")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/engine-rest", timeout=30) as client:
            yield client, process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def until(condition: "object", sentence: str, seconds: float = PATIENCE) -> None:
    """Wait until ``condition()`` holds."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, sentence
        time.sleep(0.01)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"

    async def build() -> None:
        database = await open_database(str(path))
        await plain_world(database, TASKS, retries=0, deployments=3)
        await database.close()

    asyncio.run(build())
    return path


def completed(client: httpx.Client, batch_id: str) -> int:
    found = client.get("/batch/statistics", params={"batchId": batch_id}).json()
    return int(found[0]["completedJobs"]) if found else TASKS


def test_a_killed_batch_is_finished_after_the_restart_and_nothing_is_done_twice(store: Path) -> None:
    with serving(store) as (client, process):
        order = {"retries": 5, "externalTaskQuery": {}, "externalTaskIds": ["no such task"]}
        batch = client.post("/external-task/retries-async", json=order).json()
        seen = [completed(client, batch["id"])]
        until(lambda: completed(client, batch["id"]) > 200, "the batch did not begin")
        os.kill(process.pid, signal.SIGKILL)
    for _ in range(KILLS - 1):
        with serving(store) as (client, process):
            now_done = completed(client, batch["id"])
            assert now_done >= seen[-1]
            assert now_done < TASKS, "the batch was over before it could be killed"
            seen.append(now_done)
            until(lambda client=client, least=now_done: completed(client, batch["id"]) > least + 100, "no progress")
            os.kill(process.pid, signal.SIGKILL)
    with serving(store) as (client, _process):
        failed = {"jobDefinitionId": batch["batchJobDefinitionId"], "noRetriesLeft": True}
        until(
            lambda: (
                completed(client, batch["id"]) == TASKS
                and client.post("/job/count", json=failed).json() == {"count": 1}
            ),
            "the batch did not end",
        )
        (job,) = client.post("/job", json=failed).json()
        assert (
            client.get("/incident", params={"jobDefinitionIdIn": batch["batchJobDefinitionId"]}).json()[0][
                "configuration"
            ]
            == job["id"]
        )
        assert client.delete(f"/job/{job['id']}").status_code == 204
        until(lambda: client.get(f"/batch/{batch['id']}").status_code == 404, "the batch did not close")
        assert client.get(f"/history/batch/{batch['id']}").json()["endTime"] is not None
    rows = sqlite3.connect(store)
    with rows:
        assert rows.execute("SELECT retries, count(*) FROM external_task GROUP BY retries").fetchall() == [(5, TASKS)]
        created, distinct = rows.execute(
            "SELECT count(*), count(DISTINCT job_id) FROM job_log WHERE state = 0 AND job_type = ?", [batch["type"]]
        ).fetchone()
        assert (created, distinct) == (TASKS + 1, TASKS + 1)
        succeeded, distinct = rows.execute(
            "SELECT count(*), count(DISTINCT job_id) FROM job_log WHERE state = 2 AND job_type = ?", [batch["type"]]
        ).fetchone()
        assert (succeeded, distinct) == (TASKS, TASKS)
        assert rows.execute("SELECT count(*) FROM job").fetchone() == (0,)
        assert rows.execute("SELECT count(*) FROM batch_element").fetchone() == (0,)
    rows.close()


def launch_and_kill(store: Path, retries: int, after: float) -> None:
    """Launch a batch and kill the server so many seconds later, whether it has answered or not."""
    with serving(store) as (client, process), ThreadPoolExecutor(1) as caller:
        order = {"retries": retries, "externalTaskQuery": {}, "externalTaskIds": ["no such task"]}
        asked = caller.submit(client.post, "/external-task/retries-async", json=order)
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        with suppress(httpx.TransportError):
            asked.result()


def test_kills_at_any_moment_lose_nothing_and_do_nothing_twice(store: Path, request: pytest.FixtureRequest) -> None:
    """While the ids of a batch are collected, while its jobs are made and while they are carried out."""
    kills: int = request.config.getoption("--kills")
    chance = random.Random(kills)
    for number in range(kills):
        launch_and_kill(store, number % 4, chance.uniform(0.05, 1.5))
    with serving(store) as (client, _process):
        failed = {"noRetriesLeft": True}

        def only_failed_are_left() -> bool:
            found = client.get("/batch/statistics").json()
            return all(one["remainingJobs"] == one["failedJobs"] == 1 for one in found)

        until(only_failed_are_left, "the batches did not come to their failed jobs", PATIENCE + 10.0 * kills)
        for job in client.post("/job", json=failed).json():
            assert client.delete(f"/job/{job['id']}").status_code == 204
        until(lambda: client.get("/batch").json() == [], "the batches did not close", PATIENCE + kills)
    rows = sqlite3.connect(store)
    for table in ("job", "batch_element", "batch_group", "unfinished_batch", "job_definition"):
        assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    kind = "set-external-task-retries"
    for (batch,) in rows.execute("SELECT id FROM batch").fetchall():
        counted = (
            "SELECT count(*), count(DISTINCT job_id) FROM job_log WHERE batch_id = ? AND job_type = ? AND state = ?"
        )
        assert rows.execute(counted, [batch, kind, 0]).fetchone() == (TASKS + 1, TASKS + 1)
        assert rows.execute(counted, [batch, kind, 2]).fetchone() == (TASKS, TASKS)
    unlike = (
        "SELECT task.id FROM external_task task LEFT JOIN incident"
        " ON incident.configuration = task.id AND incident.end_time IS NULL"
        " GROUP BY task.id, task.retries HAVING count(incident.id) <> (task.retries = 0)"
    )
    assert rows.execute("SELECT count(*) FROM external_task").fetchone() == (TASKS,)
    # The world is written without incidents for its tasks that have no retries: only what a batch has set agrees.
    if rows.execute("SELECT count(*) FROM batch").fetchone() != (0,):
        assert rows.execute(unlike).fetchall() == []
    rows.close()
