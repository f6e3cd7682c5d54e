"""A paced runner: batches go as fast as they are meant to, each for itself, and the pace can be changed meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from retriage.store.batch.create import create
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.records import Batch
from retriage.store.database import Database, open_database
from retriage.store.runner import JobPace, Runner
from retriage.store.settings import StoreSettings
from tests.support.plain import plain_world

SETTINGS = StoreSettings(batch_jobs_per_seed=100)


class Clock:
    """Seconds that pass only when somebody says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(str(tmp_path / "store.db"))
    await plain_world(opened, 400)
    yield opened
    await opened.close()


async def launch(database: Database, first: int, past: int) -> Batch:
    """A batch over some of the tasks."""
    async with database.writing() as connection:
        ids = list((await connection.execute(text("SELECT id FROM external_task ORDER BY id"))).scalars())[first:past]
        order = SetExternalTaskRetries.model_validate({"retries": 7, "externalTaskIds": ids})
        return await create(connection, plan_task_retries(order, SETTINGS), SETTINGS)


async def done(database: Database, batch: Batch) -> int:
    """Jobs of a batch that are through."""
    async with database.reading() as connection:
        sql = "SELECT count(*) FROM job_log WHERE batch_id = :id AND job_definition_id = :work AND state = 2"
        values = {"id": batch.id, "work": batch.batch_job_definition_id}
        return int((await connection.execute(text(sql), values)).scalar_one())


async def pass_time(runner: Runner, clock: Clock, turns: int, seconds: float = 0.2) -> None:
    for _ in range(turns):
        clock.seconds += seconds
        await runner.turn()


async def test_a_batch_goes_at_its_pace(database: Database) -> None:
    clock = Clock()
    runner = Runner(database, SETTINGS, pace=JobPace(20, clock=clock))
    batch = await launch(database, 0, 400)
    await pass_time(runner, clock, 3)
    begun = await done(database, batch)
    await pass_time(runner, clock, 25)
    assert await done(database, batch) - begun == pytest.approx(100, abs=2)


async def test_the_pace_can_be_changed_while_the_runner_works(database: Database) -> None:
    clock = Clock()
    pace = JobPace(20, clock=clock)
    runner = Runner(database, SETTINGS, pace=pace)
    batch = await launch(database, 0, 400)
    await pass_time(runner, clock, 10)
    begun = await done(database, batch)
    assert pace.faster() == 2
    await pass_time(runner, clock, 10)
    doubled = await done(database, batch) - begun
    assert doubled == pytest.approx(80, abs=2)
    assert pace.slower() == 1
    assert pace.slower() == 0.5
    await pass_time(runner, clock, 10)
    assert await done(database, batch) - begun - doubled == pytest.approx(20, abs=2)


async def test_full_speed_from_now_on_ends_it(database: Database) -> None:
    clock = Clock()
    pace = JobPace(1, clock=clock)
    runner = Runner(database, SETTINGS, pace=pace)
    batch = await launch(database, 0, 400)
    await pass_time(runner, clock, 3)
    assert await done(database, batch) < 10
    pace.jobs_per_second = None
    while await runner.turn():
        pass
    assert await done(database, batch) == 400


async def test_each_batch_has_its_own_share_and_may_have_its_own_pace(database: Database) -> None:
    clock = Clock()
    pace = JobPace(20, clock=clock)
    runner = Runner(database, SETTINGS, pace=pace)
    older, younger = await launch(database, 0, 200), await launch(database, 200, 400)
    pace.of_batch[older.id] = 5
    await pass_time(runner, clock, 30)
    assert await done(database, older) == pytest.approx(30, abs=3)
    assert await done(database, younger) == pytest.approx(120, abs=5)


async def test_a_paced_batch_ends_and_is_forgotten(database: Database) -> None:
    clock = Clock()
    pace = JobPace(20, clock=clock)
    runner = Runner(database, SETTINGS, pace=pace)
    batch = await launch(database, 0, 30)
    await pass_time(runner, clock, 20)
    assert await done(database, batch) == 30
    async with database.reading() as connection:
        ended = (await connection.execute(text("SELECT end_time FROM batch"))).scalar_one()
    assert ended is not None
    await pass_time(runner, clock, 1)
    assert pace._credit == {}


async def test_seeds_are_made_ahead_of_what_is_carried_out(database: Database) -> None:
    clock = Clock()
    runner = Runner(database, StoreSettings(batch_jobs_per_seed=10), pace=JobPace(20, clock=clock))
    async with database.writing() as connection:
        order = SetExternalTaskRetries.model_validate({"retries": 7, "externalTaskQuery": {}})
        settings = StoreSettings(batch_jobs_per_seed=10)
        await create(connection, plan_task_retries(order, settings), settings)
    await pass_time(runner, clock, 6)
    async with database.reading() as connection:
        created, total = (await connection.execute(text("SELECT jobs_created, total_jobs FROM batch"))).one()
    assert 60 < created < total


def test_a_large_batch_ends_in_two_minutes_too() -> None:
    pace = JobPace(60)
    assert pace.of("b", 2600) == 60
    assert 30 <= 2600 / pace.of("b", 2600) <= 60
    assert 1_000_000 / pace.of("b", 1_000_000) == pytest.approx(120)
    for _ in range(20):
        pace.faster()
    assert pace.factor == 64
    for _ in range(20):
        pace.slower()
    assert pace.factor == 1 / 64
    with pytest.raises(ValueError, match="full speed"):
        JobPace(None).of("b", 1)


def test_time_without_a_look_is_not_caught_up_with() -> None:
    clock = Clock()
    pace = JobPace(10, clock=clock)
    assert pace.portion("b", 100) == 1
    clock.seconds += 3600
    assert pace.portion("b", 100) == 10
