"""A batch whose ids are written in slices: others write in between, and see it once it is whole."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch import launch as room
from retriage.store.batch.create import create
from retriage.store.batch.launch import launch
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.batch.types.job_retries import plan_job_retries
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import SetExternalTaskRetries, SetJobsRetries
from retriage.store.contract.records import Batch
from retriage.store.database import PROCESS, Database, open_database
from retriage.store.doctor import examine_store
from retriage.store.runner import Runner
from retriage.store.settings import StoreSettings
from retriage.store.tables import BatchElement, UnfinishedBatch
from tests.support.plain import plain_world

SLICE = 40
TASKS = 410
SETTINGS = StoreSettings()
STUMP = ("batch_element", "batch_group", "unfinished_batch")


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SLICE", SLICE)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(str(tmp_path / "store.db"))
    await plain_world(opened, TASKS, deployments=3)
    yield opened
    await opened.close()


async def launched(database: Database, settings: StoreSettings = SETTINGS, **order: Any) -> Batch:
    order = {"retries": 5, "externalTaskQuery": {}, **order}
    return await launch(database, plan_task_retries(SetExternalTaskRetries.model_validate(order), settings), settings)


async def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    async with database.reading() as connection:
        return [tuple(row) for row in await connection.execute(text(statement), values)]


async def counts(database: Database) -> list[int]:
    return [(await rows(database, f"SELECT count(*) FROM {table}"))[0][0] for table in STUMP]


async def until_gone(database: Database) -> None:
    async with asyncio.timeout(30):
        while True:
            if not any(await counts(database)):
                return
            await asyncio.sleep(0.01)


async def in_the_middle(database: Database, **order: Any) -> tuple["asyncio.Task[Batch]", asyncio.Event]:
    """A launch that has written three slices, and goes on once the event is set."""
    write, reached, going_on, slices = database.write, asyncio.Event(), asyncio.Event(), 0

    async def halted(work: Any, **how: Any) -> Any:
        nonlocal slices
        if slices == 3:
            reached.set()
            await going_on.wait()
        slices += 1
        return await write(work, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "write", halted)
        launching = asyncio.create_task(launched(database, **order))
        await asyncio.wait_for(reached.wait(), 30)
    return launching, going_on


@pytest.mark.parametrize("tasks", [0, 1, SLICE, SLICE + 1, 3 * SLICE, None])
async def test_it_is_what_one_transaction_makes(database: Database, tasks: int | None) -> None:
    found = [row[0] for row in await rows(database, "SELECT id FROM external_task ORDER BY id DESC")]
    explicit = ["unknown-b", *found[:90], "unknown-a", found[0]] if tasks is None else found[:tasks]
    query = None if tasks is not None else {"topicName": "topic-3"}
    order = {"retries": 5, "externalTaskIds": explicit, "externalTaskQuery": query}
    plan = plan_task_retries(SetExternalTaskRetries.model_validate(order), SETTINGS)
    if not tasks and tasks is not None:
        with pytest.raises(ContractError, match="externalTaskIds is empty"):
            await launch(database, plan, SETTINGS)
        assert await counts(database) == [0, 0, 0]
        return
    async with database.writing() as connection:
        whole = await create(connection, plan, SETTINGS)
    sliced = await launch(database, plan, SETTINGS)
    assert sliced.total_jobs == whole.total_jobs
    for statement in (
        "SELECT ordinal, element_id FROM batch_element WHERE batch_id = :id ORDER BY ordinal",
        "SELECT first, past, deployment_id FROM batch_group WHERE batch_id = :id ORDER BY first",
        "SELECT elements, total_jobs, seeded, configuration FROM batch WHERE id = :id",
        "SELECT job_type, deployment_id FROM job WHERE batch_id = :id",
    ):
        assert await rows(database, statement, id=sliced.id) == await rows(database, statement, id=whole.id)
    assert await rows(database, "SELECT count(*) FROM unfinished_batch") == [(0,)]


async def test_jobs_are_named_in_slices_too(database: Database) -> None:
    batch = await launched(database)
    runner = Runner(database, StoreSettings(batch_jobs_per_seed=TASKS))
    assert await runner.turn()  # the seed job
    jobs = [row[0] for row in await rows(database, "SELECT id FROM job WHERE batch_id = :id", id=batch.id)]
    assert len(jobs) > 2 * SLICE
    refused = SetJobsRetries.model_validate({"jobIds": jobs, "retries": -1})
    with pytest.raises(ContractError, match="not greater than or equal to 0"):
        await launch(database, plan_job_retries(refused), SETTINGS)
    order = SetJobsRetries.model_validate({"jobIds": jobs, "retries": 2})
    made = await launch(database, plan_job_retries(order), SETTINGS)
    assert made.total_jobs == len(jobs)


async def test_others_write_in_between_and_see_nothing_of_it(database: Database) -> None:
    seen: list[tuple[Any, ...]] = []
    launching = asyncio.create_task(launched(database))

    async def touch(connection: AsyncConnection) -> None:
        (element,) = (await connection.execute(text("SELECT count(*) FROM batch_element"))).one()
        (batch,) = (await connection.execute(text("SELECT count(*) FROM batch"))).one()
        seen.append((element, batch))

    while not launching.done():
        await database.write(touch)
        await asyncio.sleep(0)
    await launching
    between = [batches for elements, batches in seen if 0 < elements < TASKS]
    assert len(between) > 2
    assert set(between) == {0}


async def test_its_ids_are_those_of_the_moment_of_the_order(database: Database) -> None:
    """All tasks change, and some end, while the slices are written."""
    before = {row[0] for row in await rows(database, "SELECT id FROM external_task")}
    launching, going_on = await in_the_middle(database, externalTaskQuery={"withRetriesLeft": True})
    async with database.writing() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM unfinished_batch"))).scalar_one() == 1
        await connection.execute(text("DELETE FROM external_task WHERE topic_name = 'topic-1'"))
        await connection.execute(text("UPDATE external_task SET retries = 0"))
    going_on.set()
    batch = await launching
    elements = await rows(database, "SELECT element_id FROM batch_element WHERE batch_id = :id", id=batch.id)
    assert {row[0] for row in elements} == before


@pytest.mark.parametrize("how", ["failure", "hung up"])
async def test_an_order_that_ends_in_the_middle_leaves_nothing(database: Database, how: str) -> None:
    if how == "failure":
        async with database.writing() as connection:
            await connection.execute(
                text(
                    "CREATE TRIGGER trouble BEFORE INSERT ON batch_element WHEN new.ordinal = 250 "
                    "BEGIN SELECT RAISE(ABORT, 'the disk has a scratch here'); END"
                )
            )
        with pytest.raises(SQLAlchemyError, match="scratch"):
            await launched(database)
    else:
        launching, _ = await in_the_middle(database)
        launching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await launching
    await until_gone(database)
    assert await rows(database, "SELECT count(*) FROM batch") == [(0,)]


async def test_what_an_order_leaves_is_not_removed_any_more_once_the_store_is_closed(tmp_path: Path) -> None:
    place = str(tmp_path / "store.db")
    database = await open_database(place)
    await plain_world(database, TASKS)
    launching, _ = await in_the_middle(database)
    launching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await launching
    await database.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    again = await open_database(place)
    assert any(await counts(again))
    await again.close()


async def stump(database: Database, owner: str, batch_id: str = "stump") -> None:
    """What a process leaves that was killed after three slices."""
    async with database.writing() as connection:
        elements = [{"batch_id": batch_id, "ordinal": n, "element_id": f"t{n}"} for n in range(3 * SLICE)]
        await connection.execute(insert(BatchElement), elements)
        await connection.execute(insert(UnfinishedBatch).values(batch_id=batch_id, owner=owner))


async def test_only_what_processes_left_that_have_ended_is_discarded(database: Database) -> None:
    host, pid, _ = PROCESS.split("/")
    parent = os.getppid()
    for owner in (PROCESS, f"{host}/{parent}/one", f"elsewhere/{pid}/one"):
        await stump(database, owner, owner)
    await stump(database, f"{host}/{pid}/an earlier process of this number", "earlier")
    runner = Runner(database, SETTINGS)
    await runner.start()
    await runner.stop()
    left = {row[0] for row in await rows(database, "SELECT DISTINCT batch_id FROM batch_element")}
    assert left == {PROCESS, f"{host}/{parent}/one", f"elsewhere/{pid}/one"}


async def test_what_another_has_discarded_is_not_finished(database: Database) -> None:
    launching, going_on = await in_the_middle(database)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE unfinished_batch SET owner = ''"))
    going_on.set()
    with pytest.raises(ContractError, match="discarded"):
        await launching
    await until_gone(database)
    assert await rows(database, "SELECT count(*) FROM batch") == [(0,)]


KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import event
from retriage.store.batch import launch
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.database import open_database
from retriage.store.settings import StoreSettings

async def main():
    database = await open_database(sys.argv[1])
    launch.SLICE = 40
    left = 3

    @event.listens_for(database._writer.sync_engine, "commit")
    def kill(connection):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    order = SetExternalTaskRetries.model_validate({"retries": 5, "externalTaskQuery": {}})
    await launch.launch(database, plan_task_retries(order, StoreSettings()), StoreSettings())

asyncio.run(main())
"""


async def test_a_stump_is_discarded_at_the_next_start(database: Database) -> None:
    file = Path(str(database.url.database))
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(file))
    assert await killed.wait() == -signal.SIGKILL
    assert await counts(database) == [3 * SLICE, 0, 1]
    assert await rows(database, "SELECT count(*) FROM batch") == [(0,)]
    assert examine_store(str(file)).healthy
    runner = Runner(database, SETTINGS)
    await runner.start()
    await runner.stop()
    assert await counts(database) == [0, 0, 0]
    batch = await launched(database)
    assert batch.total_jobs == TASKS
