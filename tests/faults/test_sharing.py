"""Several runners and many hands on one PostgreSQL database: nothing is lost, nothing is done twice."""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.acquire import acquire
from retriage.store.batch.create import create
from retriage.store.batch.orders import delete_batch, suspend_batch
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.bpmn import parse
from retriage.store.commands.instances import delete_instance, set_suspended
from retriage.store.commands.processes import remember
from retriage.store.commands.retries import set_retries, set_retries_in_bulk
from retriage.store.commands.workers import complete
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import CompleteTask, SetExternalTaskRetries
from retriage.store.contract.records import Batch
from retriage.store.contract.states import LogState
from retriage.store.database import Database
from retriage.store.runner import Runner
from retriage.store.settings import StoreSettings
from retriage.store.tables import ExternalTask, ProcessInstance
from retriage.store.tables.types import col
from tests.contract.bpmn import Drawing, Step
from tests.faults.conftest import Open
from tests.support.plain import plain_world

pytestmark = pytest.mark.postgresql

SMALL = StoreSettings(runner_set_size=40, batch_jobs_per_seed=40, runner_idle_seconds=0.2, runner_lock_seconds=1)
PATIENCE = 60.0
SOON = 15.0
"""Far below the 30 s of the monitor job: a batch must not wait for those."""


async def launch(database: Database, retries: int, **more: Any) -> Batch:
    order = {"retries": retries, "externalTaskQuery": {}, **more}
    async with database.writing() as connection:
        return await create(connection, plan_task_retries(SetExternalTaskRetries.model_validate(order), SMALL), SMALL)


async def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), values)]


async def until(database: Database, statement: str, seconds: float = PATIENCE, **values: Any) -> None:
    """Wait until the statement finds a row."""
    async with asyncio.timeout(seconds):
        while True:
            if await rows(database, statement, **values):
                return
            await asyncio.sleep(0.02)


async def ended(database: Database, batch: Batch, seconds: float = PATIENCE) -> None:
    await until(database, "SELECT 1 FROM batch WHERE id = :id AND end_time IS NOT NULL", seconds, id=batch.id)


async def log_of(database: Database, batch: Batch) -> dict[LogState, Counter[str]]:
    """For each state, how many entries each batch job has."""
    entries = await rows(
        database,
        "SELECT state, job_id FROM job_log WHERE batch_id = :id AND job_type = :type",
        id=batch.id,
        type=batch.type,
    )
    return {state: Counter(job for one, job in entries if one == state) for state in LogState}


