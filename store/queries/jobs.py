"""Jobs and job definitions, of batches and of the activities of processes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import invalid, missing
from retriage.store.contract.queries import JobDefinitionQuery, JobQuery, TimeFilter
from retriage.store.contract.records import TIMER_JOB
from retriage.store.contract.records import Job as Record
from retriage.store.contract.records import JobDefinition as DefinitionRecord
from retriage.store.contract.values import nearest_moment
from retriage.store.database import now
from retriage.store.queries.conditions import Condition, Conditions, among, conditions, equals, flag
from retriage.store.queries.definitions import tenants
from retriage.store.queries.listing import Listing, text_of
from retriage.store.queries.of_definition import OfDefinition
from retriage.store.queries.sorting import sort_keys
from retriage.store.tables import Job, JobDefinition, ProcessDefinition
from retriage.store.tables.types import Rows, col

_J = Job
_D = JobDefinition
_ID: ColumnElement[Any] = col(_J.id)
_DEFINITION_ID: ColumnElement[Any] = col(_D.id)
_KEY: ColumnElement[Any] = col(ProcessDefinition.key)
_OF_JOB = OfDefinition(col(_J.process_definition_id))
_OF_DEFINITION = OfDefinition(col(_D.process_definition_id))


def _due() -> Condition:
    return or_(col(_J.due_date).is_(None), col(_J.due_date) <= now())


def _times(column: ColumnElement[Any], label: str, *, lt_includes: bool) -> Any:
    def condition(filters: Sequence[TimeFilter]) -> Condition | None:
        found: list[Condition] = []
        for one in filters:
            if one.operator not in ("gt", "lt"):
                raise invalid(f"Invalid {label} comparator specified: {one.operator}")
            try:
                moment = nearest_moment(one.value or "")
            except ValueError:
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
    "activity_id": equals(col(_J.activity_id)),
    "process_instance_id": equals(col(_J.process_instance_id)),
    "process_instance_ids": among(col(_J.process_instance_id)),
    "execution_id": equals(col(_J.execution_id)),
    "process_definition_id": equals(col(_J.process_definition_id)),
    "process_definition_key": lambda value: _OF_JOB.fulfils(_KEY == value),
    "with_retries_left": flag(lambda: col(_J.retries) > 0),
    "no_retries_left": flag(lambda: col(_J.retries) == 0),
    "executable": flag(lambda: and_(col(_J.retries) > 0, _due())),
    "timers": flag(lambda: col(_J.job_type) == TIMER_JOB),
    "messages": flag(lambda: col(_J.job_type) != TIMER_JOB),
    "due_dates": _times(col(_J.due_date), "due date", lt_includes=False),
    "create_times": _times(col(_J.create_time), "create time", lt_includes=True),
    "with_exception": flag(lambda: col(_J.exception_message).is_not(None)),
    "exception_message": equals(col(_J.exception_message)),
    "failed_activity_id": equals(col(_J.failed_activity_id)),
    "active": flag(lambda: col(_J.suspended).is_(False)),
    "suspended": flag(lambda: col(_J.suspended).is_(True)),
    "acquired": flag(lambda: col(_J.lock_expiration_time) > now()),
    "priority_higher_than_or_equals": lambda value: col(_J.priority) >= value,
    "priority_lower_than_or_equals": lambda value: col(_J.priority) <= value,
    "tenant_id_in": lambda _value: None,  # has a modifier: see below
    "without_tenant_id": flag(lambda: col(_J.tenant_id).is_(None)),
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "jobId": _ID,
    "executionId": col(_J.execution_id),
    "processInstanceId": col(_J.process_instance_id),
    "processDefinitionId": col(_J.process_definition_id),
    "processDefinitionKey": _OF_JOB.column(_KEY),
    "jobPriority": col(_J.priority),
    "jobRetries": col(_J.retries),
    "jobDueDate": col(_J.due_date),
    "tenantId": col(_J.tenant_id),
}
_ROWS = select(
    _ID,
    *(col(getattr(_J, name)) for name in ("process_instance_id", "process_definition_id", "execution_id")),
    _KEY.label("process_definition_key"),
    col(_J.failed_activity_id),
    col(_J.tenant_id),
    col(_J.job_definition_id),
    col(_J.exception_message),
    col(_J.retries),
    col(_J.due_date),
    col(_J.suspended),
    col(_J.priority),
    col(_J.create_time),
    col(_J.batch_id),
)
_ROWS = _ROWS.select_from(_J).outerjoin(ProcessDefinition, col(ProcessDefinition.id) == col(_J.process_definition_id))


def job_conditions(query: JobQuery) -> list[Condition]:
    """The conditions of all filters of a query.

    Raises:
        ContractError: a filter that the contract refuses.
    """
    if query.timers and query.messages:
        raise invalid("Parameter timers cannot be used together with parameter messages.")
    found = conditions(
        query,
        CONDITIONS,
        wins=(("suspended", "active"),),
        ranges=(("priority_higher_than_or_equals", "priority_lower_than_or_equals"),),
    )
    if query.without_tenant_id:  # wins over names
        return found
    of_tenants = tenants(col(_J.tenant_id), query.tenant_id_in, query.include_jobs_without_tenant_id)
    return found if of_tenants is None else [*found, of_tenants]


def job_ids(query: JobQuery) -> Rows:
    """A select of the ids of the jobs that match; its order is of no account.

    Raises:
        ContractError: a filter or sort key that the contract refuses.
    """
    where = job_conditions(query)
    sort_keys(query)
    return select(_ID).where(*where)


JOBS = Listing(
    query=JobQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    where=job_conditions,
    unknown="Job with id {} does not exist",
)


async def get_stacktrace(connection: AsyncConnection, job_id: str) -> str | None:
    """The stack trace of the last failure of a job, none if it never failed.

    Raises:
        ContractError: 404, there is no such job.
    """
    unknown = missing(f"No job found with id {job_id}: job is null")
    return await text_of(connection, _ID, col(_J.exception_stacktrace), job_id, unknown)


DEFINITION_CONDITIONS: Conditions = {
    "job_definition_id": equals(_DEFINITION_ID),
    "activity_id_in": among(col(_D.activity_id)),
    "process_definition_id": equals(col(_D.process_definition_id)),
    "process_definition_key": lambda value: _OF_DEFINITION.fulfils(_KEY == value),
    "job_type": equals(col(_D.job_type)),
    "job_configuration": equals(col(_D.job_configuration)),
    "active": flag(lambda: col(_D.suspended).is_(False)),
    "suspended": flag(lambda: col(_D.suspended).is_(True)),
    "with_overriding_job_priority": flag(lambda: col(_D.overriding_job_priority).is_not(None)),
    "tenant_id_in": lambda _value: None,  # has a modifier: see below
    "without_tenant_id": flag(lambda: col(_D.tenant_id).is_(None)),
}

DEFINITION_SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "jobDefinitionId": _DEFINITION_ID,
    "activityId": col(_D.activity_id),
    "processDefinitionId": col(_D.process_definition_id),
    "processDefinitionKey": _OF_DEFINITION.column(_KEY),
    "jobType": col(_D.job_type),
    "jobConfiguration": col(_D.job_configuration),
    "tenantId": col(_D.tenant_id),
}

_DEFINITION_ROWS: Rows = (
    select(
        _DEFINITION_ID,
        col(_D.process_definition_id),
        _KEY.label("process_definition_key"),
        col(_D.job_type),
        col(_D.job_configuration),
        col(_D.activity_id),
        col(_D.suspended),
        col(_D.overriding_job_priority),
        col(_D.tenant_id),
        col(_D.deployment_id),
    )
    .select_from(_D)
    .outerjoin(ProcessDefinition, col(ProcessDefinition.id) == col(_D.process_definition_id))
)


def _definition_conditions(query: JobDefinitionQuery) -> list[Condition]:
    found = conditions(query, DEFINITION_CONDITIONS, wins=(("suspended", "active"),))
    if query.without_tenant_id:  # wins over names
        return found
    of_tenants = tenants(col(_D.tenant_id), query.tenant_id_in, query.include_job_definitions_without_tenant_id)
    return found if of_tenants is None else [*found, of_tenants]


JOB_DEFINITIONS = Listing(
    query=JobDefinitionQuery,
    shape=DefinitionRecord,
    rows=_DEFINITION_ROWS,
    key=_DEFINITION_ID,
    conditions=DEFINITION_CONDITIONS,
    sort_columns=DEFINITION_SORT_COLUMNS,
    where=_definition_conditions,
    unknown="Job Definition with id {} does not exist",
)
