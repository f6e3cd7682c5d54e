"""What the terminal shows, and what must be sent so that it shows something else.

Textual sends the regions that widgets have marked, every cell of them and every style in full. On a slow line that is
felt at each key: here the cells are compared with those on the screen, and what is the same is not sent again.
"""

from collections.abc import Iterable
from itertools import pairwise

from retriage.console.terminal.grid import OTHER_HALF, Cell, Gridder, risky
from retriage.console.terminal.look import PLAIN, Look
from retriage.console.terminal.pen import Pen
from retriage.console.terminal.textual_private import ChopsUpdate, CompositorUpdate, LayoutUpdate

BRIDGE = 12
"""Cells that are the same are sent again rather than jumped over if they are so few and that is shorter."""
ERASED = 10
"""More blanks than these are erased rather than written: that takes five bytes, and five to get behind them."""
_BLANK: Cell = (" ", PLAIN)


class ShownCells:
    """The cells of a terminal.

    Args:
        gridder: makes cells of segments.
        erases: the terminal erases cells on request, and leaves them on the ground that it writes on.
    """

    def __init__(self, gridder: Gridder, erases: bool = False) -> None:
        self._gridder = gridder
        self._erases = erases
        self._size = (0, 0)
        self._rows: list[list[Cell]] = []
        self._pen = Pen()
        self._known = False

    def forget(self) -> None:
        """Nobody knows any more what the terminal shows: the next update is sent whole."""
        self._known = False
        self._pen.forget()

    def changes(self, update: CompositorUpdate) -> str | None:
        """What must be sent so that the terminal shows the update; none if the update is of an unknown kind."""
        if isinstance(update, LayoutUpdate):
            return self._whole(update)
        return self._parts(update) if isinstance(update, ChopsUpdate) else None

    def park(self, x: int, y: int) -> str:
        """Put the terminal's cursor on a cell; one beyond the edge, as of a text that is longer than its field, is
        taken for the last one: there the terminal stops, and moves from there."""
        width, height = self._size
        self._pen.to(max(min(x, width - 1), 0), max(min(y, height - 1), 0))
        return self._pen.take()

    def _whole(self, update: LayoutUpdate) -> str:
        width, height = update.region.size
        if (width, height) != self._size:
            self._size = (width, height)
            self.forget()
        if not self._known:
            # A line that was longer before may have been wrapped by the terminal; nothing of it may stay.
            self._pen.dip(PLAIN)
            self._pen.send("\x1b[2J")
            self._rows = [[_BLANK] * width for _ in range(height)]
            self._known = True
        for y, strips in enumerate(update.strips, update.region.y):
            cells = self._gridder.cells(segment for strip in strips if strip is not None for segment in strip)
            if y < height:
                self._row(y, _fitted(cells, width))
        return self._pen.take()

    def _parts(self, update: ChopsUpdate) -> str:
        fresh: dict[int, list[Cell]] = {}
        for y, first, end in update.spans:
            if y >= len(self._rows):
                continue
            row = fresh.setdefault(y, self._rows[y].copy())
            for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                start, stop = max(x, first), min(stop, end, len(row))
                if strip is not None and start < stop:
                    cells = _between(self._gridder.cells(strip), start - x, stop - x)
                    row[start : start + len(cells)] = cells
        for y, row in sorted(fresh.items()):
            self._row(y, row)
        return self._pen.take()

    def _row(self, y: int, row: list[Cell]) -> None:
        before, self._rows[y] = self._rows[y], row
        differing = [x for x, (old, new) in enumerate(zip(before, row, strict=True)) if old != new]
        if not differing:
            return
        if _any_risky(before) or _any_risky(row):
            # What is displaced in the terminal is put right only by writing the line anew.
            differing = list(range(len(row)))
        tail = _blank_tail(row)
        self._write(y, row, [x for x in differing if x < tail])
        if differing[-1] >= tail:
            first = next(x for x in differing if x >= tail)
            self._pen.to(first, y)
            self._pen.dip(PLAIN)
            self._pen.send("\x1b[K")

    def _write(self, y: int, row: list[Cell], differing: list[int]) -> None:
        if self._erases:
            differing = _through_blanks(row, differing)
        for run in _runs(differing):
            if self._pen.y == y and self._pen.x is not None and 0 < run[0] - self._pen.x <= BRIDGE:
                self._bridge(y, row, run[0])
            else:
                self._pen.to(run[0], y)
            self._put(self._pen, y, row, run)

    def _bridge(self, y: int, row: list[Cell], to: int) -> None:
        """Go forward on the line, over the cells that are the same or by writing them again."""
        assert self._pen.x is not None
        written, jumped = self._pen.copy(), self._pen.copy()
        self._put(written, y, row, range(self._pen.x, to))
        jumped.to(to, y)
        # The look that the next cell needs belongs to the price: the cells between may lead to it or away from it.
        prices = []
        for pen in (written, jumped):
            trial = pen.copy()
            self._put(trial, y, row, range(to, to + 1))
            prices.append(len(pen) + len(trial))
        self._pen.adopt(written if prices[0] <= prices[1] else jumped)

    def _put(self, pen: Pen, y: int, row: list[Cell], run: range) -> None:
        done = run.start
        for x in run:
            text, look = row[x]
            if text == OTHER_HALF or x < done:
                continue
            pen.to(x, y)
            if text != " ":
                wide = x + 1 < len(row) and row[x + 1][0] == OTHER_HALF
                pen.put(text, look, 2 if wide else 1)
                if risky(text):
                    pen.x = None
            elif self._erases and (blanks := _blanks(row, x, run.stop)) > ERASED:
                pen.erase(blanks, look)
                done = x + blanks
            else:
                pen.put_blank(look, _coming(row, x, run.stop))
        if pen.x is not None and pen.x >= len(row):
            pen.x = None


