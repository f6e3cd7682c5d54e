"""The states in which the tasks of the demo world are, and how many are in each."""

from dataclasses import dataclass
from enum import Enum

from retriage.store.demo.ages import DAY, HOUR, MINUTE, Ages
from retriage.store.demo.causes import CAUSES, NEGATIVE_AMOUNT, OUTAGE, Cause


class Kind(Enum):
    """What has become of a task so far."""

    READY = "waits for a worker, never failed"
    LOCKED = "a worker holds it, never failed"
    RETRYING = "has failed, retries are left"
    FAILED = "has failed, no retries left"


@dataclass(frozen=True)
class TaskState:
    """A state of tasks: its share of all, its ages, and the cause if it has failed."""

    kind: Kind
    share: float
    ages: Ages
    cause: Cause | None = None
    suspended: bool = False


FAILED_SHARE = 0.41
RETRYING_SHARE = 0.115
LOCKED_SHARE = 0.095
SUSPENDED_FAILED_SHARE = 0.018
SUSPENDED_READY_SHARE = 0.024
"""Slightly more than the shares to be seen: parallel branches add tasks that are only ready."""

_READY_AGES: Ages = ((1.0, 5 * MINUTE, 0.3), (5 * MINUTE, 40 * MINUTE, 0.4), (40 * MINUTE, 4 * HOUR, 0.3))
_LOCKED_AGES: Ages = ((2.0, 4 * MINUTE, 0.7), (4 * MINUTE, 30 * MINUTE, 0.3))
_RETRYING_AGES: Ages = ((1 * MINUTE, 20 * MINUTE, 0.35), (20 * MINUTE, HOUR, 0.45), (HOUR, 6 * HOUR, 0.2))
_SUSPENDED_AGES: Ages = ((5 * HOUR, 2 * DAY, 0.85), (2 * DAY, 20 * DAY, 0.15))
_OUTAGE_RETRYING_AGES: Ages = ((10.0, 8 * MINUTE, 0.6), (8 * MINUTE, HOUR, 0.4))

_TRANSIENT = {"outage of the payment provider": 0.45, "mail server refuses": 0.2, "deadlock": 0.15}


def _task_states() -> tuple[TaskState, ...]:
    ready = 1 - FAILED_SHARE - RETRYING_SHARE - LOCKED_SHARE - SUSPENDED_FAILED_SHARE - SUSPENDED_READY_SHARE
    made = [
        TaskState(Kind.READY, ready, _READY_AGES),
        TaskState(Kind.LOCKED, LOCKED_SHARE, _LOCKED_AGES),
        TaskState(Kind.READY, SUSPENDED_READY_SHARE, _SUSPENDED_AGES, suspended=True),
    ]
    rest = 1 - sum(_TRANSIENT.values())
    others = sum(cause.share for cause in CAUSES if cause.name not in _TRANSIENT)
    for cause in CAUSES:
        again = _TRANSIENT.get(cause.name, rest * cause.share / others)
        ages = _OUTAGE_RETRYING_AGES if cause is OUTAGE else _RETRYING_AGES
        failed, suspended = FAILED_SHARE * cause.share, SUSPENDED_FAILED_SHARE * cause.share
        if cause is NEGATIVE_AMOUNT:  # what is suspended is older than its import
            failed, suspended = failed + suspended, 0.0
        made += [
            TaskState(Kind.FAILED, failed, cause.ages, cause),
            TaskState(Kind.FAILED, suspended, cause.ages, cause, suspended=True),
            TaskState(Kind.RETRYING, RETRYING_SHARE * again, ages, cause),
        ]
    return tuple(made)


TASK_STATES: tuple[TaskState, ...] = _task_states()
"""All states; the shares add up to 1."""
