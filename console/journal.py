"""Opens the operator's journal, and closes it again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from console.folders import default_journal
from store.snapshot_mark import run_lines

if TYPE_CHECKING:
    from console.connections import Connection
    from store.journal import Journal


class NoJournal(Exception):
    """There is no journal; the text is one sentence for the operator."""


@asynccontextmanager
async def journal_at(path: Path | None) -> AsyncIterator[Journal]:
    """The journal in that file; without a path one that is thrown away at the end, for a world that is too.

    Raises:
        NoJournal: it cannot be opened.
    """
    if path is None:
        with tempfile.TemporaryDirectory(prefix="retriage-journal-", ignore_cleanup_errors=True) as folder:
            async with journal_at(Path(folder) / "journal.db") as journal:
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
async def journal_of(connection: Connection) -> AsyncIterator[Journal]:
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
    """Forget what is over and older than the operator wants to keep; answers how many launches and runs.

    Args:
        journal: the operator's own.
        keep_days: for so many days it is kept; none forgets nothing.

    Raises:
        SQLAlchemyError: the journal cannot be read or written.
    """
    if keep_days is None:
        return 0
    return await journal.forget_before(datetime.now(UTC) - timedelta(days=keep_days))


async def _take_runs(journal: Journal, snapshot: str) -> None:
    for lines in await asyncio.to_thread(lambda: list(run_lines(snapshot))):
        try:
            await journal.runs.take_over(lines, snapshot, as_it_was=True)
        except ValueError as problem:
            raise NoJournal(f"A run of the snapshot cannot be read. {problem}") from problem


def _import() -> tuple[type[Journal], type[Exception]]:
    from store.journal import Journal, JournalNotOpened  # 530 ms

    return Journal, JournalNotOpened
