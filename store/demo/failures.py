"""The past of a failed task: when it failed, with which message, and what its retries were before."""

from random import Random
from typing import NamedTuple

from retriage.store.demo.causes import Cause

RETRIES = 3
"""Attempts that a simulated worker makes before it gives up."""

_SECOND = 1000
_WAITS = ((1 * _SECOND, 20 * _SECOND), (15 * _SECOND, 90 * _SECOND), (60 * _SECOND, 300 * _SECOND))
_OPERATOR_WAIT = (600 * _SECOND, 36_000 * _SECOND)
_LASTING = 0.8
"""A cause that is met again with at least this probability says the same each time."""


class Failure(NamedTuple):
    """One failed attempt; ``before`` is what the retries were before it, ``left`` after it."""

    at: int
    before: int | None
    left: int
    message: str | None


def failures_of(
    cause: Cause, created: int, now: int, left: int, random: Random, message: str | None = None
) -> list[Failure]:
    """The failures of a task made at ``created``, none later than ``now``, the last one with ``left`` retries.

    ``message`` is that of each failure where it follows from the task's variables.

    Some tasks whose cause does not go away were given one retry by an operator and have failed again.
    """
    lasting = cause.again > _LASTING
    attempts: list[tuple[int | None, int]] = [(None, 2), (2, 1), (1, 0)][: RETRIES - left]
    waits = [low + (high - low) * random.random() for low, high in _WAITS[: len(attempts)]]
    if left == 0 and lasting and random.random() < 0.2:
        low, high = _OPERATOR_WAIT
        attempts.append((1, 0))
        waits.append(low + (high - low) * random.random())
    shrink = min(1.0, 0.98 * (now - created) / sum(waits))
    same = message or (cause.error(random) if lasting else None)
    failures = []
    passed = 0.0
    for wait, (before, after) in zip(waits, attempts, strict=True):
        passed += wait * shrink
        failures.append(Failure(created + int(passed), before, after, same or cause.error(random)))
    return failures
