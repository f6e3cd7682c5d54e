"""What can not be seen from outside: sets, groups, locks, and what happens when a set meets trouble."""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch import execute
from retriage.store.batch.acquire import acquire
from retriage.store.batch.create import create
from retriage.store.batch.execute import run_jobs
from retriage.store.batch.orders import suspend_batch
from retriage.store.batch.seed import run_seed
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.records import Batch
from retriage.store.database import Database, now, open_database
from retriage.store.runner import Runner
from retriage.store.runner.runner import SMALLEST_SET
from retriage.store.settings import StoreSettings
from retriage.store.tables import Job
from retriage.store.tables.types import col
from tests.support.plain import plain_world

SETTINGS = StoreSettings(runner_set_size=100, batch_jobs_per_seed=10)
ALL = SetExternalTaskRetries.model_validate({"retries": 7, "externalTaskQuery": {}})


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(str(tmp_path / "store.db"))
    yield opened
    await opened.close()


async def launch(database: Database, order: SetExternalTaskRetries, settings: StoreSettings = SETTINGS) -> Batch:
    async with database.writing() as connection:
        return await create(connection, plan_task_retries(order, settings), settings)


async def run(database: Database, settings: StoreSettings = SETTINGS) -> None:
    """Work until there is nothing to do now."""
    runner = Runner(database, settings)
    while await runner.turn():
        pass


async def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), values)]


async def test_trouble_that_nobody_foresaw_fails_one_job_and_not_its_set(database: Database) -> None:
    await plain_world(database, 60)
    (bad,) = (await rows(database, "SELECT id FROM external_task ORDER BY id LIMIT 1 OFFSET 30"))[0]
    async with database.writing() as connection:
        await connection.execute(
            text(
                "CREATE TRIGGER trouble BEFORE UPDATE OF retries ON external_task "
                f"WHEN old.id = '{bad}' BEGIN SELECT RAISE(ABORT, 'the disk has a scratch here'); END"
            )
        )
    batch = await launch(database, ALL)
    await run(database)
    assert await rows(database, "SELECT retries, count(*) FROM external_task GROUP BY retries ORDER BY retries") == [
        (3, 1),
        (7, 59),
    ]
    ((job, retries, message, trace),) = await rows(
        database, "SELECT id, retries, exception_message, exception_stacktrace FROM job WHERE first IS NOT NULL"
    )
    assert retries == 0
    assert "the disk has a scratch here" in message
    assert "Traceback" in trace
    failures = await rows(
        database, "SELECT job_retries FROM job_log WHERE job_id = :job AND state = 1 ORDER BY id", job=job
    )
    assert failures == [(3,), (2,), (1,)]
    assert await rows(
        database,
        "SELECT configuration, incident_type FROM incident WHERE end_time IS NULL AND job_definition_id = :definition",
        definition=batch.batch_job_definition_id,
    ) == [(job, "failedJob")]
    async with database.writing() as connection:
        await connection.execute(text("DROP TRIGGER trouble"))
        await connection.execute(text("UPDATE job SET retries = 1 WHERE id = :job"), {"job": job})
    await run(database)
    assert await rows(database, "SELECT count(*) FROM external_task WHERE retries = 7") == [(60,)]
    assert await rows(database, "SELECT state FROM incident WHERE configuration = :job", job=job) == [("resolved",)]
    assert await rows(database, "SELECT end_time IS NOT NULL FROM batch") == [(1,)]


