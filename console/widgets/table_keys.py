"""What the keys do in a table, in terms of its few verbs."""

from typing import Any

from console.widgets.marks import Marks
from console.widgets.rows import Row


class TableKeys:
    """The actions of a table; :class:`~console.widgets.line_table.LineTable` has the verbs."""

    cursor: int
    total: int
    lines: Any
    markable: bool
    marks: Marks
    row: Any
    ranging: Any
    column: int | None
    fitting: Any

    def choose_column(self, index: int) -> None:
        """The cell of this column is the chosen one."""
        raise NotImplementedError

    def turn_page(self, pages: int) -> None:
        """So many screens further, the cursor on the same line of the screen."""
        raise NotImplementedError

    def move_to(self, index: int) -> None:
        """Put the cursor on a row."""
        raise NotImplementedError

    def mark_and_move(self, step: int) -> None:
        """Mark this row and another one."""
        raise NotImplementedError

    def choose(self, marks: Marks) -> None:
        """These are the marks now, and no range is being marked."""
        raise NotImplementedError

    def start_range(self) -> None:
        """Moving marks rows."""
        raise NotImplementedError

    def end_range(self) -> None:
        """Moving marks no more rows."""
        raise NotImplementedError

    def in_sight(self) -> list[Row]:
        """The rows in sight that are loaded."""
        raise NotImplementedError

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

    def _choose_beside(self, step: int) -> None:
        fitting: list[int] = self.fitting
        if not fitting:
            return
        if self.column not in fitting:
            self.choose_column(fitting[0] if step > 0 else fitting[-1])
        else:
            at = fitting.index(self.column) + step
            self.choose_column(fitting[max(0, min(at, len(fitting) - 1))])

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
        """Take all marks away."""
        self.choose(Marks())
