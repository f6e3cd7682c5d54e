"""The user operation log: append-only, one row per changed property."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import Note, UtcTime


class UserOperation(SQLModel, table=True):
    """What one call of an authenticated user changed of one property. The rows of a call share ``operation_id``.

    ``removal_time`` is null as long as the instance that the row is about is there to tell it.
    """

    __tablename__ = "user_operation"
    __table_args__ = (
        Index("user_operation_call", "operation_id"),
        Index("user_operation_time", "timestamp"),
        Index("user_operation_instance", "process_instance_id"),
        Index("user_operation_batch", "batch_id"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    operation_id: str
    timestamp: datetime = Field(sa_type=UtcTime)
    user_id: str
    operation_type: str
    entity_type: str
    property: str | None = None
    org_value: str | None = Field(default=None, sa_type=Text)
    new_value: str | None = Field(default=None, sa_type=Text)
    deployment_id: str | None = None
    process_definition_id: str | None = None
    process_definition_key: str | None = None
    process_instance_id: str | None = None
    external_task_id: str | None = None
    job_id: str | None = None
    job_definition_id: str | None = None
    batch_id: str | None = None
    removal_time: datetime | None = Field(default=None, sa_type=UtcTime)
    annotation: str | None = Field(default=None, sa_type=Note)
