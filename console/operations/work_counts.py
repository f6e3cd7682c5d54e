"""What has become of the units of a wave, in numbers, and what keeps them from being decided. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Decided = Literal["done", "again", "new", "changed", "cancelled", "unknown", "gone"]
"""What a unit came to: ``new`` failed again with an error that is new; a ``changed`` one was set otherwise by somebody
since; ``cancelled`` has ended otherwise; ``unknown`` is gone, and no history tells how; ``gone`` had ended before the
operation reached it."""


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
        cancelled: ended otherwise.
        unknown: gone, and no history says how.
        changed: its retries were changed by somebody since; the wave is judged without it.
        delayed: retries are set, and no worker gets it before its retry time is over.
        gone: ended before the operation reached it.
        untold: gone, and the history that was to say how shows nothing: undecided.
        suspended: how many of those that wait, for whatever, or are locked are suspended with their instance.
    """

    done: int = 0
    again: int = 0
    new_cause: int = 0
    waiting: int = 0
    locked: int = 0
    not_set: int = 0
    cancelled: int = 0
    unknown: int = 0
    changed: int = 0
    delayed: int = 0
    suspended: int = 0
    gone: int = 0
    untold: int = 0

    @property
    def decided(self) -> int:
        """Tasks that tell whether the retry helped."""
        return self.done + self.again

    @property
    def settled(self) -> int:
        """Tasks that are decided, and those that are gone on an engine of which it was said beforehand that its history
        does not show how."""
        return self.decided + self.unknown

    @property
    def apart(self) -> int:
        """Units that the wave is judged without: they were cancelled or changed by somebody, or had ended before."""
        return self.cancelled + self.changed + self.gone

    @property
    def open(self) -> int:
        """Tasks that may still tell."""
        return self.waiting + self.delayed + self.locked + self.not_set + self.untold

    @property
    def judged(self) -> int:
        """Tasks of which the gate takes the share: all but those that were cancelled or changed."""
        return self.settled + self.open

    @property
    def at_worst(self) -> int:
        """Failures in the worst case: tasks that failed again, and all that may still fail."""
        return self.again + self.open

    @property
    def total(self) -> int:
        """All of them."""
        return self.judged + self.apart


@dataclass(frozen=True)
class Obstacles:
    """What keeps tasks of a wave from being decided, apart from workers.

    Attributes:
        deleted: a batch that was deleted before it had set all of its tasks; empty where none was.
        deleted_by: who deleted it; empty where the engine does not say.
        suspended: a batch that is suspended, empty where none is.
        failed_jobs: jobs of the batches that have no retries left.
        jobs_left: jobs of the batches that are still to run, those that are not made yet included.
        taken: a worker was seen to have one of the tasks.
    """

    deleted: str = ""
    deleted_by: str = ""
    suspended: str = ""
    failed_jobs: int = 0
    jobs_left: int = 0
    taken: bool = False


NO_OBSTACLES = Obstacles()
