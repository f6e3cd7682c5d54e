"""Rows of jobs and their log: what seed, batch and monitor jobs share."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.commands import incidents
from store.contract.records import MONITOR_JOB, SEED_JOB
from store.contract.states import LogState
from store.database import IdRun, new_id, now
from store.queries.conditions import Condition, one_of
from store.tables import Batch, Job, JobDefinition, JobLog
from store.tables.types import UtcTime, col

MESSAGE_LENGTH = 666
"""An exception message is cut silently to this many characters."""


def moment(at: datetime) -> Any:
    """A time as a value inside a select."""
    return literal(at, UtcTime)


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
    await write_log(connection, col(Job.id) == job_id, LogState.CREATED, at)
    return job_id


async def write_log(connection: AsyncConnection, jobs: Condition, state: LogState, at: datetime) -> None:
    """One log entry of the same kind for each of a set of jobs."""
    values: dict[str, Any] = {
        "id": IdRun().column(func.row_number().over(order_by=col(Job.id))),
        "timestamp": moment(at),
        "state": literal(int(state)),
        **{name: col(column) for name, column in _LOGGED.items()},
    }
    await connection.execute(insert(JobLog).from_select(list(values), select(*values.values()).where(jobs)))


async def finish(connection: AsyncConnection, jobs: Condition, at: datetime) -> None:
    """Jobs have done their work: log it, resolve the incidents of those in trouble, remove them.

    In trouble is a job that has failed before, or that has no retries left.
    """
    await write_log(connection, jobs, LogState.SUCCESSFUL, at)
    in_trouble = or_(col(Job.exception_message).is_not(None), col(Job.retries) == 0)
    await incidents.resolve(connection, select(col(Job.id)).where(jobs, in_trouble), at)
    await connection.execute(delete(Job).where(jobs))


@dataclass(frozen=True)
class Failure:
    """Why one attempt at a job failed."""

    job_id: str
    message: str
    stacktrace: str

    @classmethod
    def of(cls, job_id: str, error: BaseException) -> "Failure":
        """The failure that an exception describes."""
        return cls(job_id, str(error) or type(error).__name__, "".join(traceback.format_exception(error)))


async def fail(connection: AsyncConnection, failures: Sequence[Failure]) -> None:
    """Attempts at jobs have failed: count them down, keep message and trace, unlock, log; at 0 raise an incident.

    A job is eligible again at once: the engine has no pause between the attempts of batch jobs. An incident that is
    still open from an earlier time is kept.
    """
    if not failures:
        return
    reasons = {failure.job_id: failure for failure in failures}
    failed = one_of(col(Job.id), list(reasons))
    jobs = (await connection.execute(select(*(col(column) for column in _LOGGED.values())).where(failed))).all()
    if not jobs:
        return
    entries, at = IdRun(), now()
    log = [
        {
            **dict(zip(_LOGGED, job, strict=True)),
            "id": entries.next(),
            "timestamp": at,
            "state": int(LogState.FAILED),
            "exception_message": reasons[job.id].message[:MESSAGE_LENGTH],
            "exception_stacktrace": reasons[job.id].stacktrace,
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
        ),
        [
            {"failed": one["job_id"], "message": one["exception_message"], "trace": one["exception_stacktrace"]}
            for one in log
        ],
    )
    # A job that had none left, and was executed nevertheless, loses none: its incident stays as it is.
    spent = {one["job_id"]: one["id"] for one in log if one["job_retries"] > 0}
    await incidents.raise_for_jobs(connection, one_of(col(Job.id), list(spent)), spent)


_LOGGED = {
    "job_id": Job.id,
    "job_type": Job.job_type,
    "job_definition_id": Job.job_definition_id,
    "batch_id": Job.batch_id,
    "deployment_id": Job.deployment_id,
    "job_retries": Job.retries,
    "job_priority": Job.priority,
    "job_due_date": Job.due_date,
}
"""Columns of the log that are taken over from the job."""
