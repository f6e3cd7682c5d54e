"""What the launch dialog says, as lines of a pane."""

from __future__ import annotations

import json

from console.screens.words import count, things
from console.triage.launch import Outcome, Plan
from console.triage.request import PATH
from console.widgets.cells import wrap
from console.widgets.inert import inert, inert_lines
from console.widgets.ink import Ink
from console.widgets.line import Span
from console.widgets.pane import Item, Prose, Spans

TONES: dict[str, Ink] = {"good": "good", "plain": "", "warning": "warning"}
LABEL = 26


def page(plan: Plan, digits: str, ask_for_yes: bool, said: str, width: int, room: int) -> list[Item]:
    """The lines of the dialog, each one line high, at most ``room`` of them.

    Args:
        plan: what would be launched.
        digits: what stands in the retries field.
        ask_for_yes: the operator has to confirm that every task of the engine is meant.
        said: a sentence about the last key, or nothing.
        width: cells of the pane.
        room: lines of the pane.
    """
    warnings = [*plan.warnings(), *([said] if said else [])]
    if ask_for_yes:
        warnings = [warning for warning in warnings if "EVERY" not in warning]
        warnings.append("This takes EVERY external task of the engine. Press Y if that is meant.")
    above: list[Item] = [*(_outcome(outcome) for outcome in plan.outcomes()), Spans(_total(plan)), Spans()]
    below: list[Item] = [Spans(), *(Prose(warning, "warning", lines=1) for warning in warnings)]
    field = _field(digits)
    free = room - len(above) - len(below) - 4
    return [*above, field, Spans(), *_request(plan, width, max(free, 2)), *below]


def _outcome(outcome: Outcome) -> Item:
    number = ("≤" if outcome.at_most else "") + count(outcome.count)
    return Spans(
        (
            (f"{number:>8}  ", "muted" if outcome.overlaps else "strong"),
            (f"{outcome.label:<{LABEL}}  ", "muted" if outcome.overlaps else ""),
            (outcome.effect, TONES[outcome.tone] or ("muted" if outcome.overlaps else "")),
        )
    )


def _total(plan: Plan) -> tuple[Span, ...]:
    return (
        (f"{count(plan.count):>8}  ", "accent"),
        (f"{'tasks in the launch':<{LABEL}}  ", "strong"),
        (f"{things(plan.jobs, 'batch job')}, {things(plan.seeds, 'seed run')}", "muted"),
    )


def _field(digits: str) -> Item:
    return Spans(
        (
            ("  retries  ", "muted"),
            (f" {digits or ' '}▏", "chip"),
            ("   type digits: the attempts each task is given", "muted"),
        )
    )


def _request(plan: Plan, width: int, room: int) -> list[Item]:
    """The exact request: one field a line where there is room, else run on; ids abbreviated."""
    head: Item = Spans((("POST ", "accent"), (f"/{PATH}", "strong")))
    pretty = inert_lines(plan.json())
    if len(pretty) <= room:
        return [head, *(Spans((("  " + line, "muted"),)) for line in pretty)]
    compact = inert(json.dumps(json.loads(plan.json()), ensure_ascii=False))
    return [head, *(Spans((("  " + line, "muted"),)) for line in wrap(compact, width - 2, room))]
