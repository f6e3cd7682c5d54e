"""The user operation log."""

from typing import Any

from sqlalchemy import ColumnElement, case, false, func, literal, select, true

from retriage.store.contract.operations import OPERATOR, UserOperationQuery
from retriage.store.contract.operations import UserOperation as Record
from retriage.store.queries.conditions import Condition, Conditions, among, equals, never
from retriage.store.queries.listing import Listing
from retriage.store.queries.of_definition import removal_time
from retriage.store.tables import ProcessDefinition, ProcessInstance, UserOperation
from retriage.store.tables.types import Rows, UtcTime, col

_O = UserOperation
_ID: ColumnElement[Any] = col(_O.id)


def _category(value: str) -> Condition:
    return true() if value == OPERATOR else false()


CONDITIONS: Conditions = {
    "deployment_id": equals(col(_O.deployment_id)),
    "process_definition_id": equals(col(_O.process_definition_id)),
    "process_definition_key": equals(col(_O.process_definition_key)),
    "process_instance_id": equals(col(_O.process_instance_id)),
    "execution_id": never,
    "case_definition_id": never,
    "case_instance_id": never,
    "case_execution_id": never,
    "task_id": never,
    "job_id": equals(col(_O.job_id)),
    "job_definition_id": equals(col(_O.job_definition_id)),
    "batch_id": equals(col(_O.batch_id)),
    "external_task_id": equals(col(_O.external_task_id)),
    "user_id": equals(col(_O.user_id)),
    "operation_id": equals(col(_O.operation_id)),
    "operation_type": equals(col(_O.operation_type)),
    "entity_type": equals(col(_O.entity_type)),
    "entity_type_in": among(col(_O.entity_type)),
    "category": _category,
    "category_in": lambda values: None if not values else true() if OPERATOR in values else false(),
    "property": equals(col(_O.property)),
    "after_timestamp": lambda value: col(_O.timestamp) > value,
    "before_timestamp": lambda value: col(_O.timestamp) < value,
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {"timestamp": col(_O.timestamp)}

_LIKEWISE = [name for name in Record.model_fields if name in _O.model_fields and name != "removal_time"]

OF_INSTANCE: Condition = col(_O.process_definition_id).is_not(None) & col(_O.process_instance_id).is_not(None)
"""Written while the instance ran: those are entries of its history, and are to be removed with it."""

_ROWS: Rows = (
    select(
        *(getattr(_O, name) for name in _LIKEWISE),
        *(
            literal(None).label(name)
            for name in ("execution_id", "case_definition_id", "case_instance_id", "case_execution_id", "task_id")
        ),
        func.coalesce(col(_O.removal_time), case((OF_INSTANCE, removal_time())), type_=UtcTime).label("removal_time"),
        case((OF_INSTANCE, col(_O.process_instance_id))).label("root_process_instance_id"),
        literal(OPERATOR).label("category"),
    )
    .select_from(_O)
    .outerjoin(ProcessInstance, col(ProcessInstance.id) == col(_O.process_instance_id))
    .outerjoin(ProcessDefinition, col(ProcessDefinition.id) == col(ProcessInstance.process_definition_id))
)

OPERATIONS = Listing(
    query=UserOperationQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
)
