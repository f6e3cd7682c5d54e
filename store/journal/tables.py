"""The journal's tables. They are not the store's: they live in a file of their own."""

from datetime import datetime

from sqlalchemy import Index, MetaData, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from store.tables.types import UtcTime

metadata = MetaData()
_own = registry(metadata=metadata)


class _Journaled(SQLModel, registry=_own):
    """A table of the journal."""


class SavedQueryRow(_Journaled, table=True):
    """A filter that has a name."""

    __tablename__ = "saved_query"

    engine: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    text: str = Field(sa_type=Text)
    saved_at: datetime = Field(sa_type=UtcTime)


class UsedTextRow(_Journaled, table=True):
    """A filter as it was last used; ``number`` ascends with every use."""

    __tablename__ = "used_text"
    __table_args__ = (
        Index("used_text_once", "engine", "subject", "text", unique=True),
        {"sqlite_autoincrement": True},
    )

    number: int | None = Field(default=None, primary_key=True)
    engine: str
    subject: str
    text: str = Field(sa_type=Text)


class LaunchRow(_Journaled, table=True):
    """An order that this console sent, or was about to send.

    ``request`` is its body without the list of task ids, which are rows of ``launch_task``; ``tasks`` is the number
    that was counted before, ``listed`` the number of rows, null while they are not all known. ``sent_at`` is by the
    engine's clock, null of what was never sent; ``looked_at`` is when its batch was last looked for.
    """

    __tablename__ = "launch"
    __table_args__ = (
        Index("launch_engine", "engine", "id"),
        Index("launch_batch", "batch_id"),
        Index("launch_state", "engine", "state"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    engine: str
    url: str
    user: str
    reason: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    retries: int
    request: str = Field(sa_type=Text)
    tasks: int
    listed: int | None = None
    undoes: int | None = None
    began_at: datetime = Field(sa_type=UtcTime)
    state: str
    batch_id: str | None = None
    jobs: int | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    said: str = Field(default="", sa_type=Text)
    sent_at: datetime | None = Field(default=None, sa_type=UtcTime)
    probable: bool = False
    looked_at: datetime | None = Field(default=None, sa_type=UtcTime)


class LaunchTaskRow(_Journaled, table=True):
    """A task of a launch, with the retries it had before; null is never failed.

    ``named`` tasks stand in the request by their id, in the order of ``ordinal``; the others were read by its query.
    """

    __tablename__ = "launch_task"
    __table_args__ = (
        Index("launch_task_task", "task_id", "launch_id"),
        {"sqlite_with_rowid": False},
    )

    launch_id: int = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    task_id: str
    retries: int | None = None
    named: bool = False
