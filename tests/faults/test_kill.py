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
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from retriage.store.commands.deployments import deploy
from retriage.store.commands.instances import start
from retriage.store.contract.records import VariableValue
from retriage.store.database import open_database
from tests.engines.processes import free_port
from tests.store.drawings import END, START, file, flows, process, task
from tests.support.plain import plain_world

TASKS = 6000
KILLS = 3
PATIENCE = 60.0


@contextmanager
def serving(store: Path) -> Iterator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    """A server with small sets, so that a batch takes many transactions."""
    port = free_port()
    command = [sys.executable, "-m", "retriage.console", "serve", "--port", str(port), "--store", str(store)]
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


def order_and_kill(store: Path, path: str, body: dict[str, object], after: float) -> None:
    """Give an order that is a batch, and kill the server so many seconds later, whether it has answered or not."""
    with serving(store) as (client, process), ThreadPoolExecutor(1) as caller:
        asked = caller.submit(client.post, path, json=body)
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        with suppress(httpx.TransportError):
            asked.result()


def test_kills_at_any_moment_lose_nothing_and_do_nothing_twice(store: Path, request: pytest.FixtureRequest) -> None:
    """While the ids of a batch are collected, while its jobs are made and while they are carried out."""
    kills: int = request.config.getoption("--kills")
    chance = random.Random(kills)
    for number in range(kills):
        order = {"retries": number % 4, "externalTaskQuery": {}, "externalTaskIds": ["no such task"]}
        order_and_kill(store, "/external-task/retries-async", order, chance.uniform(0.05, 1.5))
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


INSTANCES = 1500


def test_jobs_of_tokens_survive_a_kill(tmp_path: Path) -> None:
    """Each token goes on once: to a task, and with every second variable to a failure."""
    path = tmp_path / "store.db"
    drawn = process(
        START,
        '<exclusiveGateway id="how" camunda:asyncBefore="true"/>',
        task("work"),
        END,
        flows("begin>how", "how>work?${ok == 1}", "how>done?${ok == 2}"),
    )

    async def build() -> None:
        database = await open_database(str(path))
        async with database.writing() as connection:
            made = await deploy(connection, "kill", {"order.bpmn": file(drawn)})
            for number in range(INSTANCES):
                given = {"ok": VariableValue(type="Integer", value=1)} if number % 2 else {}
                await start(connection, made.definitions[0].id, variables=given)
        await database.close()

    asyncio.run(build())
    for _ in range(KILLS):
        with serving(path) as (client, handle):
            begun = _tasks(client)
            assert begun < INSTANCES // 2, "all was over before it could be killed"
            until(lambda client=client, least=begun: _tasks(client) > least + 20, "no progress")
            os.kill(handle.pid, signal.SIGKILL)
    failed = {"noRetriesLeft": True}
    with serving(path) as (client, _handle):
        until(lambda: _tasks(client) == INSTANCES // 2, "not all went on")
        until(lambda: client.post("/job/count", json=failed).json() == {"count": INSTANCES // 2}, "not all failed")
    with closing(sqlite3.connect(path)) as rows:
        one_each = "SELECT count(*), count(DISTINCT process_instance_id) FROM"
        assert rows.execute(f"{one_each} external_task").fetchone() == (INSTANCES // 2,) * 2
        assert rows.execute(f"{one_each} execution").fetchone() == (INSTANCES,) * 2
        assert rows.execute(f"{one_each} incident WHERE state = 'open'").fetchone() == (INSTANCES // 2,) * 2
        log = "SELECT count(*), count(DISTINCT job_id) FROM job_log WHERE state ="
        assert rows.execute(f"{log} 2").fetchone() == (INSTANCES // 2,) * 2
        assert rows.execute(f"{log} 1").fetchone() == (INSTANCES // 2 * 3, INSTANCES // 2)


def _tasks(client: httpx.Client) -> int:
    return int(client.get("/external-task/count").json()["count"])


def come_to_their_end(store: Path) -> None:
    """Let all batches be carried out."""
    with serving(store) as (client, _process):
        until(lambda: client.get("/batch").json() == [], "the batches did not close", 2 * PATIENCE)


def each_job_once(rows: sqlite3.Connection, kind: str) -> int:
    """Check that each batch of a type made a job for every instance, and that each of them succeeded once.

    Returns:
        How many batches there were.
    """
    batches = rows.execute("SELECT id, elements FROM batch WHERE type = ?", [kind]).fetchall()
    for batch, elements in batches:
        for state in (0, 2):
            counted = (
                "SELECT count(*), count(DISTINCT job_id) FROM job_log WHERE batch_id = ? AND job_type = ? AND state = ?"
            )
            assert rows.execute(counted, [batch, kind, state]).fetchone() == (elements, elements)
    return len(batches)


def test_kills_leave_one_variable_of_a_name_and_whole_deletions(store: Path, request: pytest.FixtureRequest) -> None:
    """Batches that set a variable, and one that deletes half of the instances, killed at any moment of theirs."""
    kills: int = request.config.getoption("--kills")
    chance = random.Random(kills + 1)
    everything: dict[str, object] = {"processInstanceQuery": {}}
    for number in range(kills):
        variables = {"amount": {"value": number}, "killed": {"value": f"no. {number}"}}
        order_and_kill(
            store,
            "/process-instance/variables-async",
            {**everything, "variables": variables},
            chance.uniform(0.05, 1.5),
        )
    come_to_their_end(store)
    rows = sqlite3.connect(store)
    made = each_job_once(rows, "set-variables")
    doubled = "SELECT count(*) FROM variable GROUP BY process_instance_id, name HAVING count(*) > 1"
    assert rows.execute(doubled).fetchall() == []
    expected = [(TASKS, 2)] if made else []
    per_instance = "SELECT count(*), names FROM (SELECT count(*) AS names FROM variable GROUP BY process_instance_id)"
    assert rows.execute(f"{per_instance} GROUP BY names").fetchall() == expected
    torn = (
        "SELECT count(*) FROM variable one JOIN variable two ON one.process_instance_id = two.process_instance_id"
        " WHERE one.name = 'amount' AND two.name = 'killed' AND two.text_value <> 'no. ' || one.long_value"
    )
    assert rows.execute(torn).fetchone() == (0,)
    rows.close()
    half = {"processInstanceQuery": {"businessKeyLike": "key-1%"}, "deleteReason": "killed"}
    order_and_kill(store, "/process-instance/delete", half, 0.6)
    for _ in range(kills):
        with serving(store) as (_client, process):
            time.sleep(chance.uniform(0.05, 0.6))
            os.kill(process.pid, signal.SIGKILL)
    come_to_their_end(store)
    rows = sqlite3.connect(store)
    if each_job_once(rows, "instance-deletion"):
        states = (
            "SELECT business_key LIKE 'key-1%', state, delete_reason, count(*) FROM process_instance GROUP BY 1, 2, 3"
        )
        (left, ended) = rows.execute(states).fetchall()
        assert (left[:3], ended[:3]) == ((0, "ACTIVE", None), (1, "EXTERNALLY_TERMINATED", "killed"))
        gone = ended[3]
        log = "SELECT count(*), count(DISTINCT external_task_id) FROM external_task_log WHERE state = 3"
        assert rows.execute(log).fetchone() == (gone, gone)
        for table in ("external_task", "execution"):
            assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (TASKS - gone,)
    for table in ("job", "batch_element", "batch_group", "unfinished_batch", "job_definition"):
        assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    assert rows.execute("SELECT count(*) FROM variable WHERE batch_id IS NOT NULL").fetchone() == (0,)
    rows.close()
