"""Texts are compared in any case in the same way by every database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, select

from retriage.store.database import Database, folded, open_database
from tests.engines.postgres import fresh_database

POSTGRESQL = pytest.mark.postgresql
PLACES = ["sqlite", pytest.param("linguistic", marks=POSTGRESQL), pytest.param("bytes", marks=POSTGRESQL)]


@asynccontextmanager
async def opened(place: str) -> AsyncIterator[Database]:
    database = await open_database(place)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def place_of(request: pytest.FixtureRequest, folder: Path, kind: str) -> AsyncIterator[str]:
    if kind == "sqlite":
        yield str(folder / "store.db")
        return
    async with fresh_database(request.getfixturevalue("postgresql"), linguistic=kind == "linguistic") as place:
        yield place


async def _has_icu(place: str) -> bool:
    url = make_url(place).set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await connection.execute("SELECT FROM pg_collation WHERE collname = 'und-x-icu'")
        return await found.fetchone() is not None


@pytest.mark.parametrize("kind", PLACES)
async def test_letters_of_any_language(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    async with place_of(request, tmp_path, kind) as place:
        if kind != "sqlite" and not await _has_icu(place):
            pytest.skip("the server knows letters by its locale only")
        async with opened(place) as database, database.reading() as connection:
            texts = [folded(text) for text in ("ÄÖü", "éΣя", "straße", "a", "")]
            assert list((await connection.execute(select(*texts))).one()) == ["ÄÖÜ", "ÉΣЯ", "STRASSE", "A", ""]
