"""Batch jobs: carry out a set of them in one transaction.

Jobs that meet trouble that can be foreseen (an id without a task) are picked out first and fail alone; the others are
done by one statement each for tasks, incidents, log and removal. Trouble that can not be foreseen rolls the whole
set back, and the runner carries its jobs out one by one.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.acquire import Acquired, release
from store.batch.jobs import Failure, fail, finish
from store.batch.monitor import close_soon
from store.commands.retries import set_retries
from store.database import Kept, keep, now
from store.queries.conditions import Condition
from store.tables import Batch, BatchElement, ExternalTask, Job
from store.tables.types import col


async def run_jobs(connection: AsyncConnection, acquired: Acquired) -> int:
    """Carry out the batch jobs of one batch that an acquisition holds.

    Jobs that were suspended since they were acquired stay as they are, and are given back.

    Args:
        connection: the caller's transaction.
        acquired: the acquisition.

    Returns:
        How many jobs succeeded.
    """
    mine, batch_id = acquired.held(), acquired.batch_id
    await keep(connection, col(Batch.id), col(Batch.id) == batch_id, how=Kept.SHARED)
    await keep(connection, col(Job.id), mine)
    span = await _span(connection, mine)
    failures = await _unknown(connection, mine, _elements(mine, batch_id, span)) if span.jobs else []
    if failures:
        await fail(connection, failures)
        span = await _span(connection, mine)
    if span.jobs:
        await _set(connection, mine, batch_id, _elements(mine, batch_id, span))
    if span.jobs + len(failures) < acquired.count:
        await release(connection, acquired.token, acquired.low, acquired.high)
    return int(span.jobs)


async def _span(connection: AsyncConnection, mine: Condition) -> Any:
    """How many jobs a set has, and which elements."""
    statement = select(
        func.count().label("jobs"),
        func.min(col(Job.first)).label("first"),
        func.max(col(Job.past)).label("past"),
        func.sum(col(Job.past) - col(Job.first)).label("elements"),
    ).where(mine)
    return (await connection.execute(statement)).one()


async def _set(connection: AsyncConnection, mine: Condition, batch_id: str, elements: Condition) -> None:
    """Do the work of jobs that can not fail any more, and remove them."""
    at = now()
    this = col(Batch.id) == batch_id
    retries = (await connection.execute(select(col(Batch.retries)).where(this))).scalar_one()
    await connection.execute(
        update(Batch).where(this, col(Batch.execution_start_time).is_(None)).values(execution_start_time=at)
    )
    await set_retries(connection, select(col(BatchElement.element_id)).where(elements), retries)
    await connection.execute(delete(BatchElement).where(elements))
    await finish(connection, mine, at)
    await close_soon(connection, batch_id)


def _elements(mine: Condition, batch_id: str, span: Any) -> Condition:
    """The elements of a set of jobs: one range if the jobs follow one another, as they nearly always do."""
    ordinal: ColumnElement[Any] = col(BatchElement.ordinal)
    of_batch = col(BatchElement.batch_id) == batch_id
    within = and_(of_batch, ordinal >= span.first, ordinal < span.past)
    if span.elements == span.past - span.first:
        return within
    return and_(within, exists().where(mine, col(Job.first) <= ordinal, col(Job.past) > ordinal))


async def _unknown(connection: AsyncConnection, mine: Condition, elements: Condition) -> list[Failure]:
    """A failure for each job that has an id without a task, for the first such id."""
    ordinal = col(BatchElement.ordinal)
    without_task = (
        select(ordinal.label("ordinal"), col(BatchElement.element_id))
        .where(elements, ~exists().where(col(ExternalTask.id) == col(BatchElement.element_id)))
        .subquery("without_task")
    )
    rows = (
        select(col(Job.id), without_task.c.element_id)
        .join(without_task, and_(without_task.c.ordinal >= col(Job.first), without_task.c.ordinal < col(Job.past)))
        .where(mine)
        .order_by(without_task.c.ordinal)
    )
    if (await connection.execute(select(without_task.c.ordinal).limit(1))).first() is None:
        return []
    failures: dict[str, Failure] = {}
    for job_id, task_id in await connection.execute(rows):
        message = f"Cannot find external task with id {task_id}: externalTask is null"
        trace = f"NotFoundException: {message}\n\tin batch job {job_id}\n"
        failures.setdefault(job_id, Failure(job_id, message, trace))
    return list(failures.values())
