"""What the journal knows of runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from retriage.store.journal.records import OperationName

RunState = Literal["preparing", "running", "held", "passed", "finished", "stopped"]
"""How far a run is.

``preparing``: its tasks are being written down; it sends nothing before that is done. ``running``: somebody drives it,
or did when last heard of. ``held``: it goes on when somebody says so. ``passed``: all of its waves went through.
``finished``: it is over, but some of its waves were let through by the operator, or nothing of it was sent.
``stopped``: its waves that were not sent are dropped.
"""
ENDED: tuple[RunState, ...] = ("passed", "finished", "stopped")
"""States in which nothing of a run is sent any more."""

WaveState = Literal["planned", "sending", "watching", "passed", "released", "skipped", "stopped", "dropped"]
"""How far a wave is.

``sending``: its tasks are looked at again and sent, in one batch or several. ``watching``: all are sent. ``passed``:
the gate let the next one go; ``released``: the gate held, and the operator let it go; ``skipped``: the operator did
not wait for the gate. ``stopped``: the run was stopped while it was at work. ``dropped``: it is never sent.
"""

OVER: tuple[WaveState, ...] = ("passed", "released", "skipped", "stopped", "dropped")
"""States in which nothing of a wave is sent any more."""


class NotYours(Exception):
    """The run is driven by somebody else by now: whoever is told so leaves it alone."""


class FrozenTask(NamedTuple):
    """A task, or a process instance, as it was when its run was frozen.

    ``retries`` are ``None`` when it had never failed; ``failure`` tells one error message from another, and is empty
    where there was none. ``expiry`` is its lock expiration, by the engine's clock; ``instance`` its activity instance.
    ``was`` holds, as a JSON object, what the operation is to change, as it was then. ``process_instance`` is known of a
    task whose process instance is changed before it gets retries; tasks with the same one are in the same wave.
    """

    task_id: str
    retries: int | None
    failure: str = ""
    expiry: datetime | None = None
    instance: str | None = None
    was: str = ""
    process_instance: str | None = None


class RunCause(NamedTuple):
    """Why tasks of a run had failed: topic, the error message folded to its cause, and about how many tasks."""

    topic: str
    cause: str
    tasks: int


class RunTask(NamedTuple):
    """A task of a run, with its place in it."""

    ordinal: int
    wave: int
    task_id: str
    retries: int | None
    failure: str
    left_out: str
    outcome: str
    expiry: datetime | None = None
    instance: str | None = None
    was: str = ""
    process_instance: str | None = None


@dataclass(frozen=True)
class NewRun:
    """A run before its tasks are written down.

    Attributes:
        engine: stable name of the engine.
        url: its address, without a password.
        user: who launches.
        title: what was chosen, in words.
        reason: why, in the operator's words; may be empty.
        retries: the value to set; ``None`` where the operation sets none.
        gate: share of the decided tasks of a wave that may fail again, 0 to 1.
        new_cause: a failure with an error that is new holds by itself.
        watch: seconds for which a wave is watched once its tasks are set.
        frozen_at: when its tasks were read, by the engine's clock.
        pace: tasks a minute; ``None`` sends each wave as one batch.
        operation: what it does.
        arguments: of the operation, as a JSON object.
        part: 1 or 2 in a run of two parts, which are begun by one decision; 0 in any other.
        other_part: number of the run that is the other part; ``None`` until that is written down.
    """

    engine: str
    url: str
    user: str
    title: str
    reason: str
    retries: int | None
    gate: float
    new_cause: bool
    watch: float
    frozen_at: datetime
    pace: float | None = None
    operation: OperationName = "retry"
    arguments: str = "{}"
    part: int = 0
    other_part: int | None = None


@dataclass(frozen=True)
class Run(NewRun):
    """A run of the journal.

    Attributes:
        id: its number.
        listed: how many tasks it has; ``None`` while they are not all written down.
        began_at: when it was written down.
        ended_at: when it ended.
        state: how far it is.
        cause: why it is held or how it ended, in a word.
        said: the same as a sentence.
        driver: who drives it, or did last.
        driven_until: until when it is theirs unless they say so again.
        wish: what was asked of them meanwhile.
    """

    id: int = 0
    listed: int | None = None
    began_at: datetime = datetime.min
    ended_at: datetime | None = None
    state: RunState = "preparing"
    cause: str = ""
    said: str = ""
    driver: str = ""
    driven_until: datetime | None = None
    wish: str = ""

    @property
    def over(self) -> bool:
        """Nothing of it is sent any more."""
        return self.state in ENDED


@dataclass(frozen=True)
class RunWave:
    """A wave of a run.

    Attributes:
        wave: its number, from 1.
        state: how far it is.
        began_at: when its tasks were first looked at again.
        ended_at: when it was over.
        watched: seconds of its watch time that have passed.
        counts: what had become of its tasks when that was last written down, by state.
        tasks: how many tasks it has, those that were left out included.
        left_out: why -> how many of them were left out.
        counted_at: every task that may still change was looked at since; ``None`` before the first look.
    """

    wave: int
    state: WaveState
    began_at: datetime | None = None
    ended_at: datetime | None = None
    watched: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    tasks: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    counted_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Nothing of it is sent any more."""
        return self.state in OVER


@dataclass(frozen=True)
class RunStep:
    """A step of a run: which, of which wave, when, and in words."""

    id: int
    wave: int | None
    at: datetime
    what: str
    said: str
