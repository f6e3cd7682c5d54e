"""What a table draws: rows of cells, kept in a sparse cache of pages."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from retriage.console.text.ink import Ink

PAGE = 64
"""Rows per page of the cache."""


class Part(NamedTuple):
    """A part of a bar: how much it stands for, the sign that it is drawn with, and its ink."""

    number: int
    sign: str
    ink: Ink = ""


class Cell(NamedTuple):
    """An inert text and the ink it is written with; or, with ``parts``, a bar over the whole width of the column."""

    text: str
    ink: Ink = ""
    parts: tuple[Part, ...] = ()


def drawn_parts(parts: Sequence[Part], cells: int) -> list[tuple[str, Ink]]:
    """A bar of exactly ``cells`` cells, shared out by the numbers. What is there at all has a cell, as long as there
    are cells enough; parts of nothing have none."""
    shown = [part for part in parts if part.number > 0]
    whole = sum(part.number for part in shown)
    if not shown or cells <= 0:
        return [(" " * max(cells, 0), "")]
    lengths = [max(1, cells * part.number // whole) for part in shown]
    while sum(lengths) > cells:
        lengths[max(range(len(lengths)), key=lengths.__getitem__)] -= 1
    rest = [cells * part.number / whole - length for part, length in zip(shown, lengths, strict=True)]
    while sum(lengths) < cells:
        most = max(range(len(rest)), key=rest.__getitem__)
        lengths[most] += 1
        rest[most] -= 1
    return [(part.sign * length, part.ink) for part, length in zip(shown, lengths, strict=True)]


class Row(NamedTuple):
    """A row: the id that the cursor and the marks hold on to, its cells, and what it was made from."""

    id: str
    cells: tuple[Cell, ...]
    item: object = None


class PageCache:
    """Rows by index, a bounded number of pages of them, each fresh or stale.

    Stale rows are drawn until fresh ones come; an index without a row is drawn as ``…``.
    """

    def __init__(self, most_pages: int = 64) -> None:
        self._pages: OrderedDict[int, dict[int, Row]] = OrderedDict()
        self._stale: set[int] = set()
        self._most = most_pages

    def clear(self) -> None:
        """Forget every row."""
        self._pages.clear()
        self._stale.clear()

    def get(self, index: int) -> Row | None:
        """The row at this index, if it is known."""
        page = self._pages.get(index // PAGE)
        return page.get(index) if page else None

    def put(self, first: int, rows: Sequence[Row]) -> list[int]:
        """Keep rows from index ``first`` on; answers the indexes whose row looks different now."""
        changed = []
        for index, row in enumerate(rows, first):
            number = index // PAGE
            page = self._pages.setdefault(number, {})
            old = page.get(index)
            if old is None or old[:2] != row[:2]:
                changed.append(index)
            page[index] = row
            self._stale.discard(index)
        for number in range(first // PAGE, (first + max(len(rows), 1) - 1) // PAGE + 1):
            if number in self._pages:
                self._pages.move_to_end(number)
        while len(self._pages) > self._most:
            _, gone = self._pages.popitem(last=False)
            self._stale.difference_update(gone)
        return changed

    def cut_off(self, total: int) -> None:
        """Forget rows at ``total`` and beyond."""
        for number in [number for number in self._pages if (number + 1) * PAGE > total]:
            page = {index: row for index, row in self._pages[number].items() if index < total}
            self._pages[number] = page
            if not page:
                del self._pages[number]

    def age(self) -> None:
        """Every row is stale from now on."""
        self._stale = {index for page in self._pages.values() for index in page}

    def missing(self, first: int, last: int) -> tuple[int, int] | None:
        """The least and greatest index in the range whose row is unknown or stale; none if all are fresh."""
        wanted = [index for index in range(first, last + 1) if index in self._stale or self.get(index) is None]
        return (wanted[0], wanted[-1]) if wanted else None

    def find(self, row_id: str, near: int) -> int | None:
        """The index of a row by its id, looking on the pages around ``near`` first."""
        for number in sorted(self._pages, key=lambda number: abs(number - near // PAGE)):
            for index, row in self._pages[number].items():
                if row.id == row_id and index not in self._stale:
                    return index
        return None

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """All known rows with their indexes."""
        for page in self._pages.values():
            yield from page.items()
