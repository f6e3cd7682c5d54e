"""One PostgreSQL database, opened several times."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from store.database import Database, open_database
from tests.engines.postgres import fresh_database

Open = Callable[[], Awaitable[Database]]


@pytest.fixture
async def place(postgresql: str) -> AsyncIterator[str]:
    """An empty database."""
    async with fresh_database(postgresql) as url:
        yield url


@pytest.fixture
async def another(place: str) -> AsyncIterator[Open]:
    """Opens the store once more, as another process does."""
    async with AsyncExitStack() as stack:

        async def opened() -> Database:
            database = await open_database(place)
            stack.push_async_callback(database.close)
            return database

        yield opened


@pytest.fixture
async def database(another: Open) -> Database:
    return await another()
