"""Activity instances of the history: those of external tasks, as their log has them.

Events, gateways and timers leave no rows, and are not answered. A task that ended by a BPMN error that nothing caught
counts as cancelled; an engine says that it completed its scope.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, false, func, not_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from retriage.store.bpmn import Kind
from retriage.store.commands.processes import process_of
from retriage.store.contract.errors import ContractError, engine_error, invalid
from retriage.store.contract.history import HistoricActivityInstance as Record
from retriage.store.contract.history import HistoricActivityInstanceQuery
from retriage.store.contract.states import LogState
from retriage.store.queries.conditions import Condition, Conditions, among, conditions, equals, flag
from retriage.store.queries.listing import Listing
from retriage.store.queries.logs import of_state
from retriage.store.queries.of_definition import removal_time
from retriage.store.tables import ExternalTaskLog, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import Rows, col

_BEGIN = ExternalTaskLog
_END = aliased(ExternalTaskLog)
_ID: ColumnElement[Any] = col(_BEGIN.activity_instance_id)
_TYPE = Kind.TASK.value

_IS_END: tuple[Condition, ...] = (
    col(_END.external_task_id) == col(_BEGIN.external_task_id),
    col(_END.state).in_((LogState.SUCCESSFUL, LogState.DELETED)),
)


def _ended(*more: Condition) -> Condition:
    return exists().where(*_IS_END, *more).correlate(_BEGIN)


def _no_names(_value: str) -> Condition:
    raise invalid("This store does not keep the names of activities. Ask by activityId.")


CONDITIONS: Conditions = {
    "activity_instance_id": equals(_ID),
    "process_instance_id": equals(col(_BEGIN.process_instance_id)),
    "process_definition_id": equals(col(_BEGIN.process_definition_id)),
    "execution_id": equals(col(_BEGIN.execution_id)),
    "activity_id": equals(col(_BEGIN.activity_id)),
    "activity_name": _no_names,
    "activity_name_like": _no_names,
    "activity_type": lambda value: true() if value == _TYPE else false(),
    "task_assignee": lambda _value: false(),
    "started_before": lambda value: col(_BEGIN.timestamp) <= value,
    "started_after": lambda value: col(_BEGIN.timestamp) >= value,
    "finished_before": lambda value: _ended(col(_END.timestamp) <= value),
    "finished_after": lambda value: _ended(col(_END.timestamp) >= value),
    "finished": flag(_ended),
    "unfinished": flag(lambda: not_(_ended())),
    "canceled": flag(lambda: _ended(of_state(col(_END.state), LogState.DELETED))),
    "complete_scope": flag(false),
    "tenant_id_in": among(col(_BEGIN.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_BEGIN.tenant_id).is_(None)),
}

_END_TIME = select(func.max(col(_END.timestamp))).where(*_IS_END).correlate(_BEGIN).scalar_subquery()

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "activityInstanceId": _ID,
    "instanceId": col(_BEGIN.process_instance_id),
    "executionId": col(_BEGIN.execution_id),
    "activityId": col(_BEGIN.activity_id),
    "activityType": col(_BEGIN.process_instance_id),  # all are of one type
    "startTime": col(_BEGIN.timestamp),
    "endTime": _END_TIME,
    "duration": _END_TIME.op("-")(col(_BEGIN.timestamp)),
    "definitionId": col(_BEGIN.process_definition_id),
    "occurrence": col(_BEGIN.id),
    "tenantId": col(_BEGIN.tenant_id),
}


def _where(query: HistoricActivityInstanceQuery) -> list[Condition]:
    if query.canceled and query.complete_scope:
        raise engine_error("Already querying for activity instance state <scopeComplete>")
    return conditions(query, CONDITIONS, wins=(("without_tenant_id", "tenant_id_in"),))


_ROWS: Rows = (
    select(
        _ID.label("id"),
        col(_BEGIN.activity_id),
        col(_BEGIN.process_instance_id),
        col(_BEGIN.process_definition_id),
        col(_BEGIN.execution_id),
        col(_BEGIN.tenant_id),
        col(_BEGIN.timestamp).label("start_time"),
        col(_END.timestamp).label("end_time"),
        col(_END.state).label("end_state"),
        col(ProcessDefinition.key).label("process_definition_key"),
        removal_time().label("removal_time"),
    )
    .select_from(_BEGIN)
    .outerjoin(_END, _IS_END[0] & _IS_END[1])
    .join(ProcessInstance, col(ProcessInstance.id) == col(_BEGIN.process_instance_id))
    .join(ProcessDefinition, col(ProcessDefinition.id) == col(_BEGIN.process_definition_id))
)


def _record(row: Any) -> Record:
    given = {name: value for name, value in row._mapping.items() if name != "end_state"}
    lasted = None if row.end_time is None else (row.end_time - row.start_time) // timedelta(milliseconds=1)
    return Record(
        **given,
        parent_activity_instance_id=row.process_instance_id,
        activity_type=_TYPE,
        duration_in_millis=lasted,
        complete_scope=False,
        canceled=row.end_state == LogState.DELETED,
        root_process_instance_id=row.process_instance_id,
    )


@dataclass(frozen=True, kw_only=True)
class _WithNames(Listing[HistoricActivityInstanceQuery, Record]):
    """The names of activities come from their processes."""

    async def page(
        self, connection: AsyncConnection, query: HistoricActivityInstanceQuery, first: int = 0, size: int | None = None
    ) -> list[Record]:
        return [await _named(connection, one) for one in await super().page(connection, query, first, size)]

    async def find(self, connection: AsyncConnection, identity: str) -> Record | None:
        row = (await connection.execute(self.rows.where(_ID == identity, *self.always))).one_or_none()
        return None if row is None else await _named(connection, _record(row))


async def _named(connection: AsyncConnection, one: Record) -> Record:
    try:
        process = await process_of(connection, str(one.process_definition_id))
    except ContractError:  # its deployment was removed
        return one
    return one.model_copy(update={"activity_name": process.nodes[str(one.activity_id)].name})


HISTORIC_ACTIVITY_INSTANCES = _WithNames(
    query=HistoricActivityInstanceQuery,
    shape=Record,
    rows=_ROWS,
    key=col(_BEGIN.id),
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(of_state(col(_BEGIN.state), LogState.CREATED),),
    where=_where,
    build=_record,
    unknown="Historic activity instance with id '{}' does not exist",
)
