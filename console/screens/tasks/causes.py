"""Incidents folded by cause, as lines of a pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.screens.words import count
from console.widgets.inert import inert
from console.widgets.pane import Item, Spans

if TYPE_CHECKING:
    from store.contract.records import Incident


def cause_lines(incidents: Sequence[Incident], most: int) -> list[Item]:
    """The most frequent causes, one line each, at most ``most`` lines; the last one counts what is left out."""
    from collections import Counter

    from console.triage.causes import fold

    counted = Counter(fold(incident.incident_message) for incident in incidents).most_common()
    shown = counted if len(counted) <= most else counted[: max(most - 1, 1)]
    items: list[Item] = [
        Spans(((f"{count(number):>6}  ", "strong"), (inert(cause) or "(no message)", "failed")))
        for cause, number in shown
    ]
    if len(shown) < len(counted):
        rest = counted[len(shown) :]
        number = sum(number for _, number in rest)
        items.append(Spans(((f"{count(number):>6}  ", "muted"), (f"{len(rest)} more causes", "muted"))))
    return items
