"""The list view: one class for all subjects that are read page by page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from math import inf
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from console.actions import at
from console.screens.base import BASE_CSS, ConsoleScreen
from console.screens.session import News, Session
from console.screens.subject import Sort, Subject
from console.screens.words import count, things
from console.widgets.bindings import bindings
from console.widgets.filter_line import FilterLine
from console.widgets.line import Line, Span
from console.widgets.line_table import LineTable
from console.widgets.pane import Item, Pane, Prose
from console.widgets.rows import Row

if TYPE_CHECKING:
    from console.watch import Poller, Snapshot
    from store.contract.queries import Query

LIST_CSS: list[str | PurePath] = [BASE_CSS, Path(__file__).with_name("listing.tcss")]

LARGEST_READ = 400
"""Most rows of one request."""
INTERVAL = 2.0
"""Seconds between two looks at the rows in sight, if the engine answers quickly."""
RESTING = 0.08
"""Seconds without a step after which the pane says what the row under the cursor is."""
COUNT_EVERY = 3
"""Every so many looks the rows are counted too."""


class Picture(NamedTuple):
    """Rows in sight at a moment, to the minute (ages are shown in minutes)."""

    query: Query
    first: int
    records: tuple[Any, ...]
    total: int | None
    minute: int


class ListScreen(ConsoleScreen):
    """Rows of a subject with filter, count, sort, marks, live refresh and a pane about the row under the cursor."""

    CSS_PATH = LIST_CSS
    PLACES: ClassVar[tuple[str, ...]] = ("list",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"list"}))
    MARKABLE: ClassVar[bool] = False

    def __init__(self, session: Session, subject: Subject[Any]) -> None:
        super().__init__(session)
        self.subject = subject
        self.add_class("list")
        self.filter_text = ""
        self.sort: Sort = subject.sorts[0]
        self.matching: int | None = None
        self._query: Query | None = None
        self._poller: Poller[Picture | None] | None = None
        self._counted: int | None = None
        self._looks = 0
        self._resting: Timer | None = None

    # -- what is on it ----------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """Filter line, table and pane."""
        yield FilterLine(self.subject.advise, self.subject.completed, id="filter")
        yield Line(id="advice")
        with Horizontal(id="upper"):
            table = LineTable(self.subject.columns, markable=self.MARKABLE, id="rows")
            table.add_class("framed")
            yield table
            yield Pane("", id="detail", classes="framed")
        yield from self.lower()

    def lower(self) -> ComposeResult:
        """More panes below."""
        yield from ()

    @property
    def table(self) -> LineTable:
        """The rows."""
        return self.query_one("#rows", LineTable)

    @property
    def narrow(self) -> bool:
        """There is no room for a pane beside the table."""
        return self.size.width < 100

    def on_mount(self) -> None:
        """Read as soon as the engine is open."""
        self.table.border_title = self.subject.title
        self.table.empty = "opening the engine …"
        self.query_one("#detail", Pane).entitle(self.subject.thing)
        self._start()

    # -- reading ----------------------------------------------------------------------------------------------------

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
        operator had asked for the new one.
        """
        query = self.subject.query(text)
        if query is None:
            return
        self.filter_text = text
        self._query = self.subject.sorted(query, self.sort)
        self.matching = None
        self._counted = None
        self._looks = 0
        if self.table.marks.everything and self.table.marked_at < asked_at:
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

    def _nothing(self) -> str:
        if self.filter_text:
            return f"0 of {count(self.session.counts.get(self.subject.name, 0))} match.  esc clears the filter"
        return f"There are no {self.subject.title.lower()}."

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
        super().on_screen_resume()
        self._heed_pause()

    def on_unmount(self) -> None:
        """Look no more."""
        if self._poller is not None:
            self._poller.close()

    # -- showing ----------------------------------------------------------------------------------------------------

    def _tell_count(self) -> None:
        spans: list[Span] = [*self._marks_said()]
        if self.matching is not None:
            total = self.session.counts.get(self.subject.name)
            spans.append((count(self.matching), "strong"))
            of = f" match of {count(total)}" if self.filter_text and total is not None else ""
            spans.append((of or f" {self.subject.title.lower()}", "muted"))
        if not (self.narrow and self.table.marks):
            spans.append((f"  sort {self.sort.label} {'▼' if self.sort.descending else '▲'} ", "muted"))
        self.query_one("#filter", FilterLine).show_count(spans)

    def _marks_said(self) -> list[Span]:
        marks = self.table.marks
        if not marks and not self.table.ranging:
            return []
        said = f"{count(marks.count(self.table.total))} marked"
        if marks.everything:
            said = "all marked" + (f" but {count(len(marks.ids))}" if marks.ids else "")
        return [("● ", "warning"), (said, "warning"), (" range" if self.table.ranging else "", "accent"), ("   ", "")]

    def on_news(self, news: News) -> None:
        """Counts are shown on the filter line too; a failed opening in the table."""
        if news == "counts":
            self._tell_count()
        if news == "state":
            self._heed_pause()
        if news == "state" and self.session.failed_to_open:
            self.table.empty = self.session.failed_to_open
            self.table.refresh()

    @on(LineTable.CursorMoved, "#rows")
    def _cursor_moved(self, message: LineTable.CursorMoved) -> None:
        """The pane follows when the cursor rests, so that moving costs two lines and no more."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(RESTING, lambda: self.show_detail(self.table.row))

    def show_detail(self, row: Row | None) -> None:
        """Say in the pane what the row under the cursor is."""
        pane = self.query_one("#detail", Pane)
        if row is None:
            pane.show([Prose("…", "faint")] if self.table.total else [])
            return
        pane.show(self.details(row))

    def details(self, row: Row) -> list[Item]:
        """What the pane says about a row: two lines on a narrow screen."""
        now = datetime.now(UTC)
        return self.subject.summary(row.item, now) if self.narrow else self.subject.brief(row.item, now)

    def on_resize(self) -> None:
        """The pane says as much as fits."""
        super().on_resize()
        self.call_after_refresh(lambda: self.show_detail(self.table.row))

    @on(LineTable.MarksChanged, "#rows")
    def _marks_changed(self, message: LineTable.MarksChanged) -> None:
        self._tell_count()
        if message.unread:
            self.session.say(
                f"{things(message.unread, 'row')} of the range are not read yet and not marked; A takes all.", "warning"
            )
        self.tell_hints()

    def hint_labels(self) -> dict[str, str]:
        """``A`` says how many it would take."""
        if self.matching is None:
            return {}
        return {"marks.mark-all": f"all {count(self.matching)}"}

    # -- filter -----------------------------------------------------------------------------------------------------

    @on(FilterLine.Advised)
    def _advised(self, message: FilterLine.Advised) -> None:
        line = self.query_one("#advice", Line)
        line.set_class(bool(message.spans), "-said")
        line.show(message.spans)

    @on(FilterLine.Applied)
    def _applied(self, message: FilterLine.Applied) -> None:
        self._apply(message.text, message.at)

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type a filter."""
        if self.session.client is not None:
            self.query_one("#filter", FilterLine).open()

    def action_sort(self) -> None:
        """The next sort key."""
        sorts = self.subject.sorts
        keys = [sort.key for sort in sorts]
        self.sort = sorts[(keys.index(self.sort.key) + 1) % len(sorts)]
        self._apply(self.filter_text)

    def action_reverse(self) -> None:
        """The other way around."""
        self.sort = Sort(self.sort.key, self.sort.label, not self.sort.descending)
        self._apply(self.filter_text)

    def action_pause(self) -> None:
        """Stop reading, or go on."""
        self.session.pause(not self.session.paused)

    def action_refresh(self) -> None:
        """Read now, also while paused."""
        self._now()

    @work(group="list.now", exclusive=True, exit_on_error=False)
    async def _now(self) -> None:
        if self._poller is not None:
            self._looks = 0
            await self._poller.refresh()

    def action_next_pane(self) -> None:
        """To the next pane."""
        self.focus_next()

    def action_previous_pane(self) -> None:
        """To the pane before."""
        self.focus_previous()

    def action_copy(self) -> None:
        """Copy the id of the row."""
        row = self.table.row
        if row is not None:
            self.app.copy_to_clipboard(row.id)
            self.session.say(f"Copied {row.id}", "muted")

    def action_back(self) -> None:
        """End the range; clear the filter; never leave."""
        if self.table.ranging:
            self.table.action_range()
        elif self.filter_text:
            self.query_one("#filter", FilterLine).set("")
            self._apply("")

    def action_open(self) -> None:
        """Everything about the row."""
        row = self.focused_row()
        if row is not None:
            self.open_row(row)

    @on(LineTable.Opened, "#rows")
    def _opened(self, message: LineTable.Opened) -> None:
        self.open_row(message.row)

    def focused_row(self) -> Row | None:
        """The row under the cursor of the table that has the focus."""
        table = self.focused if isinstance(self.focused, LineTable) else self.table
        return table.row

    def open_row(self, row: Row) -> None:
        """Show everything about the row."""
