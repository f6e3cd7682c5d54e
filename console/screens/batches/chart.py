"""A timeline as a chart: what became of the tasks, and under it how many incidents were open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.text.words import clock, count, span
from retriage.console.widgets.area_chart import SOLID, Area, area_chart, spark
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Spans

if TYPE_CHECKING:
    from datetime import datetime

    from retriage.console.batches.timeline import Sample, Timeline

AREAS = (
    Area(SOLID, "good"), Area("▓", "failed", low="!"), Area("▒", "warning", low="?"), Area("░", "muted", always=False),
)  # fmt: skip
"""Done, failed again, ended otherwise, with retries."""
LEGEND = "█ done ▓! again ░ set"
OTHER_ENDS = " ▒? other"
LEGEND_OF_JOBS = "█ jobs done ▓! failed"
WIDTHS = (12, 8, 6, 4, 3, 2, 1)
"""Cells that a step may have."""
LOWEST = 5
"""Lines below which there is no chart."""


def chart_lines(timeline: Timeline, total: int, width: int, height: int, until: datetime | None = None) -> list[Item]:
    """The chart in exactly ``height`` lines; nothing where there is no room, or nothing to be seen yet.

    Args:
        timeline: what was seen.
        total: tasks, or jobs, of the whole.
        width: cells of a line.
        height: lines.
        until: what was seen later is not drawn.
    """
    gutter = max(len(count(total)), 4)
    room = width - gutter - 1
    step, samples = timeline.steps(room, until)
    if height < LOWEST or len(samples) < 2:
        return []
    cells = _cells_of_a_step(len(samples), room)
    seen = [sample for sample in samples if sample is not None]
    told = seen[-1].incidents is not None
    rows = height - 1 - told
    columns = [_areas(sample) for sample in samples for _ in range(cells)]
    drawn = area_chart(columns, AREAS, max(total, *(one.set for one in seen)), rows)
    lines = [
        _line(count(total) if y == 0 else "0" if y == rows - 1 else "", row, gutter) for y, row in enumerate(drawn)
    ]
    if told:
        counted = [sample.incidents if sample is not None else None for sample in samples]
        sparks = "".join(sign * cells for sign in spark(counted))
        lines.append(_line("inc.", [(sparks, "accent")], gutter))
    begun, lasted = clock(timeline.since), f"+{span(step * len(samples))}"
    so_far = max(len(samples) * cells - len(begun) - len(lasted), 1)
    tail: list[Span] = [(begun, "muted"), (" " * so_far, ""), (lasted, "muted")]
    return [*lines, _line("", tail, gutter)]


def _areas(sample: Sample | None) -> tuple[int, int, int, int]:
    if sample is None:
        return 0, 0, 0, 0
    set_, done, again, _, other = sample
    return done, again, other, max(set_ - done - again - other, 0)


def _cells_of_a_step(steps: int, room: int) -> int:
    """Cells that each step gets: one of few widths, so that all of it is drawn anew seldom, and it fills the room."""
    return next(cells for cells in WIDTHS if cells * steps <= room)


def _line(label: str, spans: list[Span], gutter: int) -> Item:
    return Spans(((f"{label:>{gutter}} ", "muted"), *spans))
