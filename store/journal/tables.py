"""The journal's tables. They are not the store's: they live in a file of their own."""

from datetime import datetime

from sqlalchemy import Index, MetaData, Text, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from retriage.store.tables.types import UtcTime

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
    engine's clock, null of what was never sent; ``looked_at`` is when its batch was last looked for. ``run_id`` and
    ``wave`` tell the wave of a run that it is a batch of, ``undoes_run`` the run that it sets back. ``operation`` is
    what it does, with ``arguments`` as a JSON object; ``retries`` are null where it sets none.
    ``newest_before`` is when the newest batch of its type began that was there before, null where that is not known.
    """

    __tablename__ = "launch"
    __table_args__ = (
        Index("launch_engine", "engine", "id"),
        Index("launch_batch", "batch_id"),
        Index("launch_state", "engine", "state"),
        Index("launch_run", "run_id", "wave"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    engine: str
    url: str
    user: str
    reason: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    retries: int | None = None
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
    run_id: int | None = None
    wave: int | None = None
    undoes_run: int | None = None
    operation: str = "retry"
    arguments: str = Field(default="{}", sa_type=Text)
    newest_before: datetime | None = Field(default=None, sa_type=UtcTime)


class LaunchTaskRow(_Journaled, table=True):
    """A task of a launch, with the retries it had before; null is never failed. Of an operation on process instances
    ``task_id`` is the id of one.

    ``named`` tasks stand in the request by their id, in the order of ``ordinal``; the others were read by its query.
    ``outcome`` is empty where one request holds them all; otherwise each has a request of its own, and it is an
    ``Outcome`` of :mod:`retriage.store.journal.records`. A launch of such requests is ``launched`` from the first of
    them on, has no batch, and ``listed`` grows; ``ended_at`` is null while it is at work, or where it was interrupted.
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
    outcome: str = Field(default="", sa_column_kwargs={"server_default": ""})


class RunRow(_Journaled, table=True):
    """A run: a frozen set of tasks or process instances, changed in waves by its ``operation``.

    ``listed`` is null until all of its tasks are written down, and it cannot begin before. ``driver`` drives it until
    ``driven_until``; ``wish`` is what somebody else asked of that driver. ``cause`` and ``said`` tell why it is held,
    or how it ended. ``watch`` is in seconds, ``pace`` in tasks a minute; ``gate`` is a share from 0 to 1.
    ``frozen_at`` is by the engine's clock. ``arguments`` of the operation are a JSON object; ``retries`` are null where
    it sets none. ``part`` is 1 or 2 in a run of two parts, each of which is a row, and 0 in any other; ``other_part``
    is the id of the other one, null until that is written down.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("run_engine", "engine", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    engine: str
    url: str
    user: str
    title: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    retries: int | None = None
    gate: float
    new_cause: bool
    watch: float
    frozen_at: datetime = Field(sa_type=UtcTime)
    pace: float | None = None
    listed: int | None = None
    began_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    state: str
    cause: str = ""
    said: str = Field(default="", sa_type=Text)
    driver: str = ""
    driven_until: datetime | None = Field(default=None, sa_type=UtcTime)
    wish: str = ""
    operation: str = "retry"
    arguments: str = Field(default="{}", sa_type=Text)
    part: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    other_part: int | None = None


class RunCauseRow(_Journaled, table=True):
    """Why tasks of a run had failed when it was frozen: the topic, the error message folded to its cause, and how many
    of its tasks, about."""

    __tablename__ = "run_cause"
    __table_args__ = (
        Index("run_cause_cause", "cause", "run_id"),
        {"sqlite_with_rowid": False},
    )

    run_id: int = Field(primary_key=True)
    topic: str = Field(primary_key=True)
    cause: str = Field(primary_key=True)
    tasks: int


class RunWaveRow(_Journaled, table=True):
    """A wave of a run. ``watched`` is how many seconds of its watch time have passed, ``counts`` what became of its
    tasks when that was last looked at, as JSON; every task that may still change was looked at since ``counted_at``."""

    __tablename__ = "run_wave"
    __table_args__ = ({"sqlite_with_rowid": False},)

    run_id: int = Field(primary_key=True)
    wave: int = Field(primary_key=True)
    state: str
    began_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    watched: float = 0.0
    counts: str = Field(default="", sa_type=Text)
    counted_at: datetime | None = Field(default=None, sa_type=UtcTime)


class RunTaskRow(_Journaled, table=True):
    """A task of a run as it was when the run was frozen: null retries are never failed. Of an operation on process
    instances ``task_id`` is the id of one.

    ``left_out`` says why it was not sent, empty for one that is to be sent or was. Whether it was sent is told by the
    launches of the run. ``outcome`` is what its retry came to, once that is decided. ``expiry`` is its lock expiration,
    by the engine's clock; null also in journals of before. ``instance`` is its activity instance, by which the history
    tells how it ended; null in journals of before. ``was`` holds, as a JSON object, what the operation is to change, as
    it was then; empty where nothing but retries is. Of a task whose process instance is changed before it gets retries,
    ``process_instance`` is the id of that one, and ``was`` what it had.
    """

    __tablename__ = "run_task"
    __table_args__ = (
        Index("run_task_wave", "run_id", "wave", "ordinal"),
        Index("run_task_left_out", "run_id", "wave", "left_out", sqlite_where=text("left_out <> ''")),
        {"sqlite_with_rowid": False},
    )

    run_id: int = Field(primary_key=True)
    ordinal: int = Field(primary_key=True)
    wave: int
    task_id: str
    retries: int | None = None
    failure: str = ""
    left_out: str = ""
    outcome: str = ""
    expiry: datetime | None = Field(default=None, sa_type=UtcTime)
    instance: str | None = None
    was: str = Field(default="", sa_type=Text)
    process_instance: str | None = None


class RunStepRow(_Journaled, table=True):
    """A step of a run, written down before it was taken."""

    __tablename__ = "run_step"
    __table_args__ = (
        Index("run_step_run", "run_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    run_id: int
    wave: int | None = None
    at: datetime = Field(sa_type=UtcTime)
    what: str
    said: str = Field(default="", sa_type=Text)


class ByHandRow(_Journaled, table=True):
    """Work on one task by hand. ``variables`` is a JSON array of names; ``outcome`` is one of
    :mod:`retriage.store.journal.records`, ``asked`` until it is known."""

    __tablename__ = "by_hand"
    __table_args__ = (
        Index("by_hand_engine", "engine", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    engine: str
    url: str
    user: str
    task_id: str
    topic: str
    worker: str
    what: str = Field(sa_type=Text)
    variables: str = Field(sa_type=Text)
    began_at: datetime = Field(sa_type=UtcTime)
    outcome: str
    said: str = Field(default="", sa_type=Text)
