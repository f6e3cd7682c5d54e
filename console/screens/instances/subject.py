"""Process instances: columns, words and the pane about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from retriage.console.reading.instance_activity import InstanceActivities, InstanceActivity
from retriage.console.screens.subject import ListSubject, SortKey
from retriage.console.screens.task_states import error_said, tries
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import age, things, version_of
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Fact, Item, Spans
from retriage.console.widgets.rows import Cell
from retriage.store.contract.queries import ProcessInstanceQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.queries import Query
    from retriage.store.contract.records import ExternalTask

MOST_TASKS = 6
"""Tasks that the pane names."""


class InstanceSubject(ListSubject[InstanceActivity]):
    """Running process instances, with where they stand."""

    name = "instances"
    title = "Process instances"
    thing = "Instance"
    columns: ClassVar[Sequence[Column]] = (
        Column("S", 1, keep=10),
        Column("key", 8, share=1, most=26, keep=8),
        Column("process", 9, share=1, most=32, keep=7),
        Column("age", 5, keep=4, align="right"),
        Column("tasks", 5, keep=6, align="right"),
        Column("stuck", 5, keep=9, align="right"),
        Column("inc", 3, keep=5, align="right"),
        Column("at", 8, share=1, most=30, keep=7),
        Column("instance", 13, share=1, most=36, keep=2, spare=16, tail=True),
        Column("tenant", 8, share=1, most=20, keep=1, spare=16),
    )
    sorts: ClassVar[Sequence[SortKey]] = (
        SortKey("instanceId", "id"),
        SortKey("businessKey", "key"),
        SortKey("definitionKey", "process"),
        SortKey("definitionId", "version"),
        SortKey("tenantId", "tenant"),
    )
    questions = 3
    legend = "a active  S suspended   tasks external tasks   stuck without retries   inc ! open incident"

    def __init__(self) -> None:
        self._standings = InstanceActivities()

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[InstanceActivity]:
        """A page of instances."""
        return await self._standings.of(client, await client.process_instances(_query(query), first, size))

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many instances match."""
        return await client.count_process_instances(_query(query))

    def identify(self, record: InstanceActivity) -> str:
        """The id of the instance."""
        return record.id

    def cells(self, record: InstanceActivity, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        stuck = record.without_retries
        return (
            Cell("S", "suspended") if record.suspended else Cell("a", "good"),
            Cell(inert(record.business_key or "-"), "" if record.business_key else "faint"),
            Cell(inert(f"{record.definition_key} {version_of(record.definition_id)}".strip())),
            Cell(age(record.started, now), "muted"),
            Cell("?" if record.tasks is None else str(len(record.tasks)), "muted"),
            Cell(str(stuck) if record.tasks is not None else "?", "failed" if stuck else "faint"),
            Cell("!", "failed") if record.incident else Cell("-", "faint"),
            Cell(inert(_at(record)), "failed" if stuck else ""),
            Cell(inert(record.id), "muted"),
            Cell(inert(record.tenant_id or "-"), "" if record.tenant_id else "faint"),
        )

    def brief(self, record: InstanceActivity, now: datetime) -> list[Item]:
        """Everything short about the instance, and its tasks."""
        incident: Item = Fact("incident", "! open", "failed") if record.incident else Fact("incident", "none", "muted")
        items: list[Item] = [
            Fact("state", "S  suspended", "suspended") if record.suspended else Fact("state", "a  active", "good"),
            Fact("key", inert(record.business_key or "-"), "strong"),
            Fact("process", inert(f"{record.definition_key} {version_of(record.definition_id)}"), lines=2),
            Fact("instance", inert(record.id), lines=2),
            Fact("tenant", inert(record.tenant_id or "-")),
            Fact("started", age(record.started, now)),
            incident,
            Spans(),
        ]
        items += [_task(task) for task in (record.tasks or ())[:MOST_TASKS]]
        if not record.tasks:
            items.append(Spans((("no external task" if record.tasks is not None else "too many tasks", "muted"),)))
        elif len(record.tasks) > MOST_TASKS:
            items.append(Spans(((f".. {things(len(record.tasks) - MOST_TASKS, 'more task')}", "muted"),)))
        keys = (("enter", "accent"), (" tasks   ", "muted"), ("d", "accent"), (" variables   ", "muted"),
                ("i", "accent"), (" incidents", "muted"))  # fmt: skip
        spans: tuple[Span, ...] = keys  # type: ignore[assignment]
        return [*items, Spans(), Spans(spans)]

    def summary(self, record: InstanceActivity, now: datetime) -> list[Item]:
        """The same in two lines."""
        state: Span = ("   suspended", "suspended") if record.suspended else ("   active", "good")
        process = inert(f"{record.definition_key} {version_of(record.definition_id)}")
        incident: Span = ("   open incident", "failed") if record.incident else ("", "")
        first = _task(record.tasks[0]) if record.tasks else Spans(((f"{process}   {inert(record.id)}", "muted"),))
        key = inert(record.business_key or "-")
        return [Spans(((key, "strong"), state, incident, (f"   {process}", "muted"))), first]


def _at(record: InstanceActivity) -> str:
    found = record.activities
    return (found[0] + (f" +{len(found) - 1}" if len(found) > 1 else "")) if found else "-"


def _task(task: ExternalTask) -> Spans:
    """A task in a line: what holds it, its topic, its retries, its error."""
    said, ink = tries(task)
    shade: Ink = "failed" if task.retries == 0 else "muted"
    error = error_said(task)
    return Spans(((f"{said:>3} ", ink), (f"{cut(inert(task.topic_name), 40).rstrip()}  ", "strong"), (error, shade)))


def _query(query: Query) -> ProcessInstanceQuery:
    assert isinstance(query, ProcessInstanceQuery)
    return query
