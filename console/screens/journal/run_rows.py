"""Runs among the launches of the journal: as rows of its table, and as lines of its pane."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.runs.next_step import next_step
from retriage.console.screens.journal.rows import when
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import count, day, percent, things
from retriage.console.widgets.pane import Fact, Item, Prose, Spans
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.runs.run_view import RunView

INKS: dict[str, Ink] = {
    "preparing": "muted", "running": "accent", "interrupted": "warning", "held": "failed", "passed": "good",
    "finished": "warning", "stopped": "warning", "void": "muted",
}  # fmt: skip
THROUGH = ("passed", "released", "skipped")
"""States of a wave after which the next one went out."""


def row_of_run(view: RunView, now: datetime) -> Row:
    """A run as a row."""
    run, counts = view.run, view.counts
    again = count(counts.again) if counts.again else "-"
    return Row(
        f"run {run.id}",
        (
            Cell(when(run.began_at, now), "muted"),
            Cell(_state(view), INKS[view.word]),
            Cell(count(run.listed or 0), "strong"),
            Cell(view.operation.mark, "warning" if run.retries == 0 else ""),
            Cell(again, "failed" if counts.again else "faint"),
            Cell(inert(run.reason) or "-", "" if run.reason else "faint"),
            Cell(f"run {run.id}: {inert(run.title)}", "muted"),
            Cell(inert(run.user), "muted"),
            Cell(things(len(view.waves), "wave"), "muted"),
        ),
        view,
    )


def _state(view: RunView) -> str:
    word = "not begun" if view.word == "void" else "held" if view.word == "interrupted" else view.word
    if view.run.over or view.word in ("void", "preparing"):
        return f"run {word}"
    through = sum(one.state in THROUGH for one in view.waves)
    return f"run {word} {through}/{len(view.waves)}"


def run_facts(view: RunView) -> list[Item]:
    """Everything about a run but its waves one by one."""
    run, counts = view.run, view.counts
    step = next_step(view)
    share = f", {percent(counts.again, counts.settled)} of those decided" if counts.settled else ""
    items: list[Item] = [
        Fact("run", f"{run.id}   {day(run.began_at)}", "strong"),
        Fact("state", step.head, INKS[view.word], lines=3),
        Fact("what", inert(run.title), lines=2),
        Fact(
            f"{view.operation.unit}s",
            f"{count(run.listed or 0)} in {things(len(view.waves), 'wave')}, {view.operation.aim}",
            lines=2,
        ),
        Fact("done", count(counts.done), "good" if counts.done else "muted"),
        Fact("again", f"{count(counts.again)}{share}", "failed" if counts.again else "muted", lines=2),
        Fact("as of", f"{day(view.counted_at)}{view.older_said}", "muted", lines=2),
        Fact("reason", inert(run.reason) or "-", lines=3),
        Fact("who", inert(run.user) or "-"),
        Fact("ended", day(run.ended_at), "muted"),
        Fact("engine", inert(run.url or run.engine), "muted", lines=2),
        Spans(),
    ]
    return [*items, *(Prose(inert(sentence), lines=4) for sentence in step.why if sentence)]


def run_summary(view: RunView) -> list[Item]:
    """The same in two lines."""
    step = next_step(view)
    return [
        Spans(((f"{step.head}   ", INKS[view.word]), (f"run {view.run.id}: {inert(view.run.title)}", "strong"))),
        Prose(inert(" ".join(step.why)), "muted", lines=1),
    ]
