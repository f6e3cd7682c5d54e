"""The log of jobs: one entry for each event in the life of one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.states import LogState
from retriage.store.database import IdRun
from retriage.store.queries.conditions import Condition
from retriage.store.tables import Job, JobDefinition, JobLog
from retriage.store.tables.types import UtcTime, col

OF_BATCH: dict[str, ColumnElement[Any]] = {
    "job_id": col(Job.id),
    "job_type": col(Job.job_type),
    "job_definition_id": col(Job.job_definition_id),
    "batch_id": col(Job.batch_id),
    "deployment_id": col(Job.deployment_id),
    "job_retries": col(Job.retries),
    "job_priority": col(Job.priority),
    "job_due_date": col(Job.due_date),
    "process_instance_id": col(Job.process_instance_id),
}
"""Columns of an entry that are taken over from a job of a batch."""

OF_ANY: dict[str, ColumnElement[Any]] = OF_BATCH | {
    "process_definition_id": col(Job.process_definition_id),
    "execution_id": col(Job.execution_id),
    "activity_id": col(Job.activity_id),
    "tenant_id": col(Job.tenant_id),
    "job_configuration": select(col(JobDefinition.job_configuration))
    .where(col(JobDefinition.id) == col(Job.job_definition_id), col(Job.batch_id).is_(None))
    .correlate(Job)
    .scalar_subquery(),
}
"""Columns of an entry that are taken over from a job, of a batch or of a token."""


def moment(at: datetime) -> Any:
    """A time as a value inside a select."""
    return literal(at, UtcTime)


async def write_log(
    connection: AsyncConnection,
    jobs: Condition,
    state: LogState,
    at: datetime,
    columns: dict[str, ColumnElement[Any]] = OF_ANY,
) -> None:
    """One log entry of the same kind for each of a set of jobs; ``columns`` are those that it takes over."""
    values: dict[str, Any] = {
        "id": IdRun().column(func.row_number().over(order_by=col(Job.id))),
        "timestamp": moment(at),
        "state": literal(int(state)),
        **columns,
    }
    await connection.execute(insert(JobLog).from_select(list(values), select(*values.values()).where(jobs)))
