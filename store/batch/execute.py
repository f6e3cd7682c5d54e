"""Batch jobs: carry out a set of them in one transaction.

Jobs that meet trouble that can be foreseen (an id that names nothing) are picked out first and fail alone; the others
are done by one statement each for what they change, incidents, log and removal. Trouble that can not be foreseen rolls
the whole set back, and the runner carries its jobs out one by one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.acquire import Acquired, release
from store.batch.jobs import Failure, fail, finish
from store.batch.monitor import close_soon
from store.batch.subjects import SUBJECTS, Subject
from store.database import Kept, keep, now
from store.queries.conditions import Condition
from store.tables import Batch, BatchElement, Job
from store.tables.types import col

MOST_FAILURES = 200
"""Jobs that fail in one transaction. A failure costs several rows with long texts, and others want to write too."""

MOST_BETWEEN = 20_000
"""Elements between the jobs of a set that are named in a statement. SQLite takes 32,766 values."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a set of jobs; ``left`` says that some are still held, to be carried out by another call."""

    succeeded: int = 0
    failures: list[Failure] = field(default_factory=list)
    left: bool = False


async def run_jobs(connection: AsyncConnection, acquired: Acquired) -> Outcome:
    """Carry out the batch jobs of one batch that an acquisition holds, or some of them.

    Jobs that were suspended since they were acquired stay as they are, and are given back.

    Args:
        connection: the caller's transaction.
        acquired: the acquisition.
    """
    mine, batch_id = acquired.held(), acquired.batch_id
    await keep(connection, col(Batch.id), col(Batch.id) == batch_id, how=Kept.SHARED)
    await keep(connection, col(Job.id), mine)
    span = await _span(connection, mine)
    failures: list[Failure] = []
    if span.jobs:
        batch = await _batch(connection, batch_id)
        subject = SUBJECTS[batch.type]
        failures = await _unknown(connection, subject, mine, await _elements(connection, mine, batch_id, span))
        if failures:
            await fail(connection, failures)
            if len(failures) == MOST_FAILURES:
                return Outcome(failures=failures, left=True)
            span = await _span(connection, mine)
        if span.jobs:
            await _set(connection, subject, batch, mine, await _elements(connection, mine, batch_id, span))
    if span.jobs + len(failures) < acquired.count:
        await release(connection, acquired.token, acquired.low, acquired.high)
    return Outcome(span.jobs, failures)


async def _span(connection: AsyncConnection, mine: Condition) -> Any:
    """How many jobs a set has, and which elements."""
    statement = select(
        func.count().label("jobs"),
        func.min(col(Job.first)).label("first"),
        func.max(col(Job.past)).label("past"),
        func.sum(col(Job.past) - col(Job.first)).label("elements"),
    ).where(mine)
    return (await connection.execute(statement)).one()


async def _batch(connection: AsyncConnection, batch_id: str) -> Any:
    """What a batch is to do."""
    statement = select(
        col(Batch.id), col(Batch.type), col(Batch.retries), col(Batch.due_date), col(Batch.sets_due_date)
    ).where(col(Batch.id) == batch_id)
    return (await connection.execute(statement)).one()


async def _set(
    connection: AsyncConnection, subject: Subject, batch: Row[Any], mine: Condition, elements: Condition
) -> None:
    """Do the work of jobs that can not fail any more, and remove them."""
    at = now()
    not_begun = and_(col(Batch.id) == batch.id, col(Batch.execution_start_time).is_(None))
    await connection.execute(update(Batch).where(not_begun).values(execution_start_time=at))
    await subject.work(connection, select(col(BatchElement.element_id)).where(elements), batch)
    await connection.execute(delete(BatchElement).where(elements))
    await finish(connection, mine, at)
    await close_soon(connection, batch.id)


async def _elements(connection: AsyncConnection, mine: Condition, batch_id: str, span: Any) -> Condition:
    """The elements of a set of jobs: one range if the jobs follow one another, as they nearly always do, and otherwise
    that range without what lies between them. To hold each element against each job costs PostgreSQL a minute for 900
    jobs where its statistics are of another moment: it does that anew for each open incident.
    """
    ordinal: ColumnElement[Any] = col(BatchElement.ordinal)
    within = and_(col(BatchElement.batch_id) == batch_id, ordinal >= span.first, ordinal < span.past)
    if span.elements == span.past - span.first:
        return within
    if span.past - span.first - span.elements > MOST_BETWEEN:
        return and_(within, exists().where(mine, col(Job.first) <= ordinal, col(Job.past) > ordinal))
    between: list[int] = []
    at = span.first
    for job in await connection.execute(select(col(Job.first), col(Job.past)).where(mine).order_by(col(Job.first))):
        between += range(at, job.first)
        at = job.past
    return and_(within, ordinal.not_in(between))


async def _unknown(
    connection: AsyncConnection, subject: Subject, mine: Condition, elements: Condition
) -> list[Failure]:
    """A failure for each job that has an id that names nothing, for the first such id; not more than fail at once."""
    ordinal = col(BatchElement.ordinal)
    nameless = (
        select(ordinal, col(BatchElement.element_id))
        .where(elements, ~exists().where(subject.key == col(BatchElement.element_id)))
        .order_by(ordinal)
    )
    if (await connection.execute(nameless.limit(1))).first() is None:
        return []
    held = select(col(Job.id), col(Job.first), col(Job.past)).where(mine).order_by(col(Job.first))
    jobs: Sequence[Row[Any]] = (await connection.execute(held)).all()  # type: ignore[assignment]
    widest = max(job.past - job.first for job in jobs)
    failures: dict[str, Failure] = {}
    for place, element_id in await connection.execute(nameless.limit(MOST_FAILURES * widest)):
        job = jobs[bisect_right(jobs, place, key=_first) - 1]
        if job.id not in failures and len(failures) < MOST_FAILURES:
            message = subject.unknown.format(element_id)
            trace = f"NotFoundException: {message}\n\tin batch job {job.id}\n"
            failures[job.id] = Failure(job.id, message, trace)
    return list(failures.values())


def _first(job: Row[Any]) -> int:
    first: int = job.first
    return first
