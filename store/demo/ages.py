"""How old the tasks of the demo world are: spreads of ages, and drawing from many of them in the order of time."""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, Protocol, TypeVar

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Ages = tuple[tuple[float, float, float], ...]
"""How ages are spread: from, to (seconds) and the weight of each piece."""


class Aged(Protocol):
    """Something that has a share of all tasks, and a spread of ages."""

    @property
    def share(self) -> float: ...

    @property
    def ages(self) -> Ages: ...


Kind = TypeVar("Kind", bound=Aged)


class AgedKinds(Generic[Kind]):
    """All kinds laid over one axis of time, so that tasks can be drawn from the oldest to the youngest.

    The age of a task is a quantile of the sum of all spreads. That keeps the shape at any number of tasks, and makes
    rows in the order of time without holding or sorting them.
    """

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        edges = sorted({edge for kind in kinds for piece in kind.ages for edge in piece[:2]}, reverse=True)
        self._bins = list(zip(edges[1:], edges[:-1], strict=True))
        weights = [[kind.share * _mass(kind.ages, *bounds) for kind in kinds] for bounds in self._bins]
        self._within = [list(accumulate(row)) for row in weights]
        self._until = list(accumulate(sum(row) for row in weights))

    def draw(self, number: int, of: int, random: Random) -> tuple[float, Kind]:
        """Age in seconds and kind of one task of so many; number 0 is among the oldest."""
        total = self._until[-1]
        at = (number + random.random()) / of * total
        place = min(bisect(self._until, at), len(self._bins) - 1)
        younger, older = self._bins[place]
        before = self._until[place - 1] if place else 0.0
        depth = (at - before) / (self._until[place] - before)
        within = self._within[place]
        kind = self._kinds[min(bisect(within, random.random() * within[-1]), len(within) - 1)]
        return older - depth * (older - younger), kind


def _mass(ages: Ages, younger: float, older: float) -> float:
    whole = sum(weight for _, _, weight in ages)
    return sum(
        weight / whole * max(0.0, min(older, end) - max(younger, begin)) / (end - begin) for begin, end, weight in ages
    )
