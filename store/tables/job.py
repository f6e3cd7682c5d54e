"""Jobs and job definitions."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import UtcTime

READY = "retries > 0 AND NOT suspended"
"""What a job must be to be acquired, apart from its due date and its lock: as the indexes have it."""

WITHOUT_DATE = f"{READY} AND due_date IS NULL"
WITH_DATE = f"{READY} AND due_date IS NOT NULL"
OF_TOKEN = "execution_id IS NOT NULL"
"""A job that a token waits for. Jobs of batches, which may belong to an instance too, cost these indexes nothing."""


class JobDefinition(SQLModel, table=True):
    """What the jobs of one kind share, in one batch or at one activity of a process definition.

    ``job_configuration`` is the batch id; of an activity it says where its tokens wait, and until when.
    """

    __tablename__ = "job_definition"
    __table_args__ = (
        Index("job_definition_configuration", "job_configuration"),
        Index(
            "job_definition_process",
            "process_definition_id",
            sqlite_where=text("process_definition_id IS NOT NULL"),
            postgresql_where=text("process_definition_id IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    job_type: str
    job_configuration: str | None = None
    suspended: bool = False
    overriding_job_priority: int | None = Field(default=None, sa_type=BigInteger)
    deployment_id: str | None = None
    process_definition_id: str | None = None
    activity_id: str | None = None
    tenant_id: str | None = None


class Job(SQLModel, table=True):
    """A job: acquirable while retries are above 0, it is due, not suspended and not locked.

    ``job_type`` repeats the definition's. A batch job works on the elements from ``first`` up to, not including,
    ``past``; both are null for seed and monitor jobs. ``lock_owner`` names one acquisition of one runner.
    Only jobs of some types of batches belong to a process instance.

    A job without a batch belongs to a token of a process instance, which goes on when it is done: along ``flow_id``,
    where there is one.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("job_ready", "id", sqlite_where=text(WITHOUT_DATE), postgresql_where=text(WITHOUT_DATE)),
        # On its own: timers that wait for weeks are not passed over, one by one, whenever jobs are acquired.
        Index("job_due", "due_date", sqlite_where=text(WITH_DATE), postgresql_where=text(WITH_DATE)),
        Index("job_definition_of", "job_definition_id", "retries"),
        Index("job_instance", "process_instance_id", sqlite_where=text(OF_TOKEN), postgresql_where=text(OF_TOKEN)),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True)
    job_type: str
    job_definition_id: str
    batch_id: str | None = None
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
    process_instance_id: str | None = None
    process_definition_id: str | None = None
    execution_id: str | None = None
    activity_id: str | None = None
    flow_id: str | None = None
    failed_activity_id: str | None = None
    tenant_id: str | None = None
