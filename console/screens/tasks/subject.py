"""External tasks: columns, words and the pane about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.reading.lock_states import lock_state
from retriage.console.screens.subject import ListSubject, SortKey
from retriage.console.screens.task_states import STATES, error_said, state_of, tries
from retriage.console.text.inert import inert
from retriage.console.text.ink import Ink
from retriage.console.text.words import age, day, short, until, version_of
from retriage.console.widgets.columns import Column
from retriage.console.widgets.pane import Fact, Item, Prose, Spans
from retriage.console.widgets.rows import Cell
from retriage.store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.queries import Query
    from retriage.store.contract.records import ExternalTask


class TaskSubject(ListSubject["ExternalTask"]):
    """External tasks."""

    name = "tasks"
    title = "External tasks"
    thing = "Task"
    columns = (
        Column("S", 1, keep=10),
        Column("topic", 10, share=1, most=24, keep=7),
        Column("key", 10, share=1, most=18, keep=8),
        Column("try", 3, keep=9, align="right"),
        Column("lock", 5, keep=6, align="right"),
        Column("age", 5, keep=3, align="right"),
        Column("process", 14, share=1, most=28, keep=1, spare=28),
        Column("error", 18, share=8, keep=8),
    )
    sorts = (
        SortKey("createTime", "created"),
        SortKey("taskPriority", "priority", descending=True),
        SortKey("lockExpirationTime", "lock"),
        SortKey("processDefinitionKey", "process"),
        SortKey("processInstanceId", "instance"),
        SortKey("id", "id"),
    )
    legend = "X no retries  r retrying  L locked  w lock/retry time  · ready  S suspended"

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[ExternalTask]:
        """A page of tasks."""
        return await client.external_tasks(_query(query), first, size)

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many tasks match."""
        return await client.count_external_tasks(_query(query))

    def identify(self, record: ExternalTask) -> str:
        """The id of the task."""
        return record.id

    def cells(self, record: ExternalTask, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        state = state_of(record, now)
        ink = STATES[state][1]
        quiet: Ink = "muted"
        key = record.business_key or short(record.process_instance_id, 10)
        expiry = record.lock_expiration_time
        return (
            Cell(state, ink),
            Cell(inert(record.topic_name)),
            Cell(inert(key), "" if record.business_key else quiet),
            # The letter tells it in colour already; in this line each colour is sent at every step of the cursor.
            Cell(tries(record)[0], "" if record.retries is not None else quiet),
            Cell(until(expiry, now), "locked" if state in "Lw" else quiet),
            Cell(age(record.create_time, now), quiet),
            Cell(inert(f"{record.process_definition_key} {version_of(record.process_definition_id)}".strip()), quiet),
            Cell(inert(record.error_message or ""), "failed" if state == "X" else quiet),
        )  # fmt: skip

    def brief(self, record: ExternalTask, now: datetime) -> list[Item]:
        """Everything short about the task, and what its error says."""
        state = state_of(record, now)
        meaning, ink = STATES[state]
        process = f"{record.process_definition_key} {version_of(record.process_definition_id)}".strip()
        items: list[Item] = [
            Fact("state", f"{state}  {meaning}", ink, lines=2, least=2),
            Fact("task", inert(record.id), "muted", lines=1),
            Fact("topic", inert(record.topic_name), "strong"),
            Fact("process", inert(process), lines=1),
            Fact("activity", inert(record.activity_id), lines=1),
            Fact("key", inert(record.business_key or "-")),
            Fact("instance", inert(record.process_instance_id), "muted", lines=1),
            Fact("retries", _tries_said(record), tries(record)[1]),
            Fact("lock", _lock_said(record, now), "locked" if state in "Lw" else "", lines=2),
            Fact("created", _created_said(record, now), lines=1),
        ]
        if record.priority:
            items.append(Fact("priority", str(record.priority)))
        if record.tenant_id:
            items.append(Fact("tenant", inert(record.tenant_id)))
        if record.error_message is not None:
            items += [Spans(), Prose(error_said(record), "failed", lines=12)]
        return items

    def summary(self, record: ExternalTask, now: datetime) -> list[Item]:
        """The same in two lines."""
        process = f"{record.process_definition_key} {version_of(record.process_definition_id)}".strip()
        return [
            Spans((
                (inert(record.activity_id), "strong"),
                (f"   {inert(process)}", ""),
                (f"   {_lock_said(record, now)}", "locked" if state_of(record, now) in "Lw" else "muted"),
            )),
            Prose(error_said(record), "failed" if record.error_message else "muted", lines=1),
        ]  # fmt: skip


def _tries_said(task: ExternalTask) -> str:
    if task.retries is None:
        return "-   never failed"
    return "0   none left" if task.retries == 0 else f"{task.retries}   left"


def _lock_said(task: ExternalTask, now: datetime) -> str:
    state, last = lock_state(task, now), f"; last {inert(task.worker_id)}" if task.worker_id is not None else ""
    more = until(task.lock_expiration_time, now)
    return {
        "worker": f"{more} more, by {inert(task.worker_id or '?')}",
        "retry time": f"not locked; retry time {more} more{last}",
        "either": f"{more} more: retry time or lock{last}",
        "free": f"not locked{last}",
    }[state]


def _created_said(task: ExternalTask, now: datetime) -> str:
    return f"{age(task.create_time, now)}   {day(task.create_time)}" if task.create_time else "-"


def _query(query: Query) -> ExternalTaskQuery:
    assert isinstance(query, ExternalTaskQuery)
    return query
