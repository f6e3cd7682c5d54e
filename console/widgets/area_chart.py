"""A chart of stacked areas, drawn with blocks: a column for each step, a texture and an ink for each area.

Textures tell the areas apart where there are no colours. Blocks are in every font and every terminal that shows lines,
and a chart that grows at its right end changes one column at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from retriage.console.text.ink import Ink
from retriage.console.widgets.line import Span

_PARTS = " ▁▂▃▄▅▆▇█"
"""The lower eighths of a cell."""
_LEVELS = "▁▂▃▄▅▆▇"
"""Without the full block, or the trends of two lines would run into one another."""
SOLID = "█"
"""The texture of an area that is to be seen first."""


class Area(NamedTuple):
    """How an area is drawn.

    Attributes:
        texture: a character that fills it.
        ink: its ink.
        always: it is seen however low it is: as low as it is then, in eighths of a cell.
        low: what stands for it where it is lower than a cell, in place of eighths: those of two areas look alike
            without colours.
    """

    texture: str
    ink: Ink
    always: bool = True
    low: str = ""


def area_chart(columns: Sequence[Sequence[int]], areas: Sequence[Area], top: int, height: int) -> list[list[Span]]:
    """The rows of a chart, the topmost first; each is as wide as there are columns.

    Args:
        columns: for each step the values of the areas, the lowest first. None is negative.
        areas: how they are drawn.
        top: the value that reaches the top.
        height: rows.
    """
    cells = [_column(values, areas, max(top, 1), height) for values in columns]
    return [_row([column[height - 1 - y] for column in cells]) for y in range(height)]


def _column(values: Sequence[int], areas: Sequence[Area], top: int, height: int) -> list[Span]:
    """The cells of a column, the lowest first. An area that is lower than a cell is drawn as low as it is."""
    found: list[Span] = []
    below, still = 0, sum(value > 0 and area.always for value, area in zip(values, areas, strict=True))
    for value, area in zip(values, areas, strict=True):
        below += value
        still -= value > 0 and area.always
        room = height - still
        full = min(round(height * below / top), room) - len(found)
        eighths = min(max(round(8 * height * value / top), 1), 8)
        low = area.always and (full < 1 or eighths < 4)
        found += [(area.texture, area.ink)] * (0 if low else max(full, 0))
        if value and low and len(found) < room:
            found.append((area.low or _PARTS[eighths], area.ink))
    blank: list[Span] = [(" ", "")] * (height - len(found))
    return found + blank


def _row(cells: Sequence[Span]) -> list[Span]:
    """Cells as few spans."""
    row: list[Span] = []
    for text, ink in cells:
        if row and row[-1][1] == ink:
            row[-1] = (row[-1][0] + text, ink)
        else:
            row.append((text, ink))
    return row


def spark(numbers: Sequence[int | None]) -> str:
    """One sign per number, as high as it is beside the greatest; a dot for none, a blank where it is not known."""
    most = max((number for number in numbers if number is not None), default=0)
    return "".join(
        " " if number is None else "·" if not number else _LEVELS[(len(_LEVELS) - 1) * number // most]
        for number in numbers
    )
