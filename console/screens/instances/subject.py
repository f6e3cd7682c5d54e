"""Process instances: columns, words and the pane about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from console.screens.subject import Sort, Subject
from console.screens.words import version_of
from console.widgets.columns import Column
from console.widgets.inert import inert
from console.widgets.line import Span
from console.widgets.pane import Fact, Item, Spans
from console.widgets.rows import Cell

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.queries import ProcessInstanceQuery, Query
    from store.contract.records import ProcessInstance


class Instances(Subject["ProcessInstance"]):
    """Running process instances."""

    name = "instances"
    title = "Process instances"
    thing = "Instance"
    columns = (
        Column("S", 1, keep=10),
        Column("key", 12, share=1, most=30, keep=8),
        Column("process", 16, share=1, most=36, keep=7),
        Column("version", 7, keep=5),
        Column("instance", 16, share=2, most=38, keep=6, tail=True),
        Column("tenant", 10, share=1, most=20, keep=2),
    )
    sorts = (
        Sort("instanceId", "id"),
        Sort("businessKey", "key"),
        Sort("definitionKey", "process"),
        Sort("definitionId", "version"),
        Sort("tenantId", "tenant"),
    )

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[ProcessInstance]:
        """A page of instances."""
        return await client.process_instances(_query(query), first, size)

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many instances match."""
        return await client.count_process_instances(_query(query))

    def identify(self, record: ProcessInstance) -> str:
        """The id of the instance."""
        return record.id

    def cells(self, record: ProcessInstance, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        return (
            Cell("S", "suspended") if record.suspended else Cell("a", "good"),
            Cell(inert(record.business_key or "-"), "" if record.business_key else "faint"),
            Cell(inert(record.definition_key)),
            Cell(version_of(record.definition_id) or "-", "muted"),
            Cell(inert(record.id), "muted"),
            Cell(inert(record.tenant_id or "-"), "" if record.tenant_id else "faint"),
        )

    def brief(self, record: ProcessInstance, now: datetime) -> list[Item]:
        """Everything short about the instance."""
        return [
            Fact("state", "S  suspended", "suspended") if record.suspended else Fact("state", "a  active", "good"),
            Fact("key", inert(record.business_key or "-"), "strong"),
            Fact("process", inert(f"{record.definition_key} {version_of(record.definition_id)}"), lines=2),
            Fact("instance", inert(record.id), lines=2),
            Fact("tenant", inert(record.tenant_id or "-")),
            Spans(),
            Spans((("enter", "accent"), (" shows its tasks and variables", "muted"))),
        ]

    def summary(self, record: ProcessInstance, now: datetime) -> list[Item]:
        """The same in two lines."""
        state: Span = ("   suspended", "suspended") if record.suspended else ("   active", "good")
        process = inert(f"{record.definition_key} {version_of(record.definition_id)}")
        return [
            Spans(((inert(record.business_key or "-"), "strong"), state)),
            Spans(((f"{process}   {inert(record.id)}", "muted"),)),
        ]


def _query(query: Query) -> ProcessInstanceQuery:
    from store.contract.queries import ProcessInstanceQuery

    assert isinstance(query, ProcessInstanceQuery)
    return query
