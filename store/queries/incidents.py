"""Incidents: open ones, and all that there ever were. The same rows serve both."""

from typing import Any

from sqlalchemy import ColumnElement, case, select

from retriage.store.contract.errors import engine_error
from retriage.store.contract.history import HistoricIncident, HistoricIncidentQuery
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident as Record
from retriage.store.contract.states import DELETED, RESOLVED
from retriage.store.queries.conditions import Condition, Conditions, among, conditions, equals, flag, like
from retriage.store.queries.listing import Listing
from retriage.store.queries.of_definition import OfDefinition, removal_time
from retriage.store.tables import Incident, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import Rows, col

_I = Incident
_ID: ColumnElement[Any] = col(_I.id)
_DEFINITION = OfDefinition(col(_I.process_definition_id))
_KEY: ColumnElement[Any] = col(ProcessDefinition.key)
OPEN: Condition = col(_I.end_time).is_(None)

_COMMON: Conditions = {
    "incident_id": equals(_ID),
    "incident_type": equals(col(_I.incident_type)),
    "incident_message": equals(col(_I.incident_message)),
    "incident_message_like": like(col(_I.incident_message)),
    "process_definition_id": equals(col(_I.process_definition_id)),
    "process_definition_key_in": lambda values: _DEFINITION.fulfils(among(_KEY, "processDefinitionKeyIn")(values)),
    "process_instance_id": equals(col(_I.process_instance_id)),
    "execution_id": equals(col(_I.execution_id)),
    "activity_id": equals(col(_I.activity_id)),
    "failed_activity_id": equals(col(_I.failed_activity_id)),
    "cause_incident_id": equals(_ID),
    "root_cause_incident_id": equals(_ID),
    "configuration": equals(col(_I.configuration)),
    "tenant_id_in": among(col(_I.tenant_id), "tenantIds"),
    "job_definition_id_in": among(col(_I.job_definition_id), "jobDefinitionIds"),
}

CONDITIONS: Conditions = {
    **_COMMON,
    "incident_timestamp_before": lambda value: col(_I.create_time) < value,
    "incident_timestamp_after": lambda value: col(_I.create_time) > value,
}

HISTORY_CONDITIONS: Conditions = {
    **_COMMON,
    "process_definition_key": lambda value: _DEFINITION.fulfils(_KEY == value),
    "history_configuration": equals(col(_I.history_configuration)),
    "create_time_before": lambda value: col(_I.create_time) < value,
    "create_time_after": lambda value: col(_I.create_time) > value,
    "end_time_before": lambda value: col(_I.end_time) < value,
    "end_time_after": lambda value: col(_I.end_time) > value,
    "without_tenant_id": flag(lambda: col(_I.tenant_id).is_(None)),
    "open": lambda _value: OPEN,
    "resolved": flag(lambda: col(_I.state) == RESOLVED),
    "deleted": flag(lambda: col(_I.state) == DELETED),
}

_COMMON_SORT: dict[str, ColumnElement[Any]] = {
    "incidentId": _ID,
    "incidentMessage": col(_I.incident_message),
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

SORT_COLUMNS = {**_COMMON_SORT, "incidentTimestamp": col(_I.create_time)}

HISTORY_SORT_COLUMNS = {
    **_COMMON_SORT,
    "createTime": col(_I.create_time),
    "endTime": col(_I.end_time),
    "processDefinitionKey": _DEFINITION.column(_KEY),
    "historyConfiguration": col(_I.history_configuration),
    "incidentState": case((OPEN, 0), (col(_I.state) == RESOLVED, 1), else_=2),
}

_COLUMNS = (
    _ID,
    col(_I.process_definition_id),
    col(_I.process_instance_id),
    col(_I.execution_id),
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
)

_ROWS: Rows = select(*_COLUMNS, col(_I.create_time).label("incident_timestamp")).select_from(_I)

_HISTORY_ROWS: Rows = (
    select(
        *_COLUMNS,
        _KEY.label("process_definition_key"),
        col(_I.process_instance_id).label("root_process_instance_id"),
        col(_I.create_time),
        col(_I.end_time),
        removal_time().label("removal_time"),
        col(_I.history_configuration),
        OPEN.label("open"),
        (col(_I.state) == DELETED).label("deleted"),
        (col(_I.state) == RESOLVED).label("resolved"),
    )
    .select_from(_I)
    .outerjoin(ProcessDefinition, col(ProcessDefinition.id) == col(_I.process_definition_id))
    .outerjoin(ProcessInstance, col(ProcessInstance.id) == col(_I.process_instance_id))
)


INCIDENTS = Listing(
    query=IncidentQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(OPEN,),
    ranges=(("incident_timestamp_after", "incident_timestamp_before"),),
    unknown="No matching incident with id {}",
)
"""Open incidents."""


def _history(query: HistoricIncidentQuery) -> list[Condition]:
    states = ["open"] if query.open is not None else []
    states += [name for name in ("resolved", "deleted") if getattr(query, name)]
    if len(states) > 1:
        raise engine_error(f"Already querying for incident state <{states[0]}>")
    return conditions(
        query,
        HISTORY_CONDITIONS,
        wins=(("without_tenant_id", "tenant_id_in"),),
        ranges=(("create_time_after", "create_time_before"), ("end_time_after", "end_time_before")),
    )


HISTORIC_INCIDENTS = Listing(
    query=HistoricIncidentQuery,
    shape=HistoricIncident,
    rows=_HISTORY_ROWS,
    key=_ID,
    conditions=HISTORY_CONDITIONS,
    sort_columns=HISTORY_SORT_COLUMNS,
    where=_history,
)
"""Incidents, open or ended."""
