"""The logs of jobs and external tasks."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import ContractError, engine_error, missing, null_value
from retriage.store.contract.history import (
    HistoricExternalTaskLog,
    HistoricExternalTaskLogQuery,
    HistoricJobLog,
    HistoricJobLogQuery,
)
from retriage.store.contract.states import LogState
from retriage.store.queries.conditions import Condition, Conditions, Pairs, among, equals, flag
from retriage.store.queries.listing import Listing, text_of
from retriage.store.queries.of_definition import OfDefinition, removal_time
from retriage.store.tables import ExternalTaskLog, JobLog, ProcessDefinition, ProcessInstance
from retriage.store.tables.types import Rows, col

_J = JobLog
_T = ExternalTaskLog
_JOB_ENTRY: ColumnElement[Any] = col(_J.id)
_TASK_ENTRY: ColumnElement[Any] = col(_T.id)
_DEFINITION = OfDefinition(col(_T.process_definition_id))

_FLAGS = {
    "creation_log": LogState.CREATED,
    "failure_log": LogState.FAILED,
    "success_log": LogState.SUCCESSFUL,
    "deletion_log": LogState.DELETED,
}

_WINS: Pairs = (
    *((later, earlier) for place, later in enumerate(_FLAGS) for earlier in list(_FLAGS)[:place]),
    ("without_tenant_id", "tenant_id_in"),
)


def of_state(column: ColumnElement[Any], state: LogState) -> Condition:
    """Entries of one kind; the number is written out as the index on failures has it."""
    return column == literal_column(str(int(state)))


def _flag_conditions(column: ColumnElement[Any]) -> Conditions:
    def condition(state: LogState) -> Callable[[bool], Condition | None]:
        return flag(lambda: of_state(column, state))

    return {name: condition(state) for name, state in _FLAGS.items()}


def _flag_columns(column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    return [of_state(column, state).label(name) for name, state in _FLAGS.items()]


def _named(
    name: str,
    condition: Callable[[Sequence[Any]], Condition | None],
    refuse: Callable[[str], ContractError],
    null_name: str | None = None,
) -> Callable[[Sequence[str | None]], Condition | None]:
    """A list of names, none of which may be missing or empty.

    Args:
        name: what the refusal calls the list.
        condition: what the list means.
        refuse: makes the refusal of a null in it.
        null_name: what that refusal calls the list, where it is another word.
    """

    def checked(values: Sequence[str | None]) -> Condition | None:
        if None in values:
            raise refuse(f"{null_name or name} contains null value")
        if "" in values:
            raise _not_valid(f"{name} contains empty string")
        return condition(values)

    return checked


def _not_valid(message: str) -> ContractError:
    return ContractError(400, "NotValidException", message, 0)


def _host(name: str) -> Condition | None:
    """An empty name filters nothing, a blank one is refused (observed on Camunda 7.24.0)."""
    if name and not name.strip():
        raise engine_error("hostName is empty")
    return col(_J.hostname) == name if name else None


def _of_configuration(value: str) -> Condition:
    """Of a batch, or of jobs that tokens wait for: their configurations are no ids, and have no index."""
    of_token = value.startswith(("async-", "DATE: ", "DURATION: "))
    return (col(_J.job_configuration) if of_token else col(_J.batch_id)) == value


_OF_JOB = OfDefinition(col(_J.process_definition_id))
_CONFIGURATION: ColumnElement[Any] = func.coalesce(col(_J.batch_id), col(_J.job_configuration))

JOB_CONDITIONS: Conditions = {
    "log_id": equals(_JOB_ENTRY),
    "job_id": equals(col(_J.job_id)),
    "job_exception_message": equals(col(_J.exception_message)),
    "job_definition_id": equals(col(_J.job_definition_id)),
    "job_definition_type": equals(col(_J.job_type)),
    "job_definition_configuration": _of_configuration,
    "activity_id_in": _named("activityIds", among(col(_J.activity_id)), null_value),
    "failed_activity_id_in": _named("activityIds", among(col(_J.failed_activity_id)), null_value),
    "execution_id_in": _named("executionIds", among(col(_J.execution_id)), null_value),
    "process_instance_id": equals(col(_J.process_instance_id)),
    "process_definition_id": equals(col(_J.process_definition_id)),
    "process_definition_key": lambda value: _OF_JOB.fulfils(col(ProcessDefinition.key) == value),
    "deployment_id": equals(col(_J.deployment_id)),
    "tenant_id_in": among(col(_J.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_J.tenant_id).is_(None)),
    "hostname": _host,
    "job_priority_higher_than_or_equals": lambda value: col(_J.job_priority) >= value,
    "job_priority_lower_than_or_equals": lambda value: col(_J.job_priority) <= value,
    **_flag_conditions(col(_J.state)),
}

JOB_SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "timestamp": col(_J.timestamp),
    "jobId": col(_J.job_id),
    "jobDueDate": col(_J.job_due_date),
    "jobRetries": col(_J.job_retries),
    "jobPriority": col(_J.job_priority),
    "jobDefinitionId": col(_J.job_definition_id),
    "deploymentId": col(_J.deployment_id),
    "hostname": col(_J.hostname),
    "occurrence": case((of_state(col(_J.state), LogState.CREATED), "0"), else_="1").concat(_JOB_ENTRY),
    "activityId": col(_J.activity_id),
    "executionId": col(_J.execution_id),
    "processInstanceId": col(_J.process_instance_id),
    "processDefinitionId": col(_J.process_definition_id),
    "processDefinitionKey": _OF_JOB.column(col(ProcessDefinition.key)),
    "tenantId": col(_J.tenant_id),
}
"""The ids of a job's entries ascend, so they say which came after which."""

