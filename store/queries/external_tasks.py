"""External tasks: which, how many, one, its error details, the topics."""

from typing import Any

from sqlalchemy import ColumnElement, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import no_external_task, null_value
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask as Record
from retriage.store.database import now
from retriage.store.queries.conditions import Condition, Conditions, all_of, among, conditions, equals, flag, like
from retriage.store.queries.listing import Listing, text_of
from retriage.store.queries.of_definition import OfDefinition
from retriage.store.queries.variable_filters import EXTERNAL_TASK, variable_conditions
from retriage.store.tables import ErrorDetails, ExternalTask, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import Rows, col

_T = ExternalTask
_ID: ColumnElement[Any] = col(_T.id)
_DEFINITION = OfDefinition(col(_T.process_definition_id))


def locked() -> Condition:
    """The lock expires in the future; who holds it does not matter."""
    return col(_T.lock_expiration_time) > now()


def not_locked() -> Condition:
    """No lock, or one that has expired. A lock that expires this very millisecond is neither."""
    return or_(col(_T.lock_expiration_time).is_(None), col(_T.lock_expiration_time) < now())


def retries_left() -> Condition:
    """Never failed, or retries above 0."""
    return or_(col(_T.retries).is_(None), col(_T.retries) > 0)


def failed() -> Condition:
    """No retries left; the 0 is written out as the index on failed tasks has it."""
    return col(_T.retries) == literal_column("0")


CONDITIONS: Conditions = {
    "external_task_id": equals(_ID),
    "external_task_id_in": among(_ID),
    "worker_id": equals(col(_T.worker_id)),
    "lock_expiration_before": lambda value: col(_T.lock_expiration_time) < value,
    "lock_expiration_after": lambda value: col(_T.lock_expiration_time) > value,
    "topic_name": equals(col(_T.topic_name)),
    "locked": flag(locked),
    "not_locked": flag(not_locked),
    "execution_id": equals(col(_T.execution_id)),
    "process_instance_id": equals(col(_T.process_instance_id)),
    "process_instance_id_in": among(col(_T.process_instance_id), "processInstanceIdIn"),
    "process_definition_id": equals(col(_T.process_definition_id)),
    "process_definition_key": lambda value: _DEFINITION.fulfils(col(ProcessDefinition.key) == value),
    "process_definition_key_in": lambda values: _DEFINITION.fulfils(among(col(ProcessDefinition.key))(values)),
    "process_definition_name": lambda value: _DEFINITION.fulfils(col(ProcessDefinition.name) == value),
    "process_definition_name_like": lambda value: _DEFINITION.fulfils(like(col(ProcessDefinition.name))(value)),
    "activity_id": equals(col(_T.activity_id)),
    "activity_id_in": among(col(_T.activity_id), "activityIdIn"),
    "with_retries_left": flag(retries_left),
    "no_retries_left": flag(failed),
    "active": flag(lambda: col(_T.suspended).is_(False)),
    "suspended": flag(lambda: col(_T.suspended).is_(True)),
    "priority_higher_than_or_equals": lambda value: col(_T.priority) >= value,
    "priority_lower_than_or_equals": lambda value: col(_T.priority) <= value,
    "tenant_id_in": among(col(_T.tenant_id), "tenantIds"),
    "process_variables": lambda _filters: None,  # needs its two modifiers: see external_task_conditions
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": _ID,
    "lockExpirationTime": col(_T.lock_expiration_time),
    "processInstanceId": col(_T.process_instance_id),
    "processDefinitionId": col(_T.process_definition_id),
    "processDefinitionKey": _DEFINITION.column(col(ProcessDefinition.key)),
    "tenantId": col(_T.tenant_id),
    "taskPriority": col(_T.priority),
    "createTime": col(_T.create_time),
}


def external_task_conditions(query: ExternalTaskQuery, *, nested: bool = False) -> list[Condition]:
    """The conditions of a query on the rows of ``external_task``.

    Where two filters contradict, the contract says which wins: ``noRetriesLeft`` over ``withRetriesLeft``,
    ``suspended`` over ``active``.

    Args:
        query: what is asked for.
        nested: the query is part of another body; texts that look like dates then stay texts.

    Raises:
        ContractError: a filter that the contract refuses.
    """
    found = conditions(
        query,
        CONDITIONS,
        wins=(("no_retries_left", "with_retries_left"), ("suspended", "active")),
        ranges=(("priority_higher_than_or_equals", "priority_lower_than_or_equals"),),
    )
    of_variables = variable_conditions(
        query.process_variables or (),
        col(_T.process_instance_id),
        EXTERNAL_TASK,
        names_ignore_case=bool(query.variable_names_ignore_case),
        values_ignore_case=bool(query.variable_values_ignore_case),
        dates=not nested,
    )
    return found + all_of(of_variables)


RECORD_COLUMNS = (
    col(_T.activity_id),
    col(_T.activity_instance_id),
    col(_T.error_message),
    col(_T.execution_id),
    _ID,
    col(_T.lock_expiration_time),
    col(_T.create_time),
    col(_T.process_definition_id),
    col(ProcessDefinition.key).label("process_definition_key"),
    col(ProcessDefinition.version_tag).label("process_definition_version_tag"),
    col(_T.process_instance_id),
    col(_T.retries),
    col(_T.suspended),
    col(_T.worker_id),
    col(_T.topic_name),
    col(_T.tenant_id),
    col(_T.priority),
    col(ProcessInstance.business_key),
)
"""The columns of a record, labelled by its field names; see ``record_rows`` for their joins."""


def record_rows() -> Rows:
    """All tasks with what a record shows of their definition and instance."""
    return (
        select(*RECORD_COLUMNS)
        .select_from(_T)
        .join(ProcessDefinition, col(ProcessDefinition.id) == col(_T.process_definition_id))
        .join(ProcessInstance, col(ProcessInstance.id) == col(_T.process_instance_id))
    )


EXTERNAL_TASKS = Listing(
    query=ExternalTaskQuery,
    shape=Record,
    rows=record_rows(),
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    where=external_task_conditions,
    unknown=no_external_task,
)


async def get_error_details(connection: AsyncConnection, task_id: str) -> str | None:
    """The long error text of a task, none if no worker sent one.

    Raises:
        ContractError: 500, there is no such task; observed on Camunda 7.24.0.
    """
    details = select(col(ErrorDetails.details)).where(col(ErrorDetails.external_task_id) == _ID).scalar_subquery()
    unknown = null_value(f"No external task found with id {task_id}: externalTask is null")
    return await text_of(connection, _ID, details, task_id, unknown)


async def list_topic_names(
    connection: AsyncConnection, *, locked_only: bool, unlocked_only: bool, with_retries_left: bool
) -> list[str]:
    """Topics that have at least one task; both lock flags together select nothing."""
    where = []
    if locked_only:
        where.append(locked())
    if unlocked_only:
        where.append(not_locked())
    if with_retries_left:
        where.append(retries_left())
    statement = select(col(_T.topic_name)).where(*where).distinct().order_by(col(_T.topic_name))
    return list((await connection.execute(statement)).scalars())
