"""The engine and the journal, held for as long as the console runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from retriage.console import engine_holder
from retriage.console.app import RetriageApp
from retriage.console.engine.client import EngineClient
from retriage.console.engine_holder import EngineHolder
from retriage.console.journal import journal_at
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.progress import TELL
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import text, until


async def test_the_journal_is_opened_also_where_an_engine_does_not_tell_who_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(holder: EngineHolder) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(EngineHolder, "_learn_identity", never)
    monkeypatch.setattr(engine_holder, "ANSWERS_FIRST", 0.05)
    identity = ConnectionIdentity("TEST")
    app = RetriageApp(connecting(FakeEngine(10)), identity, journal=lambda: journal_at(tmp_path / "journal.db"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.memory.journal is not None)


async def test_what_takes_long_while_the_store_is_opened_is_told() -> None:
    opens = asyncio.Event()

    @asynccontextmanager
    async def opening() -> AsyncIterator[EngineClient]:
        await asyncio.to_thread(TELL.get(), "store.db is copied: 40 %.")
        await opens.wait()
        async with connecting(FakeEngine(10))() as client:
            yield client

    app = RetriageApp(opening, ConnectionIdentity("TEST"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "store.db is copied: 40 %." in text(app))
        opens.set()
        await until(pilot, lambda: app.session.connection.client is not None)
