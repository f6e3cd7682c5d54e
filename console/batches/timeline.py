"""How a batch went: what was seen of its tasks at equal steps of time, and nothing where nobody looked. Pure.

A picture of it only grows at its right end, so that little has to be drawn anew: a step lasts two seconds, and twice as
long as before whenever there would be too many of them.
"""

from __future__ import annotations

from datetime import datetime
from math import inf
from typing import NamedTuple

STEP = 2.0
"""Seconds of the first steps: nothing is asked for more often."""
MOST = 512
"""Steps that are kept."""
LATE = 30.0
"""A batch that was first seen so many seconds after its start is drawn from then on."""
HELD = 10.0
"""A sample stands for at most so many seconds after it: two looks lie no further apart while somebody watches."""


class Sample(NamedTuple):
    """What was so at a moment. Of a batch whose tasks are not known its jobs are counted instead.

    Attributes:
        set: tasks whose retries are set, whatever became of them; all others are among them.
        done: completed.
        again: failed again.
        incidents: open incidents of the engine, ``None`` where they are not counted.
        other: cancelled, changed by somebody, or gone without a history that says how.
    """

    set: int
    done: int
    again: int
    incidents: int | None = None
    other: int = 0


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

    def steps(self, most: int, until: datetime | None = None) -> tuple[float, list[Sample | None]]:
        """The samples, the oldest first, one for each step up to the newest.

        Args:
            most: so many steps at most.
            until: the step of this moment is the last one.

        Returns:
            The seconds of a step, and the samples: ``None`` for a step before the first look, or long after one.
        """
        newest = inf if until is None else max((until - self.since).total_seconds(), 0.0) // self._step
        steps = {index: sample for index, sample in sorted(self._steps.items()) if index <= newest}
        if not steps or most < 1:
            return self._step, []
        last, step, merged = max(steps), self._step, 1
        while last // merged >= most:
            merged, step = merged * 2, step * 2
        kept = {index // merged: sample for index, sample in steps.items()}
        found: list[Sample | None] = []
        looked = -inf
        for index in range(last // merged + 1):
            looked = index if index in kept else looked
            found.append(kept[int(looked)] if (index - looked) * step <= HELD else None)
        return step, found
