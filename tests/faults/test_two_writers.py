"""Who writes when on SQLite, which has one writer: nobody starves beside a runner that is never done."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from retriage.store.batch.create import create
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.database import Database, open_database
from retriage.store.runner import Runner
from retriage.store.settings import StoreSettings
from tests.support.plain import plain_world

WRITE = text("UPDATE process_instance SET business_key = 'x'")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(str(tmp_path / "store.db"))
    yield opened
    await opened.close()


async def test_writers_of_one_process_take_turns(database: Database) -> None:
    """Whoever asks again at once stands behind those that wait."""
    order: list[str] = []
    asked = asyncio.Event()

    async def other() -> None:
        asked.set()
        async with database.writing():
            order.append("other")

    async with database.writing():
        waiting = asyncio.create_task(other())
        await asked.wait()
        order.append("first")
    async with database.writing():
        order.append("again")
    await waiting
    assert order == ["first", "other", "again"]


@pytest.mark.long
async def test_a_writer_gets_in_beside_a_runner_of_another_process(database: Database) -> None:
    """The runner fails thousands of jobs, three times each; the other has a connection of its own to the same file."""
    await plain_world(database, 10)
    other = await open_database(str(database.url.database))
    order = SetExternalTaskRetries(retries=1, external_task_ids=[f"nowhere-{uuid4()}" for _ in range(3000)])
    settings = StoreSettings()
    async with database.writing() as connection:
        batch = await create(connection, plan_task_retries(order, settings), settings)
    transactions = 0

    @event.listens_for(database._writer.sync_engine, "commit")
    def count(_connection: object) -> None:
        nonlocal transactions
        transactions += 1

    runner = Runner(database, settings)
    working = asyncio.create_task(_until_nothing_is_left(runner))
    waited: list[int] = []
    while not working.done():
        before = transactions
        async with other.writing() as connection:
            await connection.execute(WRITE)
        waited.append(transactions - before)
        await asyncio.sleep(0.01)
    await working
    await other.close()
    assert transactions > 30
    assert len(waited) > 3
    assert max(waited) < transactions / 2
    async with database.reading() as connection:
        failed = "SELECT count(*) FROM job WHERE batch_id = :id AND retries = 0"
        assert (await connection.execute(text(failed), {"id": batch.id})).scalar_one() == 3000
        assert (await connection.execute(text("SELECT count(*) FROM incident"))).scalar_one() == 3000
        assert (await connection.execute(text("SELECT count(*) FROM job_log WHERE state = 1"))).scalar_one() == 9000


async def _until_nothing_is_left(runner: Runner) -> None:
    while await runner.turn():
        pass
