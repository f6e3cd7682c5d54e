"""Variables of running instances, and those that wait in a batch to be set."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import missing
from retriage.store.contract.variables import VariableInstance as Record
from retriage.store.contract.variables import VariableInstanceQuery
from retriage.store.queries.conditions import Condition, Conditions, among, conditions, equals, like, never, one_of
from retriage.store.queries.listing import Listing
from retriage.store.queries.variable_filters import INSTANCE, own_conditions
from retriage.store.queries.variables import SHOWN, Content, content_of, value_of
from retriage.store.tables import Execution, ProcessInstance, Variable
from retriage.store.tables.types import Rows, col

_V = Variable
_ID: ColumnElement[Any] = col(_V.id)
_WAITS = col(_V.batch_id).is_not(None)
_UNKNOWN = "Variable instance with Id '{}' does not exist."

_RUNS = (
    exists()
    .where(col(ProcessInstance.id) == col(_V.process_instance_id), col(ProcessInstance.end_time).is_(None))
    .correlate(_V)
)
"""An instance that has ended keeps its variables for its history."""


def _named(values: Sequence[str | None]) -> list[str]:
    return [value for value in values if value]


def _instances(values: Sequence[str | None]) -> Condition | None:
    return one_of(col(_V.process_instance_id), _named(values)) if values else None


def _at(key: ColumnElement[Any], values: Sequence[str | None]) -> Condition | None:
    """At the scope of one of these executions, named by one of their columns, or of one of these instances."""
    if not values:
        return None
    named = _named(values)
    found = select(col(Execution.id), col(Execution.process_instance_id)).where(one_of(key, named)).subquery()
    here = and_(
        col(_V.process_instance_id).in_(select(found.c.process_instance_id)),
        col(_V.execution_id).in_(select(found.c.id)),
    )
    return or_(here, and_(one_of(col(_V.process_instance_id), named), col(_V.execution_id).is_(None)))


def _tenants(values: Sequence[str | None]) -> Condition | None:
    if not values:
        return None
    of_tenant = one_of(col(ProcessInstance.tenant_id), _named(values))
    return exists().where(col(ProcessInstance.id) == col(_V.process_instance_id), of_tenant).correlate(_V)


CONDITIONS: Conditions = {
    "variable_name": equals(col(_V.name)),
    "variable_name_like": like(col(_V.name)),
    "variable_values": lambda _value: None,  # needs its two modifiers: see below
    "process_instance_id_in": _instances,
    "execution_id_in": lambda values: _at(col(Execution.id), values),
    "case_instance_id_in": never,
    "case_execution_id_in": never,
    "task_id_in": never,
    "batch_id_in": among(col(_V.batch_id)),
    "activity_instance_id_in": lambda values: _at(col(Execution.activity_instance_id), values),
    "variable_scope_id_in": lambda values: _at(col(Execution.id), values),
    "tenant_id_in": _tenants,
}

_ACTIVITY = (
    select(col(Execution.activity_instance_id))
    .where(col(Execution.id) == col(_V.execution_id))
    .correlate(_V)
    .scalar_subquery()
)
_INSTANCE = case((col(_V.batch_id).is_(None), col(_V.process_instance_id)))
_TENANT = (
    select(col(ProcessInstance.tenant_id))
    .where(col(ProcessInstance.id) == col(_V.process_instance_id))
    .correlate(_V)
    .scalar_subquery()
)

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "variableName": col(_V.name),
    "variableType": col(_V.type),
    "activityInstanceId": func.coalesce(_ACTIVITY, _INSTANCE),
    "tenantId": _TENANT,
}


def _where(query: VariableInstanceQuery) -> list[Condition]:
    return conditions(query, CONDITIONS) + own_conditions(
        query.variable_values or (),
        INSTANCE,
        names_ignore_case=bool(query.variable_names_ignore_case),
        values_ignore_case=bool(query.variable_values_ignore_case),
    )


_ROWS: Rows = (
    select(
        _ID,
        *SHOWN,
        _INSTANCE.label("process_instance_id"),
        func.coalesce(col(_V.execution_id), _INSTANCE).label("execution_id"),
        func.coalesce(_ACTIVITY, _INSTANCE).label("activity_instance_id"),
        col(_V.batch_id),
        col(ProcessInstance.process_definition_id),
        col(ProcessInstance.tenant_id),
    )
    .select_from(_V)
    .outerjoin(ProcessInstance, col(ProcessInstance.id) == col(_V.process_instance_id))
)
_PLACE = ("id", "name", "process_definition_id", "process_instance_id", "execution_id", "batch_id")


def _record(row: Any) -> Record:
    shown = value_of(row)
    place = {name: getattr(row, name) for name in (*_PLACE, "activity_instance_id", "tenant_id")}
    return Record(type=shown.type, value=shown.value, value_info=shown.value_info, **place)


VARIABLE_INSTANCES = Listing(
    query=VariableInstanceQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(col(_V.deleted).is_(False), or_(_WAITS, _RUNS)),
    where=_where,
    build=_record,
    unknown=_UNKNOWN,
)
"""In the order of their ids, unless it is asked for otherwise."""


async def get_variable_content(connection: AsyncConnection, variable_id: str) -> Content:
    """The content of a Bytes or File variable.

    Raises:
        ContractError: 404 there is none with that id, 400 it is of another type.
    """
    this = _ROWS.where(_ID == variable_id, *VARIABLE_INSTANCES.always)
    row = (await connection.execute(this)).one_or_none()
    if row is None:
        raise missing(_UNKNOWN.format(variable_id))
    return content_of(row, variable_id)
