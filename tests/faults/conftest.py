"""One PostgreSQL database, opened several times."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from retriage.store.database import Database, open_database
from tests.engines.postgres import fresh_database

Open = Callable[[], Awaitable[Database]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests that go on as long as they are told the time for it."""
    kills, minutes = config.getoption("--kills"), config.getoption("--minutes")
    for item in items:
        if item.path.name == "test_kill.py":
            item.add_marker(pytest.mark.timeout(300 + 60 * kills))
        elif item.path.name == "test_mixed_load.py":
            item.add_marker(pytest.mark.timeout(600 + 120 * minutes))


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
