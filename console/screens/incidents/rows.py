"""A group of incidents as a line of the table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.language.tokens import quote
from retriage.console.screens.row_filters import cell_words
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import age, count, short
from retriage.console.widgets.area_chart import spark
from retriage.console.widgets.columns import Column
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.causes.groups import Group
    from retriage.console.reading.incident_tasks import TaskFacts

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
    """The topic of its newest tasks where one is known, and how many more topics the known ones have; else the
    activity of most, and how many more activities there are."""
    topics = {fact.topic_name for one in group.samples if (fact := facts.get(one)) is not None and fact.topic_name}
    name = topic_of(group, facts) or activity_of(group)
    more = len(topics or [None for number in group.activities.values() if number > 0]) - 1
    if not name:
        return ("batch job" if group.kind == "J" else "-"), "muted"
    return f"{inert(name)}{f' +{more}' if more > 0 else ''}", ""


def topic_of(group: Group, facts: TaskFacts) -> str | None:
    """The topic of its newest tasks, as far as one is known."""
    known = group.samples[:3] or ([group.last] if group.last is not None else [])
    return next((fact.topic_name for one in known if (fact := facts.get(one))), None)


def activity_of(group: Group) -> str | None:
    """The activity of most members."""
    return max(group.activities, key=lambda activity: group.activities[activity], default=None)


def words_of(group: Group, facts: TaskFacts) -> dict[str, str]:
    """Title of a column -> the word of the filter that fits the incidents that are like those of the group there."""
    one = group.samples[0] if group.samples else group.last
    words = cell_words("incidents", one) if one is not None else {}
    found: dict[str, str] = {title: words[title] for title in ("T", "cause") if title in words}
    if topic := topic_of(group, facts):
        found["topic"] = f"topic:{quote(topic)}"
    elif activity := activity_of(group):
        found["topic"] = f"activity:{quote(activity)}"
    return found


def again_of(again: int | None) -> tuple[str, Ink]:
    """Whether members were retried before: how many failed again, never, or not known."""
    if again is None:
        return "-", "faint"
    return (f"{count(again)} again", "warning") if again else ("never", "faint")
