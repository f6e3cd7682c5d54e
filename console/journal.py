"""Opens the operator's journal, and closes it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from retriage.console.folders import default_journal
from retriage.console.text.inert import inert
from retriage.store.snapshot_mark import run_lines
from retriage.store.throwaway import remove_left_folders, throwaway_folder

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine
    from retriage.store.journal import Journal

VALUES_DAYS = 30
"""Days for which the journal keeps what variables had before a run set them."""
FORGETTING_SECONDS = 5.0
"""Seconds that forgetting may take."""


class NoJournal(Exception):
    """There is no journal; the text is one sentence for the operator."""


def journal_problem() -> type[Exception]:
    """What reading and writing an open journal raises.

    It stands in ``except`` clauses, where it is called only when something was raised.
    """
    from sqlalchemy.exc import SQLAlchemyError  # 111 ms

    return SQLAlchemyError


def said_by_driver(problem: Exception) -> str:
    """What the driver of the journal said, in one harmless line."""
    return inert(str(getattr(problem, "orig", None) or problem).splitlines()[0])


@asynccontextmanager
async def journal_at(path: Path | None) -> AsyncIterator[Journal]:
    """The journal in that file; without a path one that is thrown away at the end, for a world that is too.

    Raises:
        NoJournal: it cannot be opened.
    """
    if path is None:
        with throwaway_folder("retriage-journal-") as folder:
            async with journal_at(folder / "journal.db") as journal:
                yield journal
        return
    # Importing it costs half a second with an engine on the network, so that is done in a thread.
    kind, problems = await asyncio.to_thread(_import)
    try:
        journal = await kind.open(path)
    except problems as problem:
        raise NoJournal(str(problem)) from problem
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def journal_of(connection: NamedEngine) -> AsyncIterator[Journal]:
    """The journal for an engine: the operator's own, or one that is thrown away with the engine. That of a snapshot
    holds the runs that the snapshot does, as they were.

    Raises:
        NoJournal: it cannot be opened.
    """
    async with journal_at(None if connection.thrown_away else default_journal()) as journal:
        if connection.snapshot is not None:
            await _take_runs(journal, connection.name)
        yield journal


async def forget_old(journal: Journal, keep_days: int | None) -> int:
    """Forget what is over and older than the operator wants to keep, and former values of variables after
    :data:`VALUES_DAYS`; return how many launches and runs. Nothing is reported of what takes too long, or while another
    process locks the journal: the next start goes on with it.

    Args:
        journal: the operator's own.
        keep_days: for so many days it is kept; none forgets values alone.

    Raises:
        SQLAlchemyError: the journal cannot be read or written.
    """
    at = datetime.now(UTC)
    try:
        async with asyncio.timeout(FORGETTING_SECONDS):
            await journal.forget_values_before(at - timedelta(days=VALUES_DAYS))
            return 0 if keep_days is None else await journal.forget_before(at - timedelta(days=keep_days))
    except TimeoutError:
        return 0


async def _take_runs(journal: Journal, snapshot: str) -> None:
    for lines in await asyncio.to_thread(lambda: list(run_lines(snapshot))):
        try:
            await journal.runs.take_over(lines, snapshot, as_it_was=True)
        except ValueError as problem:
            raise NoJournal(f"A run of the snapshot cannot be read. {problem}") from problem


def _import() -> tuple[type[Journal], type[Exception]]:
    from retriage.store.journal import Journal, JournalNotOpened  # 530 ms

    remove_left_folders()

    return Journal, JournalNotOpened
