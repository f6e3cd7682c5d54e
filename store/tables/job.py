"""Jobs and job definitions."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from store.tables.types import UtcTime


class JobDefinition(SQLModel, table=True):
    """What the jobs of one kind in one batch share. ``job_configuration`` is the batch id."""

    __tablename__ = "job_definition"
    __table_args__ = (Index("job_definition_configuration", "job_configuration"),)

    id: str = Field(primary_key=True)
    job_type: str
    job_configuration: str | None = None
    suspended: bool = False
    overriding_job_priority: int | None = Field(default=None, sa_type=BigInteger)
    deployment_id: str | None = None


class Job(SQLModel, table=True):
    """A job: acquirable while retries are above 0, it is due, not suspended and not locked.

    ``job_type`` repeats the definition's. A batch job works on the elements from ``first`` up to, not including,
    ``past``; both are null for seed and monitor jobs. ``lock_owner`` names one acquisition of one runner.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "job_ready",
            "id",
            sqlite_where=text("retries > 0 AND NOT suspended"),
            postgresql_where=text("retries > 0 AND NOT suspended"),
        ),
        Index("job_definition_of", "job_definition_id", "retries"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    job_type: str
    job_definition_id: str
    batch_id: str
    deployment_id: str | None = None
    first: int | None = None
    past: int | None = None
    retries: int = 3
    due_date: datetime | None = Field(default=None, sa_type=UtcTime)
    suspended: bool = False
    priority: int = Field(default=0, sa_type=BigInteger)
    create_time: datetime = Field(sa_type=UtcTime)
    lock_owner: str | None = None
    lock_expiration_time: datetime | None = Field(default=None, sa_type=UtcTime)
    exception_message: str | None = Field(default=None, sa_type=Text)
    exception_stacktrace: str | None = Field(default=None, sa_type=Text)
