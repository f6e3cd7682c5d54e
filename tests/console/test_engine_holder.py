"""The engine and the journal, held for as long as the console runs."""

import asyncio
from pathlib import Path

import pytest

from console import engine_holder
from console.app import RetriageApp
from console.engine_holder import EngineHolder
from console.journal import journal_at
from console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import until


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
        await until(pilot, lambda: app.session.journal is not None)