async def check_done(database: Database, batch: Batch, tasks: int) -> None:
    """Each job was made once and succeeded once, and nothing of the batch is left."""
    log = await log_of(database, batch)
    assert len(log[LogState.CREATED]) == tasks
    assert log[LogState.SUCCESSFUL] == log[LogState.CREATED]
    assert set(log[LogState.CREATED].values()) == {1}
    assert not log[LogState.FAILED]
    for table in ("job", "job_definition", "batch_element", "batch_group"):
        assert await rows(database, f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_three_runners_carry_out_one_batch(database: Database, another: Open) -> None:
    tasks = 4000
    await plain_world(database, tasks, deployments=3)
    runners = [Runner(await another(), SMALL) for _ in range(3)]
    batch = await launch(database, 0)
    for runner in runners:
        await runner.start()
    await until(database, "SELECT 1 FROM batch WHERE seeded = elements")
    owners = "SELECT 1 FROM job WHERE lock_owner IS NOT NULL HAVING count(DISTINCT lock_owner) > 1"
    await until(database, owners + " UNION SELECT 1 FROM batch WHERE end_time IS NOT NULL")
    await until(database, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM batch_element)")
    await ended(database, batch, SOON)
    for runner in runners:
        await runner.stop()
    await check_done(database, batch, tasks)
    assert await rows(database, "SELECT retries, count(*) FROM external_task GROUP BY 1") == [(0, tasks)]
    once = "SELECT count(*), count(DISTINCT configuration) FROM incident WHERE end_time IS NULL"
    assert await rows(database, once) == [(tasks, tasks)]


async def test_runners_that_die_leave_their_jobs_to_the_others(database: Database, another: Open) -> None:
    tasks = 3000
    await plain_world(database, tasks, retries=0)
    batch = await launch(database, 4)
    survivor, cut = Runner(await another(), SMALL), Runner(await another(), SMALL)
    await cut.turn()
    async with database.writing() as connection:  # one that dies between the acquisition and the work
        assert await acquire(connection, "elsewhere/1/dead/1", 30, SMALL.runner_lock_seconds)
    await survivor.start()

    async def turns() -> None:
        while True:
            await cut.turn()

    for number in range(10):
        working = asyncio.create_task(turns())
        await asyncio.sleep(0.03 + 0.007 * number)  # in the middle of another statement each time
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await ended(database, batch)
    await survivor.stop()
    await check_done(database, batch, tasks)
    assert await rows(database, "SELECT retries, count(*) FROM external_task GROUP BY 1") == [(4, tasks)]


async def test_two_batches_over_the_same_tasks_in_opposite_order(database: Database, another: Open) -> None:
    tasks = 1500
    await plain_world(database, tasks)
    ids = [row[0] for row in await rows(database, "SELECT id FROM external_task ORDER BY id")]
    batches = [
        await launch(database, 0, externalTaskIds=ids, externalTaskQuery=None),
        await launch(database, 6, externalTaskIds=ids[::-1], externalTaskQuery=None),
    ]
    runners = [Runner(await another(), SMALL) for _ in range(3)]
    for runner in runners:
        await runner.start()
    for batch in batches:
        await ended(database, batch)
    for runner in runners:
        await runner.stop()
    for batch in batches:
        await check_done(database, batch, tasks)
    differing = (
        "SELECT task.id FROM external_task task LEFT JOIN incident"
        " ON incident.configuration = task.id AND incident.end_time IS NULL"
        " GROUP BY task.id, task.retries HAVING count(incident.id) <> CASE task.retries WHEN 0 THEN 1 ELSE 0 END"
    )
    assert await rows(database, differing) == []


async def test_a_deadlock_costs_the_jobs_nothing(database: Database, another: Open) -> None:
    tasks = 30
    await plain_world(database, tasks)
    batch = await launch(database, 5)
    first, *_, last = (row[0] for row in await rows(database, "SELECT id FROM external_task ORDER BY id"))
    settings = SMALL.model_copy(update={"runner_lock_seconds": 600.0})
    runner = Runner(await another(), settings)
    keeps = "SELECT 1 FROM external_task WHERE id = :id FOR UPDATE"
    async with database.writing() as connection:
        await connection.execute(text(keeps), {"id": last})
        await runner.start()
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        await until(database, waiting)
        await connection.execute(text(keeps), {"id": first})  # the runner has waited longer: it is the one to give way
    await ended(database, batch, SOON)
    await runner.stop()
    await check_done(database, batch, tasks)


@pytest.mark.parametrize("deed", [suspend_batch, delete_batch])
async def test_a_batch_that_is_stopped_while_runners_work_on_it(
    database: Database, another: Open, deed: Callable[..., Awaitable[None]]
) -> None:
    await plain_world(database, 2000)
    batch = await launch(database, 5)
    runners = [Runner(await another(), SMALL) for _ in range(2)]
    for runner in runners:
        await runner.start()
    await until(database, "SELECT 1 FROM external_task WHERE retries = 5")
    async with database.writing() as connection:
        await deed(connection, batch.id, True)
    (done,) = (await rows(database, "SELECT count(*) FROM external_task WHERE retries = 5"))[0]
    await asyncio.sleep(0.5)
    for runner in runners:
        await runner.stop()
    log = await log_of(database, batch)
    if deed is suspend_batch:
        assert (await rows(database, "SELECT count(*) FROM external_task WHERE retries = 5"))[0] == (done,)
        assert await rows(database, "SELECT DISTINCT suspended, lock_owner FROM job") == [(True, None)]
        assert len(log[LogState.SUCCESSFUL]) == done
    else:
        for table in ("job", "job_log", "batch", "batch_element"):
            assert await rows(database, f"SELECT count(*) FROM {table}") == [(0,)], table
    assert 0 < done < 2000


@pytest.mark.parametrize("in_bulk", [False, True])
@pytest.mark.parametrize(
    ("before", "first", "second", "opened"), [(3, 0, 0, 1), (3, 0, 2, 0), (0, 1, 1, 0), (0, 1, 0, 1)]
)
async def test_two_transactions_set_the_same_tasks(
    database: Database, another: Open, before: int, first: int, second: int, opened: int, in_bulk: bool
) -> None:
    """The second begins when the first has done its work, and before it commits."""
    await plain_world(database, 5, retries=3)
    tasks = select(col(ExternalTask.id))
    async with database.writing() as connection:
        await set_retries(connection, tasks, before)

    async def follow() -> None:
        follower = await another()
        async with follower.writing() as connection:
            if in_bulk:
                await set_retries_in_bulk(connection, SetExternalTaskRetries.model_validate(order))
            else:
                await set_retries(connection, tasks, second)

    order = {"retries": second, "externalTaskQuery": {}}
    async with database.writing() as connection:
        await set_retries(connection, tasks, first)
        following = asyncio.create_task(follow())
        await until(database, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    await following
    assert await rows(database, "SELECT DISTINCT retries FROM external_task") == [(second,)]
    found = await rows(database, "SELECT configuration, count(*) FROM incident WHERE end_time IS NULL GROUP BY 1")
    assert sorted(count for _, count in found) == [opened] * 5 * opened


async def test_hands_on_the_same_instances_never_wait_in_a_ring(database: Database, another: Open) -> None:
    """Workers complete, operators delete, suspend and retry the same tasks, in different orders at the same time."""
    tasks = 120
    await plain_world(database, tasks, retries=0)
    (process,) = parse(Drawing("plain", [Step("work", "topic-0")]).xml().encode(), "plain.bpmn")
    remember("plain:1:def", process)
    every, instances = select(col(ExternalTask.id)), select(col(ProcessInstance.id))
    found = await rows(database, "SELECT id, process_instance_id FROM external_task ORDER BY id")
    async with database.writing() as connection:
        await connection.execute(text("UPDATE external_task SET worker_id = 'w', retries = 1"))
        await set_retries(connection, every, 0)

    async def each(deeds: list[Callable[[AsyncConnection], Awaitable[object]]]) -> None:
        own = await another()
        for deed in deeds:
            with suppress(ContractError):  # somebody else was first
                async with own.writing() as connection:
                    await deed(connection)

    order = CompleteTask(worker_id="w")
    await asyncio.gather(
        each([partial(complete, task_id=task, order=order) for task, _ in found]),
        each([partial(delete_instance, instance_id=instance) for _, instance in reversed(found)]),
        each([partial(set_retries, tasks=every, retries=number % 2) for number in range(40)]),
        each([partial(set_suspended, instances=instances, suspended=not number % 2) for number in range(41)]),
        each([partial(set_suspended, instances=instances, suspended=False) for _ in range(40)]),
    )
    left = await rows(database, "SELECT count(*) FROM external_task")
    running = await rows(database, "SELECT count(*) FROM process_instance WHERE end_time IS NULL")
    assert left == running == [(0,)]


async def test_processes_that_open_an_empty_database_at_the_same_time(place: str) -> None:
    opens = "asyncio.run(database.open_database(sys.argv[1]))"
    program = f"import asyncio, sys; from retriage.store import database; {opens}"
    command = (sys.executable, "-W", "ignore", "-c", program, place)
    opening = [await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE) for _ in range(4)]
    said = [await process.communicate() for process in opening]
    assert [(process.returncode, err) for process, (_, err) in zip(opening, said, strict=True)] == [(0, b"")] * 4
