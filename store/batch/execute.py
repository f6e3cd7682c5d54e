"""Batch jobs: carry out a set of them in one transaction.

Jobs that meet trouble that can be foreseen (an id that names nothing) are picked out first and fail alone; the others
are done by one statement each for what they change, incidents, log and removal. Trouble that can not be foreseen rolls
the whole set back, and the runner carries its jobs out one by one.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.acquire import Acquired, release
from retriage.store.batch.batch_type import BatchType, Ordered
from retriage.store.batch.jobs import Failure, fail, finish
from retriage.store.batch.monitor import close_soon
from retriage.store.batch.types import BATCH_TYPES
from retriage.store.database import Kept, keep, now
from retriage.store.queries.conditions import Condition, any_of
from retriage.store.tables import Batch, BatchElement, Job
from retriage.store.tables.types import Rows, col

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
        batch_type = BATCH_TYPES[batch.type]
        if batch_type.unknown is not None:
            failures = await _unknown(connection, batch_type, mine, await _elements(connection, mine, batch_id, span))
        if failures:
            await fail(connection, failures)
            if len(failures) == MOST_FAILURES:
                return Outcome(failures=failures, left=True)
            span = await _span(connection, mine)
        if span.jobs:
            ordered = Ordered(batch_id, json.loads(batch.configuration))
            await _set(connection, batch_type, ordered, mine, await _elements(connection, mine, batch_id, span))
    if span.jobs + len(failures) < acquired.count:
        await release(connection, acquired)
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
    statement = select(col(Batch.type), col(Batch.configuration)).where(col(Batch.id) == batch_id)
    return (await connection.execute(statement)).one()


async def _set(
    connection: AsyncConnection, batch_type: BatchType, ordered: Ordered, mine: Condition, elements: Condition
) -> None:
    """Do the work of jobs that can not fail any more, and remove them."""
    at = now()
    not_begun = and_(col(Batch.id) == ordered.batch_id, col(Batch.execution_start_time).is_(None))
    await connection.execute(update(Batch).where(not_begun).values(execution_start_time=at))
    await batch_type.work(connection, select(col(BatchElement.element_id)).where(elements), ordered)
    await connection.execute(delete(BatchElement).where(elements))
    await finish(connection, mine, at)
    await close_soon(connection, ordered.batch_id)


async def _elements(connection: AsyncConnection, mine: Condition, batch_id: str, span: Any) -> Condition:
    """The elements of a set of jobs: one range if the jobs follow one another, as they nearly always do, otherwise that
    range without what lies between them, or, where they lie far apart, some ranges. To hold each element against each
    job costs PostgreSQL minutes where its statistics are of another moment: it does that anew for each open incident.
    So a server took up what two killed ones had left behind, and what they had not come to, in one set that it did not
    end.
    """
    ordinal: ColumnElement[Any] = col(BatchElement.ordinal)
    within = and_(col(BatchElement.batch_id) == batch_id, ordinal >= span.first, ordinal < span.past)
    if span.elements == span.past - span.first:
        return within
    statement: Rows = select(col(Job.first), col(Job.past)).where(mine).order_by(col(Job.first))
    jobs = await connection.execute(statement)
    ranges: list[tuple[int, int]] = []
    for first, past in jobs:
        if ranges and ranges[-1][1] == first:
            ranges[-1] = (ranges[-1][0], past)
        else:
            ranges.append((first, past))
    if span.past - span.first - span.elements > MOST_BETWEEN:
        some = any_of([and_(ordinal >= first, ordinal < past) for first, past in ranges])
        return within if some is None else and_(within, some)
    between = [place for (_, end), (begin, _) in pairwise(ranges) for place in range(end, begin)]
    return and_(within, ordinal.not_in(between))


async def _unknown(
    connection: AsyncConnection, batch_type: BatchType, mine: Condition, elements: Condition
) -> list[Failure]:
    """A failure for each job that has an id that names nothing, for the first such id; not more than fail at once."""
    ordinal = col(BatchElement.ordinal)
    nameless = (
        select(ordinal, col(BatchElement.element_id))
        .where(elements, ~exists().where(batch_type.target.key == col(BatchElement.element_id)))
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
            message = str(batch_type.unknown).format(element_id)
            trace = f"NotFoundException: {message}\n\tin batch job {job.id}\n"
            failures[job.id] = Failure(job.id, message, trace)
    return list(failures.values())


def _first(job: Row[Any]) -> int:
    first: int = job.first
    return first
