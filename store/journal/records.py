"""What the journal answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

State = Literal["preparing", "sent", "launched", "refused", "unsent", "unknown", "not_carried_out", "unknowable"]
"""What is known of a launch.

``preparing``: its tasks are being written down. ``sent``: the request went out, no answer yet; when the console is
gone since, nobody knows what became of it. ``launched``: the engine made a batch (or set the retries). ``refused``: the
engine said no. ``unsent``: it could not be reached. ``unknown``: no answer proves what became of it, and its batch is
looked for. ``not_carried_out``: its batch was looked for over the whole time in which it would have begun, and there
is none. ``unknowable``: it was looked for as long, and the engine keeps nothing that tells.
"""

Outcome = Literal["asked", "done", "gone", "changed", "refused", "unknown", "unsent"]
"""What came of a unit that has a request of its own.

``asked``: the request goes out; where it stays so the console has ended since. ``done``: it was changed. ``gone`` and
``changed``: it had ended, or was not as expected, so nothing was sent. ``refused``: the engine said no. ``unknown``: no
answer proves what became of it. ``unsent``: the request could not be sent.
"""
OperationName = Literal["retry", "suspend", "activate", "cancel", "skip", "repeat", "set", "retry-jobs", "set-local"]
"""What a launch or a run does: set the retries of external tasks or of jobs; suspend, activate or cancel process
instances, skip or repeat an activity of them, or set their variables, or those of single executions."""
SET_RETRIES: tuple[OperationName, ...] = ("retry", "retry-jobs")
"""Operations that set a number of retries."""


@dataclass(frozen=True)
class SavedQuery:
    """A filter that has a name.

    Attributes:
        name: as the operator called it.
        text: the filter in words.
        saved_at: when it was last saved.
    """

    name: str
    text: str
    saved_at: datetime


class TaskBefore(NamedTuple):
    """A task before it was launched: its id and its retries then, ``None`` when it had never failed."""

    task_id: str
    retries: int | None


class Earlier(NamedTuple):
    """An earlier launch of a task: which, when, and its batch."""

    launch_id: int
    began_at: datetime
    batch_id: str | None


@dataclass(frozen=True)
class NewLaunch:
    """A launch before it is sent.

    Attributes:
        engine: stable name of the engine.
        url: its address, without a password.
        user: who launches.
        retries: the value to set; ``None`` where the operation sets none.
        request: the body as JSON, without the ids (they are written as tasks).
        tasks: how many tasks were counted.
        title: what was chosen, in words.
        reason: why, in the operator's words; may be empty.
        undoes: the launch whose retries are set back by this one.
        run_id: the run that it is a batch of.
        wave: its wave of that run.
        undoes_run: the run whose retries are set back by this one.
        operation: what it does.
        arguments: of the operation, as a JSON object.
        newest_before: when the newest batch of its type began that was there before, by the engine's own records;
            ``None`` where that is not known.
    """

    engine: str
    url: str
    user: str
    retries: int | None
    request: str
    tasks: int
    title: str = ""
    reason: str = ""
    undoes: int | None = None
    run_id: int | None = None
    wave: int | None = None
    undoes_run: int | None = None
    operation: OperationName = "retry"
    arguments: str = "{}"
    newest_before: datetime | None = None


@dataclass(frozen=True)
class Launch:
    """A launch of this console.

    Attributes:
        id: its number in the journal.
        engine: stable name of the engine.
        url: its address, without a password.
        user: who launched.
        reason: why; may be empty.
        title: what was chosen, in words.
        retries: the value that was set; ``None`` where the operation sets none.
        request: the body as JSON, without the ids.
        tasks: how many tasks were counted before.
        listed: how many tasks are written down with their former retries; ``None`` when they are not known.
        undoes: the launch that this one set back.
        began_at: when it was written down, just before it was sent.
        state: what became of it.
        batch_id: its batch, where it was made.
        jobs: jobs of the batch.
        ended_at: when the answer came, or was given up.
        said: what the engine said when it refused; what is known of a launch that was not answered.
        sent_at: when it was sent, by the engine's clock; ``None`` where it was not.
        probable: the batch is probably its own, and nothing proves it yet.
        looked_at: when the engine last answered where its batch was looked for.
        run_id: the run that it is a batch of, if it is one.
        wave: its wave of that run.
        undoes_run: the run that this one set back.
        operation: what it does.
        arguments: of the operation, as a JSON object.
        newest_before: when the newest batch of its type began that was there before, by the engine's own records;
            ``None`` where that is not known.
    """

    id: int
    engine: str
    url: str
    user: str
    reason: str
    title: str
    retries: int | None
    request: str
    tasks: int
    listed: int | None
    undoes: int | None
    began_at: datetime
    state: State
    batch_id: str | None
    jobs: int | None
    ended_at: datetime | None
    said: str
    sent_at: datetime | None = None
    probable: bool = False
    looked_at: datetime | None = None
    run_id: int | None = None
    wave: int | None = None
    undoes_run: int | None = None
    operation: OperationName = "retry"
    arguments: str = "{}"
    newest_before: datetime | None = None

    @property
    def in_doubt(self) -> bool:
        """It is not known, or not proven, what became of it."""
        probable = self.state == "launched" and self.probable and self.batch_id is not None
        return self.state in ("sent", "unknown") or probable
