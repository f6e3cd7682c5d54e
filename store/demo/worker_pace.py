"""How fast the simulated workers go, and how many new instances come."""

import math
from dataclasses import dataclass, field

TASKS_PER_SECOND = 25.0
"""Most retried tasks taken in a second in a world of up to 3,000 tasks."""

_ORDINARY_WORLD = 3000
_TRICKLE = 0.002
_TRICKLE_IN_OUTAGE = 0.012
_GIVEN_BACK_PER_SECOND = 1.0
_EMPTY_WITHIN = 20.0
_LEVEL_WITHIN = 30.0
_NEWCOMERS_PER_SECOND = 0.1


def rate_for(tasks: int) -> float:
    """Most tasks per second in a world of so many: mildly more in a large one, never more than twice as many."""
    return TASKS_PER_SECOND * min(2.0, math.pow(max(1.0, tasks / _ORDINARY_WORLD), 0.2))


@dataclass
class Pace:
    """Portions of work.

    Tasks that were retried go at up to ``rate`` a second, slower when few are left, so that an operator sees the end
    come. Other tasks go at a trickle, for each writes some 70 pages (taken, reported, another instance started), and
    new instances come as others end, so that the world is alive and still there in an hour: ``level`` is the number of
    tasks with retries left when all is as usual. What is above it (an operator has retried many) is worked off faster
    and not replaced; what is missing comes back slowly.
    """

    rate: float
    level: int
    _retried: float = field(default=0.0, init=False)
    _other: float = field(default=0.0, init=False)
    _given_back: float = field(default=0.0, init=False)
    _newcomers: float = field(default=0.0, init=False)

    def retried(self, seconds: float, waiting: int) -> int:
        """How many retried tasks to take after so many seconds, while so many wait."""
        if not waiting:
            return 0
        speed = min(self.rate, max(1.0, waiting / _EMPTY_WITHIN))
        self._retried, portion = self._split(self._retried + speed * seconds)
        return min(portion, waiting)

    def other(self, seconds: float, alive: int, *, outage: bool = False) -> int:
        """How many tasks that nobody retried to take after so many seconds, while so many tasks have retries left."""
        above = max(0, alive - self.level)
        trickle = _TRICKLE_IN_OUTAGE if outage else _TRICKLE
        speed = self.rate * trickle + min(self.rate / 2, above / _LEVEL_WITHIN)
        self._other, portion = self._split(self._other + speed * seconds)
        return portion

    def given_back(self, seconds: float) -> int:
        """How many tasks that workers gave back with retries left to take after so many seconds of an outage."""
        self._given_back, portion = self._split(self._given_back + _GIVEN_BACK_PER_SECOND * seconds)
        return portion

    def newcomers(self, seconds: float, ended: int, alive: int) -> int:
        """How many instances to start after so many seconds in which so many have ended, while so many tasks have
        retries left."""
        if alive > self.level:
            return 0
        if alive == self.level:
            return ended
        self._newcomers, more = self._split(self._newcomers + _NEWCOMERS_PER_SECOND * seconds)
        return ended + more

    def _split(self, due: float) -> tuple[float, int]:
        due = min(due, self.rate)
        return due % 1, int(due)
