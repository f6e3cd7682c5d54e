"""Reading a long result page by page, and reading what is in sight again and again."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from textual import on, work

from console.screens.base import ConsoleScreen
from console.screens.chrome import IdentityLine
from console.screens.filtered_list import FilteredList
from console.screens.subject import ListSubject, SortKey
from console.session.connection import Freshness
from console.session.session import Session
from console.widgets.line import Span
from console.widgets.line_table import LineTable
from console.widgets.pane import Pane

if TYPE_CHECKING:
    from console.language import Condition, Parsed
    from console.session.poller import Poller
    from console.session.snapshot import Snapshot
    from store.contract.queries import Query

LARGEST_READ = 400
"""Most rows of one request."""
COUNT_EVERY = 5
"""Every so many looks the rows are counted too."""


class RowsShown(NamedTuple):
    """Rows in sight at a moment, to the minute (ages are shown in minutes)."""

    query: Query
    first: int
    records: tuple[Any, ...]
    total: int | None
    minute: int


class PagedScreen(ConsoleScreen):
    """A screen whose table shows the rows of a query. It has a table ``#rows`` and a pane ``#detail``."""

    def __init__(self, session: Session, subject: ListSubject[Any]) -> None:
        super().__init__(session)
        self.subject = subject
        subject.capabilities = lambda: session.capabilities
        self.filter_text = ""
        self.sort: SortKey = subject.sorts[0]
        self.matching: int | None = None
        """How many rows match, once they are counted."""
        self.filtered_list: FilteredList | None = None
        """Who filters the rows, where the filter holds words that the engine does not know."""
        self._query: Query | None = None
        self._parsed: tuple[Query, tuple[Condition, ...]] | None = None
        self._poller: Poller[RowsShown | None] | None = None
        self._counted: int | None = None
        self._looks = 0
        self.fresh = Freshness(lambda: self._poller.rests if self._poller is not None else None, self._tell_fresh)
        """What became of the last question for the rows."""

    @property
    def freshness(self) -> Freshness:
        """What became of the last question for the rows."""
        return self.fresh

    def _tell_fresh(self) -> None:
        """The rows can be read, or cannot: line 1 and the filter line say so."""
        if self.is_attached:
            self.query_one(IdentityLine).tell(self.session, self.fresh)
            self._tell_count()

    def unread_said(self) -> list[Span]:
        """That the rows could not be read the last time, and why, beside their number; nothing while they can."""
        problem = self.fresh.problem
        return [] if problem is None else [(f"  not read now: {problem.brief} ", "failed")]

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
        from console.session.poller import Poller

        self._apply(self.filter_text)
        self._poller = Poller(self._look, self._show_picture, interval=self._interval)
        self._poller.start()
        self._heed_pause()

    def _apply(self, text: str, asked_at: float = inf) -> None:
        """Show what matches this filter, from the first row on. The cursor stays on its task if that is near.

        All that matched the filter before is not what matches now, and is unmarked, unless it was marked after the
        operator had asked for the new one. The same filter in another order matches the same.
        """
        parsed = self.subject.parsed(text)
        if parsed.mistakes:
            return
        other = text != self.filter_text
        self.filter_text = text
        self.sort = self.subject.sortable(self.sort)
        self._parsed = (parsed.query, parsed.conditions)
        self._query = self.subject.sorted(parsed.query, self.sort)
        self._filter_here(self._query, parsed)
        self.matching = None
        self._counted = None
        self._looks = 0
        if other and self.table.marks.everything and self.table.marked_at < asked_at:
            self.table.unmark()
            self.session.say("All that matched was unmarked, since other rows match now.", "warning")
        self.table.empty = "reading …"
        self.table.begin(keep_cursor=True)
        self._tell_count()
        self._first_page()

    def heed_capabilities(self) -> None:
        """More is known of what the engine can: the filter may be carried out by somebody else now."""
        if self._query is None:
            return
        parsed = self.subject.parsed(self.filter_text)
        unsortable = self.subject.sortable(self.sort) != self.sort
        if unsortable or (not parsed.mistakes and (parsed.query, parsed.conditions) != self._parsed):
            self._apply(self.filter_text)
        elif parsed.mistakes:
            self.session.say(f"The filter is taken off. {parsed.mistakes[0].sentence}", "warning")
            self._apply("")

    def _filter_here(self, query: Query, parsed: Parsed[Any]) -> None:
        """Filter the rows here, from the first one on, where the engine cannot."""
        if self.filtered_list is not None:
            self.filtered_list.close()
        self.filtered_list = None
        if not parsed.plain:
            from console.language import remembers

            retried: set[str] | None = set() if remembers(parsed.conditions, self.subject.name) else None
            if retried is not None and self.session.journal is None:
                self.session.say("Without a journal nobody knows what was retried from here.", "warning")
            wanted = partial(self.subject.matcher, parsed, frozenset() if retried is None else retried)
            self.filtered_list = FilteredList(
                self.session, self.subject, query, wanted, self._show_filtered, retried, self.fresh
            )

    def _show_filtered(self) -> None:
        """More rows are known to fit, or other ones than before."""
        filtered = self.filtered_list
        if filtered is None or filtered.query is not self._query or not self.is_attached:
            return
        self._matched(len(filtered.rows))
        self.table.age()
        first, last = self.table.window()
        self._put(first, filtered.part(first, last - first + 1))

    def _put(self, first: int, records: list[Any]) -> None:
        self.session.known.note(records)
        now = datetime.now(UTC)
        self.table.put(first, [self.subject.row(record, now) for record in records])

    @work(group="list.first", exclusive=True, exit_on_error=False)
    async def _first_page(self) -> None:
        """The first rows and the count; whichever comes first is shown first."""
        if self.filtered_list is not None:
            self.filtered_list.start()
            return
        await asyncio.gather(self._read(0, self._height() + 20), self._count())

    def _height(self) -> int:
        height: int = self.table.size.height
        return max(height, 20)

    async def _read(self, first: int, size: int) -> None:
        """Read rows and hand them to the table, if they still are what is asked for."""
        query = self._query
        if query is None:
            return
        if self.filtered_list is not None:
            self._put(first, self.filtered_list.part(first, size))
            return
        size = min(size, LARGEST_READ)
        records = await self._ask(lambda client: self.subject.read(client, query, first, size))
        if records is None or query is not self._query:
            return
        self.fresh.heard()
        self.session.known.note(records)
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
            return await self.session.ask(question, self.fresh)
        except EngineProblem as problem:
            if not self.session.stale:
                self.session.say(problem.sentence, "failed")
            self._unread(problem.sentence)
            return None

    def _unread(self, sentence: str) -> None:
        """Nothing could be read; where no rows are shown the table says why, and not that it reads."""
        if not self.table.total:
            self.table.empty = f"{sentence} It is asked again."
            self.table.refresh()

    @work(group="list.rows", exclusive=True, exit_on_error=False)
    async def _read_rows(self, first: int, last: int) -> None:
        await self._read(first, last - first + 1)

    @on(LineTable.RowsWanted, "#rows")
    def _rows_wanted(self, message: LineTable.RowsWanted) -> None:
        self._read_rows(message.first, message.last)

    async def _look(self) -> RowsShown | None:
        """What is in sight now; asked again and again by the poller."""
        query = self._query
        if query is None or self.filtered_list is not None:
            return None
        if self._looks % COUNT_EVERY == 0:
            self._counted = await self.session.ask(lambda client: self.subject.count(client, query), self.fresh)
        self._looks += 1
        first, last = self.table.window()
        size = last - first + 1
        records = await self.session.ask(lambda client: self.subject.read(client, query, first, size), self.fresh)
        self.fresh.heard()
        if len(records) < size and (records or first == 0):
            self._counted = first + len(records)
        elif not records:
            self._looks = 0
        return RowsShown(query, first, tuple(records), self._counted, int(time.time() // 60))

    def _show_picture(self, snapshot: Snapshot[RowsShown | None]) -> None:
        picture = snapshot.value
        if snapshot.problem is not None and self.is_attached:
            self._unread(snapshot.problem)
        if picture is None or picture.query is not self._query or snapshot.stale:
            return
        if picture.total is not None and self.table.total != picture.total:
            self._matched(picture.total)
        self.table.age()
        self._put(picture.first, list(picture.records))

    @property
    def _interval(self) -> float:
        """Seconds between two readings: the more questions one takes, the longer."""
        return self.session.pace * self.subject.questions

    def _heed_pause(self) -> None:
        if self._poller is not None:
            self._poller.every(self._interval)
            looking = self.is_current and not self.session.paused
            (self._poller.resume if looking else self._poller.pause)()
            if self.filtered_list is not None:
                self.filtered_list.rest(not looking)

    def on_screen_suspend(self) -> None:
        """Another screen or a dialog is in front: nothing is read."""
        if self._poller is not None:
            self._poller.pause()
        if self.filtered_list is not None:
            self.filtered_list.rest(True)

    def on_screen_resume(self) -> None:
        """In front again; meanwhile other rows may match, so they are counted too."""
        self._looks = 0
        self._heed_pause()

    def on_unmount(self) -> None:
        """Look no more."""
        if self._poller is not None:
            self._poller.close()
        if self.filtered_list is not None:
            self.filtered_list.close()
