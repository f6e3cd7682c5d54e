"""Pages of the result and the chosen cell: where in a table one is, apart from its row."""

from typing import Any

from textual.geometry import Region

from console.widgets.row_painter import RowPainter
from console.widgets.table_keys import TableKeys


class TablePlaces(TableKeys):
    """A part of :class:`~console.widgets.line_table.LineTable`."""

    column: int | None
    """Index of the column whose cell is chosen, once one was."""
    top: Any
    size: Any
    refresh: Any
    scroll_to: Any
    _repaint: Any
    _painter: RowPainter

    @property
    def fitting(self) -> list[int]:
        """Indexes of the columns that are shown."""
        return self._painter.fitting

    def choose_column(self, index: int) -> None:
        """The cell of this column is the chosen one."""
        self.column = index
        self.refresh(Region(0, 0, self.size.width, 1))
        self._repaint(self.cursor)

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
