"""Columns of a table: which ones fit, and how wide they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from retriage.console.text.cells import Align

GAP = 2
"""Blank cells between two columns."""


@dataclass(frozen=True)
class Column:
    """One column. ``width`` is the least it needs; ``share`` of what is left over goes to it, up to ``most``."""

    title: str
    width: int
    share: int = 0
    most: int = 0
    keep: int = 5
    """On a narrow screen columns with a small number go first."""
    align: Align = "left"
    spare: int = 0
    """It comes only where the columns that stay have so many cells more than they need."""
    tail: bool = False
    """It holds ids, which are cut where they are alike: at the beginning, but time-based UUIDs at the end."""


def fit(columns: Sequence[Column], width: int, hidden: Collection[int] = ()) -> list[tuple[int, int]]:
    """Which columns fit into ``width`` cells: pairs of index and width, in the order of the columns.

    Args:
        columns: the columns.
        width: cells there are.
        hidden: indexes of columns that are not wanted; at least one is shown all the same.
    """
    kept = [index for index in range(len(columns)) if index not in hidden] or [0]
    while len(kept) > 1:
        least = min(reversed(kept), key=lambda index: columns[index].keep)
        if _needed(columns, kept) + columns[least].spare <= width:
            break
        kept.remove(least)
    widths = {index: columns[index].width for index in kept}
    _share(columns, widths, width - _needed(columns, kept))
    return list(widths.items())


def _needed(columns: Sequence[Column], kept: Sequence[int]) -> int:
    return sum(columns[index].width for index in kept) + GAP * (len(kept) - 1)


def _share(columns: Sequence[Column], widths: dict[int, int], left: int) -> None:
    """Give out what is left over in proportion to the shares; who reaches ``most`` leaves the rest to the others."""
    growing = [index for index in widths if columns[index].share]
    while left > 0 and growing:
        total = sum(columns[index].share for index in growing)
        given = 0
        for index in list(growing):
            column = columns[index]
            part = max(1, left * column.share // total)
            if column.most:
                part = min(part, column.most - widths[index])
            part = min(part, left - given)
            widths[index] += part
            given += part
            if column.most and widths[index] >= column.most:
                growing.remove(index)
        if not given:
            return
        left -= given
