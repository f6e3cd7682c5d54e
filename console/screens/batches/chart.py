"""A timeline as a chart: what became of the tasks, and under it how many incidents were open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.text.words import clock, count, span
from console.widgets.area_chart import SOLID, Area, area_chart, spark
from console.widgets.line import Span
from console.widgets.pane import Item, Spans

if TYPE_CHECKING:
    from console.batches.timeline import Timeline

AREAS = (Area(SOLID, "good"), Area("▓", "failed"), Area("░", "muted", always=False))
"""Done, failed again, with retries."""
LEGEND = "█ done ▓ again ░ set"
LEGEND_OF_JOBS = "█ jobs done ▓ failed"
WIDTHS = (12, 8, 6, 4, 3, 2, 1)
"""Cells that a step may have."""
LOWEST = 5
"""Lines below which there is no chart."""


def chart_lines(timeline: Timeline, total: int, width: int, height: int) -> list[Item]:
    """The chart in exactly ``height`` lines; nothing where there is no room, or nothing to be seen yet.

    Args:
        timeline: what was seen.
        total: tasks, or jobs, of the whole.
        width: cells of a line.
        height: lines.
    """
    gutter = max(len(count(total)), 4)
    room = width - gutter - 1
    step, samples = timeline.steps(room)
    if height < LOWEST or len(samples) < 2:
        return []
    cells = _cells_of_a_step(len(samples), room)
    open_now = [sample.incidents for sample in samples]
    counted = [number if number is not None else 0 for number in open_now]
    told = open_now[-1] is not None
    rows = height - 1 - told
    columns = [(one.done, one.again, max(one.set - one.done - one.again, 0)) for one in samples for _ in range(cells)]
    drawn = area_chart(columns, AREAS, max(total, *(one.set for one in samples)), rows)
    lines = [
        _line(count(total) if y == 0 else "0" if y == rows - 1 else "", row, gutter) for y, row in enumerate(drawn)
    ]
    if told:
        sparks = "".join(sign * cells for sign in spark(counted))
        lines.append(_line("inc.", [(sparks, "accent")], gutter))
    begun, lasted = clock(timeline.since), f"+{span(step * len(samples))}"
    so_far = max(len(samples) * cells - len(begun) - len(lasted), 1)
    tail: list[Span] = [(begun, "muted"), (" " * so_far, ""), (lasted, "muted")]
    return [*lines, _line("", tail, gutter)]


def _cells_of_a_step(steps: int, room: int) -> int:
    """Cells that each step gets: one of few widths, so that all of it is drawn anew seldom, and it fills the room."""
    return next(cells for cells in WIDTHS if cells * steps <= room)


def _line(label: str, spans: list[Span], gutter: int) -> Item:
    return Spans(((f"{label:>{gutter}} ", "muted"), *spans))
