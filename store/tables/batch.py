"""Batches and the ids they work on."""

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import UtcTime


class Batch(SQLModel, table=True):
    """A batch for all of its life; ``end_time`` is null while it runs.

    ``seeded`` is the cursor: ordinals below it have their job. ``elements`` is the number of ids, ``job_retries`` how
    many attempts each job has. ``configuration`` is what its jobs need to know, in JSON: each type has its own.
    ``removal_time`` is what the engine of a snapshot said; a store's own batches go by its settings.
    """

    __tablename__ = "batch"
    __table_args__ = (
        Index(
            "batch_running",
            "id",
            sqlite_where=text("end_time IS NULL"),
            postgresql_where=text("end_time IS NULL"),
        ),
        Index("batch_start", "start_time"),
    )

    id: str = Field(primary_key=True)
    type: str
    configuration: str = Field(default="{}", sa_type=Text, sa_column_kwargs={"server_default": text("'{}'")})
    job_retries: int = 3
    elements: int
    seeded: int = 0
    total_jobs: int
    jobs_created: int = 0
    batch_jobs_per_seed: int
    invocations_per_batch_job: int
    seed_job_definition_id: str
    monitor_job_definition_id: str
    batch_job_definition_id: str
    suspended: bool = False
    tenant_id: str | None = None
    create_user_id: str | None = None
    start_time: datetime = Field(sa_type=UtcTime)
    execution_start_time: datetime | None = Field(default=None, sa_type=UtcTime)
    end_time: datetime | None = Field(default=None, sa_type=UtcTime)
    removal_time: datetime | None = Field(default=None, sa_type=UtcTime)


class BatchGroup(SQLModel, table=True):
    """Ids of one deployment: ordinals from ``first`` up to, not including, ``past``. A job never mixes groups."""

    __tablename__ = "batch_group"

    batch_id: str = Field(primary_key=True)
    first: int = Field(primary_key=True)
    past: int
    deployment_id: str | None = None


class BatchElement(SQLModel, table=True):
    """One id of a batch. Gone once its job is done."""

    __tablename__ = "batch_element"
    __table_args__ = ({"sqlite_with_rowid": False},)

    batch_id: str = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    element_id: str


class UnfinishedBatch(SQLModel, table=True):
    """A batch whose ids are still being written, by a process; it has elements, and nothing else yet.

    Once it is whole this row goes, and the row of the batch comes.
    """

    __tablename__ = "unfinished_batch"

    batch_id: str = Field(primary_key=True)
    owner: str
