"""Deployments and the process definitions in them."""

from datetime import datetime

from sqlalchemy import Index, Text, false, true
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import Name, Tag, UtcTime


class Deployment(SQLModel, table=True):
    """A set of files deployed together."""

    __tablename__ = "deployment"

    id: str = Field(primary_key=True)
    name: str | None = Field(default=None, sa_type=Name)
    source: str | None = Field(default=None, sa_type=Name)
    deployment_time: datetime = Field(sa_type=UtcTime)
    tenant_id: str | None = Field(default=None, sa_type=Tag)


class DeploymentResource(SQLModel, table=True):
    """One file of a deployment."""

    __tablename__ = "deployment_resource"

    deployment_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True, sa_type=Name)
    content: bytes


class ProcessDefinition(SQLModel, table=True):
    """One version of a process. The id is ``key:version:generated``.

    Where ended instances remain when its deployment is removed, the row remains as ``removed``, without its name: their
    history is shown with its key, and nothing else finds it.
    """

    __tablename__ = "process_definition"
    __table_args__ = (
        Index("process_definition_key", "key", "tenant_id", "version"),
        Index("process_definition_deployment", "deployment_id"),
    )

    id: str = Field(primary_key=True)
    key: str = Field(sa_type=Name)
    version: int
    name: str | None = Field(default=None, sa_type=Name)
    category: str | None = Field(default=None, sa_type=Name)
    description: str | None = Field(default=None, sa_type=Text)
    version_tag: str | None = Field(default=None, sa_type=Tag)
    history_time_to_live: int | None = None
    deployment_id: str
    resource: str
    suspended: bool = False
    tenant_id: str | None = Field(default=None, sa_type=Tag)
    removed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    startable_in_tasklist: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
