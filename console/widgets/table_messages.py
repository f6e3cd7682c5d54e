"""What a table says to whoever holds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from console.widgets.marks import Marks
from console.widgets.rows import Row

if TYPE_CHECKING:
    from console.widgets.line_table import LineTable


@dataclass
class TableMessage(Message):
    """From a table."""

    table: LineTable

    @property
    def control(self) -> LineTable:
        """The table, so that a handler can name it by a selector."""
        return self.table


class TableMessages:
    """The messages of :class:`~console.widgets.line_table.LineTable`."""

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
            return isinstance(message, TableMessages.CursorMoved) and message.table is self.table

    @dataclass
    class MarksChanged(TableMessage):
        """Other rows are chosen now. ``unread`` rows of a range could not be marked, since they are not loaded."""

        marks: Marks
        unread: int = 0

    @dataclass
    class Opened(TableMessage):
        """A row was clicked twice."""

        row: Row
