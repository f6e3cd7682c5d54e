"""What a retried task is doing now, told from its record and what is known from before. Pure.

Setting retries changes nothing but the number: the lock, the worker and the error message of the last failure stay.
A failure always sets the lock expiration, to its own moment or later (both observed on Camunda 7.24.0).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Literal

from retriage.console.reading.lock_states import LockState, lock_state, set_by_failure
from retriage.console.reading.task_history import Failed
from retriage.store.contract.records import ExternalTask

State = Literal[
    "done", "gone", "unkept", "waiting", "locked", "delayed", "again", "changed", "undone", "unset", "unknown"
]

STATES: dict[State, str] = {
    "again": "failed once more since",
    "changed": "its retries were changed by somebody since",
    "locked": "a worker has it",
    "delayed": "waits for its retry time, nobody has it",
    "waiting": "ready, no worker has taken it yet",
    "undone": "its former retries were restored from here",
    "unset": "its retries are not set yet",
    "unknown": "not looked at yet",
    "gone": "no longer there: cancelled, ended by a BPMN error, or ended before",
    "unkept": "no longer there, and no history says how it ended",
    "done": "completed by a worker",
}
"""What the states mean, the most urgent first."""

FINAL: frozenset[State] = frozenset({"done", "gone", "unkept", "undone"})
"""States that a task does not leave."""

TO_COME: frozenset[State] = frozenset({"waiting", "delayed", "locked"})
"""States of tasks with retries that a worker has, or may get."""

_AT_WORK: dict[LockState, State] = {"free": "waiting", "retry time": "delayed", "worker": "locked"}

SLACK = timedelta(seconds=2)
"""The moment of a launch is known to the second."""
_APART = timedelta(seconds=1)
"""How long after a failure without a retry time a busy engine may open its incident: taking that for somebody's change
would let the gate pass a wave that is failing."""


def failure_of(message: str | None) -> str:
    """What tells one error message from another in a few letters, also in the journal; empty where there is none."""
    return "" if message is None else blake2s(message.encode(errors="replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Sight:
    """What is remembered of a task from look to look.

    Attributes:
        said: digest of its error message when it was first seen; messages are long, and there may be many tasks.
        retries: its retries before the launch, or when it was first seen.
        expiry: its lock expiration when it was first seen.
        early: it was first seen with the retries from before.
        unsent: it was first seen before the launch.
        was_set: it was seen with the retries that the launch gives, or its incident proves that it had some.
    """

    said: str
    retries: int | None
    expiry: datetime | None = None
    early: bool = False
    unsent: bool = False
    was_set: bool = False


def state_of(task: ExternalTask, given: int, before: Sight, since: datetime, now: datetime) -> State | None:
    """The state of a task that exists, as far as its record alone tells.

    Args:
        task: its record.
        given: the retries that the launch gives.
        before: what is remembered of it.
        since: when it was launched.
        now: the time by the engine's clock.

    Returns:
        ``None`` where the history of its failures has to be asked: it failed again, maybe with the retries that were
        given, was changed by somebody, or is not set yet; or a lock of its may be its retry time.
    """
    if failure_of(task.error_message) != before.said or task.retries != given:
        return None
    if task.error_message is None or task.lock_expiration_time is None or cannot_have_failed(task, before, since):
        return _AT_WORK.get(lock_state(task, now))
    return None


def decided_state(
    task: ExternalTask, given: int, before: Sight, failed: Failed | None, now: datetime, *, set: bool, quiet: bool
) -> State:
    """The state of a task whose record alone does not tell.

    Args:
        task: its record.
        given: the retries that the launch gives.
        before: what is remembered of it.
        failed: its failures, as far as anything proves them.
        now: the time by the engine's clock.
        set: its retries were set.
        quiet: the batch carries out no further job.
    """
    if failed is not None and failed.again:
        return "again"
    if task.retries == given:
        held = lock_state(task, now, failed)
        if held != "free" and before.early and before.retries == 0:
            # No worker fetched it before it was set, and tasks that one may hold are left out of a run.
            if task.lock_expiration_time != before.expiry:
                return "locked"
            return "locked" if held == "worker" else "delayed"
        return _AT_WORK.get(held, "locked")
    if not set and (task.retries == before.retries or not quiet):
        return "unset"
    return "changed"


def cannot_have_failed(task: ExternalTask, before: Sight, since: datetime) -> bool:
    """The record alone proves that no worker has failed the task since: its lock expiration is older than that."""
    expiry = task.lock_expiration_time
    if expiry is None or failure_of(task.error_message) != before.said:
        return False
    return expiry < since - SLACK or (before.unsent and expiry == before.expiry)


def shows_failure(task: ExternalTask, given: int, before: Sight, since: datetime, incident: datetime | None) -> bool:
    """Whether the task failed since, by what is left of it where no log is kept. A failure of the words of before that
    leaves exactly the retries that were given leaves no more than a lock that has run out.

    Args:
        task: its record.
        given: the retries that the launch gives.
        before: what is remembered of it.
        since: when it was launched.
        incident: when its incident was opened; ``None`` if that was before the launch, or there is none.
    """
    if failure_of(task.error_message) != before.said:
        return True
    expiry = task.lock_expiration_time
    if expiry is None or task.retries is None or cannot_have_failed(task, before, since):
        return False
    if task.retries == 0:
        # Setting 0 by hand opens an incident too, but leaves the lock expiration as it was. A failure without a retry
        # time sets it to its own moment, at which the incident opens; on a busy engine the two lie apart.
        return incident is not None and set_by(expiry, incident)
    return task.retries < given


def was_raised(task: ExternalTask, before: Sight, since: datetime, incident: datetime) -> bool:
    """Whether its incident proves that a task without retries had some since the launch: a new one is opened when the
    last retry goes, also by hand, and retries that are set take it away (observed on Camunda 7.24.0).

    Args:
        task: its record.
        before: what is remembered of it.
        since: when it was launched.
        incident: when its incident was opened.
    """
    if task.retries != 0 or before.retries != 0 or incident < since - SLACK:
        return False
    expiry = task.lock_expiration_time or before.expiry  # somebody may have unlocked it since
    return incident > since + SLACK or (expiry is not None and not set_by(expiry, incident))


def set_by(expiry: datetime, incident: datetime) -> bool:
    """Whether a lock expiration is that of the failure that opened an incident, without or with a retry time."""
    return timedelta() <= incident - expiry <= _APART or set_by_failure(expiry, incident)
