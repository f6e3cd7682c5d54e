"""What the ids of a batch name, for each type of batch, and what its jobs do to them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from store.batch.job_retries import NO_JOB, set_retries_of_jobs
from store.commands.retries import set_retries
from store.contract.records import SET_EXTERNAL_TASK_RETRIES, SET_JOB_RETRIES
from store.tables import ExternalTask, Job, ProcessDefinition
from store.tables.types import Rows, col

_Target = aliased(Job)
"""A job that a batch changes, beside the batch's own."""


@dataclass(frozen=True)
class Subject:
    """One type of batch.

    Args:
        batch_type: its name in the contract.
        key: the id of what its ids name.
        deployment: the deployment by which they are grouped.
        join: adds the row that an id names, and that of its deployment, to a select; the id is given.
        unknown: what a job says of an id that names nothing; ``{}`` stands for the id.
        work: does what the batch, whose row is given, was made for to all that a select of ids names.
    """

    batch_type: str
    key: ColumnElement[Any]
    deployment: ColumnElement[Any]
    join: Callable[[Rows, ColumnElement[Any]], Rows]
    unknown: str
    work: Callable[[AsyncConnection, Rows, Row[Any]], Awaitable[None]]


def _with_task(rows: Rows, identity: ColumnElement[Any]) -> Rows:
    definition = col(ProcessDefinition.id) == col(ExternalTask.process_definition_id)
    return rows.outerjoin(ExternalTask, col(ExternalTask.id) == identity).outerjoin(ProcessDefinition, definition)


async def _set_tasks(connection: AsyncConnection, ids: Rows, batch: Row[Any]) -> None:
    await set_retries(connection, ids, batch.retries)


def _with_job(rows: Rows, identity: ColumnElement[Any]) -> Rows:
    return rows.outerjoin(_Target, col(_Target.id) == identity)


async def _set_jobs(connection: AsyncConnection, ids: Rows, batch: Row[Any]) -> None:
    # Read at once: which ids they are depends on the batch's own jobs, rows of the same table.
    jobs = list((await connection.execute(ids)).scalars())
    await set_retries_of_jobs(
        connection, jobs, batch.retries, {"due_date": batch.due_date} if batch.sets_due_date else {}
    )


EXTERNAL_TASKS = Subject(
    batch_type=SET_EXTERNAL_TASK_RETRIES,
    key=col(ExternalTask.id),
    deployment=col(ProcessDefinition.deployment_id),
    join=_with_task,
    unknown="Cannot find external task with id {}: externalTask is null",
    work=_set_tasks,
)

JOBS = Subject(
    batch_type=SET_JOB_RETRIES,
    key=col(_Target.id),
    deployment=col(_Target.deployment_id),
    join=_with_job,
    unknown=NO_JOB,
    work=_set_jobs,
)

SUBJECTS = {subject.batch_type: subject for subject in (EXTERNAL_TASKS, JOBS)}
