"""Process instances, running or ended: the same rows that the runtime endpoints show, without their end."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, not_, or_, select

from retriage.store.contract.errors import ContractError, engine_error
from retriage.store.contract.queries import HistoricProcessInstanceQuery
from retriage.store.contract.records import HistoricProcessInstance as Record
from retriage.store.contract.states import (
    ACTIVE,
    COMPLETED,
    EXTERNALLY_TERMINATED,
    INTERNALLY_TERMINATED,
    SUSPENDED,
    LogState,
)
from retriage.store.queries.conditions import (
    Condition,
    Conditions,
    all_of,
    among,
    any_of,
    conditions,
    equals,
    flag,
    like,
    never,
)
from retriage.store.queries.listing import Listing
from retriage.store.queries.of_definition import PRESENT, removal_time
from retriage.store.queries.process_instances import DEFINITION, has_incident, waits_at
from retriage.store.queries.variable_filters import INSTANCE, variable_conditions
from retriage.store.tables import Execution, ExternalTaskLog, Incident, Job, JobLog, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import col

_P = ProcessInstance
_ID: ColumnElement[Any] = col(_P.id)

_STATES = {
    "active": ACTIVE,
    "suspended": SUSPENDED,
    "completed": COMPLETED,
    "externally_terminated": EXTERNALLY_TERMINATED,
    "internally_terminated": INTERNALLY_TERMINATED,
}


def _status(value: str) -> Condition:
    known = {"open": col(Incident.end_time).is_(None), "resolved": col(Incident.end_time).is_not(None)}
    return known.get(value, col(Incident.id).is_not(None))


_INCIDENT_FILTERS: dict[str, Callable[[Any], Condition | None]] = {
    "incident_type": equals(col(Incident.incident_type)),
    "incident_status": _status,
    "incident_message": equals(col(Incident.incident_message)),
    "incident_message_like": like(col(Incident.incident_message)),
    "incident_id_in": among(col(Incident.id), "incidentIds"),
}


def _ids(values: list[str | None]) -> Condition | None:
    if not values:
        raise engine_error("Set of process instance ids is empty")
    return among(_ID, "processInstanceIds")(values)


def _not_ids(values: list[str | None]) -> Condition | None:
    found = among(_ID, "processInstanceIdNotIn")(values)
    return None if found is None else not_(found)


def _of_present(condition: Condition | None) -> Condition | None:
    """The definition fulfils a condition. One whose deployment was removed fulfils none, although its key is still
    answered (observed on Camunda 7.24.0).
    """
    return None if condition is None else DEFINITION.fulfils(and_(PRESENT, condition))


def _not_keys(values: list[str | None]) -> Condition | None:
    if any(not value for value in values):
        raise ContractError(400, "NotValidException", "processDefinitionKeys contains empty string", 0)
    if not values:
        return None
    patterns = any_of([like(col(ProcessDefinition.key))(str(value)) for value in values])
    assert patterns is not None
    return _of_present(not_(patterns))


def _activity(*more: Condition) -> Condition:
    return exists().where(col(ExternalTaskLog.process_instance_id) == _ID, *more)


def _ended_activity(values: Sequence[str | None]) -> Condition | None:
    if not values:
        return None
    named = among(col(ExternalTaskLog.activity_id), "activityIds")(values)
    assert named is not None
    ended = col(ExternalTaskLog.state).in_((LogState.SUCCESSFUL, LogState.DELETED))
    begun = among(col(_P.start_activity_id))(values)
    return or_(_activity(named, ended), begun) if begun is not None else None


def _active_after(value: datetime) -> Condition:
    """Events and gateways leave no trace of their own: they begin and end with the instance, or with a task."""
    moved = _activity(_NOT_FAILED, col(ExternalTaskLog.timestamp) >= value)
    return or_(col(_P.start_time) >= value, col(_P.end_time) >= value, moved)


def _job_entry(condition: Condition) -> Condition:
    # Only those of tokens, which have an index.
    return exists().where(col(JobLog.process_instance_id) == _ID, col(JobLog.execution_id).is_not(None), condition)


_RETRYING = (col(Job.execution_id).is_not(None), col(Job.retries) > 0, col(Job.exception_message).is_not(None))
_NOT_FAILED: Condition = col(ExternalTaskLog.state) != LogState.FAILED

_KEY_IN = among(col(ProcessDefinition.key), "processDefinitionKeyIn")

CONDITIONS: Conditions = {
    "process_instance_id": equals(_ID),
    "process_instance_ids": _ids,
    "process_instance_id_not_in": _not_ids,
    "root_process_instance_id": equals(_ID),
    "process_definition_id": equals(col(_P.process_definition_id)),
    "process_definition_key": lambda value: _of_present(col(ProcessDefinition.key) == value),
    "process_definition_key_in": lambda values: _of_present(_KEY_IN(values)),
    "process_definition_key_not_in": _not_keys,
    "process_definition_name": lambda value: DEFINITION.fulfils(col(ProcessDefinition.name) == value),
    "process_definition_name_like": lambda value: DEFINITION.fulfils(like(col(ProcessDefinition.name))(value)),
    "process_instance_business_key": equals(col(_P.business_key)),
    "process_instance_business_key_in": among(col(_P.business_key), "processInstanceBusinessKeyIn"),
    "process_instance_business_key_like": like(col(_P.business_key)),
    "root_process_instances": lambda _value: None,
    "finished": flag(lambda: col(_P.end_time).is_not(None)),
    "unfinished": flag(lambda: col(_P.end_time).is_(None)),
    "with_jobs_retrying": flag(lambda: exists().where(col(Job.process_instance_id) == _ID, *_RETRYING)),
    "with_incidents": flag(lambda: has_incident(open_only=False)),
    "with_root_incidents": flag(lambda: has_incident(open_only=False)),
    **{name: lambda _value: None for name in _INCIDENT_FILTERS},  # one incident must fulfil all: see below
    "started_before": lambda value: col(_P.start_time) <= value,
    "started_after": lambda value: col(_P.start_time) >= value,
    "finished_before": lambda value: col(_P.end_time) <= value,
    "finished_after": lambda value: col(_P.end_time) >= value,
    "executed_activity_before": lambda value: col(_P.start_time) <= value,  # its start event is the first of them
    "executed_activity_after": _active_after,
    "executed_activity_id_in": _ended_activity,
    "active_activity_id_in": lambda values: waits_at(values, col(Execution.in_transition).is_(False)),
    "activity_id_in": waits_at,
    "executed_job_before": lambda value: _job_entry(col(JobLog.timestamp) <= value),
    "executed_job_after": lambda value: _job_entry(col(JobLog.timestamp) >= value),
    "started_by": equals(col(_P.start_user_id)),
    "super_process_instance_id": never,
    "sub_process_instance_id": never,
    "super_case_instance_id": never,
    "sub_case_instance_id": never,
    "case_instance_id": equals(col(_P.case_instance_id)),
    "tenant_id_in": among(col(_P.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_P.tenant_id).is_(None)),
    **{name: lambda _value: None for name in _STATES},  # one at the top, IN inside an OR: see below
    "variables": lambda _value: None,  # needs its two modifiers: see below
}

_VERSION = case((PRESENT, col(ProcessDefinition.version)))
_DURATION = col(_P.end_time).op("-")(col(_P.start_time))

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "instanceId": _ID,
    "definitionId": col(_P.process_definition_id),
    "definitionKey": DEFINITION.column(col(ProcessDefinition.key)),
    "definitionName": DEFINITION.column(col(ProcessDefinition.name)),
    "definitionVersion": DEFINITION.column(_VERSION),
    "businessKey": col(_P.business_key),
    "startTime": col(_P.start_time),
    "endTime": col(_P.end_time),
    "duration": _DURATION,
    "tenantId": col(_P.tenant_id),
}


def historic_process_instance_conditions(
    query: HistoricProcessInstanceQuery, *, nested: bool = False
) -> list[Condition]:
    """The conditions of a query on the rows of ``process_instance``.

    Args:
        query: what is asked for.
        nested: the query is part of another body; texts that look like dates then stay texts.

    Raises:
        ContractError: a filter, or a pair of filters, that the contract refuses.
    """
    states = _states(query)
    if len(states) > 1:
        raise ContractError(
            400,
            "BadUserRequestException",
            f"Already querying for historic process instance with another state: {states[0]} is not empty",
            0,
        )
    found = _own_conditions(query, nested)
    if _contradicts(query):
        found.append(false())
    for entry in query.or_queries or ():
        either = any_of(_own_conditions(entry, True, either=True))
        if either is not None:
            found.append(either)
    return all_of(found)


def _states(query: HistoricProcessInstanceQuery) -> list[str]:
    return [state for name, state in _STATES.items() if getattr(query, name)]


def _contradicts(query: HistoricProcessInstanceQuery) -> bool:
    """Filters that no row can fulfil together; the engine answers those without asking its database."""
    started = query.started_after and query.started_before and query.started_after > query.started_before
    finished = query.finished_after and query.finished_before and query.finished_after > query.finished_before
    return bool(started or finished)


def _own_conditions(query: HistoricProcessInstanceQuery, nested: bool, *, either: bool = False) -> list[Condition]:
    called = query.super_process_instance_id or query.super_case_instance_id
    if query.root_process_instances and called is not None:
        other = "superProcessInstanceId" if query.super_process_instance_id else "superCaseInstanceId"
        raise ContractError(
            400,
            "BadUserRequestException",
            f"Invalid query usage: cannot set both rootProcessInstances and {other}",
            0,
        )
    found = conditions(query, CONDITIONS, wins=(("without_tenant_id", "tenant_id_in"),))
    states = _states(query)
    if states:
        found.append(col(_P.state).in_(states))
    values = query.chosen()
    same = [
        made for name, make in _INCIDENT_FILTERS.items() if name in values and (made := make(values[name])) is not None
    ]
    if same:
        found.append(has_incident(*same, open_only=False))
    return found + variable_conditions(
        query.variables or (),
        _ID,
        INSTANCE,
        deleted_too=True,
        names_ignore_case=bool(query.variable_names_ignore_case),
        values_ignore_case=bool(query.variable_values_ignore_case),
        dates=not nested,
        either=either,
    )


_ROWS = (
    select(
        _ID,
        col(_P.business_key),
        col(_P.case_instance_id),
        col(_P.process_definition_id),
        col(ProcessDefinition.key).label("process_definition_key"),
        col(ProcessDefinition.name).label("process_definition_name"),
        _VERSION.label("process_definition_version"),
        col(_P.start_time),
        col(_P.end_time),
        removal_time().label("removal_time"),
        col(_P.start_user_id),
        col(_P.start_activity_id),
        col(_P.delete_reason),
        _ID.label("root_process_instance_id"),
        col(_P.tenant_id),
        col(_P.state),
    )
    .select_from(_P)
    .join(ProcessDefinition, col(ProcessDefinition.id) == col(_P.process_definition_id))
)


def _record(row: Any) -> Record:
    duration = None if row.end_time is None else int((row.end_time - row.start_time).total_seconds() * 1000)
    return Record(**row._mapping, duration_in_millis=duration)


HISTORIC_PROCESS_INSTANCES = Listing(
    query=HistoricProcessInstanceQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    where=historic_process_instance_conditions,
    build=_record,
    unknown="Historic process instance with id {} does not exist",
)
