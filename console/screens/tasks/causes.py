"""Causes of incidents as rows beside the tasks: what is new or growing first, what lies there for weeks last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from console.text.inert import inert
from console.text.ink import Ink
from console.text.words import age, count
from console.widgets.columns import Column
from console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from console.causes.groups import Group

STEADY = 4
"""Quarters of an hour before the present one that it is compared with."""
TONIGHT = timedelta(hours=12)
"""A cause whose newest incident is younger is one of tonight's."""
JUST_NOW = timedelta(hours=1)
"""A cause whose first incident is younger is new."""

DRIFTS: dict[str, Ink] = {"^": "warning", "v": "good", "=": "strong"}
BESIDE = "    causes: ^ more  = as many  v fewer"
LEGEND = "^ more than in the hour before  = as many  v fewer   last: age of the newest incident"

COLUMNS = (
    Column("open", 7, keep=9, align="right"),
    Column("last", 5, keep=6, align="right"),
    Column("cause", 12, share=1, keep=10),
)


class Cause(NamedTuple):
    """A cause, how often it occurs, and whether it grows.

    Attributes:
        group: its incidents, as far as they were read.
        text: what they have in common.
        number: how many they are.
        last: when the newest of them was raised.
        drift: ``^`` more than in the last hour, ``v`` less, ``=`` the same; nothing where that is not known.
        rank: 0 for a cause that is new or grows, 1 for another one of tonight, 2 for an older one.
    """

    group: Group
    text: str
    number: int
    last: datetime
    drift: str
    rank: int


def causes_of(groups: Iterable[Group], now: datetime, *, drifts: bool) -> tuple[Cause, ...]:
    """Groups as causes: those that are new or grow, then others of tonight, then older ones; the most frequent first.

    Args:
        groups: groups of incidents.
        now: the moment that ages count from.
        drifts: the groups are whole, so that it can be told whether they grow.
    """
    found = [_cause(group, now, drifts) for group in groups if group.count]
    return tuple(sorted(found, key=lambda cause: (cause.rank, -cause.number, cause.text)))


def _cause(group: Group, now: datetime, drifts: bool) -> Cause:
    span = group.span()
    assert span is not None, "it has members"
    first, last = span
    drift = _drift(group, now) if drifts else ""
    fresh = drift == "^" or (drifts and now - first < JUST_NOW)
    return Cause(group, group.cause, group.count, last, drift, 0 if fresh else 1 if now - last < TONIGHT else 2)


def _drift(group: Group, now: datetime) -> str:
    *before, present = group.trend(now, STEADY + 1)
    usual = sum(before) / STEADY
    return "^" if present > usual else "v" if present < usual else "="


def row_of(cause: Cause, now: datetime) -> Row:
    """A cause as a row."""
    old = cause.rank == 2
    return Row(
        cause.group.key,
        (
            Cell(f"{count(cause.number)}{cause.drift or ' '}", "muted" if old else DRIFTS.get(cause.drift, "strong")),
            Cell(age(cause.last, now), "muted"),
            Cell(inert(cause.text), "muted" if old else "failed"),
        ),
        cause,
    )
