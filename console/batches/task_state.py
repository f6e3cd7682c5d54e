"""What a retried task is doing now, told from its record and what is known from before. Pure.

Setting retries changes nothing but the number: the lock, the worker and the error message of the last failure stay
(observed on Camunda 7.24.0). So a message that differs, or fewer retries than were set, is a failure since.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from store.contract.records import ExternalTask

State = Literal["done", "gone", "waiting", "locked", "again", "undone", "unset", "unknown"]

STATES: dict[State, str] = {
    "again": "failed once more since",
    "locked": "a worker has it",
    "waiting": "ready, no worker has taken it yet",
    "undone": "its former retries were restored from here",
    "unset": "its retries are not set yet",
    "unknown": "not looked at yet",
    "gone": "no longer there: completed or cancelled",
    "done": "completed by a worker",
}
"""What the states mean, the most urgent first."""

FINAL: frozenset[State] = frozenset({"done", "gone", "undone"})
"""States that a task does not leave."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is remembered of a task from look to look.

    Attributes:
        said: hash of its error message when it was first seen; messages are long, and there may be many tasks.
        retries: its retries before the launch, or when it was first seen.
        was_set: it was seen with the retries that the launch gives.
    """

    said: int
    retries: int | None
    was_set: bool = False


def state_of(task: ExternalTask, given: int, before: Sight, all_set: bool, now: datetime) -> State | None:
    """The state of a task that exists.

    Args:
        task: its record.
        given: the retries that the launch gives.
        before: what is remembered of it.
        all_set: the batch has carried out all of its jobs, so its retries were set, whatever they are now.
        now: the time by which locks are held.

    Returns:
        ``None`` where the record alone does not tell whether the task failed again or was not set yet.
    """
    if hash(task.error_message) != before.said:
        return "again"
    if task.retries == given:
        return _at_work(task, now)
    if task.retries is not None and task.retries < given and (before.was_set or all_set):
        return "again"
    if task.retries is not None and (before.was_set or all_set):
        # More than was given: a worker, or somebody else, has set it since.
        return _at_work(task, now)
    if task.retries == before.retries:
        return None
    return "again" if task.retries is not None and task.retries < given else _at_work(task, now)


def _at_work(task: ExternalTask, now: datetime) -> State:
    held = task.lock_expiration_time is not None and task.lock_expiration_time > now
    return "locked" if held else "waiting"
