"""The phases of a batch and what became of its tasks, in words and bars."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.batches.batch_events import ending
from retriage.console.batches.batch_view import BatchView
from retriage.console.screens.batches.rows import PHASES, WORDS, WORK_INKS, took, work_spans
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import bar, clock, count, day, percent, span, things
from retriage.console.widgets.pane import Fact, Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.batches.outcome_counts import OutcomeCounts
    from retriage.console.batches.progress import Step
    from retriage.console.batches.task_state import State

STATE_INKS: dict[str, Ink] = {"waiting": "muted", "running": "accent", "done": "good", "held": "warning"}
STATE_SIGNS = {"waiting": "·", "running": "▸", "done": "✓", "held": "‖"}
SELDOM = frozenset(WORK_INKS) - {"done", "waiting", "locked", "again"}
"""States of tasks that have a line only where there are such tasks."""
END_SIGNS = {"ended": "✓", "deleted": "✗", "gone": "?"}


def facts(view: BatchView, now: datetime) -> list[Item]:
    """What the pane beside the table says."""
    work = [Spans(), *work_lines(view, 4)] if view.work is not None else []
    return [*steps(view, 12), *work, Spans(), *figures(view, now)]


def steps(view: BatchView, cells: int) -> list[Item]:
    """Seed, execute and close, each with a bar of so many cells and what it waits for; or how it ended."""
    if view.ended:
        return ended(view)
    items: list[Item] = []
    for step in view.progress.steps():
        items += _step(step, cells)
    return items


def ended(view: BatchView) -> list[Item]:
    """How an ended batch ended."""
    sentence, ink = how_it_ended(view)
    share = f"  {percent(view.completed, view.total)}" if view.counted else ""
    return [
        Spans(((f"{END_SIGNS[view.phase]} {view.phase}", ink), (share, "strong"))),
        Prose(sentence, ink),
        *([Prose("What was set stays set.", "muted")] if view.deleted else []),
    ]


def how_it_ended(view: BatchView) -> tuple[str, Ink]:
    """One sentence about the end of an ended batch, and its ink."""
    sentence, ink = ending(view.total, view.batch_end)
    return f"{inert(sentence)}.", ink or "muted"


def _step(step: Step, cells: int) -> list[Item]:
    ink = STATE_INKS[step.state]
    head = Spans((
        (f"{STATE_SIGNS[step.state]} {step.phase:<8}", ink),
        (bar(step.done / step.total if step.total else 1.0, cells), ink),
        (f" {count(step.done)}/{count(step.total)}" if step.phase != "close" else "", "strong"),
    ))  # fmt: skip
    return [head, Prose(f"  {step.sentence}", "muted", lines=3)]


def pace(view: BatchView) -> str:
    """Speed and what is left, as far as they are known."""
    if view.ended:
        return "-"
    speed = f"{things(round(view.per_second * 60), 'job')}/min" if view.per_second else "-"
    return speed + (f", about {span(view.seconds_left)} to go" if view.seconds_left is not None else "")


def figures(view: BatchView, now: datetime) -> list[Item]:
    """Facts about the batch."""
    done = f", {count(view.completed)} done" if view.counted else ""
    items: list[Item] = [
        Fact("jobs", f"{things(view.total, 'job')}{done}"),
        Fact("failed", count(view.failed) if view.failed else "none", "failed" if view.failed else "muted"),
    ]
    if not view.ended:
        items.append(Fact("speed", pace(view), lines=2))
    items += [Fact("started", day(view.start)), Fact("took" if view.ended else "running", took(view, now))]
    if view.end is not None:
        items.append(Fact("ended", day(view.end)))
    if view.user:
        items.append(Fact("by", inert(view.user)))
    return [*items, Fact("type", inert(view.type), "muted", lines=2), Fact("batch", inert(view.id), "muted", lines=2)]


def summary(view: BatchView, now: datetime) -> list[Item]:
    """Two lines for a narrow screen."""
    failed = f"  {things(view.failed, 'failed job')}" if view.failed else ""
    done = f"{count(view.completed)}/" if view.counted else ""
    return [
        Spans((
            (f"{view.phase}  ", PHASES[view.phase][1]),
            (f"{done}{things(view.total, 'job')}", "strong"),
            (failed, "failed"),
            (f"   {took(view, now)}   {inert(view.id)}", "muted"),
        )),
        _under(view),
    ]  # fmt: skip


def _under(view: BatchView) -> Item:
    if view.work is not None:
        return Spans((("work ", "muted"), *work_spans(view)))
    if view.ended:
        return Prose(how_it_ended(view)[0], "muted", lines=1)
    return Prose(view.progress.sentence(), "muted", lines=1)


def work_lines(view: BatchView, cells: int) -> list[Item]:
    """One line per state of its tasks, with a bar of so many cells."""
    work = view.work
    if work is None:
        return []
    told = (
        f"of {things(work.set, 'task')} retried so far" if work.set < work.total else f"of {things(work.total, 'task')}"
    )
    more = f"; {count(work.unfollowed)} more not followed" if work.unfollowed else ""
    if view.work_at is not None:
        more += f", as of {clock(view.work_at)}"
    lines: list[Item] = [Spans(((told + more, "muted"),))]
    for state, ink in WORK_INKS.items():
        number = work.of(state)
        if not number and (state in SELDOM or (state == "done" and work.of("unkept"))):
            continue
        full = max(round(cells * number / work.total), 1) if number else 0
        sign = "!" if state == "again" else "━"
        lines.append(Spans((
            (f"{WORDS.get(state, state):<12}", "muted"),
            (f"{count(number):>7}  ", "strong" if number else "faint"),
            (sign * full, ink),
            ("─" * max(cells - full, 0), "faint"),
            (f"  {note}" if (note := _note(work, state)) else "", "failed" if state == "again" else "muted"),
        )))  # fmt: skip
    return lines


def _note(work: OutcomeCounts, state: State) -> str:
    if not work.of(state):
        return ""
    if state == "again":
        return f"{count(work.new)} with a NEW error" if work.new else "of causes known before"
    if suspended := work.suspended.get(state, 0):
        return f"{count(suspended)} suspended"
    return {
        "waiting": "ready, no worker yet",
        "locked": "a worker has it",
        "delayed": "until their retry time is over",
        "undone": "restored by an undo",
        "changed": "by somebody, no failure since",
        "gone": "cancelled, or completed before",
        "unkept": "gone, no history says how",
    }.get(state, "")
