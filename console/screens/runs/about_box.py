"""What a run is: its tasks and why they had failed, its rules, and how it goes on without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from retriage.console.runs.rules_text import pace_text, seconds_text, share_text
from retriage.console.text.inert import inert
from retriage.console.text.words import count, day
from retriage.console.widgets.pane import Fact, Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.runs.run_view import RunView
    from retriage.store.journal import RunCause


def about(view: RunView, causes: Sequence[RunCause], other: str = "") -> list[Item]:
    """Facts about it; ``other`` says where its other part is."""
    run = view.run
    pace = f", {pace_text(run.pace)}" if run.pace is not None else ""
    new = ", holds on a new cause too" if run.new_cause else ""
    gate = f"gate {share_text(run.gate)}{new}; " if view.operation.gated else ""
    items: list[Item] = [
        Fact("what", inert(run.title), "strong", lines=3),
        Fact("reason", inert(run.reason) or "-", lines=3),
        Fact("selection", f"{view.operation.units(run.listed or 0)} at {day(run.frozen_at)}"),
        Fact("waves", ", ".join(count(wave.tasks) for wave in view.waves), lines=3),
        Fact("rules", f"{gate}watched {seconds_text(run.watch)}{pace}", lines=2),
        Fact("who", f"{inert(run.user) or '-'}, {day(run.began_at)}"),
        Fact("ended", day(run.ended_at), "muted"),
        Fact("engine", inert(run.url or run.engine), "muted", lines=2),
    ]
    if other:
        items.insert(1, Fact("parts", f"{other} Each is stopped and undone by itself.", lines=3))
    if causes:
        items += [Spans(), Prose("Why they had failed, roughly:", "muted")]
        items += [_cause(one) for one in causes]
    if not run.over:
        items += [Spans(), Prose("Without a screen it goes on by:", "muted"),
                  Spans(((f"  retriage watch {run.id} --resume", "accent"),))]  # fmt: skip
    return items


def _cause(one: RunCause) -> Item:
    topic, cause = inert(one.topic), inert(one.cause)
    return Spans(((f"{count(one.tasks):>8}  ", "strong"), (f"{topic}  ", ""), (cause, "failed")))
