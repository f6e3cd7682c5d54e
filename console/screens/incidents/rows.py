"""A group of incidents as a line of the table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from console.text.inert import inert
from console.text.ink import Ink
from console.text.words import age, count, short
from console.widgets.area_chart import spark
from console.widgets.columns import Column
from console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from console.causes.groups import Group
    from console.causes.task_facts import TaskFacts

COLUMNS = (
    Column("count", 8, keep=10, align="right"),
    Column("trend", 12, keep=6),
    Column("first", 5, keep=2, align="right"),
    Column("last", 5, keep=8, align="right"),
    Column("T", 1, keep=9),
    Column("topic", 11, share=1, most=24, keep=7),
    Column("cause", 18, share=5, keep=9),
    Column("retried", 9, keep=5),
)

KIND_INKS: dict[str, Ink] = {"T": "failed", "J": "warning"}


def row_of(group: Group, now: datetime, facts: TaskFacts, again: int | None) -> Row:
    """A group as a row. ``again`` counts the members that failed again, nothing where that is not known."""
    span = group.span()
    number = f"{count(group.count)}{'^' if group.new > 0 else ' '}"
    ink: Ink = "faint" if not group.count else "warning" if group.new > 0 else "strong"
    trend = group.trend(now)
    cells = (
        Cell(number, ink),
        Cell(spark(trend), "accent" if trend[-1] else "muted"),
        Cell(age(span[0], now) if span else "-", "muted"),
        Cell(age(span[1], now) if span else "-" if group.retried else "gone", "muted"),
        Cell(group.kind, KIND_INKS.get(group.kind, "muted")),
        Cell(*place_of(group, facts)),
        Cell(*_cause_of(group, now)),
        Cell(*again_of(again)),
    )
    return Row(group.key, cells, group)


def _cause_of(group: Group, now: datetime) -> tuple[str, Ink]:
    """The cause; where none is left after its tasks were retried from here, that they were, and by which batch."""
    cause = inert(group.cause)
    if group.count:
        return cause, "failed"
    if group.retried is None:
        return cause, "faint"
    at, batch = group.retried
    ago = age(at, now)
    when = "just now" if ago == "now" else f"{ago} ago"
    return f"retried {when}, batch {inert(short(batch))}: {cause}", "good"


def place_of(group: Group, facts: TaskFacts) -> tuple[str, Ink]:
    """The topic of its tasks where one is known, else the activity; and how many more there are."""
    known = group.samples[:3] or ([group.last] if group.last is not None else [])
    name = next((fact.topic for one in known if (fact := facts.get(one))), "")
    if not name and group.activities:
        name = max(group.activities, key=lambda activity: group.activities[activity])
    more = sum(number > 0 for number in group.activities.values()) - 1
    if not name:
        return ("batch job" if group.kind == "J" else "-"), "muted"
    return f"{inert(name)}{f' +{more}' if more > 0 else ''}", ""


def again_of(again: int | None) -> tuple[str, Ink]:
    """Whether members were retried before: how many failed again, never, or not known."""
    if again is None:
        return "-", "faint"
    return (f"{count(again)} again", "warning") if again else ("never", "faint")
