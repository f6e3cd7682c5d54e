"""PostgreSQL ends connections: a restart, an operator, a failover. Work goes on, and nothing is lost or done twice."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from retriage.store.batch.acquire import acquire
from retriage.store.contract.records import Batch
from retriage.store.database import Database, open_database
from retriage.store.embedded import embedded_app
from retriage.store.runner import Runner
from retriage.store.settings import StoreSettings
from tests.faults.conftest import Open
from tests.faults.test_sharing import SMALL, check_done, ended, launch, rows, until
from tests.store.running import client_of
from tests.support.plain import plain_world

pytestmark = pytest.mark.postgresql

MINE = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"


@asynccontextmanager
async def ending(place: str, every: float) -> AsyncIterator[list[int]]:
    """End one connection at random every so many seconds; gives the list of those that were ended."""
    url = make_url(place).set(drivername="postgresql").render_as_string(hide_password=False)
    ended_ones: list[int] = []
    chance = random.Random(7)

    async def end_them() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while True:
                await asyncio.sleep(every)
                found = await connection.execute(f"SELECT pid FROM pg_stat_activity WHERE {MINE}".encode())
                if pids := [pid for (pid,) in await found.fetchall()]:
                    pid = chance.choice(pids)
                    await connection.execute("SELECT pg_terminate_backend(%s)", [pid])
                    ended_ones.append(pid)

    task = asyncio.create_task(end_them())
    try:
        yield ended_ones
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def end_all(place: str, by: str | None = None) -> int:
    """End every connection to a database, from itself or from another one."""
    url = make_url(place).set(drivername="postgresql")
    async with await psycopg.AsyncConnection.connect(
        by or url.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        found = await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
            [url.database],
        )
        return len(await found.fetchall())


async def test_the_first_request_after_a_restart_is_answered(place: str) -> None:
    app = embedded_app(place, settings=StoreSettings(runner_idle_seconds=60))
    async with client_of(app) as http:
        paths = ["/external-task/count", "/process-instance", "/batch"]
        for _ in range(3):
            assert {(await http.get(path)).status_code for path in paths} == {200}
            assert await end_all(place)


async def test_a_database_that_is_away_is_a_sentence_in_the_log(place: str, caplog: pytest.LogCaptureFixture) -> None:
    url = make_url(place).set(drivername="postgresql")
    system = url.set(database="postgres").render_as_string(hide_password=False)
    async with client_of(embedded_app(place, settings=StoreSettings(runner_idle_seconds=60))) as http:
        assert (await http.get("/external-task/count")).status_code == 200
        async with await psycopg.AsyncConnection.connect(system, autocommit=True) as connection:
            await connection.execute(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false'.encode())
            await end_all(place, system)
            answer = await http.get("/external-task/count")
            assert (answer.status_code, answer.json()["type"]) == (500, "ProcessEnginePersistenceException")
            await connection.execute(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true'.encode())
        assert (await http.get("/external-task/count")).status_code == 200
    assert "the database did not serve" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_server_keeps_no_more_connections_than_it_was_told(place: str) -> None:
    async with client_of(embedded_app(place, settings=StoreSettings(readers=2))) as http:
        answers = await asyncio.gather(*(http.get("/external-task/count") for _ in range(30)))
        assert {answer.status_code for answer in answers} == {200}
        url = make_url(place).set(drivername="postgresql").render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(url) as connection:
            found = await connection.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {MINE}".encode())
            row = await found.fetchone()
        assert row is not None
        assert row[0] <= 2 + 2 + 2  # for reading, for writing, to hear news and to tell them


async def test_a_runner_gives_back_its_own_locks_after_trouble(place: str, another: Open) -> None:
    """Its locks would hold for ten minutes."""
    database = await open_database(place)
    await plain_world(database, 200)
    batch = await launch(database, 5)
    runner = Runner(database, SMALL.model_copy(update={"runner_lock_seconds": 600.0}))
    async with database.writing() as connection:  # as it stands when the answer to the acquisition is lost
        assert await acquire(connection, f"{runner._owner}/0", 30, 600.0)
    runner._may_hold = True
    await runner.start()
    await ended(await another(), batch)
    await runner.stop()
    await check_done(database, batch, 200)
    await database.close()


async def test_a_batch_is_driven_to_its_end_while_connections_are_ended(place: str, another: Open) -> None:
    tasks = 2000
    watching = await another()
    await plain_world(watching, tasks, retries=0)
    batch = await launch(watching, 4)
    await watching.close()
    settings = StoreSettings(runner_idle_seconds=0.2, batch_jobs_per_seed=100, runner_set_size=400)
    databases = [await another() for _ in range(2)]
    runners = [Runner(database, settings) for database in databases]
    retries = 4
    async with ending(place, 0.2) as gone:
        for runner in runners:
            await _started(runner)
        await _ended(place)
        while len(gone) < 4:  # a fast machine is through before
            retries += 1
            batch = await _launched(databases[0], retries)
            await _ended(place)
    for runner in runners:
        await runner.stop()
    database = await another()
    await check_done(database, batch, tasks)
    assert await rows(database, "SELECT retries, count(*) FROM external_task GROUP BY 1") == [(retries, tasks)]
    await until(database, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM job)")


async def _started(runner: Runner) -> None:
    """A runner's start is one transaction, which may be ended too."""
    while True:
        try:
            await runner.start()
        except Exception:
            await asyncio.sleep(0.05)
        else:
            return


async def _launched(database: Database, retries: int) -> Batch:
    """A launch is one transaction too; one whose commit was not heard of sets the same retries."""
    while True:
        try:
            return await launch(database, retries)
        except DBAPIError:
            await asyncio.sleep(0.05)


async def _ended(place: str) -> None:
    """Wait for the end of every batch, with connections of our own, which may be ended."""
    url = make_url(place).set(drivername="postgresql").render_as_string(hide_password=False)
    async with asyncio.timeout(100):
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(url) as connection:
                    found = await connection.execute("SELECT 1 FROM batch WHERE end_time IS NULL")
                    if await found.fetchone() is None:
                        return
            except psycopg.Error:
                pass
            await asyncio.sleep(0.3)