_JOB_ROWS: Rows = (
    select(
        _JOB_ENTRY,
        col(_J.timestamp),
        removal_time().label("removal_time"),
        col(_J.job_id),
        col(_J.job_due_date),
        col(_J.job_retries),
        col(_J.job_priority),
        col(_J.exception_message).label("job_exception_message"),
        col(_J.job_definition_id),
        col(_J.job_type).label("job_definition_type"),
        _CONFIGURATION.label("job_definition_configuration"),
        col(_J.activity_id),
        col(_J.failed_activity_id),
        col(_J.execution_id),
        col(_J.process_instance_id),
        col(_J.process_definition_id),
        col(ProcessDefinition.key).label("process_definition_key"),
        col(_J.deployment_id),
        col(_J.tenant_id),
        col(_J.hostname),
        case((col(_J.execution_id).is_not(None), col(_J.process_instance_id))).label("root_process_instance_id"),
        col(_J.batch_id),
        *_flag_columns(col(_J.state)),
    )
    .select_from(_J)
    .outerjoin(ProcessDefinition, col(ProcessDefinition.id) == col(_J.process_definition_id))
    .outerjoin(
        ProcessInstance, and_(col(ProcessInstance.id) == col(_J.process_instance_id), col(_J.execution_id).is_not(None))
    )
)

JOB_LOG = Listing(
    query=HistoricJobLogQuery,
    shape=HistoricJobLog,
    rows=_JOB_ROWS,
    key=_JOB_ENTRY,
    conditions=JOB_CONDITIONS,
    sort_columns=JOB_SORT_COLUMNS,
    wins=_WINS,
    ranges=(("job_priority_higher_than_or_equals", "job_priority_lower_than_or_equals"),),
    unknown="Historic job log with id {} does not exist",
)


async def get_stacktrace(connection: AsyncConnection, log_id: str) -> str | None:
    """The stack trace of a failure, none for entries of other kinds.

    Raises:
        ContractError: 404, there is no such entry.
    """
    unknown = missing(f"No historic job log found with id {log_id}: historicJobLog is null")
    return await text_of(connection, _JOB_ENTRY, col(_J.exception_stacktrace), log_id, unknown)


