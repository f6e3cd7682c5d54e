"""Reading a long result page by page, and reading what is in sight again and again."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on, work

from console.screens.base import ConsoleScreen
from console.screens.session import Session
from console.screens.subject import Sort, Subject
from console.widgets.line_table import LineTable
from console.widgets.pane import Pane

if TYPE_CHECKING:
    from console.watch import Poller, Snapshot
    from store.contract.queries import Query

LARGEST_READ = 400
"""Most rows of one request."""
INTERVAL = 2.0
"""Seconds between two looks at the rows in sight, if the engine answers quickly."""
COUNT_EVERY = 3
"""Every so many looks the rows are counted too."""


class Picture(NamedTuple):
    """Rows in sight at a moment, to the minute (ages are shown in minutes)."""

    query: Query
    first: int
    records: tuple[Any, ...]
    total: int | None
    minute: int


class PagedScreen(ConsoleScreen):
    """A screen whose table shows the rows of a query. It has a table ``#rows`` and a pane ``#detail``."""

    def __init__(self, session: Session, subject: Subject[Any]) -> None:
        super().__init__(session)
        self.subject = subject
        self.filter_text = ""
        self.sort: Sort = subject.sorts[0]
        self.matching: int | None = None
        """How many rows match, once they are counted."""
        self._query: Query | None = None
        self._poller: Poller[Picture | None] | None = None
        self._counted: int | None = None
        self._looks = 0

    @property
    def table(self) -> LineTable:
        """The rows."""
        return self.query_one("#rows", LineTable)

    def _nothing(self) -> str:
        """What to say when no row matches."""
        raise NotImplementedError

    def _tell_count(self) -> None:
        """Show how many rows match."""
        raise NotImplementedError

    @work(group="list.start", exit_on_error=False)
    async def _start(self) -> None:
        await self.session.opened()
        from console.watch import Poller

        self._apply(self.filter_text)
        self._poller = Poller(self._look, self._show_picture, interval=INTERVAL)
        self._poller.start()
        self._heed_pause()

    def _apply(self, text: str, asked_at: float = inf) -> None:
        """Show what matches this filter, from the first row on.

        All that matched the filter before is not what matches now, and is unmarked, unless it was marked after the
        operator had asked for the new one. The same filter in another order matches the same.
        """
        query = self.subject.query(text)
        if query is None:
            return
        other = text != self.filter_text
        self.filter_text = text
        self._query = self.subject.sorted(query, self.sort)
        self.matching = None
        self._counted = None
        self._looks = 0
        if other and self.table.marks.everything and self.table.marked_at < asked_at:
            self.table.unmark()
            self.session.say("All that matched was unmarked, since other rows match now.", "warning")
        self.table.empty = "reading …"
        self.table.begin()
        self._tell_count()
        self._first_page()

    @work(group="list.first", exclusive=True, exit_on_error=False)
    async def _first_page(self) -> None:
        """The first rows and the count; whichever comes first is shown first."""
        await asyncio.gather(self._read(0, self._height() + 20), self._count())

    def _height(self) -> int:
        return max(self.table.size.height, 20)

    async def _read(self, first: int, size: int) -> None:
        """Read rows and hand them to the table, if they still are what is asked for."""
        query = self._query
        if query is None:
            return
        size = min(size, LARGEST_READ)
        records = await self._ask(lambda client: self.subject.read(client, query, first, size))
        if records is None or query is not self._query:
            return
        now = datetime.now(UTC)
        rows = [self.subject.row(record, now) for record in records]
        if len(rows) < size and (self.matching is None or first + len(rows) < self.table.total):
            self._matched(first + len(rows) if rows or first == 0 else None)
        self.table.put(first, rows)

    async def _count(self) -> None:
        query = self._query
        if query is None:
            return
        number = await self._ask(lambda client: self.subject.count(client, query))
        if number is not None and query is self._query:
            self._counted = number
            self._looks = 1
            self._matched(number)

    def _matched(self, number: int | None) -> None:
        """So many rows match."""
        if number is None:
            return
        self.matching = number
        self.table.empty = self._nothing() if number == 0 else ""
        self.table.set_total(number)
        if number == 0:
            self.table.refresh()
            self.query_one("#detail", Pane).show([])
        self._tell_count()
        self.tell_hints()

    async def _ask(self, question: Any) -> Any:
        """Ask the engine; a problem becomes one sentence and no answer."""
        from console.engine.errors import EngineProblem

        try:
            return await self.session.ask(question)
        except EngineProblem as problem:
            if not self.session.stale:
                self.session.say(problem.sentence, "failed")
            return None

    @work(group="list.rows", exclusive=True, exit_on_error=False)
    async def _read_rows(self, first: int, last: int) -> None:
        await self._read(first, last - first + 1)

    @on(LineTable.RowsWanted, "#rows")
    def _rows_wanted(self, message: LineTable.RowsWanted) -> None:
        self._read_rows(message.first, message.last)

    async def _look(self) -> Picture | None:
        """What is in sight now; asked again and again by the poller."""
        query = self._query
        if query is None:
            return None
        if self._looks % COUNT_EVERY == 0:
            self._counted = await self.session.ask(lambda client: self.subject.count(client, query))
        self._looks += 1
        first, last = self.table.window()
        size = last - first + 1
        records = await self.session.ask(lambda client: self.subject.read(client, query, first, size))
        if len(records) < size and (records or first == 0):
            self._counted = first + len(records)
        elif not records:
            self._looks = 0
        return Picture(query, first, tuple(records), self._counted, int(time.time() // 60))

    def _show_picture(self, snapshot: Snapshot[Picture | None]) -> None:
        picture = snapshot.value
        if picture is None or picture.query is not self._query or snapshot.stale:
            return
        if picture.total is not None and self.table.total != picture.total:
            self._matched(picture.total)
        self.table.age()
        now = datetime.now(UTC)
        self.table.put(picture.first, [self.subject.row(record, now) for record in picture.records])

    def _heed_pause(self) -> None:
        if self._poller is not None:
            looking = self.is_current and not self.session.paused
            (self._poller.resume if looking else self._poller.pause)()

    def on_screen_suspend(self) -> None:
        """Another screen or a dialog is in front: nothing is read."""
        if self._poller is not None:
            self._poller.pause()

    def on_screen_resume(self) -> None:
        """In front again."""
        self._heed_pause()

    def on_unmount(self) -> None:
        """Look no more."""
        if self._poller is not None:
            self._poller.close()