async def test_jobs_never_mix_deployments_and_one_bad_id_fails_its_whole_job(database: Database) -> None:
    await plain_world(database, 6, deployments=2)
    settings = SETTINGS.model_copy(update={"invocations_per_batch_job": 2})
    order = ALL.model_copy(update={"external_task_ids": ["nobody", "no one", "none"]})
    batch = await launch(database, order, settings)
    assert batch.total_jobs == 5  # nine ids, two a job, rounded once over all
    async with database.writing() as connection:
        (seed,) = await acquire(connection, "first", 10, 30)
        assert await run_seed(connection, seed, 1) == 2
    await run(database, settings)
    slices = await rows(
        database,
        "SELECT deployment_id, count(*) FROM job_log WHERE state = 0 AND job_type = :type GROUP BY 1 ORDER BY 1",
        type=batch.type,
    )
    assert slices == [(None, 2), ("dep-0", 2), ("dep-1", 2)]
    left = await rows(database, "SELECT first, past, exception_message FROM job WHERE first IS NOT NULL ORDER BY first")
    assert left == [
        (6, 8, "Cannot find external task with id nobody: externalTask is null"),
        (8, 9, "Cannot find external task with id none: externalTask is null"),
    ]
    assert await rows(database, "SELECT count(*) FROM external_task WHERE retries = 7") == [(6,)]


@pytest.mark.parametrize("most", [0, execute.MOST_BETWEEN])
async def test_jobs_with_gaps_between_them_change_theirs_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """What lies between the jobs of a set is named, or else what they have; no element is held against each job."""
    monkeypatch.setattr(execute, "MOST_BETWEEN", most)
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    await plain_world(database, 60)
    settings = SETTINGS.model_copy(update={"invocations_per_batch_job": 2, "batch_jobs_per_seed": 30})
    batch = await launch(database, ALL, settings)
    async with database.writing() as connection:
        await seeded(connection)
        held = [one for one in await acquire(connection, "mine", 100, 30) if one.job_type == batch.type]
        await connection.execute(text("UPDATE job SET suspended = 1 WHERE first IN (4, 6, 30)"))
        statements.clear()
        assert (await run_jobs(connection, held[0])).succeeded == 27
        event.remove(Engine, "before_cursor_execute", note)
        assert statements
        assert [one for one in statements if "job.first" in one and "batch_element" in one] == []
    left = await rows(
        database,
        "SELECT ordinal FROM batch_element JOIN external_task ON id = element_id AND retries <> 7 ORDER BY ordinal",
    )
    assert left == [(ordinal,) for ordinal in (4, 5, 6, 7, 30, 31)]
    assert await rows(database, "SELECT count(*) FROM batch_element") == [(6,)]
    assert await rows(database, "SELECT count(*) FROM external_task WHERE retries = 7") == [(54,)]


async def test_the_log_has_every_seed_job_of_the_contract(database: Database) -> None:
    await plain_world(database, 250)
    settings = StoreSettings(runner_set_size=2000)
    batch = await launch(database, ALL, settings)
    await run(database, settings)
    found = await rows(
        database, "SELECT job_type, state, count(*), count(DISTINCT job_id) FROM job_log GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert found == [
        ("batch-monitor-job", 0, 1, 1),
        ("batch-monitor-job", 2, 1, 1),
        ("batch-seed-job", 0, 3, 3),
        ("batch-seed-job", 2, 3, 3),
        (batch.type, 0, 250, 250),
        (batch.type, 2, 250, 250),
    ]


async def seeded(connection: AsyncConnection) -> None:
    (seed,) = await acquire(connection, "seed", 10, 30)
    await run_seed(connection, seed, 1000)


async def test_jobs_suspended_after_they_were_acquired_stay_and_are_given_back(database: Database) -> None:
    await plain_world(database, 30)
    batch = await launch(database, ALL)
    async with database.writing() as connection:
        await seeded(connection)
        held = [one for one in await acquire(connection, "mine", 100, 30) if one.job_type == batch.type]
        await suspend_batch(connection, batch.id, True)
        assert (await run_jobs(connection, held[0])).succeeded == 0
    assert await rows(
        database, "SELECT count(*), count(lock_owner), min(retries) FROM job WHERE first IS NOT NULL"
    ) == [(30, 0, 3)]
    await run(database)
    assert await rows(database, "SELECT count(*) FROM external_task WHERE retries = 7") == [(0,)]
    async with database.writing() as connection:
        await suspend_batch(connection, batch.id, False)
    await run(database)
    assert await rows(database, "SELECT count(*) FROM external_task WHERE retries = 7") == [(30,)]