EXTERNAL_TASK_CONDITIONS: Conditions = {
    "log_id": equals(_TASK_ENTRY),
    "external_task_id": equals(col(_T.external_task_id)),
    "topic_name": equals(col(_T.topic_name)),
    "worker_id": equals(col(_T.worker_id)),
    "error_message": equals(col(_T.error_message)),
    "activity_id_in": _named("activityIds", among(col(_T.activity_id)), _not_valid),
    "activity_instance_id_in": _named(
        "activityInstanceIds", among(col(_T.activity_instance_id)), _not_valid, "activityIds"
    ),
    "execution_id_in": _named("executionIds", among(col(_T.execution_id)), _not_valid, "activityIds"),
    "process_instance_id": equals(col(_T.process_instance_id)),
    "process_definition_id": equals(col(_T.process_definition_id)),
    "process_definition_key": lambda value: _DEFINITION.fulfils(col(ProcessDefinition.key) == value),
    "tenant_id_in": among(col(_T.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_T.tenant_id).is_(None)),
    "priority_higher_than_or_equals": lambda value: col(_T.priority) >= value,
    "priority_lower_than_or_equals": lambda value: col(_T.priority) <= value,
    **_flag_conditions(col(_T.state)),
}

EXTERNAL_TASK_SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "timestamp": col(_T.timestamp),
    "externalTaskId": col(_T.external_task_id),
    "retries": col(_T.retries),
    "priority": col(_T.priority),
    "topicName": col(_T.topic_name),
    "workerId": col(_T.worker_id),
    "activityId": col(_T.activity_id),
    "activityInstanceId": col(_T.activity_instance_id),
    "executionId": col(_T.execution_id),
    "processInstanceId": col(_T.process_instance_id),
    "processDefinitionId": col(_T.process_definition_id),
    "processDefinitionKey": _DEFINITION.column(col(ProcessDefinition.key)),
    "tenantId": col(_T.tenant_id),
}

_EXTERNAL_TASK_ROWS: Rows = (
    select(
        _TASK_ENTRY,
        col(_T.timestamp),
        removal_time().label("removal_time"),
        col(_T.external_task_id),
        col(_T.topic_name),
        col(_T.worker_id),
        col(_T.priority),
        col(_T.retries),
        col(_T.error_message),
        col(_T.activity_id),
        col(_T.activity_instance_id),
        col(_T.execution_id),
        col(_T.process_instance_id),
        col(_T.process_definition_id),
        col(ProcessDefinition.key).label("process_definition_key"),
        col(_T.tenant_id),
        col(_T.process_instance_id).label("root_process_instance_id"),
        *_flag_columns(col(_T.state)),
    )
    .select_from(_T)
    .join(ProcessDefinition, col(ProcessDefinition.id) == col(_T.process_definition_id))
    .join(ProcessInstance, col(ProcessInstance.id) == col(_T.process_instance_id))
)

EXTERNAL_TASK_LOG = Listing(
    query=HistoricExternalTaskLogQuery,
    shape=HistoricExternalTaskLog,
    rows=_EXTERNAL_TASK_ROWS,
    key=_TASK_ENTRY,
    conditions=EXTERNAL_TASK_CONDITIONS,
    sort_columns=EXTERNAL_TASK_SORT_COLUMNS,
    wins=_WINS,
    ranges=(("priority_higher_than_or_equals", "priority_lower_than_or_equals"),),
    unknown="Historic external task log with id {} does not exist",
)


async def get_error_details(connection: AsyncConnection, log_id: str) -> str | None:
    """The long error text of a failure, none for entries of other kinds.

    Raises:
        ContractError: 404, there is no such entry.
    """
    unknown = missing(f"No historic external task log found with id {log_id}: historicExternalTaskLog is null")
    return await text_of(connection, _TASK_ENTRY, col(_T.error_details), log_id, unknown)
