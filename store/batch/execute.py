"""Batch jobs: carry out a set of them in one transaction.

Jobs that meet trouble that can be foreseen (an id without a task) are picked out first and fail alone; the others are
done by one statement each for tasks, incidents, log and removal. Trouble that can not be foreseen rolls the whole
set back, and the runner carries its jobs out one by one.
"""

from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.jobs import Failure, fail, finish, held
from store.batch.monitor import close_soon
from store.commands.retries import set_retries
from store.database import now
from store.queries.conditions import Condition
from store.tables import Batch, BatchElement, ExternalTask, Job
from store.tables.types import Rows, col


async def run_jobs(connection: AsyncConnection, token: str, batch_id: str, job_type: str) -> int:
    """Carry out the batch jobs of one batch that ``token`` holds.

    Jobs that were suspended since they were acquired stay as they are.

    Args:
        connection: the caller's transaction.
        token: the acquisition.
        batch_id: the batch.
        job_type: the type of the batch.

    Returns:
        How many jobs succeeded.
    """
    mine = held(token, batch_id, job_type)
    await fail(connection, await _unknown(connection, mine))
    span = (
        await connection.execute(
            select(
                func.count().label("jobs"),
                func.min(col(Job.first)).label("first"),
                func.max(col(Job.past)).label("past"),
                func.sum(col(Job.past) - col(Job.first)).label("elements"),
            ).where(mine)
        )
    ).one()
    if not span.jobs:
        return 0
    at = now()
    elements = _elements(mine, batch_id, span)
    batch = select(col(Batch.retries)).where(col(Batch.id) == batch_id)
    retries = (await connection.execute(batch)).scalar_one()
    await connection.execute(
        update(Batch)
        .where(col(Batch.id) == batch_id, col(Batch.execution_start_time).is_(None))
        .values(execution_start_time=at)
    )
    await set_retries(connection, select(col(BatchElement.element_id)).where(elements), retries)
    await connection.execute(delete(BatchElement).where(elements))
    await finish(connection, mine, at)
    await close_soon(connection, batch_id)
    return int(span.jobs)


def _elements(mine: Condition, batch_id: str, span: Any) -> Condition:
    """The elements of a set of jobs: one range if the jobs follow one another, as they nearly always do."""
    ordinal: ColumnElement[Any] = col(BatchElement.ordinal)
    of_batch = col(BatchElement.batch_id) == batch_id
    within = and_(of_batch, ordinal >= span.first, ordinal < span.past)
    if span.elements == span.past - span.first:
        return within
    return and_(within, exists().where(mine, col(Job.first) <= ordinal, col(Job.past) > ordinal))


def _job_elements(mine: Condition) -> Rows:
    return (
        select(col(Job.id), col(BatchElement.element_id))
        .join(
            BatchElement,
            and_(
                col(BatchElement.batch_id) == col(Job.batch_id),
                col(BatchElement.ordinal) >= col(Job.first),
                col(BatchElement.ordinal) < col(Job.past),
            ),
        )
        .where(mine)
        .order_by(col(BatchElement.ordinal))
    )


async def _unknown(connection: AsyncConnection, mine: Condition) -> list[Failure]:
    """A failure for each job that has an id without a task, for the first such id."""
    without_task = _job_elements(mine).where(~exists().where(col(ExternalTask.id) == col(BatchElement.element_id)))
    failures: dict[str, Failure] = {}
    for job_id, task_id in await connection.execute(without_task):
        message = f"Cannot find external task with id {task_id}: externalTask is null"
        trace = f"NotFoundException: {message}\n\tin batch job {job_id}\n"
        failures.setdefault(job_id, Failure(job_id, message, trace))
    return list(failures.values())
