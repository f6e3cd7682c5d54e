"""Process instances and the places where they wait."""

from datetime import datetime

from sqlalchemy import Index, Text, false, text
from sqlmodel import Field, SQLModel

from retriage.store.contract.states import ACTIVE
from retriage.store.tables.types import Name, UtcTime


class ProcessInstance(SQLModel, table=True):
    """A process instance for all of its life; ``end_time`` is null and ``state`` ACTIVE or SUSPENDED while it runs."""

    __tablename__ = "process_instance"
    __table_args__ = (
        Index(
            "process_instance_running",
            "id",
            sqlite_where=text("end_time IS NULL"),
            postgresql_where=text("end_time IS NULL"),
        ),
        # Those of a process that run are counted, and read in the order of their ids, from this alone.
        Index("process_instance_definition", "process_definition_id", "end_time", "id"),
        Index("process_instance_business_key", "business_key"),
        Index("process_instance_start", "start_time"),
        Index("process_instance_end", "end_time"),
    )

    id: str = Field(primary_key=True)
    process_definition_id: str
    business_key: str | None = Field(default=None, sa_type=Name)
    tenant_id: str | None = None
    state: str = ACTIVE
    start_time: datetime = Field(sa_type=UtcTime)
    end_time: datetime | None = Field(default=None, sa_type=UtcTime)
    start_activity_id: str | None = None
    start_user_id: str | None = None
    case_instance_id: str | None = Field(default=None, sa_type=Name)
    delete_reason: str | None = Field(default=None, sa_type=Text)


class Execution(SQLModel, table=True):
    """A token: one place where an instance waits, at an external task, a timer or a join.

    ``in_transition`` says that it waits for the job before or after the activity, and is not in it.
    """

    __tablename__ = "execution"
    __table_args__ = (Index("execution_instance", "process_instance_id", "activity_id", "in_transition"),)

    id: str = Field(primary_key=True)
    process_instance_id: str
    activity_id: str
    activity_instance_id: str
    in_transition: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
