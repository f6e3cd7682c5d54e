"""Jobs and job definitions. All jobs of the store belong to batches: none has a process instance or an activity."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.errors import invalid, missing
from store.contract.queries import JobDefinitionQuery, JobQuery, TimeFilter
from store.contract.records import Job as Record
from store.contract.records import JobDefinition as DefinitionRecord
from store.contract.values import parse_moment
from store.database import now
from store.queries.conditions import Condition, Conditions, among, conditions, count_of, equals, flag, never, page_of
from store.queries.sorting import order_by
from store.tables import Job, JobDefinition
from store.tables.types import col

_J = Job
_D = JobDefinition
_ID: ColumnElement[Any] = col(_J.id)
_DEFINITION_ID: ColumnElement[Any] = col(_D.id)


def _due() -> Condition:
    return or_(col(_J.due_date).is_(None), col(_J.due_date) <= now())


def _times(column: ColumnElement[Any], label: str, *, lt_includes: bool) -> Any:
    def condition(filters: Sequence[TimeFilter]) -> Condition | None:
        found: list[Condition] = []
        for one in filters:
            if one.operator not in ("gt", "lt"):
                raise invalid(f"Invalid {label} comparator specified: {one.operator}")
            try:
                moment = parse_moment(one.value or "")
            except (ValueError, OverflowError):
                raise invalid(f"Invalid {label} format: {one.value}") from None
            if one.operator == "gt":
                found.append(column > moment)
            else:
                found.append(column <= moment if lt_includes else column < moment)
        return and_(*found) if found else None

    return condition


CONDITIONS: Conditions = {
    "job_id": equals(_ID),
    "job_ids": among(_ID),
    "job_definition_id": equals(col(_J.job_definition_id)),
    "activity_id": never,
    "process_instance_id": never,
    "process_instance_ids": lambda values: false() if values else None,
    "execution_id": never,
    "process_definition_id": never,
    "process_definition_key": never,
    "with_retries_left": flag(lambda: col(_J.retries) > 0),
    "no_retries_left": flag(lambda: col(_J.retries) == 0),
    "executable": flag(lambda: and_(col(_J.retries) > 0, _due())),
    "timers": never,
    "messages": flag(true),
    "due_dates": _times(col(_J.due_date), "due date", lt_includes=False),
    "create_times": _times(col(_J.create_time), "create time", lt_includes=True),
    "with_exception": flag(lambda: col(_J.exception_message).is_not(None)),
    "exception_message": equals(col(_J.exception_message)),
    "failed_activity_id": never,
    "active": flag(lambda: col(_J.suspended).is_(False)),
    "suspended": flag(lambda: col(_J.suspended).is_(True)),
    "acquired": flag(lambda: col(_J.lock_expiration_time) > now()),
    "priority_higher_than_or_equals": lambda value: col(_J.priority) >= value,
    "priority_lower_than_or_equals": lambda value: col(_J.priority) <= value,
    "tenant_id_in": lambda values: false() if values else None,
    "without_tenant_id": flag(true),
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "jobId": _ID,
    "executionId": _ID,
    "processInstanceId": _ID,
    "processDefinitionId": _ID,
    "processDefinitionKey": _ID,
    "jobPriority": col(_J.priority),
    "jobRetries": col(_J.retries),
    "jobDueDate": col(_J.due_date),
    "tenantId": _ID,
}
"""What every job lacks sorts by id."""

_ROWS = select(
    _ID,
    col(_J.job_definition_id),
    col(_J.exception_message),
    col(_J.retries),
    col(_J.due_date),
    col(_J.suspended),
    col(_J.priority),
    col(_J.create_time),
    col(_J.batch_id),
).select_from(_J)


def _conditions(query: JobQuery) -> list[Condition]:
    if query.timers and query.messages:
        raise invalid("Parameter timers cannot be used together with parameter messages.")
    chosen = query.model_copy()
    if chosen.suspended:
        chosen.active = None
    if chosen.without_tenant_id or chosen.include_jobs_without_tenant_id:
        chosen.tenant_id_in = None
    found = conditions(chosen, CONDITIONS)
    low, high = query.priority_higher_than_or_equals, query.priority_lower_than_or_equals
    if low is not None and high is not None and low > high:
        found.append(false())
    return found


async def list_jobs(
    connection: AsyncConnection, query: JobQuery, first: int = 0, size: int | None = None
) -> list[Record]:
    """One page of the jobs that match.

    Raises:
        ContractError: a filter or sort key that the contract refuses.
    """
    order = order_by(query, SORT_COLUMNS, _ID)
    rows = await page_of(connection, _ROWS, _ID, _conditions(query), order, first, size)
    return [Record(**row._mapping) for row in rows]


async def count_jobs(connection: AsyncConnection, query: JobQuery) -> int:
    """How many jobs match."""
    order_by(query, SORT_COLUMNS, _ID)
    return await count_of(connection, _ID, _conditions(query))


async def get_job(connection: AsyncConnection, job_id: str) -> Record:
    """One job.

    Raises:
        ContractError: 404, there is none with that id.
    """
    row = (await connection.execute(_ROWS.where(_ID == job_id))).one_or_none()
    if row is None:
        raise missing(f"Job with id {job_id} does not exist")
    return Record(**row._mapping)


async def get_stacktrace(connection: AsyncConnection, job_id: str) -> str | None:
    """The stack trace of the last failure of a job, none if it never failed.

    Raises:
        ContractError: 404, there is no such job.
    """
    statement = select(_ID, col(_J.exception_stacktrace)).where(_ID == job_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise missing(f"No job found with id {job_id}: job is null")
    trace: str | None = row.exception_stacktrace
    return trace


DEFINITION_CONDITIONS: Conditions = {
    "job_definition_id": equals(_DEFINITION_ID),
    "activity_id_in": lambda values: false() if values else None,
    "process_definition_id": never,
    "process_definition_key": never,
    "job_type": equals(col(_D.job_type)),
    "job_configuration": equals(col(_D.job_configuration)),
    "active": flag(lambda: col(_D.suspended).is_(False)),
    "suspended": flag(lambda: col(_D.suspended).is_(True)),
    "with_overriding_job_priority": flag(lambda: col(_D.overriding_job_priority).is_not(None)),
    "tenant_id_in": lambda values: false() if values else None,
    "without_tenant_id": flag(true),
}

DEFINITION_SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "jobDefinitionId": _DEFINITION_ID,
    "activityId": _DEFINITION_ID,
    "processDefinitionId": _DEFINITION_ID,
    "processDefinitionKey": _DEFINITION_ID,
    "jobType": col(_D.job_type),
    "jobConfiguration": col(_D.job_configuration),
    "tenantId": _DEFINITION_ID,
}

_DEFINITION_ROWS = select(
    _DEFINITION_ID,
    col(_D.job_type),
    col(_D.job_configuration),
    col(_D.suspended),
    col(_D.overriding_job_priority),
    col(_D.deployment_id),
).select_from(_D)


def _definition_conditions(query: JobDefinitionQuery) -> list[Condition]:
    chosen = query.model_copy()
    if chosen.suspended:
        chosen.active = None
    if chosen.without_tenant_id or chosen.include_job_definitions_without_tenant_id:
        chosen.tenant_id_in = None
    return conditions(chosen, DEFINITION_CONDITIONS)


async def list_job_definitions(
    connection: AsyncConnection, query: JobDefinitionQuery, first: int = 0, size: int | None = None
) -> list[DefinitionRecord]:
    """One page of the job definitions that match."""
    order = order_by(query, DEFINITION_SORT_COLUMNS, _DEFINITION_ID)
    where = _definition_conditions(query)
    rows = await page_of(connection, _DEFINITION_ROWS, _DEFINITION_ID, where, order, first, size)
    return [DefinitionRecord(**row._mapping) for row in rows]


async def count_job_definitions(connection: AsyncConnection, query: JobDefinitionQuery) -> int:
    """How many job definitions match."""
    order_by(query, DEFINITION_SORT_COLUMNS, _DEFINITION_ID)
    return await count_of(connection, _DEFINITION_ID, _definition_conditions(query))


async def get_job_definition(connection: AsyncConnection, definition_id: str) -> DefinitionRecord:
    """One job definition.

    Raises:
        ContractError: 404, there is none with that id.
    """
    row = (await connection.execute(_DEFINITION_ROWS.where(_DEFINITION_ID == definition_id))).one_or_none()
    if row is None:
        raise missing(f"Job Definition with id {definition_id} does not exist")
    return DefinitionRecord(**row._mapping)
