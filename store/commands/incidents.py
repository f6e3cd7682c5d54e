"""Incidents: how they are raised, resolved and deleted. A set of things at a time."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.errors import invalid
from store.tables import Incident
from store.tables.incident import DELETED, RESOLVED
from store.tables.types import Rows, col


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
        raise invalid(f"Cannot find incident with id {incident_id}: incident is null", 0)
