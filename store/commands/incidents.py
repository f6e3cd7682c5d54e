"""Incidents: how they are raised, resolved and deleted. A set of things at a time."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.errors import ContractError
from store.contract.records import FAILED_JOB
from store.database import IdRun, now
from store.queries.conditions import Condition
from store.tables import Incident, Job, JobLog
from store.tables.incident import DELETED, OPEN, RESOLVED
from store.tables.log import LogState
from store.tables.types import Rows, UtcTime, col


async def resolve(connection: AsyncConnection, configurations: Rows, at: datetime) -> int:
    """End the open incidents of these tasks or jobs as resolved.

    Args:
        connection: the caller's transaction.
        configurations: a select of the ids of external tasks or jobs.
        at: the end of the incidents.

    Returns:
        How many were open.
    """
    return await _end(connection, configurations, at, RESOLVED)


async def delete(connection: AsyncConnection, configurations: Rows, at: datetime) -> int:
    """End the open incidents of tasks or jobs that are removed; see ``resolve``."""
    return await _end(connection, configurations, at, DELETED)


async def _end(connection: AsyncConnection, configurations: Rows, at: datetime, state: str) -> int:
    ended = await connection.execute(
        update(Incident)
        .where(col(Incident.end_time).is_(None), col(Incident.configuration).in_(configurations))
        .values(end_time=at, state=state)
    )
    return ended.rowcount


async def annotate(connection: AsyncConnection, incident_id: str, annotation: str | None) -> None:
    """Write a note on an open incident, or remove it.

    Raises:
        ContractError: 400, no incident with that id is open.
    """
    changed = await connection.execute(
        update(Incident)
        .where(col(Incident.id) == incident_id, col(Incident.end_time).is_(None))
        .values(annotation=annotation)
    )
    if not changed.rowcount:
        raise ContractError(400, "BadUserRequestException", "incident is null", 0)


async def raise_for_jobs(connection: AsyncConnection, jobs: Condition) -> None:
    """Raise an incident for each of a set of jobs that has no retries left.

    An incident that is still open from an earlier failure is kept, and only its link to the log refreshed.
    """
    last_failure = (
        select(func.max(col(JobLog.id)))
        .where(
            col(JobLog.batch_id) == col(Job.batch_id),
            col(JobLog.state) == int(LogState.FAILED),
            col(JobLog.job_id) == col(Job.id),
        )
        .scalar_subquery()
    )
    has_one = select(col(Incident.configuration)).where(col(Incident.end_time).is_(None))
    spent = and_(jobs, col(Job.retries) == 0)
    await connection.execute(
        update(Incident)
        .where(col(Incident.end_time).is_(None), col(Incident.configuration).in_(select(col(Job.id)).where(spent)))
        .values(
            history_configuration=(
                select(func.max(col(JobLog.id)))
                .where(col(JobLog.job_id) == col(Incident.configuration), col(JobLog.state) == int(LogState.FAILED))
                .scalar_subquery()
            )
        )
    )
    values: dict[str, Any] = {
        "id": IdRun().column(func.row_number().over(order_by=col(Job.id))),
        "incident_type": literal(FAILED_JOB),
        "state": literal(OPEN),
        "create_time": literal(now(), UtcTime),
        "configuration": col(Job.id),
        "incident_message": col(Job.exception_message),
        "job_definition_id": col(Job.job_definition_id),
        "history_configuration": last_failure,
    }
    rows = select(*values.values()).where(spent, col(Job.id).not_in(has_one))
    await connection.execute(insert(Incident).from_select(list(values), rows))
