"""The second question of the batch page, did it help?: the answer, the tasks by state, and how long still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.batches.verdict import verdict
from console.screens.batches.progress import work_lines
from console.screens.batches.rows import work_spans
from console.text.inert import inert
from console.text.words import clock, span, things
from console.widgets.line import Span
from console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from console.batches.batch_view import BatchView

BESIDE = 46
"""Cells of a line beside its bar: the state, the number, what it means."""


def work_answer(view: BatchView, width: int) -> list[Item]:
    """The answer, a line per state of the tasks with a bar as long as there is room, and the pace."""
    assert view.work is not None
    answer, ink = verdict(view.work)
    return [Prose(answer, ink, lines=1), *work_lines(view, max(width - BESIDE, 4)), Spans(_pace(view))]


def work_brief(view: BatchView) -> list[Item]:
    """The same in three lines, for a narrow screen."""
    work = view.work
    assert work is not None
    answer, ink = verdict(work)
    at = f" as of {clock(work.at)}" if work.at is not None and view.work_at is None else ""
    news = ((f"   NEW: {inert(', '.join(work.new_causes))}", "failed"),) if work.new_causes else ()
    total: tuple[Span, ...] = ((f"of {things(work.total, 'task')}{at}   ", "muted"), *_pace(view), *news)
    return [Prose(answer, ink, lines=1), Spans(work_spans(view)), Spans(total)]


def _pace(view: BatchView) -> tuple[Span, ...]:
    """How fast tasks are done with, and how long still; nothing that would be a guess."""
    work = view.work
    if work is None or not work.open:
        return (("all through" if work is not None and not work.of("unset") else "", "muted"),)
    if not view.work_per_second:
        return (("no pace yet: too little was seen", "faint"),)
    left = f"   ETA ~{span(view.work_seconds_left)}" if view.work_seconds_left is not None else ""
    return (("drains ", "muted"), (f"{view.work_per_second * 60:,.0f}/min", "strong"), (left, "muted"))
