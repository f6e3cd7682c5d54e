"""How fast the simulated workers go."""

import math
from dataclasses import dataclass, field

TASKS_PER_SECOND = 25.0
"""Most tasks taken in a second in a world of up to 3,000 tasks."""

_ORDINARY_WORLD = 3000
_FRESH_SHARE = 0.12
_EMPTY_WITHIN = 20.0


def rate_for(tasks: int) -> float:
    """Most tasks per second in a world of so many: mildly more in a large one, never more than twice as many."""
    return TASKS_PER_SECOND * min(2.0, math.pow(max(1.0, tasks / _ORDINARY_WORLD), 0.2))


@dataclass
class Pace:
    """Portions of work.

    Tasks that were retried go at up to ``rate`` a second, slower when few are left, so that an operator sees the end
    come; tasks that never failed go at a trickle all the time, so that the world is alive and still there in an hour.
    """

    rate: float
    _retried: float = field(default=0.0, init=False)
    _fresh: float = field(default=0.0, init=False)

    def portion(self, seconds: float, retried: int) -> tuple[int, int]:
        """How many retried and how many other tasks to take after these seconds, while so many retried ones wait."""
        at_once = self.rate
        if retried:
            speed = min(self.rate, max(1.0, retried / _EMPTY_WITHIN))
            self._retried = min(at_once, self._retried + speed * seconds)
        else:
            self._retried = 0.0
        self._fresh = min(at_once, self._fresh + self.rate * _FRESH_SHARE * seconds)
        portion = int(self._retried), int(self._fresh)
        self._retried -= portion[0]
        self._fresh -= portion[1]
        return portion
