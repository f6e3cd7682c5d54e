"""Killing the server in the middle of a batch, again and again, loses nothing and does nothing twice."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


def until(condition: "object", sentence: str) -> None:
    """Wait until ``condition()`` holds."""
    deadline = time.monotonic() + PATIENCE
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
