"""The gate after a wave: whether the next one may go, judged by the tasks that are finished. Pure.

Early, with at least :data:`FEWEST` decided, it uses Wilson's score interval of the share that failed again, which is
sound for few tasks and for shares near 0 and 1 (https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval).
When all tasks are decided there is nothing to estimate, and the plain share decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

FEWEST = 5
"""Decided tasks below which nothing is judged before the end."""
Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""

Cause = Literal[
    "failed-again",  # too many failed again
    "new-cause",  # one failed with an error that it did not have before
    "passed",  # few enough failed again
    "nothing-decided",  # no task is open, and none was decided: all were left out or cancelled, or nobody knows
    "nobody-works",  # the watch ended, nothing was decided and no worker holds a task
    "still-locked",  # the watch ended while workers held tasks
    "undecided",  # the watch ended with tasks waiting
    "early",  # nothing can be said yet
]
Judgement = Literal["watch", "pass", "hold"]


@dataclass(frozen=True)
class WorkCounts:
    """What has become of the tasks of a wave.

    Attributes:
        done: completed since the wave, without a failure before that.
        again: failed again; a task's first failure after its wave counts, whatever comes later.
        new_cause: of those, how many with an error that it did not have before.
        waiting: retries are set, and no worker has it.
        locked: a worker has it.
        not_set: the batch has not set it yet.
        cancelled: ended otherwise, or set by somebody else.
        unknown: nothing can be said about it.
    """

    done: int = 0
    again: int = 0
    new_cause: int = 0
    waiting: int = 0
    locked: int = 0
    not_set: int = 0
    cancelled: int = 0
    unknown: int = 0

    @property
    def decided(self) -> int:
        """Tasks that tell whether the retry helped."""
        return self.done + self.again

    @property
    def open(self) -> int:
        """Tasks that may still tell."""
        return self.waiting + self.locked + self.not_set

    @property
    def total(self) -> int:
        """All of them."""
        return self.decided + self.open + self.cancelled + self.unknown


@dataclass(frozen=True)
class Gate:
    """When a run goes on by itself.

    Attributes:
        limit: share of the decided tasks that may fail again, 0 to 1.
        new_cause: a failure with a new error holds by itself.
    """

    limit: float = 0.05
    new_cause: bool = False


@dataclass(frozen=True)
class Verdict:
    """What the gate says, why, and of which numbers."""

    judgement: Judgement
    cause: Cause
    counts: WorkCounts


def wilson(hits: int, number: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Args:
        hits: how many of them.
        number: out of how many, at least 1.
    """
    share = hits / number
    spread = Z * Z / number
    middle = (share + spread / 2) / (1 + spread)
    reach = Z / (1 + spread) * sqrt(share * (1 - share) / number + spread / (4 * number))
    # Exactly 0 and 1 at the ends, where rounding would leave a crumb.
    return (0.0 if hits == 0 else middle - reach, 1.0 if hits == number else middle + reach)


def judge(gate: Gate, counts: WorkCounts, *, watch_over: bool, last: bool = False) -> Verdict:
    """Whether the next wave may go.

    Args:
        gate: the rule.
        counts: what has become of this wave's tasks.
        watch_over: the watch time has ended.
        last: no wave comes after it. Nothing is gained then by an early pass, and what becomes of its tasks would not
            be told: it is watched until all are decided or the watch time has ended.
    """
    if gate.new_cause and counts.new_cause:
        return Verdict("hold", "new-cause", counts)
    if not counts.open:
        if not counts.decided:
            # Nothing failed, but nothing was shown to work either: what is unknown must not pass for a success, and no
            # larger wave goes because the tasks of this one were gone or somebody else's.
            return Verdict("hold" if counts.unknown or not last else "pass", "nothing-decided", counts)
        too_many = counts.again > gate.limit * counts.decided
        return Verdict("hold" if too_many else "pass", "failed-again" if too_many else "passed", counts)
    if counts.decided >= FEWEST:
        low, high = wilson(counts.again, counts.decided)
        if low > gate.limit:
            return Verdict("hold", "failed-again", counts)
        if high < gate.limit and (watch_over or not last):
            return Verdict("pass", "passed", counts)
    if not watch_over:
        return Verdict("watch", "early", counts)
    if counts.locked:
        return Verdict("hold", "still-locked", counts)
    return Verdict("hold", "undecided" if counts.decided else "nobody-works", counts)
