"""The phases of a batch in words and bars."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from console.screens.batches.book import BatchView
from console.screens.batches.rows import PHASES, took
from console.screens.words import bar, count, day, percent, span, things
from console.widgets.inert import inert
from console.widgets.ink import Ink
from console.widgets.pane import Fact, Item, Prose, Spans

if TYPE_CHECKING:
    from console.triage.batch_progress import Step

STATE_INKS: dict[str, Ink] = {"waiting": "muted", "running": "accent", "done": "good", "held": "warning"}
STATE_SIGNS = {"waiting": "·", "running": "▸", "done": "✓", "held": "‖"}


def facts(view: BatchView, now: datetime) -> list[Item]:
    """What the pane beside the table says."""
    return [*steps(view, 12), Spans(), *figures(view, now)]


def steps(view: BatchView, cells: int) -> list[Item]:
    """Seed, execute and close, each with a bar of so many cells and what it waits for."""
    if view.ended:
        meaning, ink = PHASES[view.phase]
        return [
            Spans(((f"✓ {view.phase}  ", ink), (percent(view.completed, view.total), "strong"))),
            Prose(meaning, ink),
        ]
    items: list[Item] = []
    for step in view.progress.steps():
        items += _step(step, cells)
    if view.suspended or view.progress.stuck:
        items.append(Prose(view.progress.sentence(), PHASES[view.phase][1]))
    return items


def _step(step: Step, cells: int) -> list[Item]:
    ink = STATE_INKS[step.state]
    head = Spans((
        (f"{STATE_SIGNS[step.state]} {step.phase:<8}", ink),
        (bar(step.done / step.total if step.total else 1.0, cells), ink),
        (f" {count(step.done)}/{count(step.total)}" if step.phase != "close" else "", "strong"),
    ))  # fmt: skip
    return [head, Prose(f"  {step.sentence}", "muted", lines=3)]


def figures(view: BatchView, now: datetime) -> list[Item]:
    """Facts about the batch."""
    speed = f"{view.per_second * 60:,.0f} jobs/min" if view.per_second else "-"
    left = f", about {span(view.seconds_left)} to go" if view.seconds_left is not None and not view.ended else ""
    items: list[Item] = [
        Fact("jobs", f"{things(view.total, 'job')}, {count(view.completed)} done"),
        Fact("failed", count(view.failed) if view.failed else "none", "failed" if view.failed else "muted"),
        Fact("speed", speed + left, lines=2),
        Fact("started", day(view.start)),
        Fact("took" if view.ended else "running", took(view, now)),
    ]
    if view.end is not None:
        items.append(Fact("ended", day(view.end)))
    if view.user:
        items.append(Fact("by", inert(view.user)))
    return [*items, Fact("type", inert(view.type), "muted", lines=2), Fact("batch", inert(view.id), "muted", lines=2)]


def summary(view: BatchView, now: datetime) -> list[Item]:
    """Two lines for a narrow screen."""
    meaning, ink = PHASES[view.phase]
    failed = f"  {things(view.failed, 'failed job')}" if view.failed else ""
    sentence = meaning if view.ended else view.progress.sentence()
    return [
        Spans((
            (f"{view.phase}  ", ink),
            (f"{count(view.completed)}/{count(view.total)} jobs", "strong"),
            (failed, "failed"),
            (f"   {took(view, now)}   {inert(view.id)}", "muted"),
        )),
        Prose(sentence, "muted", lines=1),
    ]  # fmt: skip
