"""Opens the operator's journal, and closes it again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


def _import() -> tuple[type[Journal], type[Exception]]:
    from store.journal import Journal, JournalNotOpened  # 530 ms

    return Journal, JournalNotOpened
