"""Incidents folded by cause, as lines of a pane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from console.text.inert import inert
from console.text.ink import Ink
from console.text.words import count
from console.widgets.pane import Item, Spans

if TYPE_CHECKING:
    from console.causes.groups import Group

STEADY = 4
"""Quarters of an hour before the present one that it is compared with."""
DRIFTS: dict[str, Ink] = {"^": "warning", "v": "good", "=": "muted"}


class Cause(NamedTuple):
    """A cause, how often it occurs, and whether it grows: ``^`` more than in the last hour, ``v`` less, ``=`` the same;
    nothing where that is not known."""

    text: str
    number: int
    drift: str = ""


def causes_of(groups: Iterable[Group], now: datetime, *, drifts: bool) -> tuple[Cause, ...]:
    """Groups as causes, the most frequent first."""
    found = [Cause(group.cause, group.count, _drift(group, now) if drifts else "") for group in groups if group.count]
    return tuple(sorted(found, key=lambda cause: -cause.number))


def _drift(group: Group, now: datetime) -> str:
    *before, present = group.trend(now, STEADY + 1)
    usual = sum(before) / STEADY
    return "^" if present > usual else "v" if present < usual else "="


def cause_lines(causes: Sequence[Cause], most: int) -> list[Item]:
    """Causes with how often they occur, one line each, at most ``most`` lines; the last one counts what is left out."""
    shown = causes if len(causes) <= most else causes[: max(most - 1, 1)]
    items: list[Item] = [_line(cause.number, cause.drift, inert(cause.text), "failed") for cause in shown]
    if len(shown) < len(causes):
        rest = causes[len(shown) :]
        items.append(_line(sum(cause.number for cause in rest), "", f"{len(rest)} more causes", "muted"))
    return items


def _line(number: int, drift: str, text: str, ink: Ink) -> Spans:
    strength: Ink = "strong" if ink == "failed" else "muted"
    return Spans(((f"{count(number):>6} ", strength), (f"{drift:1} ", DRIFTS.get(drift, "")), (text, ink)))
