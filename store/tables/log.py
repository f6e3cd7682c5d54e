"""Logs: append-only, one row per event."""

import platform
from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from retriage.store.contract.states import LogState
from retriage.store.tables.job import OF_TOKEN
from retriage.store.tables.types import UtcTime

HOST = f"{platform.node()}$default"
"""Who writes: the host's name, a dollar sign, the engine's name."""


FAILED = f"state = {int(LogState.FAILED)}"
"""A failure, written as the indexes on failures have it: other entries cost those indexes nothing."""


class JobLog(SQLModel, table=True):
    """One event in the life of a job. ``job_retries`` of a failure is the value before the decrement.

    ``job_configuration`` is that of its definition; for jobs of batches it is the batch id, and not repeated.
    """

    __tablename__ = "job_log"
    __table_args__ = (
        Index("job_log_batch", "batch_id", "state"),
        Index(
            "job_log_instance",
            "process_instance_id",
            sqlite_where=text(OF_TOKEN),
            postgresql_where=text(OF_TOKEN),
        ),
        Index("job_log_failed_job", "job_id", sqlite_where=text(FAILED), postgresql_where=text(FAILED)),
        # With the state, though it is the same for all: a count would look up every entry to see it.
        Index("job_log_failed", "timestamp", "state", sqlite_where=text(FAILED), postgresql_where=text(FAILED)),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    timestamp: datetime = Field(sa_type=UtcTime)
    state: int = Field(sa_type=SmallInteger)
    job_id: str
    job_type: str
    job_definition_id: str
    batch_id: str | None = None
    deployment_id: str | None = None
    job_retries: int
    job_priority: int = Field(default=0, sa_type=BigInteger)
    job_due_date: datetime | None = Field(default=None, sa_type=UtcTime)
    exception_message: str | None = Field(default=None, sa_type=Text)
    exception_stacktrace: str | None = Field(default=None, sa_type=Text)
    hostname: str | None = Field(default=None, sa_column_kwargs={"default": HOST})
    process_instance_id: str | None = None
    process_definition_id: str | None = None
    execution_id: str | None = None
    activity_id: str | None = None
    failed_activity_id: str | None = None
    tenant_id: str | None = None
    job_configuration: str | None = None


class ExternalTaskLog(SQLModel, table=True):
    """One event in the life of an external task. ``retries`` of a failure is the value before the call."""

    __tablename__ = "external_task_log"
    __table_args__ = (
        Index("external_task_log_task", "external_task_id"),
        Index("external_task_log_instance", "process_instance_id"),
        Index("external_task_log_time", "timestamp"),
        Index(
            "external_task_log_failed", "timestamp", "state", sqlite_where=text(FAILED), postgresql_where=text(FAILED)
        ),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    timestamp: datetime = Field(sa_type=UtcTime)
    state: int = Field(sa_type=SmallInteger)
    external_task_id: str
    topic_name: str
    worker_id: str | None = None
    priority: int = Field(default=0, sa_type=BigInteger)
    retries: int | None = None
    error_message: str | None = Field(default=None, sa_type=Text)
    error_details: str | None = Field(default=None, sa_type=Text)
    activity_id: str
    activity_instance_id: str
    execution_id: str
    process_instance_id: str
    process_definition_id: str
    tenant_id: str | None = None
