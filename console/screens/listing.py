"""The list view: one class for all subjects that are read page by page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.chrome import OPENING_ENGINE, IdentityLine
from retriage.console.screens.columns import ColumnsDialog
from retriage.console.screens.list_verbs import ListVerbs
from retriage.console.screens.page_reader import PageReader
from retriage.console.screens.pane_jump import PaneJump
from retriage.console.screens.row_reader import RowReader
from retriage.console.screens.subject import ListSubject, SortKey
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.words import count, things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.filter_line import Advice, FilterLine
from retriage.console.widgets.line import Line, Span
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.note import Note
from retriage.console.widgets.pane import Item, Pane, Prose
from retriage.console.widgets.rows import Row

if TYPE_CHECKING:
    from retriage.console.engine.target import Demo
    from retriage.console.launch.draft import Draft
    from retriage.console.screens.filtered_list import FilteredList
    from retriage.console.screens.navigator import Jump
    from retriage.console.session.freshness import Freshness

LIST_CSS: list[str | PurePath] = [BASE_CSS, Path(__file__).with_name("listing.tcss")]

ABOUT_A_ROW = frozenset({
    "list.open", "list.copy", "list.copy-curl", "list.only", "list.without", "list.export",
})  # fmt: skip
"""Actions of every list that need a row."""
RESTING = 0.08
"""Seconds without a step after which the pane says what the row under the cursor is."""


class KeepsPreferences(Protocol):
    """What writes down what was chosen: the application."""

    def keep_preferences(self) -> None:
        """Write it down."""
        ...


class ListScreen(ConsoleScreen):
    """Rows of a subject with filter, count, sort, marks, live refresh and a pane about the row under the cursor.

    Args:
        session: the console's session.
        subject: what the rows are.
        reader: makes what reads them.
    """

    CSS_PATH = LIST_CSS
    PLACES: ClassVar[tuple[str, ...]] = ("list",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"list"}))
    MARKABLE: ClassVar[bool] = False

    def __init__(
        self,
        session: Session,
        subject: ListSubject[Any],
        reader: Callable[[ListScreen], RowReader] = PageReader,
    ) -> None:
        super().__init__(session)
        self.subject = subject
        subject.capabilities = lambda: session.connection.capabilities
        subject.now = session.connection.now
        self.reader = reader(self)
        self.list_verbs = ListVerbs(self, self.reader, self.focused_row, self._shown_anew)
        self.attach(self.list_verbs)
        self.add_class("list")
        self._resting: Timer | None = None
        self._applied_at = 0.0
        self.jumped: Jump | None = None
        """The jump that led here, as long as its filter stands."""
        self.drafted: tuple[str, Draft] | None = None
        """What was built, and the filter that it was begun with."""

    # -- what is read -----------------------------------------------------------------------------------------------

    @property
    def filter_text(self) -> str:
        """The filter that the rows match."""
        return self.reader.text

    @property
    def task_filter(self) -> str:
        """The filter of external tasks that is shown here; empty where other things are listed."""
        return self.filter_text if self.subject.name == "tasks" else ""

    @property
    def sort(self) -> SortKey:
        """The order of the rows."""
        return self.reader.sort

    @property
    def matching(self) -> int | None:
        """How many rows match, once they are counted."""
        return self.reader.matching

    @property
    def filtered_list(self) -> FilteredList | None:
        """Who filters the rows, where the filter holds words that the engine does not know."""
        return self.reader.filtered_list

    @property
    def freshness(self) -> Freshness:
        """What became of the last question for the rows."""
        return self.reader.fresh

    @property
    def table(self) -> LineTable:
        """The rows."""
        return self.query_one("#rows", LineTable)

    # -- what is on it ----------------------------------------------------------------------------------------------

    def body(self) -> Iterable[Widget]:
        """Filter line, table and pane."""
        yield FilterLine(self._advise, self.subject.completed, id="filter")
        yield Note(id="advice")
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
    def narrow(self) -> bool:
        """There is no room for a pane beside the table."""
        return self.size.width < 100

    def on_mount(self) -> None:
        """Read as soon as the engine is open."""
        self.table.border_title = self.subject.title
        self.table.empty = OPENING_ENGINE
        self.query_one("#detail", Pane).entitle(self.subject.thing)
        self._heed_preferences()
        self.reader.start()
        self._recall()

    # -- what was chosen before -------------------------------------------------------------------------------------

    def _heed_preferences(self) -> None:
        liked = self.session.memory.preferences.of(self.subject.name)
        titles = [column.title for column in self.subject.columns]
        self.table.hide(frozenset(titles.index(title) for title in liked.hidden if title in titles))
        known = next((sort for sort in self.subject.sorts if sort.key == liked.sort), None)
        if known is not None:
            self.reader.sort = SortKey(known.key, known.label, liked.descending)
        self.list_verbs.zoom(liked.zoom)

    def _keep_preferences(self) -> None:
        cast(KeepsPreferences, self.app).keep_preferences()

    @work(group="list.columns", exclusive=True, exit_on_error=False)
    async def action_columns(self) -> None:
        """Choose which columns are shown."""
        titles = [column.title for column in self.subject.columns]
        hidden = await self.app.push_screen_wait(ColumnsDialog(titles, self.table.hidden))
        if hidden is not None:
            self.table.hide(hidden)
            self.session.memory.preferences.of(self.subject.name).hidden = [titles[index] for index in sorted(hidden)]
            self._keep_preferences()

    @work(group="list.jump", exclusive=True, exit_on_error=False)
    async def action_jump(self) -> None:
        """To a pane by its number."""
        panes = [pane for pane in self.focus_chain if pane.has_class("framed")]
        chosen = await self.app.push_screen_wait(PaneJump([pane.region for pane in panes]))
        if chosen is not None:
            panes[chosen].focus()

    def action_zoom(self) -> None:
        """The rows alone, the detail alone, everything again."""
        liked = self.session.memory.preferences.of(self.subject.name)
        liked.zoom = self.list_verbs.zoom(liked.zoom + 1)
        self._keep_preferences()

    def _advise(self, text: str, cursor: int) -> Advice:
        return self.subject.advise(text, cursor, self.session.watch.known_values.values(self.subject.name))

    @work(group="list.used", exclusive=True, exit_on_error=False)
    async def _recall(self) -> None:
        """Filters that were used before, also in another console."""
        before = await self.session.memory.used(self.subject.name)
        line = self.query_one("#filter", FilterLine)
        line.history = list(dict.fromkeys((*line.history, *before)))

    @work(group="list.remember", exit_on_error=False)
    async def _remember(self, text: str) -> None:
        await self.session.memory.remember(self.subject.name, text)

    # -- showing ----------------------------------------------------------------------------------------------------

    def nothing(self) -> str:
        """What to say when no row matches."""
        if self.filtered_list is not None and not self.filtered_list.exact:
            return "reading, none so far …"
        if self.filter_text:
            return f"0 of {count(self.session.watch.counts.get(self.subject.name, 0))} match.  esc clears the filter"
        if unseen := self.session.connection.rights.unseen(self.subject.name):
            return unseen
        return f"There are no {self.subject.title.lower()}."

    def tell_fresh(self) -> None:
        """The rows can be read, or cannot: line 1 and the filter line say so."""
        if self.is_attached:
            self.query_one(IdentityLine).tell(self.session, self.reader.fresh)
            self.tell_count()

    def unread_said(self) -> list[Span]:
        """That the rows could not be read the last time, and why, beside their number; nothing while they can."""
        problem = self.reader.fresh.problem
        return [] if problem is None else [(f"  not read now: {problem.brief} ", "failed")]

    def tell_matching(self, number: int) -> None:
        """So many rows match."""
        self.table.empty = self.nothing() if number == 0 else ""
        self.table.set_total(number)
        if number == 0:
            self.table.refresh()
            self.query_one("#detail", Pane).show([])
        self.tell_count()
        self.tell_hints()

    def tell_count(self) -> None:
        """Show how many rows match."""
        spans: list[Span] = [*self._marks_said()]
        if self.filtered_list is not None:
            spans += self.filtered_list.told(self.subject.title.lower())
        elif self.matching is not None and self.filter_text:
            total = self.session.watch.counts.get(self.subject.name)
            spans += [(count(self.matching), "strong"),
                      (f" match of {count(total)}" if total is not None else " match", "muted")]  # fmt: skip
        elif self.session.connection.filling and self.session.connection.demo is not None:
            demo = self.session.connection.demo
            spans += _writing(demo)
        unread = self.unread_said()
        spans += unread
        if not unread and not (self.narrow and self.table.marks):
            spans.append(self._order_said())
        spans.append((" ", ""))
        self.query_one("#filter", FilterLine).show_count(spans)

    def _order_said(self) -> Span:
        """The order that the rows stand in."""
        query = self.reader.query
        if query is not None and query.sorting:
            return "  sort: as the filter says", "muted"
        return f"  sort {self.sort.label} {'▼' if self.sort.descending else '▲'}", "muted"

    def _marks_said(self) -> list[Span]:
        marks = self.table.marks
        if not marks and not self.table.ranging:
            return []
        said = f"{count(marks.count(self.table.total))} marked"
        if marks.everything:
            left_out = f" but {count(len(marks.ids))}" if marks.ids else ""
            said = f"all {count(self.table.total)}{left_out} marked"
        return [("● ", "warning"), (said, "warning"), (" range" if self.table.ranging else "", "accent"), ("   ", "")]

    def on_news(self, news: News) -> None:
        """Counts are shown on the filter line too; a failed opening in the table."""
        if news == "counts":
            self.tell_count()
        if news == "capabilities":
            self.reader.heed_capabilities()
        if news == "identity" and self.matching == 0:
            self.tell_matching(0)
        if news == "journal":
            self._recall()
        if news == "state":
            self.reader.heed_pace()
        if news == "state" and self.session.connection.failed_to_open:
            self.table.empty = self.session.connection.failed_to_open
            self.table.refresh()

    @on(LineTable.CursorMoved, "#rows")
    def _cursor_moved(self, message: LineTable.CursorMoved) -> None:
        """The pane follows when the cursor rests, so that moving costs two lines and no more."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(RESTING, self._shown_anew)

    def show_detail(self, row: Row | None) -> None:
        """Say in the pane what the row under the cursor is."""
        pane = self.query_one("#detail", Pane)
        if row is None:
            pane.show([Prose("…", "faint")] if self.table.total else [])
            return
        pane.show(self.details(row))

    def details(self, row: Row) -> list[Item]:
        """What the pane says about a row: two lines on a narrow screen, unless it has the room to itself."""
        now = self.session.connection.now()
        short = self.narrow and not self.has_class("-detail-only")
        return self.subject.summary(row.item, now) if short else self.subject.brief(row.item, now)

    def _shown_anew(self) -> None:
        """The pane and the hints tell of the row under the cursor."""
        self.show_detail(self.table.row)
        self.tell_hints()

    def on_resize(self) -> None:
        """The pane says as much as fits."""
        self.call_after_refresh(lambda: self.show_detail(self.table.row))

    @on(LineTable.MarksChanged, "#rows")
    def _marks_changed(self, message: LineTable.MarksChanged) -> None:
        self.tell_count()
        if message.unread:
            self.session.news.say(
                f"{things(message.unread, 'row')} of the range are not read yet and not marked; A takes all.", "warning"
            )
        self.tell_hints()

    def legend(self) -> str:
        """What the state letters mean."""
        return self.subject.legend

    def hint_labels(self) -> dict[str, str]:
        """``A`` says how many it would take."""
        labels = {"list.back": f"back to {self._came_by_jump.origin}"} if self._came_by_jump is not None else {}
        if self.matching is not None and self.filter_text:
            labels["marks.mark-all"] = f"all {count(self.matching)}"
        return labels

    def idle(self) -> Collection[str]:
        """Where no row matches, what is done with rows."""
        if self.matching != 0:
            return super().idle()
        about_rows = at({*self.PLACES, "marks"} - {"list"})
        return {*super().idle(), *ABOUT_A_ROW, *(action.name for action in about_rows)}

    # -- reading ----------------------------------------------------------------------------------------------------

    @on(LineTable.RowsWanted, "#rows")
    def _rows_wanted(self, message: LineTable.RowsWanted) -> None:
        self.reader.read_rows(message.first, message.last)

    def on_screen_resume(self) -> None:
        """In front again; meanwhile other rows may match."""
        self.reader.count_soon()

    def on_unmount(self) -> None:
        """Read and write no more."""
        self.reader.close()
        self.list_verbs.stop_export()

    # -- filter -----------------------------------------------------------------------------------------------------

    @on(FilterLine.Advised)
    def _advised(self, message: FilterLine.Advised) -> None:
        line = self.query_one("#advice", Line)
        line.set_class(bool(message.spans), "-said")
        line.show(message.spans)

    @on(FilterLine.Applied)
    def _applied(self, message: FilterLine.Applied) -> None:
        self.heed_filter()

    def show_filter(self, text: str) -> None:
        """Show what matches this filter, as if it had been typed."""
        self.reader.apply(text)

    def heed_filter(self) -> None:
        """Apply the filter that stands on the line, if that has not been done yet.

        An order may arrive before the message about the filter that was typed before it; it must not act on the rows
        that matched the old one.
        """
        line = self.query_one("#filter", FilterLine)
        if line.applied_at > self._applied_at:
            self._applied_at = line.applied_at
            self.reader.apply(line.applied, line.applied_at)
            if line.applied:
                self._remember(line.applied)

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type a filter; also before the engine is open, or the letters would act as keys.

        Then the rows that it narrows have the focus, wherever that was: `A R` behind a filter never means a cause.
        """
        self.set_focus(self.table)
        self.query_one("#filter", FilterLine).open()

    @property
    def history(self) -> list[str]:
        """Filters used before, the newest first."""
        return self.query_one("#filter", FilterLine).history

    def action_build(self) -> None:
        """Build the query, beginning with the filter or with what was built from it before."""
        from retriage.console.screens.builder.opening import builder_for  # 153 ms

        self.heed_filter()
        self.app.push_screen(builder_for(self.session, self.subject, self.filter_text, self.drafted, self))

    def keep_draft(self, draft: Draft) -> None:
        """Remember what was built, to go on with it later."""
        self.drafted = (self.filter_text, draft)

    def built(self, text: str) -> None:
        """Show what a query matches that was built."""
        self.query_one("#filter", FilterLine).enter(text)
        self.heed_filter()
        if self.drafted is not None:
            self.drafted = (text, self.drafted[1])

    def action_sort(self) -> None:
        """The next sort key."""
        sorts = [sort for sort in self.subject.sorts if self.subject.sortable(sort) == sort]
        keys = [sort.key for sort in sorts]
        self._sort_by(sorts[(keys.index(self.sort.key) + 1) % len(sorts)])

    def action_reverse(self) -> None:
        """The other way around."""
        self._sort_by(SortKey(self.sort.key, self.sort.label, not self.sort.descending))

    def _sort_by(self, sort: SortKey) -> None:
        self.reader.sort_by(sort)
        liked = self.session.memory.preferences.of(self.subject.name)
        liked.sort, liked.descending = sort.key, sort.descending
        self._keep_preferences()

    def action_pause(self) -> None:
        """Stop reading, or go on."""
        self.session.watch.pause(not self.session.watch.paused)

    def action_refresh(self) -> None:
        """Read now, also while paused."""
        self.reader.run("list.now", self.reader.refresh)

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
            self.hand_out(row.id)

    def action_back(self) -> None:
        """Stop writing rows; end the range; clear the filter; never leave."""
        if self.list_verbs.stop_export():
            return
        if self.table.ranging:
            self.table.action_range()
        elif self._came_by_jump is not None:
            self._jump_back(self._came_by_jump)
        elif self.filter_text:
            self.query_one("#filter", FilterLine).set("")
            self.reader.apply("")

    @property
    def _came_by_jump(self) -> Jump | None:
        jumped = self.jumped
        return jumped if jumped is not None and self.filter_text == jumped.text else None

    def _jump_back(self, jumped: Jump) -> None:
        """Leave this view as it was before the jump."""
        self.jumped = None
        self.query_one("#filter", FilterLine).set(jumped.before)
        self.reader.apply(jumped.before)
        self.navigator.back(jumped)

    def jump_to(self, jump: Jump) -> None:
        """Show what a jump asks for; ``esc`` leads back."""
        self.jumped = jump
        self.query_one("#filter", FilterLine).set(jump.text)
        self.show_filter(jump.text)
        self.tell_hints()

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


def _writing(demo: Demo) -> list[Span]:
    """How far the world of a demo is written."""
    if demo.handle.sorting is not None:
        index, of = demo.handle.sorting
        return [("writing this world: sorting index ", "muted"), (count(index), "strong"), (f" of {of}", "muted")]
    written = count(demo.handle.written)
    return [("writing this world: ", "muted"), (written, "strong"), (f" of {count(demo.tasks)} tasks", "muted")]
