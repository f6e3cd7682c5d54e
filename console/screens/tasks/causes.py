"""Causes of incidents as rows beside the tasks: tonight's fire first, what has lain there for weeks last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import age, count
from retriage.console.widgets.area_chart import spark
from retriage.console.widgets.columns import Column
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.causes.groups import Group

HOUR = 4
"""Quarters of an hour that are compared with as many before."""
GROWS, SHRINKS = 1.3, 0.7
"""From so many times as many incidents as in the hour before a cause grows, or up to so many shrinks."""
DOUBLES = 2.0
"""From so many times as many it is as urgent as a new one."""
URGENT = 4
"""A cause that is new, or has doubled, stands where one with so many times as many incidents would."""
FEW = 5
"""Incidents within an hour below which nothing is told about growth."""
TONIGHT = timedelta(hours=12)
"""What was raised since then is tonight's."""
JUST_NOW = timedelta(hours=1)
"""A cause whose first incident is younger is new."""
HALF_HOURS = 6
"""Steps of the small trend."""

DRIFTS: dict[str, Ink] = {"^": "warning", "v": "good", "=": "strong"}
BESIDE = "    causes: ^ more  = as many  v fewer"
LEGEND = "^ more than in the hour before  = as many  v fewer  + at least   trend: 6 x 30 min   last: age of the newest"

COLUMNS = (
    Column("open", 7, keep=9, align="right"),
    Column("trend", 6, keep=5),
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
        drift: ``^`` more than in the hour before, ``v`` fewer, ``=`` as many; empty where only the newest incidents
            were read, so that the number is not the whole one either.
        trend: how many were raised in each of the last half hours, the newest last.
        heat: how many were raised within twelve hours; of a cause that is new or has doubled four times as many.
    """

    group: Group
    text: str
    number: int
    last: datetime
    drift: str
    trend: tuple[int, ...]
    heat: int


def causes_of(groups: Iterable[Group], now: datetime, *, drifts: bool) -> tuple[Cause, ...]:
    """Groups as causes: those of tonight, the one with most of tonight's incidents first, then those of older days.

    Args:
        groups: groups of incidents.
        now: the moment that ages count from.
        drifts: the groups are whole, so that it can be told whether they grow.
    """
    found = [_cause(group, now, drifts) for group in groups if group.count]
    return tuple(sorted(found, key=lambda cause: (-cause.heat, -cause.number, cause.text)))


def _cause(group: Group, now: datetime, drifts: bool) -> Cause:
    span = group.span()
    assert span is not None, "it has members"
    first, last = span
    quarters = group.trend(now, int(TONIGHT / timedelta(minutes=15)))
    present, before = sum(quarters[-HOUR:]), sum(quarters[-2 * HOUR : -HOUR])
    fresh = drifts and (now - first < JUST_NOW or (present >= FEW and present >= DOUBLES * before))
    heat = sum(quarters) * (URGENT if fresh else 1)
    halves = tuple(map(sum, zip(quarters[::2], quarters[1::2], strict=True)))[-HALF_HOURS:]
    return Cause(group, group.cause, group.count, last, _drift(present, before) if drifts else "", halves, heat)


def _drift(present: int, before: int) -> str:
    if max(present, before) < FEW:
        return "="
    return "^" if present >= GROWS * before else "v" if present <= SHRINKS * before else "="


def row_of(cause: Cause, now: datetime) -> Row:
    """A cause as a row."""
    old = not cause.heat
    return Row(
        cause.group.key,
        (
            Cell(f"{count(cause.number)}{cause.drift or '+'}", "muted" if old else DRIFTS.get(cause.drift, "strong")),
            Cell(spark(cause.trend), "accent" if any(cause.trend[-2:]) else "muted"),
            Cell(age(cause.last, now), "muted"),
            Cell(inert(cause.text), "muted" if old else "failed"),
        ),
        cause,
    )
