"""Variables of running and ended instances, with their last values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import invalid, missing
from retriage.store.contract.queries import VariableFilter
from retriage.store.contract.variables import HistoricVariableInstance as Record
from retriage.store.contract.variables import HistoricVariableInstanceQuery
from retriage.store.database import made_at
from retriage.store.queries.conditions import Condition, Conditions, among, conditions, equals, flag, like, one_of
from retriage.store.queries.listing import Listing
from retriage.store.queries.of_definition import OfDefinition, removal_time
from retriage.store.queries.variable_filters import INSTANCE, own_conditions
from retriage.store.queries.variables import BINARY, SHOWN, Content, content_of, value_of
from retriage.store.tables import Execution, ExternalTaskLog, ProcessDefinition, ProcessInstance, Variable
from retriage.store.tables.types import Rows, col

_V = Variable
_ID: ColumnElement[Any] = col(_V.id)
_P = ProcessInstance
_LOG = ExternalTaskLog
_UNKNOWN = "Historic variable instance with Id '{}' does not exist."

_HERE = exists().where(col(Execution.id) == col(_V.execution_id)).correlate(_V)
_DELETED = and_(col(_V.deleted), or_(col(_V.execution_id).is_(None), _HERE))
"""Those that ended with their execution are marked too, and were not deleted."""

_NOW_AT = (
    select(col(Execution.activity_instance_id))
    .where(col(Execution.id) == col(_V.execution_id))
    .correlate(_V)
    .scalar_subquery()
)
_WAS_AT = (
    select(func.max(col(_LOG.activity_instance_id)))
    .where(col(_LOG.process_instance_id) == col(_V.process_instance_id), col(_LOG.execution_id) == col(_V.execution_id))
    .correlate(_V)
    .scalar_subquery()
)
_ACTIVITY: ColumnElement[Any] = func.coalesce(_NOW_AT, _WAS_AT, col(_V.process_instance_id))


def _of_instance(condition: Condition | None) -> Condition | None:
    """The instance fulfils a condition."""
    if condition is None:
        return None
    return col(_V.process_instance_id).in_(select(col(_P.id)).where(condition))


_DEFINITION = OfDefinition(col(_P.process_definition_id))


def _types(values: Sequence[str | None]) -> Condition | None:
    return among(col(_V.type), "Variable types")([value and value[:1].upper() + value[1:] for value in values])


CONDITIONS: Conditions = {
    "variable_name": equals(col(_V.name)),
    "variable_name_like": like(col(_V.name)),
    "variable_name_in": among(col(_V.name), "Variable names"),
    "variable_value": lambda _value: None,  # needs its name: see below
    "variable_type_in": _types,
    "include_deleted": lambda _value: None,  # the others are left out: see below
    "process_instance_id": equals(col(_V.process_instance_id)),
    "process_instance_id_in": among(col(_V.process_instance_id), "Process Instance Ids"),
    "process_definition_id": lambda value: _of_instance(col(_P.process_definition_id) == value),
    "process_definition_key": lambda value: _of_instance(_DEFINITION.fulfils(col(ProcessDefinition.key) == value)),
    "execution_id_in": among(func.coalesce(col(_V.execution_id), col(_V.process_instance_id)), "Execution Ids"),
    "activity_instance_id_in": lambda values: one_of(_ACTIVITY, [one for one in values if one]) if values else None,
    "tenant_id_in": lambda values: _of_instance(among(col(_P.tenant_id), "tenantIds")(values)),
    "without_tenant_id": flag(lambda: _of_instance(col(_P.tenant_id).is_(None))),
}

_TENANT = select(col(_P.tenant_id)).where(col(_P.id) == col(_V.process_instance_id)).correlate(_V).scalar_subquery()

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "instanceId": col(_V.process_instance_id),
    "variableName": col(_V.name),
    "tenantId": _TENANT,
}


def _where(query: HistoricVariableInstanceQuery) -> list[Condition]:
    found = conditions(
        query, CONDITIONS, wins=(("variable_value", "variable_name"), ("without_tenant_id", "tenant_id_in"))
    )
    if query.variable_value is not None:
        if query.variable_name is None:
            raise invalid(
                "Only a single variable value parameter specified: variable name and value are required to be able to "
                "query after a specific variable value."
            )
        found += own_conditions(
            [VariableFilter(name=query.variable_name, operator="eq", value=query.variable_value)],
            INSTANCE,
            names_ignore_case=bool(query.variable_names_ignore_case),
            values_ignore_case=bool(query.variable_values_ignore_case),
        )
    return found if query.include_deleted else [*found, not_(_DELETED)]


_ROWS: Rows = (
    select(
        _ID,
        *SHOWN,
        col(_V.process_instance_id),
        func.coalesce(col(_V.execution_id), col(_V.process_instance_id)).label("execution_id"),
        _ACTIVITY.label("activity_instance_id"),
        _DELETED.label("is_deleted"),
        col(_P.process_definition_id),
        col(ProcessDefinition.key).label("process_definition_key"),
        col(_P.tenant_id),
        col(_P.start_time),
        removal_time().label("removal_time"),
    )
    .select_from(_V)
    .join(_P, col(_P.id) == col(_V.process_instance_id))
    .join(ProcessDefinition, col(ProcessDefinition.id) == col(_P.process_definition_id))
)
_AS_THEY_ARE = (
    "id",
    "name",
    "process_definition_key",
    "process_definition_id",
    "process_instance_id",
    "execution_id",
    "activity_instance_id",
    "tenant_id",
    "removal_time",
)


def _record(row: Any) -> Record:
    shown = value_of(row)
    return Record(
        type=shown.type,
        value=None if row.type in BINARY else shown.value,
        value_info=shown.value_info,
        state="DELETED" if row.is_deleted else "CREATED",
        create_time=made_at(row.id) or row.start_time,
        root_process_instance_id=row.process_instance_id,
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
    )


@dataclass(frozen=True, kw_only=True)
class _WithDeleted(Listing[HistoricVariableInstanceQuery, Record]):
    """Deleted variables are found by queries, and not by their ids (observed on Camunda 7.24.0)."""

    async def find(self, connection: AsyncConnection, identity: str) -> Record | None:
        row = await _by_id(connection, identity)
        return None if row is None else _record(row)


HISTORIC_VARIABLE_INSTANCES = _WithDeleted(
    query=HistoricVariableInstanceQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(col(_V.batch_id).is_(None),),
    where=_where,
    build=_record,
    unknown=_UNKNOWN,
)


async def get_content(connection: AsyncConnection, variable_id: str) -> Content:
    """The content of a Bytes or File variable.

    Raises:
        ContractError: 404 there is none with that id, 400 it is of another type.
    """
    row = await _by_id(connection, variable_id)
    if row is None:
        raise missing(_UNKNOWN.format(variable_id))
    return content_of(row, variable_id)


async def _by_id(connection: AsyncConnection, identity: str) -> Any:
    this = _ROWS.where(_ID == identity, *HISTORIC_VARIABLE_INSTANCES.always, not_(_DELETED))
    return (await connection.execute(this)).one_or_none()
