"""Rows of jobs: what seed, batch and monitor jobs share, and the jobs of tokens with them."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands import incidents
from retriage.store.commands.job_log import OF_ANY, OF_BATCH, moment, write_log
from retriage.store.contract.records import MONITOR_JOB, SEED_JOB
from retriage.store.contract.states import LogState
from retriage.store.database import IdRun, new_id, now
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.tables import Batch, Job, JobDefinition, JobLog
from retriage.store.tables.types import UtcTime, col

MESSAGE_LENGTH = 666
"""An exception message is cut silently to this many characters."""


async def insert_job(
    connection: AsyncConnection, batch_id: str, job_type: str, at: datetime, due: datetime | None = None
) -> str:
    """Add the next seed or monitor job of a batch, with its entry in the log.

    It is born suspended when its definition is, and with the definition's priority. Every seed job carries the
    deployment of the first group, also when it works on a later one.

    Returns:
        The id of the new job.
    """
    which = {SEED_JOB: Batch.seed_job_definition_id, MONITOR_JOB: Batch.monitor_job_definition_id}[job_type]
    job_id = new_id()
    values: dict[str, Any] = {
        "id": literal(job_id),
        "job_type": literal(job_type),
        "job_definition_id": col(JobDefinition.id),
        "batch_id": col(Batch.id),
        "deployment_id": col(JobDefinition.deployment_id),
        "retries": col(Batch.job_retries),
        "due_date": literal(due, UtcTime),
        "suspended": col(JobDefinition.suspended),
        "priority": func.coalesce(col(JobDefinition.overriding_job_priority), 0),
        "create_time": moment(at),
    }
    rows = (
        select(*values.values())
        .select_from(Batch)
        .join(JobDefinition, col(JobDefinition.id) == col(which))
        .where(col(Batch.id) == batch_id)
    )
    await connection.execute(insert(Job).from_select(list(values), rows))
    await write_log(connection, col(Job.id) == job_id, LogState.CREATED, at, OF_BATCH)
    return job_id


async def finish(
    connection: AsyncConnection, jobs: Condition, at: datetime, columns: dict[str, ColumnElement[Any]] = OF_BATCH
) -> None:
    """Jobs have done their work: log it, resolve the incidents of those in trouble, remove them.

    In trouble is a job that has failed before, or that has no retries left.

    Args:
        connection: the caller's transaction.
        jobs: which jobs.
        at: when.
        columns: what the log takes over from them.
    """
    await write_log(connection, jobs, LogState.SUCCESSFUL, at, columns)
    in_trouble = or_(col(Job.exception_message).is_not(None), col(Job.retries) == 0)
    await incidents.resolve(connection, select(col(Job.id)).where(jobs, in_trouble), at)
    await connection.execute(delete(Job).where(jobs))


@dataclass(frozen=True)
class Failure:
    """Why one attempt at a job failed, and at which activity, where it is one of a process.

    ``due`` is when the next attempt is; none leaves the due date of the job as it is.
    """

    job_id: str
    message: str
    stacktrace: str
    activity_id: str | None = None
    due: datetime | None = None

    @classmethod
    def of(cls, job_id: str, error: BaseException) -> "Failure":
        """The failure that an exception describes."""
        return cls(job_id, str(error) or type(error).__name__, "".join(traceback.format_exception(error)))


async def fail(connection: AsyncConnection, failures: Sequence[Failure]) -> None:
    """Attempts at jobs have failed: count them down, keep message and trace, unlock, log; at 0 raise an incident.

    A job is eligible again at once, unless its process sets a pause between the attempts. An incident that is still
    open from an earlier time is kept.
    """
    if not failures:
        return
    reasons = {failure.job_id: failure for failure in failures}
    failed = one_of(col(Job.id), list(reasons))
    columns = [column.label(name) for name, column in OF_ANY.items()]
    jobs = (await connection.execute(select(*columns).where(failed))).all()
    if not jobs:
        return
    entries, at = IdRun(), now()
    log = [
        {
            **job._mapping,
            "id": entries.next(),
            "timestamp": at,
            "state": int(LogState.FAILED),
            "exception_message": reasons[job.job_id].message[:MESSAGE_LENGTH],
            "exception_stacktrace": reasons[job.job_id].stacktrace,
            "failed_activity_id": reasons[job.job_id].activity_id,
        }
        for job in jobs
    ]
    await connection.execute(insert(JobLog), log)
    table = Job.__table__  # type: ignore[attr-defined]
    await connection.execute(
        update(table)
        .where(table.c.id == bindparam("failed"))
        .values(
            retries=case((table.c.retries > 0, table.c.retries - 1), else_=0),
            lock_owner=None,
            lock_expiration_time=None,
            exception_message=bindparam("message"),
            exception_stacktrace=bindparam("trace"),
            failed_activity_id=bindparam("activity"),
            due_date=func.coalesce(bindparam("due", type_=UtcTime), table.c.due_date),
        ),
        [
            {
                "failed": one["job_id"],
                "message": one["exception_message"],
                "trace": one["exception_stacktrace"],
                "activity": one["failed_activity_id"],
                "due": reasons[one["job_id"]].due,
            }
            for one in log
        ],
    )
    # A job that had none left, and was executed nevertheless, loses none: its incident stays as it is.
    spent = {one["job_id"]: one["id"] for one in log if one["job_retries"] > 0}
    await incidents.raise_for_jobs(connection, one_of(col(Job.id), list(spent)), spent)
