"""Open incidents: columns, words and the pane about one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from retriage.console.causes.fold import fold
from retriage.console.reading.incident_tasks import TaskFacts
from retriage.console.screens.incidents.rows import COLUMNS, words_of
from retriage.console.screens.subject import ListSubject, SortKey
from retriage.console.text.inert import inert
from retriage.console.text.words import age, day, short
from retriage.console.widgets.columns import Column
from retriage.console.widgets.pane import Fact, Item, Prose, Spans
from retriage.console.widgets.rows import Cell
from retriage.store.contract.queries import IncidentQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.queries import Query
    from retriage.store.contract.records import Incident

KINDS = {"failedExternalTask": ("T", "external task"), "failedJob": ("J", "job")}
"""Types of incidents: their letter, and what has failed."""


class IncidentSubject(ListSubject["Incident"]):
    """Open incidents."""

    name = "incidents"
    title = "Incidents"
    thing = "Incident"
    columns: ClassVar[Sequence[Column]] = (
        Column("T", 1, keep=10),
        Column("open", 5, keep=7, align="right"),
        Column("activity", 12, share=1, most=26, keep=6),
        Column("process", 12, share=1, most=26, keep=2),
        Column("failed", 13, keep=3, tail=True),
        Column("cause", 18, share=4, keep=9),
        Column("note", 8, share=1, most=24, keep=1),
    )
    sorts: ClassVar[Sequence[SortKey]] = (
        SortKey("incidentTimestamp", "since", descending=True),
        SortKey("incidentMessage", "message"),
        SortKey("activityId", "activity"),
        SortKey("incidentType", "type"),
        SortKey("processInstanceId", "instance"),
    )

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[Incident]:
        """A page of incidents."""
        return await client.incidents(_query(query), first, size)

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many incidents match."""
        return await client.count_incidents(_query(query))

    def identify(self, record: Incident) -> str:
        """The id of the incident."""
        return record.id

    def cells(self, record: Incident, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        letter = KINDS.get(record.incident_type, ("?", ""))[0]
        process = (record.process_definition_id or "").split(":")[0]
        return (
            Cell(letter, "failed" if letter == "T" else "warning"),
            Cell(age(record.incident_timestamp, now), "muted"),
            Cell(inert(record.activity_id or "-")),
            Cell(inert(process or "-"), "muted"),
            Cell(inert(record.configuration or "-"), "muted"),
            Cell(inert(fold(record.incident_message)), "failed"),
            Cell(inert(record.annotation or ""), "accent"),
        )

    def brief(self, record: Incident, now: datetime) -> list[Item]:
        """Everything short about the incident, and its message."""
        what = KINDS.get(record.incident_type, ("?", record.incident_type))[1]
        items: list[Item] = [
            Fact("failed", inert(what), "strong"),
            Fact("id", inert(record.configuration or "-"), "muted", lines=1),
            Fact("activity", inert(record.activity_id or "-")),
            Fact("process", inert(record.process_definition_id or "-"), lines=1),
            Fact("instance", inert(record.process_instance_id or "-"), lines=1),
            Fact("since", f"{age(record.incident_timestamp, now)}   {day(record.incident_timestamp)}"),
        ]
        if record.annotation:
            items.append(Fact("note", inert(record.annotation), "accent", lines=3))
        return [*items, Spans(), Prose(inert(record.incident_message or "(no message)"), "failed", lines=12)]

    def summary(self, record: Incident, now: datetime) -> list[Item]:
        """The same in two lines."""
        what = KINDS.get(record.incident_type, ("?", record.incident_type))[1]
        return [
            Spans((
                (inert(record.activity_id or what), "strong"),
                (f"   {what} {inert(short(record.configuration))}", ""),
                (f"   {age(record.incident_timestamp, now)}", "muted"),
            )),
            Prose(inert(record.incident_message or "(no message)"), "failed", lines=1),
        ]  # fmt: skip


class GroupSubject(IncidentSubject):
    """Open incidents grouped by cause. One of them is no row of the engine's, so rows are not made here."""

    title = "Groups by cause"
    thing = "In this group"
    columns = COLUMNS
    sorts = (
        SortKey("count", "count", descending=True),
        SortKey("last", "last", descending=True),
        SortKey("first", "first"),
        SortKey("cause", "name"),
    )
    legend = "T task  J job   trend: last 12 x 15 min   again: failed again after a retry"

    def __init__(self) -> None:
        self.facts = TaskFacts()
        """Tasks of incidents that are known."""

    def cell_words(self, record: Any) -> Mapping[str, str]:
        """Title of a column -> the word of the filter that fits incidents like those of this group there."""
        return words_of(record, self.facts)


def _query(query: Query) -> IncidentQuery:
    assert isinstance(query, IncidentQuery)
    return query
