"""Incidents folded by cause, as lines of a pane."""

from collections.abc import Sequence

from console.screens.words import count
from console.widgets.inert import inert
from console.widgets.pane import Item, Spans


def cause_lines(causes: Sequence[tuple[str, int]], most: int) -> list[Item]:
    """Causes with how often they occur, one line each, at most ``most`` lines; the last one counts what is left out."""
    shown = causes if len(causes) <= most else causes[: max(most - 1, 1)]
    items: list[Item] = [
        Spans(((f"{count(number):>6}  ", "strong"), (inert(cause), "failed"))) for cause, number in shown
    ]
    if len(shown) < len(causes):
        rest = causes[len(shown) :]
        number = sum(number for _, number in rest)
        items.append(Spans(((f"{count(number):>6}  ", "muted"), (f"{len(rest)} more causes", "muted"))))
    return items
