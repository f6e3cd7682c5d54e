"""A table that draws its own lines over a page cache: a million rows cost what a hundred cost.

The table never reads anything. It says which rows it would like (``RowsWanted``) and is handed pages. No key ever
waits: rows that are not there yet are drawn as ``…``. Cursor and marks belong to ids, so a refresh that moves rows
takes them along. Only lines that look different are repainted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from retriage.console.actions import at
from retriage.console.terminal.textual_private import bindings_of
from retriage.console.text.cells import cut, wrap
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.columns import Column
from retriage.console.widgets.ink import Inked
from retriage.console.widgets.marks import Marks
from retriage.console.widgets.row_painter import GUTTER, RowPainter
from retriage.console.widgets.rows import PageCache, Row
from retriage.console.widgets.thumb import thumb

AHEAD = 1.0
"""How far around the viewport rows are wanted, in heights of the viewport."""
SETTLE = 0.04
"""Seconds without movement after which missing rows are asked for."""


@dataclass
class TableMessage(Message):
    """From a table."""

    table: LineTable

    @property
    def control(self) -> LineTable:
        """The table, so that a handler can name it by a selector."""
        return self.table


class LineTable(Inked, ScrollView, can_focus=True):
    """Rows of an ordered result, drawn line by line."""

    @dataclass
    class RowsWanted(TableMessage):
        """Rows from ``first`` to ``last``, both included, are not there or stale."""

        first: int
        last: int

    @dataclass
    class CursorMoved(TableMessage):
        """The cursor stands on another row, or that row looks different now. ``row`` is none where none is loaded."""

        row: Row | None

        def can_replace(self, message: Message) -> bool:
            """A newer position makes an older one in the queue pointless."""
            return isinstance(message, LineTable.CursorMoved) and message.table is self.table

    @dataclass
    class MarksChanged(TableMessage):
        """Other rows are chosen now. ``unread`` rows of a range could not be marked, since they are not loaded."""

        marks: Marks
        unread: int = 0

    @dataclass
    class Opened(TableMessage):
        """A row was clicked twice."""

        row: Row

    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"table", "marks"}))
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--head",
        "table--cursor",
        "table--cursor-blurred",
        "table--marked",
        "table--plain",
    }
    DEFAULT_CSS = """
    LineTable {
        overflow: hidden hidden;
        scrollbar-size: 0 0;
        & > .table--head { color: $ink-muted; }
        & > .table--cursor { background: $row-cursor; color: $ink-strong; text-style: $row-cursor-style; }
        & > .table--cursor-blurred { background: $row-cursor-blurred; }
        & > .table--marked { background: $row-marked; }
    }
    """

    def __init__(
        self, columns: Sequence[Column], *, markable: bool = True, id: str | None = None, empty: str = ""
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.markable = markable
        self.total = 0
        self.cursor = 0
        self.cursor_id: str | None = None
        self.column: int | None = None
        """Index of the column whose cell is chosen, once one was."""
        self.marks = Marks()
        self.marked_at = 0.0
        """When the marks were changed, by the monotonic clock."""
        self.empty = empty
        self._cache = PageCache()
        self._painter = RowPainter(self.columns, self.get_component_rich_style, self.ink_alone)
        self.hidden: frozenset[int] = frozenset()
        """Indexes of the columns that are left out, however much room there is."""
        self._anchor: int | None = None
        self._before_range = Marks()
        self._asking: Timer | None = None

    @property
    def PLACES(self) -> tuple[str, ...]:
        """The places of its actions: marks only where rows can be marked."""
        return ("table", "marks") if self.markable else ("table",)

    # -- what the owner hands in ------------------------------------------------------------------------------------

    def begin(self, *, keep_marks: bool = True, keep_cursor: bool = False) -> None:
        """A new result: no rows are known, the cursor is on the first one.

        Args:
            keep_marks: what is marked stays so.
            keep_cursor: the cursor goes to the row that it is on now, if that is among the first ones handed in.
        """
        self._cache.clear()
        self.total = 0
        self.cursor = 0
        if not keep_cursor:
            self.cursor_id = None
        self._anchor = None
        self.scroll_to(y=0, animate=False, force=True)
        if not keep_marks:
            self._mark(Marks())
        self._resized()

    def set_total(self, total: int) -> None:
        """How many rows there are. The cursor stays on its row, or goes to the last one."""
        if total == self.total:
            return
        self.total = total
        self._cache.cut_off(total)
        self._resized()
        if self.cursor >= total:
            self.move_to(max(total - 1, 0))
        self._want_soon()

    def put(self, first: int, rows: Sequence[Row]) -> None:
        """Rows of the result from index ``first`` on. Repaints the lines that look different, and only those."""
        if first + len(rows) > self.total:
            self.set_total(first + len(rows))
        changed = self._cache.put(first, rows)
        self._follow_cursor()
        top = self.top
        for index in changed:
            if top <= index < top + self.lines:
                self._repaint(index)
        if self._anchor is not None:
            self._mark_range()
        self._want_soon()

    def stay(self) -> None:
        """The cursor stays on its line: it is on whatever row is handed in there next."""
        self.cursor_id = None

    def age(self) -> None:
        """All rows are stale from now on; the ones around the viewport are wanted again when it moves."""
        self._cache.age()

    def window(self) -> tuple[int, int]:
        """First and last index in sight, and a little around; what a live refresh reads again."""
        around = max(2, self.lines // 2 + 1)
        return max(self.top - around, 0), min(self.top + self.lines + around, max(self.total, 1)) - 1

    @property
    def row(self) -> Row | None:
        """The row under the cursor, if it is loaded."""
        return self._cache.get(self.cursor) if self.total else None

    def loaded(self) -> list[Row]:
        """All rows in the cache, in order."""
        return [row for _, row in sorted(self._cache, key=lambda pair: pair[0])]

    @property
    def ranging(self) -> bool:
        """A range is being marked."""
        return self._anchor is not None

    def start_range(self) -> None:
        """From here on moving marks the rows on the way."""
        self._anchor = self.cursor
        self._before_range = self.marks
        self._mark_range()
        self.post_message(self.MarksChanged(self, self.marks))

    def end_range(self) -> None:
        """Moving marks no more rows."""
        self._anchor = None
        self.post_message(self.MarksChanged(self, self.marks))

    def choose(self, marks: Marks) -> None:
        """These are the marks now, and no range is being marked."""
        self._anchor = None
        self._mark(marks)

    def unmark(self) -> None:
        """No row is marked."""
        self.choose(Marks())

    def in_sight(self) -> list[Row]:
        """The rows in sight that are loaded."""
        indexes = range(self.top, min(self.top + self.lines, self.total))
        return [row for index in indexes if (row := self._cache.get(index)) is not None]

    # -- moving and marking -----------------------------------------------------------------------------------------

    @property
    def lines(self) -> int:
        """Rows that fit on the screen."""
        return max(self.scrollable_content_region.height - 1, 0)

    @property
    def top(self) -> int:
        """Index of the first row in sight."""
        return round(self.scroll_y)

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, or the nearest one there is."""
        index = max(0, min(index, self.total - 1))
        before, self.cursor = self.cursor, index
        row = self.row
        self.cursor_id = row.id if row else None
        if before != index:
            self._repaint(before)
            self._repaint(index)
            if self._anchor is not None:
                self._mark_range()
        self._show_cursor()
        self.post_message(self.CursorMoved(self, row))
        self._want_soon()

    @property
    def fitting(self) -> list[int]:
        """Indexes of the columns that are shown."""
        return self._painter.fitting

    def hide(self, hidden: frozenset[int]) -> None:
        """Leave these columns out; the others share the room."""
        if hidden != self.hidden:
            self.hidden = hidden
            self._painter.hide(hidden)
            self.refresh()

    def choose_column(self, index: int) -> None:
        """The cell of this column is the chosen one."""
        self.column = index
        self.refresh(Region(0, 0, self.size.width, 1))
        self._repaint(self.cursor)

    def _choose_beside(self, step: int) -> None:
        fitting = self.fitting
        if not fitting:
            return
        if self.column not in fitting:
            self.choose_column(fitting[0] if step > 0 else fitting[-1])
        else:
            at = fitting.index(self.column) + step
            self.choose_column(fitting[max(0, min(at, len(fitting) - 1))])

    def turn_page(self, pages: int) -> None:
        """So many screens further, the cursor on the same line of the screen; at an end it goes to the last row."""
        line = self.cursor - self.top
        last = max(self.total - self.lines, 0)
        top = max(0, min(self.top + pages * self.lines, last))
        if top == self.top:
            self.move_to(self.total - 1 if pages > 0 else 0)
            return
        self.scroll_to(y=top, animate=False, force=True)
        self.move_to(top + line)

    @property
    def page(self) -> tuple[int, int]:
        """Which page is in sight and how many there are, in heights of the viewport."""
        lines = max(self.lines, 1)
        pages = max(1, -(-self.total // lines))
        return min(-(-(self.top + lines) // lines), pages), pages

    def _show_cursor(self) -> None:
        top = self.top
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.lines and self.cursor >= top + self.lines:
            self.scroll_to(y=self.cursor - self.lines + 1, animate=False, force=True)

    def _follow_cursor(self) -> None:
        """Keep the cursor on its id after rows have moved; the line on the screen stays where it was."""
        row = self.row
        if self.cursor_id is not None and (row is None or row.id != self.cursor_id):
            index = self._cache.find(self.cursor_id, self.cursor)
            if index is not None:
                shift = index - self.cursor
                before, self.cursor = self.cursor, index
                if self.top + shift >= 0 and self.top:
                    self.scroll_to(y=self.top + shift, animate=False, force=True)
                self._repaint(before)
                self._repaint(index)
                self._show_cursor()
                row = self.row
        if row is not None:
            self.cursor_id = row.id
        self.post_message(self.CursorMoved(self, row))

    def mark_and_move(self, step: int) -> None:
        """Mark this row and the one that many further, which the cursor goes to."""
        if not self.markable or self.row is None:
            return
        self._anchor = None
        ids = [self.row.id]
        self.move_to(self.cursor + step)
        if self.row is not None:
            ids.append(self.row.id)
        self._mark(self.marks.with_all(ids))

    def _mark_range(self) -> None:
        assert self._anchor is not None
        first, last = sorted((self._anchor, self.cursor))
        known = [row.id for index, row in self._cache if first <= index <= last]
        self._mark(self._before_range.with_all(known), last - first + 1 - len(known))

    def _mark(self, marks: Marks, unread: int = 0) -> None:
        if marks == self.marks and not unread:
            return
        before, self.marks = self.marks, marks
        self.marked_at = time.monotonic()
        for index in range(self.top, min(self.top + self.lines, self.total)):
            row = self._cache.get(index)
            if row and (row.id in before) != (row.id in marks):
                self._repaint(index)
        self.post_message(self.MarksChanged(self, marks, unread))

    # -- keys ---------------------------------------------------------------------------------------------------------

    def action_down(self) -> None:
        """One row down."""
        self.move_to(self.cursor + 1)

    def action_up(self) -> None:
        """One row up."""
        self.move_to(self.cursor - 1)

    def action_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_to(self.total - 1)

    def action_page_down(self) -> None:
        """One screen down."""
        self.move_to(self.cursor + max(self.lines - 1, 1))

    def action_page_up(self) -> None:
        """One screen up."""
        self.move_to(self.cursor - max(self.lines - 1, 1))

    def action_next_page(self) -> None:
        """The next page of the result."""
        self.turn_page(1)

    def action_previous_page(self) -> None:
        """The page before."""
        self.turn_page(-1)

    def action_cell_right(self) -> None:
        """Choose the cell to the right."""
        self._choose_beside(1)

    def action_cell_left(self) -> None:
        """Choose the cell to the left."""
        self._choose_beside(-1)

    def action_mark(self) -> None:
        """Turn the mark of the row around and go to the next row."""
        if self.markable and self.row is not None:
            self.choose(self.marks.toggled(self.row.id))
            self.move_to(self.cursor + 1)

    def action_range(self) -> None:
        """Start or end a range."""
        if self.markable:
            (self.end_range if self.ranging else self.start_range)()

    def action_range_down(self) -> None:
        """Mark this row and the next one."""
        self.mark_and_move(1)

    def action_range_up(self) -> None:
        """Mark this row and the one before."""
        self.mark_and_move(-1)

    def action_mark_page(self) -> None:
        """Mark all rows in sight."""
        if self.markable:
            self.choose(self.marks.with_all(row.id for row in self.in_sight()))

    def action_mark_all(self) -> None:
        """Take everything that matches."""
        if self.markable:
            self.choose(Marks(everything=True))

    def action_unmark(self) -> None:
        """Unmark all rows."""
        self.choose(Marks())

    # -- asking for rows --------------------------------------------------------------------------------------------

    def _want_soon(self) -> None:
        if self._asking is not None:
            self._asking.stop()
        if self.is_attached:
            self._asking = self.set_timer(SETTLE, self._want)

    def _want(self) -> None:
        self._asking = None
        if not self.total:
            return
        ahead = int(self.lines * AHEAD)
        in_sight = (self.top, min(self.top + self.lines, self.total) - 1)
        around = (max(in_sight[0] - ahead, 0), min(in_sight[1] + ahead, self.total - 1))
        near = self._cache.missing(max(in_sight[0] - ahead // 2, 0), min(in_sight[1] + ahead // 2, self.total - 1))
        if near is not None and (wanted := self._cache.missing(*around)) is not None:
            self.post_message(self.RowsWanted(self, *wanted))

    # -- drawing ----------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Fit the columns to the new width."""
        self._resized()
        self._show_cursor()
        self._want_soon()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Rows around the new viewport may be missing."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._want_soon()

    def notify_style_update(self) -> None:
        """Colours have changed: no drawn line can be used again."""
        super().notify_style_update()
        self._painter.clear()

    async def on_key(self, event: events.Key) -> None:
        """The table's own keys act at once: the way up to the application is a third of their time."""
        for binding in bindings_of(self, event.key):
            if await self.app.run_action(binding.action, self):
                event.stop()
                return

    def on_focus(self) -> None:
        """The cursor line looks different with the focus."""
        self._repaint(self.cursor)

    def on_blur(self) -> None:
        """The cursor line looks different without the focus."""
        self._repaint(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Go to the row that was clicked, open it on the second click."""
        offset = event.get_content_offset(self)
        if offset is None or not 1 <= offset.y <= min(self.lines, self.total - self.top):
            return
        self.move_to(self.top + offset.y - 1)
        if event.chain == 2 and self.row is not None:
            self.post_message(self.Opened(self, self.row))

    def _resized(self) -> None:
        width = self.scrollable_content_region.width
        self._painter.resize(width)
        self.virtual_size = Size(width, self.total + 1)
        self.refresh()

    def _repaint(self, index: int) -> None:
        line = index - self.top + 1
        if 1 <= line <= self.lines:
            self.refresh(Region(0, line, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """The heading, or the row that is on this line of the viewport."""
        width = self.scrollable_content_region.width
        if width != self._painter.width:
            # Rows that come while a layout hides the table find no room, and no resize follows where its size stays.
            self._painter.resize(width)
        if y == 0:
            return self._painter.heading(self.column)
        index = self.top + y - 1
        if index >= self.total:
            text = self._said(y - 2, width - 2 * GUTTER) if self.total == 0 else ""
            return Strip([Segment(cut(text, width), self.ink("muted"))], width)
        row = self._cache.get(index)
        look = self._look(index, row)
        marked = row is not None and row.id in self.marks
        chosen = self.column if index == self.cursor else None
        return self._painter.row(index, row, look, marked, self._thumb(y), chosen)

    def _said(self, line: int, width: int) -> str:
        """A line of the sentence that stands in an empty table."""
        said = wrap(self.empty, width, self.lines)
        return " " * GUTTER + said[line] if 0 <= line < len(said) else ""

    def _look(self, index: int, row: Row | None) -> str:
        if index == self.cursor:
            return "cursor" if self.has_focus else "cursor-blurred"
        return "marked" if row is not None and row.id in self.marks else "plain"

    def _thumb(self, y: int) -> str:
        """The sign at the end of line ``y``: where in the whole result the viewport is."""
        return thumb(y - 1, self.lines, self.top, self.total)
