"""Open incidents."""

from typing import Any

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.errors import missing
from store.contract.queries import IncidentQuery
from store.contract.records import Incident as Record
from store.queries.conditions import Condition, Conditions, among, conditions, count_of, equals, like, page_of
from store.queries.sorting import order_by
from store.tables import Incident, ProcessDefinition
from store.tables.types import col

_I = Incident
_ID: ColumnElement[Any] = col(_I.id)
OPEN: Condition = col(_I.end_time).is_(None)


def _keys(values: list[str | None]) -> Condition | None:
    named = among(col(ProcessDefinition.key), "processDefinitionKeyIn")(values)
    if named is None:
        return None
    return col(_I.process_definition_id).in_(select(col(ProcessDefinition.id)).where(named))


CONDITIONS: Conditions = {
    "incident_id": equals(_ID),
    "incident_type": equals(col(_I.incident_type)),
    "incident_message": equals(col(_I.incident_message)),
    "incident_message_like": like(col(_I.incident_message)),
    "process_definition_id": equals(col(_I.process_definition_id)),
    "process_definition_key_in": _keys,
    "process_instance_id": equals(col(_I.process_instance_id)),
    "execution_id": equals(col(_I.execution_id)),
    "incident_timestamp_before": lambda value: col(_I.create_time) < value,
    "incident_timestamp_after": lambda value: col(_I.create_time) > value,
    "activity_id": equals(col(_I.activity_id)),
    "failed_activity_id": equals(col(_I.failed_activity_id)),
    "cause_incident_id": equals(_ID),
    "root_cause_incident_id": equals(_ID),
    "configuration": equals(col(_I.configuration)),
    "tenant_id_in": among(col(_I.tenant_id), "tenantIds"),
    "job_definition_id_in": among(col(_I.job_definition_id), "jobDefinitionIds"),
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "incidentId": _ID,
    "incidentMessage": col(_I.incident_message),
    "incidentTimestamp": col(_I.create_time),
    "incidentType": col(_I.incident_type),
    "executionId": col(_I.execution_id),
    "activityId": col(_I.activity_id),
    "processInstanceId": col(_I.process_instance_id),
    "processDefinitionId": col(_I.process_definition_id),
    "causeIncidentId": _ID,
    "rootCauseIncidentId": _ID,
    "configuration": col(_I.configuration),
    "tenantId": col(_I.tenant_id),
}

_ROWS = select(
    _ID,
    col(_I.process_definition_id),
    col(_I.process_instance_id),
    col(_I.execution_id),
    col(_I.create_time).label("incident_timestamp"),
    col(_I.incident_type),
    col(_I.activity_id),
    col(_I.failed_activity_id),
    _ID.label("cause_incident_id"),
    _ID.label("root_cause_incident_id"),
    col(_I.configuration),
    col(_I.incident_message),
    col(_I.tenant_id),
    col(_I.job_definition_id),
    col(_I.annotation),
).select_from(_I)


def _conditions(query: IncidentQuery) -> list[Condition]:
    found = [OPEN, *conditions(query, CONDITIONS)]
    before, after = query.incident_timestamp_before, query.incident_timestamp_after
    if before is not None and after is not None and after > before:
        found.append(false())
    return found


async def list_incidents(
    connection: AsyncConnection, query: IncidentQuery, first: int = 0, size: int | None = None
) -> list[Record]:
    """One page of the open incidents that match.

    Raises:
        ContractError: a filter or sort key that the contract refuses.
    """
    order = order_by(query, SORT_COLUMNS, _ID)
    rows = await page_of(connection, _ROWS, _ID, _conditions(query), order, first, size)
    return [Record.model_construct(**row._mapping) for row in rows]


async def count_incidents(connection: AsyncConnection, query: IncidentQuery) -> int:
    """How many open incidents match."""
    order_by(query, SORT_COLUMNS, _ID)
    return await count_of(connection, _ID, _conditions(query))


async def find_incident(connection: AsyncConnection, incident_id: str) -> Record | None:
    """One open incident, none if no incident with that id is open."""
    row = (await connection.execute(_ROWS.where(_ID == incident_id, OPEN))).one_or_none()
    return None if row is None else Record.model_construct(**row._mapping)


async def get_incident(connection: AsyncConnection, incident_id: str) -> Record:
    """One open incident.

    Raises:
        ContractError: 404, no incident with that id is open.
    """
    found = await find_incident(connection, incident_id)
    if found is None:
        raise missing(f"No matching incident with id {incident_id}")
    return found
