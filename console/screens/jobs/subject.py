"""Jobs: columns, words and the pane about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from console.screens.subject import Sort, Subject
from console.screens.words import age, day, until
from console.widgets.columns import Column
from console.widgets.inert import inert
from console.widgets.ink import Ink
from console.widgets.pane import Fact, Item, Prose, Spans
from console.widgets.rows import Cell

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.queries import JobQuery, Query
    from store.contract.records import Job

STATES: dict[str, tuple[str, Ink]] = {
    "X": ("no retries left: it waits for a person", "failed"),
    "r": ("has failed and will be tried again", "warning"),
    "·": ("waits for the job executor", "good"),
    "S": ("suspended", "suspended"),
}


def state_of(job: Job) -> str:
    """The letter of the state that decides what happens next."""
    if job.retries <= 0:
        return "X"
    if job.suspended:
        return "S"
    return "r" if job.exception_message is not None else "·"


class Jobs(Subject["Job"]):
    """Jobs of the engine."""

    name = "jobs"
    title = "Jobs"
    thing = "Job"
    columns = (
        Column("S", 1, keep=10),
        Column("job", 13, share=1, most=36, keep=6, tail=True),
        Column("try", 3, keep=9, align="right"),
        Column("batch", 13, share=1, most=36, keep=7, tail=True),
        Column("due", 5, keep=3, align="right"),
        Column("age", 5, keep=5, align="right"),
        Column("message", 16, share=4, keep=8),
    )
    sorts = (
        Sort("jobRetries", "retries"),
        Sort("jobDueDate", "due"),
        Sort("jobId", "id"),
        Sort("jobPriority", "priority", descending=True),
    )

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[Job]:
        """A page of jobs."""
        return await client.jobs(_query(query), first, size)

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many jobs match."""
        return await client.count_jobs(_query(query))

    def identify(self, record: Job) -> str:
        """The id of the job."""
        return record.id

    def cells(self, record: Job, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        state = state_of(record)
        return (
            Cell(state, STATES[state][1]),
            Cell(inert(record.id), "muted"),
            Cell(str(record.retries), "failed" if record.retries <= 0 else ""),
            Cell(inert(record.batch_id or "-"), "" if record.batch_id else "faint"),
            Cell(until(record.due_date, now), "muted"),
            Cell(age(record.create_time, now), "muted"),
            Cell(inert(record.exception_message or ""), "failed" if state == "X" else "muted"),
        )

    def brief(self, record: Job, now: datetime) -> list[Item]:
        """Everything short about the job, and its message."""
        state = state_of(record)
        items: list[Item] = [
            Fact("state", f"{state}  {STATES[state][0]}", STATES[state][1], lines=3),
            Fact("job", inert(record.id), lines=2),
            Fact("batch", inert(record.batch_id or "-"), lines=2),
            Fact("retries", str(record.retries), "failed" if record.retries <= 0 else ""),
            Fact("due", day(record.due_date) if record.due_date else "at once"),
            Fact("created", day(record.create_time)),
        ]
        if record.process_instance_id:
            items.append(Fact("instance", inert(record.process_instance_id), lines=2))
        if record.exception_message is not None:
            items += [Spans(), Prose(inert(record.exception_message), "failed", lines=12)]
        return items

    def summary(self, record: Job, now: datetime) -> list[Item]:
        """The same in two lines."""
        state = state_of(record)
        return [
            Spans(((inert(record.id), "strong"), (f"   {STATES[state][0]}", STATES[state][1]))),
            Prose(inert(record.exception_message or f"of batch {record.batch_id or '-'}"),
                  "failed" if record.exception_message else "muted", lines=1),
        ]  # fmt: skip


def _query(query: Query) -> JobQuery:
    from store.contract.queries import JobQuery

    assert isinstance(query, JobQuery)
    return query