async def test_who_lost_the_lock_changes_nothing(database: Database) -> None:
    await plain_world(database, 30)
    batch = await launch(database, ALL)
    async with database.writing() as connection:
        await seeded(connection)
        late = next(one for one in await acquire(connection, "late", 100, 30) if one.job_type == batch.type)
        assert await acquire(connection, "early", 100, 30) == []
        await connection.execute(update(Job).values(lock_expiration_time=now() - timedelta(seconds=1)))
        quick = next(one for one in await acquire(connection, "quick", 100, 30) if one.job_type == batch.type)
        assert (await run_jobs(connection, late)).succeeded == 0
        assert (await connection.execute(text("SELECT count(*) FROM external_task WHERE retries = 7"))).scalar() == 0
        assert (await run_jobs(connection, quick)).succeeded == 30
    succeeded = await rows(
        database, "SELECT count(*) FROM job_log WHERE state = 2 AND job_type = :type", type=batch.type
    )
    assert succeeded == [(30,)]


async def test_locks_of_a_runner_that_is_not_alive_are_given_back_at_the_start(database: Database) -> None:
    await plain_world(database, 30)
    await launch(database, ALL)
    host = socket.gethostname()
    async with database.writing() as connection:
        await seeded(connection)
        await acquire(connection, f"{host}/999999999/dead/1", 20, 3600)
        await acquire(connection, "elsewhere/1/alive/1", 5, 3600)
    runner = Runner(database, SETTINGS)
    await runner.start()
    await runner.stop()
    locked = await rows(database, "SELECT DISTINCT lock_owner FROM job WHERE lock_owner IS NOT NULL")
    assert locked in ([("elsewhere/1/alive/1",)], [])
    free = await rows(database, "SELECT count(*) FROM job WHERE lock_owner LIKE :dead", dead=f"{host}/%")
    assert free == [(0,)]
    async with database.reading() as connection:
        elsewhere = col(Job.lock_owner) == "elsewhere/1/alive/1"
        kept = (await connection.execute(Job.__table__.select().where(elsewhere))).all()  # type: ignore[attr-defined]
    assert len(kept) == 5


async def test_a_runner_can_be_started_and_stopped_twice(database: Database) -> None:
    await plain_world(database, 30)
    await launch(database, ALL)
    runner = Runner(database, SETTINGS)
    for _ in range(2):
        await runner.start()
        await runner.start()
        await runner.stop()
        await runner.stop()
    assert await rows(database, "SELECT count(*) FROM job WHERE lock_owner IS NOT NULL") == [(0,)]
    await run(database)
    assert await rows(database, "SELECT count(*) FROM external_task WHERE retries = 7") == [(30,)]


async def test_sets_are_as_large_as_other_writers_can_wait_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plain_world(database, 3000)
    settings = StoreSettings(runner_set_size=800, batch_jobs_per_seed=3000)
    await launch(database, ALL, settings)
    runner = Runner(database, settings)
    clock = 0.0
    of_a_job = 0.001

    def now_slow() -> float:
        nonlocal clock
        clock += 1e-6
        return clock

    runner._clock = now_slow
    carried_out = runner._carried_out

    async def slow(connection: AsyncConnection, acquired: Any, most_jobs: int) -> Any:
        nonlocal clock
        clock += acquired.count * of_a_job
        return await carried_out(connection, acquired, most_jobs)

    monkeypatch.setattr(runner, "_carried_out", slow)
    sizes = [await runner.turn() for _ in range(9)]
    assert max(sizes[2:5]) > 200
    assert all(SMALLEST_SET <= size <= 200 for size in sizes[6:])
    of_a_job = 0.00001
    while await runner.turn():
        pass
    assert runner._set_size == 800
    assert await rows(database, "SELECT DISTINCT retries FROM external_task") == [(7,)]
