"""Rows as they are written in bulk: tuples in the order of the named columns, times as milliseconds."""

from typing import NamedTuple

from sqlmodel import SQLModel

from store import tables


class InstanceRow(NamedTuple):
    """A process instance, running or ended."""

    id: str
    process_definition_id: str
    business_key: str
    tenant_id: str | None
    state: str
    start_time: int
    end_time: int | None
    start_activity_id: str
    start_user_id: str | None
    delete_reason: str | None


class ExecutionRow(NamedTuple):
    """A token that waits."""

    id: str
    process_instance_id: str
    activity_id: str
    activity_instance_id: str


class VariableRow(NamedTuple):
    """A variable at the scope of its instance."""

    id: str
    process_instance_id: str
    name: str
    type: str
    text_value: str | None
    long_value: int | None
    double_value: float | None


class TaskRow(NamedTuple):
    """An external task."""

    id: str
    topic_name: str
    process_instance_id: str
    process_definition_id: str
    execution_id: str
    activity_id: str
    activity_instance_id: str
    worker_id: str | None
    lock_expiration_time: int | None
    create_time: int
    retries: int | None
    error_message: str | None
    priority: int
    suspended: bool
    tenant_id: str | None


class DetailsRow(NamedTuple):
    """The error details of a task."""

    external_task_id: str
    details: str


class IncidentRow(NamedTuple):
    """An incident, open or ended."""

    id: str
    incident_type: str
    state: str
    create_time: int
    end_time: int | None
    configuration: str
    incident_message: str | None
    process_instance_id: str
    process_definition_id: str
    execution_id: str
    activity_id: str
    tenant_id: str | None
    history_configuration: str


class LogRow(NamedTuple):
    """An event in the life of a task."""

    id: str
    timestamp: int
    state: int
    external_task_id: str
    topic_name: str
    worker_id: str | None
    priority: int
    retries: int | None
    error_message: str | None
    error_details: str | None
    activity_id: str
    activity_instance_id: str
    execution_id: str
    process_instance_id: str
    process_definition_id: str
    tenant_id: str | None


AnyRow = InstanceRow | ExecutionRow | VariableRow | TaskRow | DetailsRow | IncidentRow | LogRow

TABLES: dict[type[AnyRow], type[SQLModel]] = {
    InstanceRow: tables.ProcessInstance,
    ExecutionRow: tables.Execution,
    VariableRow: tables.Variable,
    TaskRow: tables.ExternalTask,
    DetailsRow: tables.ErrorDetails,
    IncidentRow: tables.Incident,
    LogRow: tables.ExternalTaskLog,
}
"""The table of each kind of row."""

Values = tuple[str | int | float | None, ...]


class Rows:
    """The rows of a slice of the world.

    They are kept as plain tuples of plain values, for the garbage collector stops looking at those; with rows of
    another kind its full passes would hold up the event loop for a tenth of a second each.
    """

    def __init__(self) -> None:
        self._rows: dict[type[AnyRow], list[Values]] = {kind: [] for kind in TABLES}

    def add(self, row: AnyRow) -> None:
        """Keep one more row."""
        self._rows[type(row)].append(tuple(row))

    def of(self, kind: type[AnyRow]) -> list[Values]:
        """All rows of a kind, in the order in which they were added."""
        return self._rows[kind]
