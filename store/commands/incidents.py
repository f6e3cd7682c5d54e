"""Incidents: how they are raised, resolved and deleted. A set of things at a time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, bindparam, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.operators import NOBODY, Change, Operator
from retriage.store.contract.errors import ContractError
from retriage.store.contract.records import FAILED_JOB
from retriage.store.contract.states import DELETED, OPEN, RESOLVED
from retriage.store.database import IdRun, now
from retriage.store.queries.conditions import Condition
from retriage.store.tables import Incident, Job
from retriage.store.tables.types import Rows, col

_OPEN = col(Incident.state) == OPEN
"""Not by the end time: without statistics PostgreSQL looks through the index of all open incidents for each task."""


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
    configuration: ColumnElement[Any] = col(Incident.configuration)
    among: Condition = configuration.in_(configurations)
    if connection.dialect.name == "postgresql":
        # As a list they are looked up once. Where its statistics are of another moment PostgreSQL would go through all
        # tasks of a set for each open incident, and through all of its elements for each of those.
        among = configuration == any_(func.array(configurations.scalar_subquery()))
    ended = await connection.execute(update(Incident).where(_OPEN, among).values(end_time=at, state=state))
    return ended.rowcount


async def annotate(
    connection: AsyncConnection, incident_id: str, annotation: str | None, by: Operator = NOBODY
) -> None:
    """Write a note on an open incident, or remove it.

    Raises:
        ContractError: 400 no incident with that id is open, 500 the note is too long.
    """
    this = and_(col(Incident.id) == incident_id, col(Incident.end_time).is_(None))
    if (await connection.execute(select(col(Incident.id)).where(this).with_for_update())).one_or_none() is None:
        raise ContractError(400, "BadUserRequestException", "incident is null", 0)
    await connection.execute(update(Incident).where(this).values(annotation=annotation))
    word = "ClearAnnotation" if annotation is None else "SetAnnotation"
    await by.note(connection, word, "Incident", Change("incidentId", incident_id))


_OF_JOB = (
    "job_definition_id",
    "process_definition_id",
    "execution_id",
    "activity_id",
    "failed_activity_id",
    "tenant_id",
)


async def raise_for_jobs(connection: AsyncConnection, jobs: Condition, failures: Mapping[str, str]) -> None:
    """Raise an incident for each of a set of jobs that has no retries left.

    An incident that is still open from an earlier failure is kept, and only its link to the log refreshed.

    Args:
        connection: the caller's transaction.
        jobs: which jobs.
        failures: the entry of the log that tells of the last failure, by the id of the job.
    """
    spent = (
        select(
            *(col(getattr(Job, name)) for name in ("id", "exception_message", *_OF_JOB)),
            # A job of a batch may belong to an instance; its incident does not.
            case((col(Job.execution_id).is_not(None), col(Job.process_instance_id))).label("process_instance_id"),
            col(Incident.id).label("incident"),
        )
        .outerjoin(Incident, and_(col(Incident.configuration) == col(Job.id), _OPEN))
        .where(jobs, col(Job.retries) == 0)
        .order_by(col(Job.id))
    )
    found = (await connection.execute(spent)).all()
    known = [{"known": job.incident, "entry": failures.get(job.id)} for job in found if job.incident is not None]
    if known:
        table = Incident.__table__  # type: ignore[attr-defined]
        refresh = update(table).where(table.c.id == bindparam("known"))
        await connection.execute(refresh.values(history_configuration=bindparam("entry")), known)
    ids, at = IdRun(), now()
    raised = [
        {
            "id": ids.next(),
            "incident_type": FAILED_JOB,
            "state": OPEN,
            "create_time": at,
            "configuration": job.id,
            "incident_message": job.exception_message,
            "history_configuration": failures.get(job.id),
            **{name: getattr(job, name) for name in ("process_instance_id", *_OF_JOB)},
        }
        for job in found
        if job.incident is None
    ]
    if raised:
        await connection.execute(insert(Incident), raised)
