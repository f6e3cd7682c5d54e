"""The incidents since a launch as lines of a pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.text.inert import inert
from retriage.console.text.words import count, things
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Spans

if TYPE_CHECKING:
    from retriage.console.batches.incidents_since import CauseSince, IncidentsSince

NUMBER = 8


def incident_lines(told: IncidentsSince, height: int) -> list[Item]:
    """How many were opened and closed, then the causes, as many as there is room for."""
    items: list[Item] = [Spans(incident_summary(told))]
    if not told.causes:
        return items
    room = max(height - 2, 1)
    shown = told.causes if len(told.causes) <= room else told.causes[: room - 1]
    closed = "closed" if told.closed is not None else ""
    items.append(Spans(((f"{'opened':>{NUMBER}}{closed:>{NUMBER}}  cause", "muted"),)))
    items += [_cause(one) for one in shown]
    if len(shown) < len(told.causes):
        items.append(Spans(((f"{'':>{NUMBER * 2}}  {things(len(told.causes) - len(shown), 'more cause')}", "faint"),)))
    return items


def incident_summary(told: IncidentsSince) -> tuple[Span, ...]:
    """Both numbers; that some are still to be read."""
    closed: list[Span] = [("  closed ", "muted")]
    if told.closed is None:
        closed = [("  closed ones are not shown by this engine", "faint")]
    else:
        closed.append((count(told.closed), "good" if told.closed else "faint"))
    return (
        ("opened ", "muted"),
        (count(told.opened), "failed" if told.opened else "faint"),
        *closed,
        ("" if told.complete else "  so far", "muted"),
    )


def _cause(one: CauseSince) -> Item:
    opened: Span = (f"{count(one.opened) if one.opened else '-':>{NUMBER}}", "failed" if one.opened else "faint")
    closed = "" if one.closed is None else count(one.closed) if one.closed else "-"
    ours = f" ({count(one.ours)} of these tasks)" if 0 < one.ours < one.opened else ""
    return Spans((opened, (f"{closed:>{NUMBER}}", "good" if one.closed else "faint"), (f"  {inert(one.cause)}", ""),
                  (ours, "muted")))  # fmt: skip
