"""Running process instances."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from retriage.store.contract.errors import engine_error
from retriage.store.contract.queries import ProcessInstanceQuery
from retriage.store.contract.records import ProcessInstance as Record
from retriage.store.contract.states import SUSPENDED
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
    likely,
    never,
    one_of,
)
from retriage.store.queries.listing import Listing
from retriage.store.queries.of_definition import OfDefinition
from retriage.store.queries.variable_filters import INSTANCE, variable_conditions
from retriage.store.tables import Execution, Incident, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import col

_P = ProcessInstance
_ID: ColumnElement[Any] = col(_P.id)
DEFINITION = OfDefinition(col(_P.process_definition_id))
RUNNING: Condition = col(_P.end_time).is_(None)
RUNNING_BY_ID = likely(RUNNING)
"""The same beside ids, by which the rows are to be found."""

_INCIDENT_FILTERS: dict[str, Callable[[Any], Condition]] = {
    "incident_id": equals(col(Incident.id)),
    "incident_type": equals(col(Incident.incident_type)),
    "incident_message": equals(col(Incident.incident_message)),
    "incident_message_like": like(col(Incident.incident_message)),
}


def has_incident(*more: Condition, open_only: bool = True) -> Condition:
    """The instance has an incident that fulfils all conditions."""
    where = [col(Incident.process_instance_id) == _ID, *more]
    if open_only:
        where.append(col(Incident.end_time).is_(None))
    return exists().where(*where)


def waits_at(activities: list[str | None], *more: Condition) -> Condition | None:
    """The instance waits at one of these activities, where all conditions hold; also for the job before or after it."""
    if not activities:
        return None
    named = one_of(col(Execution.activity_id), [activity for activity in activities if activity is not None])
    return exists().where(col(Execution.process_instance_id) == _ID, named, *more)


def _ids(values: list[str | None]) -> Condition | None:
    if not values:
        raise engine_error("Set of process instance ids is empty")
    return among(_ID, "processInstanceIds")(values)


def _not_keys(values: list[str | None]) -> Condition | None:
    if not values:
        return None
    present = [value for value in values if value is not None]
    keys = select(col(ProcessDefinition.id)).where(one_of(col(ProcessDefinition.key), present))
    return col(_P.process_definition_id).not_in(keys)


_KEY_IN = among(col(ProcessDefinition.key), "processDefinitionKeyIn")

CONDITIONS: Conditions = {
    "process_instance_ids": _ids,
    "business_key": equals(col(_P.business_key)),
    "business_key_like": like(col(_P.business_key)),
    "case_instance_id": equals(col(_P.case_instance_id)),
    "process_definition_id": equals(col(_P.process_definition_id)),
    "process_definition_key": lambda value: DEFINITION.fulfils(col(ProcessDefinition.key) == value),
    "process_definition_key_in": lambda values: DEFINITION.fulfils(_KEY_IN(values)),
    "process_definition_key_not_in": _not_keys,
    "deployment_id": lambda value: DEFINITION.fulfils(col(ProcessDefinition.deployment_id) == value),
    "root_process_instance_id": equals(_ID),
    "super_process_instance": never,
    "sub_process_instance": never,
    "super_case_instance": never,
    "sub_case_instance": never,
    "active": flag(lambda: col(_P.state) != SUSPENDED),
    "suspended": flag(lambda: col(_P.state) == SUSPENDED),
    "with_incident": flag(has_incident),
    **{name: lambda _value: None for name in _INCIDENT_FILTERS},  # one incident must fulfil all: see below
    "tenant_id_in": among(col(_P.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_P.tenant_id).is_(None)),
    "process_definition_without_tenant_id": flag(
        lambda: DEFINITION.fulfils(col(ProcessDefinition.tenant_id).is_(None))
    ),
    "activity_id_in": waits_at,
    "root_process_instances": lambda _value: None,  # no instance calls another here: each is a root and a leaf
    "leaf_process_instances": lambda _value: None,
    "variables": lambda _value: None,  # needs its two modifiers: see below
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "instanceId": _ID,
    "definitionKey": DEFINITION.column(col(ProcessDefinition.key)),
    "definitionId": col(_P.process_definition_id),
    "tenantId": col(_P.tenant_id),
    "businessKey": col(_P.business_key),
}


def process_instance_conditions(query: ProcessInstanceQuery, *, nested: bool = False) -> list[Condition]:
    """The conditions of a query on the rows of ``process_instance``, running ones only.

    Args:
        query: what is asked for.
        nested: the query is part of another body; texts that look like dates then stay texts.

    Raises:
        ContractError: a filter that the contract refuses.
    """
    return [RUNNING, *all_of(_matching(query, nested))]


def _matching(query: ProcessInstanceQuery, nested: bool = False) -> list[Condition]:
    found = _own_conditions(query, nested)
    for entry in query.or_queries or ():
        either = any_of(_own_conditions(entry, True, either=True))
        if either is not None:
            found.append(either)
    return found


def _own_conditions(query: ProcessInstanceQuery, nested: bool, *, either: bool = False) -> list[Condition]:
    if query.root_process_instances and query.super_process_instance is not None:
        raise engine_error("Invalid query usage: cannot set both rootProcessInstances and superProcessInstanceId")
    if query.leaf_process_instances and query.sub_process_instance is not None:
        raise engine_error("Invalid query usage: cannot set both leafProcessInstances and subProcessInstanceId")
    found = conditions(query, CONDITIONS, wins=(("suspended", "active"), ("without_tenant_id", "tenant_id_in")))
    values = query.chosen()
    same = [make(values[name]) for name, make in _INCIDENT_FILTERS.items() if name in values]
    if same:
        found.append(has_incident(*same))
    return found + variable_conditions(
        query.variables or (),
        _ID,
        INSTANCE,
        of_instance_only=True,
        names_ignore_case=bool(query.variable_names_ignore_case),
        values_ignore_case=bool(query.variable_values_ignore_case),
        dates=not nested,
        either=either,
    )


_ROWS = (
    select(
        _ID,
        col(_P.process_definition_id).label("definition_id"),
        col(_P.business_key),
        col(_P.case_instance_id),
        (col(_P.state) == SUSPENDED).label("suspended"),
        col(_P.tenant_id),
        col(ProcessDefinition.key).label("definition_key"),
    )
    .select_from(_P)
    .join(ProcessDefinition, col(ProcessDefinition.id) == col(_P.process_definition_id))
)


PROCESS_INSTANCES = Listing(
    query=ProcessInstanceQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(RUNNING,),
    always_by_id=(RUNNING_BY_ID,),
    where=_matching,
    unknown="Process instance with id {} does not exist",
)
