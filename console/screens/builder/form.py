"""The form face: one line per field, drawn by the widget itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from retriage.console.actions import at
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.ink import Inked
from retriage.console.widgets.thumb import thumb

LABEL = 33
"""Cells of the longest name of a field."""
FLAGS = frozenset({"flag", "switch", "is"})
_BOXES = {"": "[ ]", "yes": "[x]", "no": "[-]"}


@dataclass(frozen=True)
class FormRow:
    """A line of the form.

    Attributes:
        name: what it is called.
        kind: what it holds, as ``retriage.console.language.form`` names it.
        value: its value as text; a flag is ``yes``, ``no`` or nothing.
        about: what it means, in a sentence.
        here: the console applies it, not the engine.
    """

    name: str
    kind: str
    value: str
    about: str
    here: bool = False

    @property
    def flag(self) -> bool:
        """It is switched, not typed."""
        return self.kind in FLAGS


class FormView(Inked, ScrollView, can_focus=True):
    """Rows with a cursor."""

    PLACES: ClassVar[tuple[str, ...]] = ("build-form",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-form"}))
    COMPONENT_CLASSES: ClassVar[set[str]] = {"form--cursor", "form--cursor-blurred"}
    DEFAULT_CSS = """
    FormView {
        overflow: hidden hidden; scrollbar-size: 0 0;
        & > .form--cursor { background: $row-cursor; color: $ink-strong; text-style: $row-cursor-style; }
        & > .form--cursor-blurred { background: $row-cursor-blurred; }
    }
    """

    @dataclass
    class Changed(Message):
        """The operator wants another value on the row under the cursor; nothing: to type one."""

        row: FormRow
        value: str | None

    @dataclass
    class Moved(Message):
        """Another row is under the cursor."""

        row: FormRow

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: Sequence[FormRow] = ()
        self.cursor = 0

    @property
    def row(self) -> FormRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def label_width(self) -> int:
        """Cells of the names."""
        return min(max((len(row.name) for row in self.rows), default=0) + 1, LABEL)

    def show(self, rows: Sequence[FormRow]) -> None:
        """Show these rows; the cursor stays on the row of its name."""
        before, old = self.row, self.rows
        self.rows = tuple(rows)
        if before is not None and [row.name for row in old] != [row.name for row in rows]:
            self.cursor = next((at_ for at_, row in enumerate(rows) if _same(row, before)), 0)
        self.virtual_size = Size(self.size.width, len(rows))
        if len(old) != len(rows):
            self.refresh()
        for at_, (one, other) in enumerate(zip(old, rows, strict=False)):
            if one != other:
                self._repaint(at_)
        self.cursor = min(self.cursor, max(len(rows) - 1, 0))
        self._show_cursor()

    @property
    def in_sight(self) -> range:
        """The rows that are in sight."""
        top = round(self.scroll_y)
        return range(top, min(top + self.scrollable_content_region.height, len(self.rows)))

    @property
    def set_out_of_sight(self) -> int:
        """Rows that hold a value and are not in sight."""
        return sum(bool(row.value) for at_, row in enumerate(self.rows) if at_ not in self.in_sight)

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, or the nearest one."""
        index = max(0, min(index, len(self.rows) - 1))
        before, self.cursor = self.cursor, index
        self._repaint(before)
        self._repaint(index)
        self._show_cursor()
        if self.row is not None:
            self.post_message(self.Moved(self.row))

    def place(self) -> tuple[int, int, int]:
        """Where the value under the cursor is on the screen: column, line, width."""
        region = self.content_region
        indent = self.label_width + 5
        return region.x + indent, region.y + self.cursor - round(self.scroll_y), max(region.width - indent - 1, 4)

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
        self.move_to(len(self.rows) - 1)

    def action_page_down(self) -> None:
        """One screen down."""
        self.move_to(self.cursor + max(self.size.height - 1, 1))

    def action_page_up(self) -> None:
        """One screen up."""
        self.move_to(self.cursor - max(self.size.height - 1, 1))

    def action_change(self) -> None:
        """Switch the flag, or type the value."""
        row = self.row
        if row is None:
            return
        if not row.flag:
            self.post_message(self.Changed(row, None))
            return
        ways = ("", "yes") if row.kind == "flag" else ("", "yes", "no")
        self.post_message(self.Changed(row, ways[(ways.index(row.value) + 1) % len(ways)]))

    def action_clear(self) -> None:
        """Remove the value."""
        if self.row is not None and self.row.value:
            self.post_message(self.Changed(self.row, ""))

    def on_click(self, event: events.Click) -> None:
        """Go to the row that was clicked; a second click changes it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        index = round(self.scroll_y) + offset.y
        if index < len(self.rows):
            again = index == self.cursor
            self.move_to(index)
            if again:
                self.action_change()

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._show_cursor()

    def on_focus(self) -> None:
        """The cursor looks different with the focus."""
        self._repaint(self.cursor)

    def on_blur(self) -> None:
        """The cursor looks different without the focus."""
        self._repaint(self.cursor)

    def _show_cursor(self) -> None:
        height, top = self.scrollable_content_region.height, round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True, immediate=True)
        elif height and self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True, immediate=True)

    def _repaint(self, index: int) -> None:
        y = index - round(self.scroll_y)
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """A row: whose filter it is, its name, its value."""
        # The last cell tells where in the form this is.
        width = self.scrollable_content_region.width - 1
        index = round(self.scroll_y) + y
        if index >= len(self.rows):
            return Strip.blank(width + 1, self.rich_style)
        sign = thumb(y, self.scrollable_content_region.height, round(self.scroll_y), len(self.rows))
        return Strip.join([self._drawn(index, width), Strip([Segment(sign, self.ink("muted"))])])

    def _drawn(self, index: int, width: int) -> Strip:
        row, here = self.rows[index], index == self.cursor
        label = self.label_width
        room = max(width - label - 6, 1)
        mark: tuple[str, Ink] = ("C ", "accent") if row.here else ("S ", "faint")
        value: list[tuple[str, Ink]]
        if row.flag:
            value = [(_BOXES[row.value], "strong" if row.value else "faint")]
        elif row.value:
            value = [("[", "faint"), (cut(inert(row.value), room), "strong"), ("]", "faint")]
        else:
            value = [(f"[{' ' * room}]", "faint")]
        name: tuple[str, Ink] = (cut(row.name, label), "" if row.value else "muted")
        spans: list[tuple[str, Ink]] = [("❯ " if here else "  ", "accent"), mark, name, *value]
        strip = Strip([Segment(text, self.ink(ink)) for text, ink in spans]).adjust_cell_length(width, self.rich_style)
        if not here:
            return strip
        look = self.get_component_rich_style("form--cursor" if self.has_focus else "form--cursor-blurred")
        ground = Style(bgcolor=look.bgcolor, reverse=look.reverse)
        return Strip(Segment.apply_style(strip, post_style=ground), width)


def _same(row: FormRow, other: FormRow) -> bool:
    return row.name == other.name and row.here == other.here
