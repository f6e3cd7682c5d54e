"""External tasks."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import Name, UtcTime

READY = "(retries IS NULL OR retries > 0) AND NOT suspended"
"""What a task must be to be fetched, apart from its lock: the condition of an index, which a statement has to repeat
letter by letter for SQLite to use that index."""

FAILED = "retries = 0"
"""No retries left, written as its indexes have it: a failed task costs an index entry, the others none."""


class ExternalTask(SQLModel, table=True):
    """A unit of work that waits for a worker. ``retries`` is null until the first failure."""

    __tablename__ = "external_task"
    __table_args__ = (
        Index("external_task_instance", "process_instance_id"),
        Index("external_task_definition", "process_definition_id"),
        Index("external_task_topic", "topic_name"),
        # With their retries, though all are the same: a count would look up every task to see them. So it would to see
        # which are suspended.
        Index(
            "external_task_failed",
            "id",
            "retries",
            "suspended",
            sqlite_where=text(FAILED),
            postgresql_where=text(FAILED),
        ),
        Index(
            "external_task_failed_topic",
            "topic_name",
            "retries",
            "suspended",
            sqlite_where=text(FAILED),
            postgresql_where=text(FAILED),
        ),
        Index(
            "external_task_locked",
            "lock_expiration_time",
            sqlite_where=text("lock_expiration_time IS NOT NULL"),
            postgresql_where=text("lock_expiration_time IS NOT NULL"),
        ),
        Index(
            "external_task_worker",
            "worker_id",
            sqlite_where=text("worker_id IS NOT NULL"),
            postgresql_where=text("worker_id IS NOT NULL"),
        ),
        Index("external_task_created", "create_time"),
        Index(
            "external_task_ready",
            "topic_name",
            "priority",
            text("create_time DESC"),  # read backwards: the highest priority first, the oldest first among equals
            "lock_expiration_time",
            sqlite_where=text(READY),
            postgresql_where=text(READY),
        ),
        Index("external_task_priority", "priority"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    topic_name: str = Field(sa_type=Name)
    process_instance_id: str
    process_definition_id: str
    execution_id: str
    activity_id: str
    activity_instance_id: str
    worker_id: str | None = Field(default=None, sa_type=Name)
    lock_expiration_time: datetime | None = Field(default=None, sa_type=UtcTime)
    create_time: datetime | None = Field(default=None, sa_type=UtcTime)
    retries: int | None = None
    error_message: str | None = Field(default=None, sa_type=Text)
    priority: int = Field(default=0, sa_type=BigInteger)
    suspended: bool = False
    tenant_id: str | None = None


class ErrorDetails(SQLModel, table=True):
    """The long text that a worker sent with its last failure."""

    __tablename__ = "error_details"

    external_task_id: str = Field(primary_key=True)
    details: str = Field(sa_type=Text)
