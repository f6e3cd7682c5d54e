"""Incidents."""

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from retriage.store.contract.states import OPEN
from retriage.store.tables.types import Note, UtcTime


class Incident(SQLModel, table=True):
    """An incident for all of its life; ``end_time`` is null and ``state`` open until it is resolved or deleted."""

    __tablename__ = "incident"
    __table_args__ = (
        Index(
            "incident_open",
            "id",
            sqlite_where=text("end_time IS NULL"),
            postgresql_where=text("end_time IS NULL"),
        ),
        Index("incident_configuration", "configuration"),
        Index("incident_created", "create_time"),
        Index("incident_instance", "process_instance_id"),
        Index("incident_job_definition", "job_definition_id"),
    )

    id: str = Field(primary_key=True)
    incident_type: str
    state: str = OPEN
    create_time: datetime = Field(sa_type=UtcTime)
    end_time: datetime | None = Field(default=None, sa_type=UtcTime)
    configuration: str | None = None
    incident_message: str | None = Field(default=None, sa_type=Text)
    process_instance_id: str | None = None
    process_definition_id: str | None = None
    execution_id: str | None = None
    activity_id: str | None = None
    failed_activity_id: str | None = None
    job_definition_id: str | None = None
    tenant_id: str | None = None
    history_configuration: str | None = None
    annotation: str | None = Field(default=None, sa_type=Note)
