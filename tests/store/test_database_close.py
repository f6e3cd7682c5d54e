"""A database that is closed leaves no connection open."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from retriage.store.database import open_database


@pytest.mark.parametrize("way", ["reading", "writing"])
async def test_a_connection_that_is_still_used_is_closed_when_it_comes_back(tmp_path: Path, way: str) -> None:
    database = await open_database(str(tmp_path / "store.db"))
    used, go_on, drivers = asyncio.Event(), asyncio.Event(), []

    async def use() -> None:
        async with getattr(database, way)() as connection:
            await connection.execute(text("SELECT 1"))
            drivers.append((await connection.get_raw_connection()).driver_connection)
            used.set()
            await go_on.wait()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(use())
        await used.wait()
        closing = tasks.create_task(database.close())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not closing.done()
        go_on.set()
    (driver,) = drivers
    assert driver is not None
    assert driver._connection is None
