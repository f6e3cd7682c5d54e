"""Jobs: columns, words and the pane about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.causes.fold import fold
from retriage.console.screens.job_states import STATES, state_of
from retriage.console.screens.subject import ListSubject, SortKey
from retriage.console.text.inert import inert
from retriage.console.text.words import age, day, short, until, version_of
from retriage.console.widgets.columns import Column
from retriage.console.widgets.pane import Fact, Item, Prose, Spans
from retriage.console.widgets.rows import Cell
from retriage.store.contract.queries import JobQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.queries import Query
    from retriage.store.contract.records import Job


def belongs_to(job: Job) -> str:
    """What the job works for: its batch, or its process and activity."""
    if job.batch_id:
        return f"batch {short(job.batch_id)}"
    activity = f" {job.failed_activity_id}" if job.failed_activity_id else ""
    return f"{job.process_definition_key or '-'}{activity}"


class JobSubject(ListSubject["Job"]):
    """Jobs of the engine."""

    name = "jobs"
    title = "Jobs"
    thing = "Job"
    legend = "X no retries  r will be tried again  · waits  w not due yet  S suspended"
    columns = (
        Column("S", 1, keep=10),
        Column("job", 11, share=1, most=20, keep=6, tail=True),
        Column("try", 3, keep=9, align="right"),
        Column("pri", 3, keep=1, spare=8, align="right"),
        Column("of", 12, share=1, most=36, keep=7),
        Column("due", 5, keep=3, align="right"),
        Column("age", 5, keep=5, align="right"),
        Column("cause", 11, share=6, keep=8),
    )
    sorts = (
        SortKey("jobRetries", "retries"),
        SortKey("jobDueDate", "due"),
        SortKey("jobId", "id"),
        SortKey("jobPriority", "priority", descending=True),
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
        state = state_of(record, now)
        cause = fold(record.exception_message) if record.exception_message is not None else ""
        return (
            Cell(state, STATES[state][1]),
            Cell(inert(record.id), "muted"),
            Cell(str(record.retries), "failed" if record.retries <= 0 else ""),
            Cell(str(record.priority), "" if record.priority else "muted"),
            Cell(inert(belongs_to(record))),
            Cell(until(record.due_date, now), "muted"),
            Cell(age(record.create_time, now), "muted"),
            Cell(inert(cause), "failed" if state == "X" else "muted"),
        )

    def brief(self, record: Job, now: datetime) -> list[Item]:
        """Everything short about the job, and its message."""
        items = self._facts(record, now)
        if record.exception_message is not None:
            items += [Spans(), Prose(inert(record.exception_message) or "(an empty message)", "failed", lines=12)]
        return items

    def full(self, record: Job, now: datetime) -> list[Item]:
        """Every field of the job; its message stands beside, above the stack trace."""
        more = (
            ("version", version_of(record.process_definition_id or "")), ("execution", record.execution_id),
            ("kind", record.job_definition_id), ("tenant", record.tenant_id),
        )  # fmt: skip
        return [*self._facts(record, now), *(Fact(label, inert(text), lines=2) for label, text in more if text)]

    def _facts(self, record: Job, now: datetime) -> list[Item]:
        state = state_of(record, now)
        said = f"{STATES[state][0]}{'; suspended too' if record.suspended and state != 'S' else ''}"
        items: list[Item] = [
            Fact("state", f"{state}  {said}", STATES[state][1], lines=3, least=2),
            Fact("job", inert(record.id), "muted", lines=1),
            Fact("retries", str(record.retries), "failed" if record.retries <= 0 else ""),
            Fact("priority", str(record.priority)),
            Fact("due", _due_said(record, now)),
            Fact(
                "created", f"{age(record.create_time, now)}   {day(record.create_time)}" if record.create_time else "-"
            ),
        ]
        owners = (
            ("batch", record.batch_id), ("process", record.process_definition_key),
            ("instance", record.process_instance_id), ("activity", record.failed_activity_id),
        )  # fmt: skip
        return items + [Fact(label, inert(text), lines=2) for label, text in owners if text]

    def summary(self, record: Job, now: datetime) -> list[Item]:
        """The same in two lines."""
        state = state_of(record, now)
        return [
            Spans((
                (inert(short(record.id)), "strong"),
                (f"   {inert(belongs_to(record))}", ""),
                (f"   {STATES[state][0]}", STATES[state][1]),
            )),
            Prose(inert(record.exception_message or f"due {_due_said(record, now)}"),
                  "failed" if record.exception_message else "muted", lines=1),
        ]  # fmt: skip


def _due_said(job: Job, now: datetime) -> str:
    if job.due_date is None:
        return "at once"
    return (
        f"in {until(job.due_date, now)}   {day(job.due_date)}" if job.due_date > now else f"since {day(job.due_date)}"
    )


def _query(query: Query) -> JobQuery:
    assert isinstance(query, JobQuery)
    return query
