"""The second question of the batch page, did it help?: the answer, the tasks by state, and how long still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.batches.verdict import verdict
from retriage.console.screens.batches.rows import WORDS, WORK_INKS, work_spans
from retriage.console.text.inert import inert
from retriage.console.text.words import clock, count, span, things
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.batches.batch_view import BatchView
    from retriage.console.batches.outcome_counts import OutcomeCounts
    from retriage.console.batches.task_state import State

LABEL, NUMBER = 12, 8
SHORTEST = 4
"""Cells of a bar at least."""


def work_answer(view: BatchView, width: int, height: int) -> list[Item]:
    """The answer, the pace, and a line per state of the tasks with a bar as long as there is room."""
    work = view.work
    assert work is not None
    answer, ink = verdict(work)
    of = f"of {things(work.total, 'task')}"
    if work.unfollowed:
        of += f"; {count(work.unfollowed)} more not followed"
    head: list[Item] = [Prose(answer, ink, lines=1), Spans(((f"{of}   ", "muted"), *_pace(view)))]
    shown = [state for state in WORK_INKS if work.of(state) or state in ("waiting", "locked", "again")]
    if len(shown) > height - len(head):
        shown = [state for state in shown if work.of(state) or state == "again"]
    notes = {state: note for state in shown if (note := _note(work, state))}
    beside = LABEL + NUMBER + max((len(note) + 2 for note in notes.values()), default=0)
    cells = max(width - beside, SHORTEST)
    return [*head, *(_state(work, state, cells, notes.get(state, "")) for state in shown)]


def as_of(view: BatchView) -> str:
    """When the oldest of its figures was read, for the frame of the box; empty where that was with those of the jobs,
    and before all tasks were read."""
    work = view.work
    older = work is not None and not work.settled and work.at is not None and view.at is not None and work.at < view.at
    return f"as of {clock(work.at)}" if older and work is not None and work.at is not None else ""


def _state(work: OutcomeCounts, state: State, cells: int, note: str) -> Item:
    number = work.of(state)
    full = min(max(round(cells * number / work.total), 1), cells) if number else 0
    return Spans((
        (f"{WORDS.get(state, state):<{LABEL}}", "muted"),
        (f"{count(number):>{NUMBER - 2}}  ", "strong" if number else "faint"),
        (("!" if state == "again" else "━") * full, WORK_INKS[state]),
        ("─" * (cells - full), "faint"),
        (f"  {note}" if note else "", "failed" if state == "again" else "muted"),
    ))  # fmt: skip


def _note(work: OutcomeCounts, state: State) -> str:
    if state == "again" and work.new:
        return f"{count(work.new)} NEW"
    if suspended := work.suspended.get(state, 0):
        return f"{count(suspended)} suspended"
    notes: dict[State, str] = {
        "undone": "restored by an undo", "changed": "by somebody", "unkept": "gone, no history says how",
    }  # fmt: skip
    return notes.get(state, "")


def work_brief(view: BatchView) -> list[Item]:
    """The same in three lines, for a narrow screen."""
    work = view.work
    assert work is not None
    answer, ink = verdict(work)
    at = f" {as_of(view)}" if view.work_at is None else ""
    news = ((f"   NEW: {inert(', '.join(work.new_causes))}", "failed"),) if work.new_causes else ()
    total: tuple[Span, ...] = ((f"of {things(work.total, 'task')}{at}   ", "muted"), *_pace(view), *news)
    return [Prose(answer, ink, lines=1), Spans(work_spans(view)), Spans(total)]


def _pace(view: BatchView) -> tuple[Span, ...]:
    """How fast tasks are done with, and how long still; nothing that would be a guess."""
    work = view.work
    if work is None or not work.open:
        return (("all through" if work is not None and not work.of("unset") else "", "muted"),)
    if not view.work_per_second:
        return (("no pace yet", "faint"),)
    left = f"   ETA ~{span(view.work_seconds_left)}" if view.work_seconds_left is not None else ""
    return (("processed ", "muted"), (f"{view.work_per_second * 60:,.0f}/min", "strong"), (left, "muted"))