def _blanks(row: list[Cell], x: int, stop: int) -> int:
    """How many blanks alike begin here that show nothing but their ground."""
    if row[x][0] != " " or row[x][1].seen_on_blanks:
        return 0
    end = x + 1
    while end < stop and row[end] == row[x]:
        end += 1
    return end - x


def _through_blanks(row: list[Cell], differing: list[int]) -> list[int]:
    """The same, and what lies between two that belong to one stretch of blanks: words made way for it, it is erased."""
    through = differing[:1]
    for left, right in pairwise(differing):
        if right > left + 1 and _blanks(row, left, right + 1) == right + 1 - left:
            through += range(left + 1, right)
        through.append(right)
    return through


def _coming(row: list[Cell], x: int, stop: int) -> Look:
    """The look of what follows a blank: where its ground is the same the blank may be written in it already."""
    for text, look in row[x + 1 : stop]:
        if text != " ":
            return look
    return row[x][1]


def _fitted(cells: list[Cell], width: int) -> list[Cell]:
    return cells[:width] + [_BLANK] * (width - len(cells))


def _between(cells: list[Cell], first: int, end: int) -> list[Cell]:
    """Some of the cells; of a wide character that is cut in two a blank is left."""
    part = cells[first:end]
    if part and part[0][0] == OTHER_HALF:
        part[0] = (" ", part[0][1])
    if part and end < len(cells) and cells[end][0] == OTHER_HALF:
        part[-1] = (" ", part[-1][1])
    return part


def _any_risky(row: list[Cell]) -> bool:
    return risky("".join([text for text, _ in row]))


def _blank_tail(row: list[Cell]) -> int:
    """Where the blanks on the terminal's own ground begin that the row ends with, if there are enough to pay."""
    tail = len(row)
    while tail and row[tail - 1] == _BLANK:
        tail -= 1
    return tail if len(row) - tail > 3 else len(row)


def _runs(indexes: Iterable[int]) -> list[range]:
    """Neighbouring indexes as ranges."""
    indexes = list(indexes)
    if not indexes:
        return []
    breaks = [at for at, (left, right) in enumerate(pairwise(indexes), 1) if right != left + 1]
    return [range(indexes[first], indexes[last - 1] + 1) for first, last in pairwise([0, *breaks, len(indexes)])]
