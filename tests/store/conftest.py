"""Stores to test on: an SQLite file, and PostgreSQL where there is one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from retriage.store.embedded import embedded_app
from tests.store.running import STORES, Engine, client_of, opened, store_at


@pytest.fixture(params=STORES)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    """An empty store, and the orders that are given to it."""
    async with store_at(request, request.param) as place, opened(place) as made:
        yield made


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The contract over an empty store."""
    async with client_of(embedded_app(str(tmp_path / "store.db"))) as client:
        yield client
