"""How a batch went since it was launched: what had become of its tasks at equal steps of time. Pure.

A picture of it only grows at its right end, so that little has to be drawn anew: a step lasts two seconds, and twice as
long as before whenever there would be too many of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

STEP = 2.0
"""Seconds of the first steps: nothing is asked for more often."""
MOST = 512
"""Steps that are kept."""
LATE = 30.0
"""A batch that was first seen so many seconds after its start is drawn from then on: nothing is known of before."""


class Sample(NamedTuple):
    """What was so at a moment. Of a batch whose tasks are not known its jobs are counted instead.

    Attributes:
        set: tasks whose retries are set, whatever became of them; those that are done or failed again are among them.
        done: of them, those that are not there any more.
        again: of them, those that failed again.
        incidents: open incidents of the engine, ``None`` where they are not counted.
    """

    set: int
    done: int
    again: int
    incidents: int | None = None


class Timeline:
    """Samples of one batch.

    Args:
        start: when it was started, by the engine's clock.
        of_tasks: what is counted is tasks, and not the jobs of the batch.
    """

    def __init__(self, start: datetime, *, of_tasks: bool = False) -> None:
        self.of_tasks = of_tasks
        self._start = start
        self._since: datetime | None = None
        self._step = STEP
        self._steps: dict[int, Sample] = {}

    @property
    def since(self) -> datetime:
        """When the first step begins."""
        return self._since or self._start

    def note(self, at: datetime, sample: Sample) -> None:
        """What is so now; the last sample of a step stands for it."""
        if self._since is None:
            self._since = self._start if 0 <= (at - self._start).total_seconds() < LATE else at
        seconds = max((at - self._since).total_seconds(), 0.0)
        while seconds // self._step >= MOST:
            self._steps = dict(sorted((index // 2, kept) for index, kept in sorted(self._steps.items())))
            self._step *= 2
        self._steps[int(seconds // self._step)] = sample

    def steps(self, most: int) -> tuple[float, list[Sample]]:
        """The samples, the oldest first, one for each step up to the newest.

        Args:
            most: so many steps at most.

        Returns:
            The seconds of a step, and the samples. A step without one is like that before it.
        """
        if not self._steps or most < 1:
            return self._step, []
        last, step, merged = max(self._steps), self._step, 1
        while last // merged >= most:
            merged, step = merged * 2, step * 2
        kept = {index // merged: sample for index, sample in sorted(self._steps.items())}
        found: list[Sample] = []
        for index in range(min(kept), last // merged + 1):
            found.append(kept.get(index) or found[-1])
        return step, [found[0]] * min(kept) + found
