"""The past of a failed task: when it failed, with which message, and what its retries were before."""

from dataclasses import dataclass
from random import Random

from store.demo.causes import Cause

RETRIES = 3
"""Attempts that a simulated worker makes before it gives up."""

_SECOND = 1000
_WAITS = ((1 * _SECOND, 20 * _SECOND), (15 * _SECOND, 90 * _SECOND), (60 * _SECOND, 300 * _SECOND))
_OPERATOR_WAITS = (600 * _SECOND, 36_000 * _SECOND)


@dataclass(frozen=True)
class Failure:
    """One failed attempt; ``before`` is what the retries were before it, ``left`` after it."""

    at: int
    before: int | None
    left: int
    message: str | None


def failures_of(cause: Cause, created: int, now: int, left: int, random: Random) -> list[Failure]:
    """The failures of a task made at ``created``, none later than ``now``, the last one with ``left`` retries.

    Some tasks whose cause does not go away were given one retry by an operator and have failed again.
    """
    steps: list[tuple[int | None, int]] = [(None, 2), (2, 1), (1, 0)][: RETRIES - left]
    again = left == 0 and cause.again > 0.8 and random.random() < 0.2
    waits = [random.uniform(*bounds) for bounds in _WAITS[: len(steps)]]
    if again:
        steps.append((1, 0))
        waits.append(random.uniform(*_OPERATOR_WAITS))
    room = now - created
    shrink = min(1.0, 0.98 * room / sum(waits))
    lasting = cause.error(random) if cause.again > 0.8 else None
    failures: list[Failure] = []
    passed = 0.0
    for wait, (before, after) in zip(waits, steps, strict=True):
        passed += wait * shrink
        failures.append(Failure(created + int(passed), before, after, lasting or cause.error(random)))
    return failures
