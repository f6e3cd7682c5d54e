"""Stores to test on: an SQLite file, and PostgreSQL where there is one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from store.embedded import embedded_app
from tests.store.running import STORES, Engine, client_of, opened


@pytest.fixture(params=STORES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """An empty store, and the orders that are given to it."""
    async with opened(request.param, tmp_path) as made:
        yield made


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The contract over an empty store."""
    async with client_of(embedded_app(str(tmp_path / "store.db"))) as client:
        yield client
