"""Reading a long result page by page, and reading what is in sight again and again."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.filtered_list import FilteredList
from retriage.console.screens.row_reader import RowReader, RowsView

if TYPE_CHECKING:
    from retriage.console.language import Parsed
    from retriage.console.screens.subject import SortKey
    from retriage.console.session.snapshot import Snapshot
    from retriage.store.contract.queries import Query

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


class PageReader(RowReader):
    """Reads the rows of a query that are in sight; where the engine cannot filter them, all are filtered here."""

    def __init__(self, view: RowsView) -> None:
        super().__init__(view)
        self._counted: int | None = None
        self._looks = 0

    def apply(self, text: str, asked_at: float = inf) -> None:
        """Show what matches this filter, from the first row on. The cursor stays on its task if that is near.

        All that matched the filter before is not what matches now, and is unmarked, unless it was marked after the
        operator had asked for the new one. The same filter in another order matches the same.
        """
        parsed = self.subject.parsed(text)
        if parsed.mistakes:
            return
        other = text != self.text
        self.text = text
        self.sort = self.subject.sortable(self.sort)
        self.parsed = (parsed.query, parsed.conditions)
        self.query = self.subject.sorted(parsed.query, self.sort)
        self._filter_here(self.query, parsed)
        self.matching = None
        self._counted = None
        self._looks = 0
        table = self.view.table
        if other and table.marks.everything and table.marked_at < asked_at:
            table.unmark()
            self.session.news.say("All that matched was unmarked, since other rows match now.", "warning")
        table.empty = "reading …"
        table.begin(keep_cursor=True)
        self.view.tell_count()
        self.run("list.first", self._first_page)

    def sort_by(self, sort: SortKey) -> None:
        """Read the rows in another order."""
        self.sort = sort
        self.apply(self.text)

    def _filter_here(self, query: Query, parsed: Parsed[Any]) -> None:
        """Filter the rows here, from the first one on, where the engine cannot."""
        if self.filtered_list is not None:
            self.filtered_list.close()
        self.filtered_list = None
        if not parsed.plain:
            self.filtered_list = FilteredList(
                self.session, self.subject, query, self.row_filter(parsed), self._show_filtered, self.fresh, self.wanted
            )

    def _show_filtered(self) -> None:
        """More rows are known to fit, or other ones than before."""
        filtered = self.filtered_list
        if filtered is None or filtered.query is not self.query or not self.view.is_attached:
            return
        self.matched(len(filtered.rows))
        self.view.table.age()
        first, last = self.view.table.window()
        self._put(first, filtered.part(first, last - first + 1))

    def _put(self, first: int, records: list[Any]) -> None:
        self.session.watch.known_values.note(records)
        now = self.session.connection.now()
        self.view.table.put(first, [self.subject.row(record, now) for record in records])

    async def _first_page(self) -> None:
        """The first rows and the count; whichever comes first is shown first."""
        if self.filtered_list is not None:
            self.filtered_list.start()
            return
        await asyncio.gather(self._read(0, self._height() + 20), self._count())

    def _height(self) -> int:
        height: int = self.view.table.size.height
        return max(height, 20)

    def read_rows(self, first: int, last: int) -> None:
        """Read the rows of these indexes, if the filter still is what it is now when they have come."""
        self.run("list.rows", partial(self._read, first, last - first + 1))

    async def _read(self, first: int, size: int) -> None:
        query, table = self.query, self.view.table
        if query is None:
            return
        if self.filtered_list is not None:
            self._put(first, self.filtered_list.part(first, size))
            return
        size = min(size, LARGEST_READ)
        records = await self._ask(lambda client: self.subject.read(client, query, first, size))
        if records is None or query is not self.query:
            return
        self.fresh.heard()
        self.session.watch.known_values.note(records)
        now = self.session.connection.now()
        rows = [self.subject.row(record, now) for record in records]
        if len(rows) < size and (self.matching is None or first + len(rows) < table.total):
            self.matched(first + len(rows) if rows or first == 0 else None)
        table.put(first, rows)

    async def _count(self) -> None:
        query = self.query
        if query is None:
            return
        number = await self._ask(lambda client: self.subject.count(client, query))
        if number is not None and query is self.query:
            self._counted = number
            self._looks = 1
            self.matched(number)

    async def _ask(self, question: Any) -> Any:
        """Ask the engine; a problem becomes one sentence and no answer."""
        try:
            return await self.session.connection.ask(question, self.fresh)
        except EngineProblem as problem:
            if not self.session.connection.stale:
                self.session.news.say(problem.sentence, "failed")
            self._unread(problem.sentence)
            return None

    def _unread(self, sentence: str) -> None:
        """Nothing could be read; where no rows are shown the table says why, and not that it reads."""
        table = self.view.table
        if not table.total:
            table.empty = f"{sentence} It is asked again."
            table.refresh()

    async def look(self) -> RowsShown | None:
        """What is in sight now; nothing where the console filters."""
        query = self.query
        if query is None or self.filtered_list is not None:
            return None
        if self._looks % COUNT_EVERY == 0:
            self._counted = await self.session.connection.ask(
                lambda client: self.subject.count(client, query), self.fresh
            )
        self._looks += 1
        first, last = self.view.table.window()
        size = last - first + 1
        records = await self.session.connection.ask(
            lambda client: self.subject.read(client, query, first, size), self.fresh
        )
        self.fresh.heard()
        if len(records) < size and (records or first == 0):
            self._counted = first + len(records)
        elif not records:
            self._looks = 0
        return RowsShown(query, first, tuple(records), self._counted, int(time.time() // 60))

    def show(self, snapshot: Snapshot[RowsShown | None]) -> None:
        """Hand the rows to the table, if they still are what is asked for."""
        found = snapshot.value
        if snapshot.problem is not None and self.view.is_attached:
            self._unread(snapshot.problem)
        if found is None or found.query is not self.query or snapshot.stale:
            return
        if found.total is not None and not (self.view.table.total == self.matching == found.total):
            self.matched(found.total)
        self.view.table.age()
        self._put(found.first, list(found.records))

    def count_soon(self) -> None:
        """The next look counts the rows too."""
        self._looks = 0

    async def refresh(self) -> None:
        """Read and count now, also while paused."""
        if self.filtered_list is not None:
            self.filtered_list.again()
        else:
            self._looks = 0
            await super().refresh()

    def close(self) -> None:
        """Read no more."""
        super().close()
        if self.filtered_list is not None:
            self.filtered_list.close()
