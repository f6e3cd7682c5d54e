"""Writing the rows of a list to a file, page by page, while the screen goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retriage.console.engine.errors import EngineProblem
from retriage.console.reading.pages import Pages, pieces
from retriage.console.screens.exporting.files import RowFile, create
from retriage.console.text.inert import inert
from retriage.console.text.words import count, things

if TYPE_CHECKING:
    from retriage.console.screens.subject import ListSubject
    from retriage.console.session.session import Session
    from retriage.console.widgets.marks import Marks
    from retriage.store.contract.queries import Query

TOLD_EVERY = 5
"""So many pages are written between two sentences about how far it is."""
TRIES = 5
"""A page that is not answered so many times ends it."""
PAUSE = 2.0
"""Seconds before a page is asked for again."""


class Export:
    """One file of rows.

    Args:
        session: whose engine is asked.
        subject: what the rows are.
        query: which ones, in their order.
        marks: if there are any, only marked rows are written.
        number: how many that should be, if it is known.
    """

    def __init__(
        self, session: Session, subject: ListSubject[Any], query: Query, marks: Marks, number: int | None
    ) -> None:
        self._session = session
        self._subject = subject
        self._marks = marks
        self._number = number
        self._only: Collection[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._written = 0
        self._order = subject.reading_order(query)

    @property
    def running(self) -> bool:
        """Rows are being written."""
        return self._task is not None and not self._task.done()

    def take(self, ids: Collection[str]) -> None:
        """Write only rows with these ids: the engine's part of the filter matches more."""
        self._only = ids

    def start(self, path: Path) -> None:
        """Write to this file."""
        self._task = asyncio.create_task(self._run(path), name="export")

    def stop(self) -> None:
        """Stop; what was written is taken away again."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, path: Path) -> None:
        try:
            path, file = await asyncio.to_thread(create, path)
            with RowFile(path, file) as rows:
                await self._write(rows)
        except asyncio.CancelledError:
            self._session.news.say(f"Stopped: {inert(path.name)} was not written.", "warning")
            raise
        except EngineProblem as problem:
            self._session.news.say(f"Rows were not written: {problem.sentence}", "failed")
        except OSError as problem:
            self._session.news.say(f"{inert(path.name)} cannot be written: {problem.strerror or problem}.", "failed")
        else:
            self._session.news.say(
                f"{things(self._written, 'row')} written to {inert(str(path))}.{self._missing()}", "good"
            )

    async def _write(self, rows: Any) -> None:
        order = self._order
        waiting: list[Any] = []
        pages = 0
        way: Pages[Any] = Pages(self._page, self._subject.identify)
        while not way.ended and not self._complete(len(waiting)):
            fresh = [row for row in await way.next() if self._wanted(self._subject.identify(row))]
            if order.keys:
                waiting += fresh
            else:
                await self._put(rows, fresh)
            pages += 1
            if pages % TOLD_EVERY == 0:
                of = f" of {count(self._number)}" if self._number is not None else ""
                done = f"{count(len(waiting))}{of} rows read" if waiting else f"{count(self._written)}{of} rows written"
                self._session.news.say(f"{done}; esc stops.", "muted")
        for some in pieces(order.arranged(waiting)):
            await self._put(rows, some)

    async def _put(self, rows: Any, some: Sequence[Any]) -> None:
        fields = [row.model_dump(mode="json", by_alias=True) for row in some]
        await asyncio.to_thread(rows.write, fields)
        self._written += len(fields)

    async def _page(self, first: int, size: int) -> list[Any]:
        for _ in range(TRIES - 1):
            try:
                return await self._ask(first, size)
            except EngineProblem:
                await asyncio.sleep(PAUSE)
        return await self._ask(first, size)

    async def _ask(self, first: int, size: int) -> list[Any]:
        return await self._session.connection.ask(
            lambda client: self._subject.read(client, self._order.query, first, size)
        )

    def _wanted(self, row_id: str) -> bool:
        return (not self._marks or row_id in self._marks) and (self._only is None or row_id in self._only)

    def _complete(self, waiting: int) -> bool:
        """Every marked row was found."""
        found = self._written + waiting
        return bool(self._marks) and not self._marks.everything and found >= len(self._marks.ids)

    def _missing(self) -> str:
        if not self._marks or self._marks.everything or self._written >= len(self._marks.ids):
            return ""
        missing = len(self._marks.ids) - self._written
        return f" {things(missing, 'marked one does', 'marked ones do')} not match any more."
