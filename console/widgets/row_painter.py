"""Draws the lines of a table, and keeps what it has drawn."""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from retriage.console.text.cells import cut, cut_id
from retriage.console.text.ink import Ink
from retriage.console.widgets.columns import GAP, Column, fit
from retriage.console.widgets.frugal import strip_of
from retriage.console.widgets.rows import Cell, Row, drawn_parts

GUTTER = 3
"""Cells before the first column: cursor, mark, blank."""
MOST_KEPT = 512
"""Drawn lines that are kept."""

_CURSORS = {"cursor": "❯", "cursor-blurred": "›"}
"""The sign of the row that the cursor is on: where the keys go, and where they would go."""
_UNREAD = Cell("…", "faint")
_BLANK = Cell("")
_CHOSEN = Style(underline=True)


class RowPainter:
    """Rows as strips of cells.

    Args:
        columns: the columns of the table.
        ground: the Rich style of a component class of the table.
        ink: what an ink adds to a ground.
    """

    def __init__(self, columns: Sequence[Column], ground: Callable[[str], Style], ink: Callable[[Ink], Style]) -> None:
        self._columns = columns
        self._ground = ground
        self._ink = ink
        self.width = 0
        """Cells of a line."""
        self._hidden: frozenset[int] = frozenset()
        self._fitted: list[tuple[int, int]] = []
        self._kept: dict[int, tuple[Row | None, str, Strip]] = {}
        self._inks: dict[tuple[str, Ink], Style] = {}

    def resize(self, width: int) -> None:
        """Fit the columns into so many cells."""
        self.width = width
        self._fitted = fit(self._columns, width - GUTTER - 1, self._hidden)
        self._kept.clear()

    def hide(self, hidden: frozenset[int]) -> None:
        """Leave these columns out."""
        self._hidden = hidden
        self.resize(self.width)

    def clear(self) -> None:
        """Colours have changed."""
        self._kept.clear()
        self._inks.clear()

    @property
    def fitting(self) -> list[int]:
        """The columns that fit, from the left."""
        return [index for index, _ in self._fitted]

    def heading(self, chosen: int | None = None) -> Strip:
        """The titles of the columns; the chosen one is underlined."""
        head = self._written("table--head", "")
        segments = [Segment(" " * GUTTER, head)]
        used = GUTTER
        for number, (index, cells) in enumerate(self._fitted):
            column = self._columns[index]
            style = self._written("table--head", "accent") + _CHOSEN if index == chosen else head
            segments.append(Segment(cut(column.title, cells, column.align), style))
            gap = GAP if number < len(self._fitted) - 1 else 0
            segments.append(Segment(" " * gap, head))
            used += cells + gap
        segments.append(Segment(" " * max(self.width - used, 0), head))
        return Strip(segments).crop(0, self.width)

    def row(self, index: int, row: Row | None, look: str, marked: bool, thumb: str, chosen: int | None = None) -> Strip:
        """A row, drawn before or now.

        Args:
            index: where in the result it is; a drawn line is kept under it.
            row: none if it is not loaded yet.
            look: cursor, cursor-blurred, marked or plain.
            marked: whether it carries the sign of a mark.
            thumb: the sign at its end.
            chosen: index of the column whose cell is chosen, on the line of the cursor.
        """
        key = f"{look}{marked}{thumb}{chosen}"
        kept = self._kept.get(index)
        if kept is not None and kept[0] is row and kept[1] == key:
            return kept[2]
        strip = self._draw(row, look, marked, thumb, chosen)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[index] = (row, key, strip)
        return strip

    def _draw(self, row: Row | None, look: str, marked: bool, thumb: str, chosen: int | None) -> Strip:
        ground = f"table--{look}"
        plain = self._written(ground, "")
        # On the line of the cursor only the first column keeps its ink: it is easier to read there, and every change
        # of style is sent to the terminal at each step.
        flat = look == "cursor"
        segments = [
            Segment(_CURSORS.get(look, " "), plain if flat else self._written(ground, "accent")),
            Segment("● " if marked else "  ", self._written(ground, "warning")),
        ]
        used = GUTTER
        for number, (index, cells) in enumerate(self._fitted):
            text, ink, parts = row.cells[index] if row else _BLANK if number else _UNREAD
            column = self._columns[index]
            fitting = cut_id(text, cells) if column.tail else cut(text, cells, column.align)
            # The gap is written like the cell before it: every change of style is sent to the terminal.
            gap = " " * GAP if number < len(self._fitted) - 1 else ""
            if parts:
                segments += [Segment(bar, self._written(ground, part)) for bar, part in drawn_parts(parts, cells)]
                segments.append(Segment(gap, plain))
                used += cells + len(gap)
                continue
            ink = "" if not text.strip() or (flat and number) else ink
            if index == chosen:
                segments += [Segment(fitting, self._written(ground, ink) + _CHOSEN), Segment(gap, plain)]
            else:
                segments.append(Segment(fitting + gap, self._written(ground, ink)))
            used += cells + len(gap)
        if self.width > used:
            segments.append(Segment(" " * (self.width - used - 1), plain))
            segments.append(Segment(thumb, self._written("table--plain", "faint")))
        return strip_of(segments, max(self.width, used))

    def _written(self, ground: str, ink: Ink) -> Style:
        """An ink on a ground. Kept here, since a widget forgets its component styles whenever it is repainted."""
        known = self._inks.get((ground, ink))
        if known is None:
            known = self._inks[ground, ink] = self._mixed(ground, ink)
        return known

    def _mixed(self, ground: str, ink: Ink) -> Style:
        style = self._ground(ground)
        if style.reverse:
            return style
        return style + self._ink(ink)
