"""A chart of stacked areas, drawn with blocks: a column for each step, a texture and an ink for each area.

Textures tell the areas apart where there are no colours. Blocks are in every font and every terminal that shows lines,
and a chart that grows at its right end changes one column at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from console.text.ink import Ink
from console.widgets.line import Span

_PARTS = " ▁▂▃▄▅▆▇"
"""The lower eighths of a cell."""
_LEVELS = "▁▂▃▄▅▆▇"
SOLID = "█"


class Area(NamedTuple):
    """How an area is drawn."""

    texture: str
    ink: Ink


def area_chart(columns: Sequence[Sequence[int]], areas: Sequence[Area], top: int, height: int) -> list[list[Span]]:
    """The rows of a chart, the topmost first; each is as wide as there are columns.

    Args:
        columns: for each step the values of the areas, the lowest first. None is negative.
        areas: how they are drawn. Whatever is not nothing takes a cell at least.
        top: the value that reaches the top.
        height: rows.
    """
    cells = [_column(values, areas, max(top, 1), height) for values in columns]
    return [_row([column[height - 1 - y] for column in cells]) for y in range(height)]


def _column(values: Sequence[int], areas: Sequence[Area], top: int, height: int) -> list[Span]:
    """The cells of a column, the lowest first."""
    found: list[Span] = []
    below = 0
    for at, (value, area) in enumerate(zip(values, areas, strict=True)):
        below += value
        rest = sum(value > 0 for value in values[at + 1 :])
        end = min(max(round(height * below / top), len(found) + (value > 0)), height - rest)
        found += [(area.texture, area.ink)] * (end - len(found))
    last = max((at for at, value in enumerate(values) if value > 0), default=-1)
    if last >= 0 and areas[last].texture == SOLID and below < top:
        eighths = max(round(8 * height * below / top), 1)
        under = [span for span in found if span != (SOLID, areas[last].ink)]
        full = max(eighths // 8 - len(under), 0)
        found = [*under, *[(SOLID, areas[last].ink)] * full]
        if eighths % 8 and len(found) < height:
            found.append((_PARTS[eighths % 8], areas[last].ink))
    return [*found, *[(" ", "")] * (height - len(found))]  # type: ignore[list-item]


def _row(cells: Sequence[Span]) -> list[Span]:
    """Cells as few spans."""
    row: list[Span] = []
    for text, ink in cells:
        if row and row[-1][1] == ink:
            row[-1] = (row[-1][0] + text, ink)
        else:
            row.append((text, ink))
    return row


def spark(numbers: Sequence[int]) -> str:
    """One sign per number, as high as it is beside the greatest; a dot for none."""
    most = max(numbers, default=0)
    return "".join("·" if not number else _LEVELS[(len(_LEVELS) - 1) * number // most] for number in numbers)
