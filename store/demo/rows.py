"""Rows as they are written in bulk: plain tuples in the order of the columns named here, times as milliseconds.

Plain tuples of plain values, for two reasons: a million of them is made in seconds, and the garbage collector stops
looking at them; with rows of another kind its full passes would hold up the event loop for a tenth of a second each.
"""

from dataclasses import dataclass, field
from itertools import chain

Row = tuple[str | int | float | None, ...]


@dataclass(frozen=True)
class Columns:
    """A table, by its name, and those of its columns that are written; all others take their defaults."""

    table: str
    names: tuple[str, ...]


INSTANCE = Columns(
    "process_instance",
    (
        "id", "process_definition_id", "business_key", "tenant_id", "state", "start_time", "end_time",
        "start_activity_id", "start_user_id", "delete_reason",
    ),
)  # fmt: skip
JOIN = Columns("execution", ("id", "process_instance_id", "activity_id", "activity_instance_id"))
"""A token that waits at a join. Those that wait at a task are copied from the task."""
VARIABLE = Columns(
    "variable", ("id", "process_instance_id", "name", "type", "text_value", "long_value", "double_value")
)
TASK_LOG = Columns(
    "external_task_log",
    (
        "id", "timestamp", "state", "worker_id", "retries", "error_message", "error_details",
        "external_task_id", "topic_name", "priority", "activity_id", "activity_instance_id", "execution_id",
        "process_instance_id", "process_definition_id", "tenant_id",
    ),
)  # fmt: skip
"""An event in the life of a task: what is of the event first, then what is of the task."""
OF_TASK = TASK_LOG.names[7:]
"""The second half of a log entry, the same for all entries of a task."""
TASK = Columns(
    "external_task",
    (
        "create_time", "worker_id", "lock_expiration_time", "retries", "error_message", "suspended",
        "id", *OF_TASK[1:],
    ),
)  # fmt: skip
_TASK_ID = TASK.names.index("id")
DETAILS = Columns("error_details", ("external_task_id", "details"))
INCIDENT = Columns(
    "incident",
    (
        "id", "incident_type", "state", "create_time", "end_time", "configuration", "incident_message",
        "process_instance_id", "process_definition_id", "execution_id", "activity_id", "tenant_id",
        "history_configuration",
    ),
)  # fmt: skip


@dataclass(slots=True)
class Rows:
    """The rows of a slice of the world, each list as its columns above say."""

    instances: list[Row] = field(default_factory=list)
    tasks: list[Row] = field(default_factory=list)
    joins: list[Row] = field(default_factory=list)
    variables: list[Row] = field(default_factory=list)
    details: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    task_log: list[Row] = field(default_factory=list)

    def by_columns(self) -> tuple[tuple[Columns, list[Row]], ...]:
        """The lists in the order in which they are written."""
        return (
            (INSTANCE, self.instances),
            (TASK, self.tasks),
            (JOIN, self.joins),
            (VARIABLE, self.variables),
            (DETAILS, self.details),
            (INCIDENT, self.incidents),
            (TASK_LOG, self.task_log),
        )

    def packed(self) -> "PackedRows":
        """The same, ready to be written."""
        return PackedRows(
            tasks=len(self.tasks),
            instances=len(self.instances),
            incidents=len(self.incidents),
            variables=len(self.variables),
            task_log=len(self.task_log),
            task_ids=tuple(str(row[_TASK_ID]) for row in (self.tasks[:1] + self.tasks[-1:])),
            inserts=[insert for columns, rows in self.by_columns() for insert in _inserts(columns, rows)],
        )


TOGETHER = 100
"""Rows of one statement: alone each costs the interpreter a turn of its lock, and SQLite a statement."""

Insert = tuple[Columns, int, list[Row]]
"""Columns, how many rows of them a statement inserts, and the values of each such statement, row after row."""


@dataclass(frozen=True, slots=True)
class PackedRows:
    """A slice of the world as it is written.

    Attributes:
        tasks: how many there are; so for the other kinds.
        task_ids: of the first and the last task; none where there are none.
        inserts: all rows, in the order in which they are written.
    """

    tasks: int
    instances: int
    incidents: int
    variables: int
    task_log: int
    task_ids: tuple[str, ...]
    inserts: list[Insert]


def _inserts(columns: Columns, rows: list[Row]) -> list[Insert]:
    whole = len(rows) // TOGETHER * TOGETHER
    together = [tuple(chain.from_iterable(rows[at : at + TOGETHER])) for at in range(0, whole, TOGETHER)]
    return [insert for insert in ((columns, TOGETHER, together), (columns, 1, rows[whole:])) if insert[2]]
