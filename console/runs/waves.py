"""The sizes of the waves of a run: ``10, 100, 500, rest``, ``1%, 10%, rest``, or any list of both. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Record = Literal["good", "bad", "unknown"]
"""How the last run over a cause went."""
REST = "rest"
MOST_WAVES = 200
"""More waves than these nobody watches; a pace cuts a wave into batches without making waves of them."""
_ENTRY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<percent>%)?")
_SMALL, _LARGE = 20, 20_000


class WaveMistake(ValueError):
    """What was typed is no list of waves.

    Attributes:
        sentence: what is wrong with it, for the operator.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True)
class WaveSize:
    """How many tasks one wave takes: a number of tasks, a percentage of all of them, or those that are left."""

    number: float = 0.0
    percent: bool = False
    rest: bool = False

    def of(self, total: int, left: int) -> int:
        """Tasks of this wave.

        Args:
            total: tasks of the run.
            left: tasks that no wave before has taken.
        """
        if self.rest:
            return left
        wanted = math.ceil(total * self.number / 100) if self.percent else int(self.number)
        return min(wanted, left)

    def __str__(self) -> str:
        return REST if self.rest else f"{self.number:g}{'%' if self.percent else ''}"


@dataclass(frozen=True)
class Waves:
    """A list of waves, the first one first."""

    sizes: tuple[WaveSize, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.sizes))

    def cut(self, total: int) -> list[int]:
        """Tasks of each wave of a run of ``total`` tasks; waves for which none are left are not there.

        Raises:
            WaveMistake: some tasks would be in no wave.
        """
        found: list[int] = []
        left = total
        for size in self.sizes:
            taken = size.of(total, left)
            if taken:
                found.append(taken)
                left -= taken
        if left:
            raise WaveMistake(f"The waves {self} take {total - left:,} of {total:,} tasks: end them with {REST}.")
        return found


def kept_together(sizes: Sequence[int], instances: Sequence[str | None]) -> list[int]:
    """The same waves, larger where a process instance would be split; those that nothing is left for are not there.

    Args:
        sizes: tasks of each wave.
        instances: the process instance of each task, those of one instance together; ``None`` where it is not known.
    """
    found: list[int] = []
    first = 0
    for size in sizes:
        end = min(first + size, len(instances))
        while first < end < len(instances) and instances[end] is not None and instances[end] == instances[end - 1]:
            end += 1
        if end > first:
            found.append(end - first)
        first = end
    return found


ONE_WAVE = Waves((WaveSize(rest=True),))
"""Everything at once: a launch without waves."""


def waves_of(text: str) -> Waves:
    """Reads a list of waves, separated by commas or blanks.

    Raises:
        WaveMistake: it is none.
    """
    entries = text.replace(",", " ").split()
    if not entries:
        raise WaveMistake(f"Waves are numbers of tasks, percentages and {REST}: 10, 100, {REST}.")
    sizes = [_size_of(entry) for entry in entries]
    if any(size.rest for size in sizes[:-1]):
        raise WaveMistake(f"Only the last wave can be {REST}: nothing is left behind it.")
    if len(sizes) > MOST_WAVES:
        raise WaveMistake(f"{len(sizes):,} waves are more than {MOST_WAVES}; a pace spreads a wave over time.")
    return Waves(tuple(sizes))


def _size_of(entry: str) -> WaveSize:
    if entry.lower() == REST:
        return WaveSize(rest=True)
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise WaveMistake(f"{entry} is not a wave: give a number, a percentage or {REST}.")
    number, percent = float(found["number"]), found["percent"] is not None
    if number == 0:
        raise WaveMistake("A wave takes at least one task.")
    if percent and number > 100:
        raise WaveMistake(f"{entry} is more than all tasks.")
    if not percent and not number.is_integer():
        raise WaveMistake(f"{entry} is not a whole number of tasks.")
    return WaveSize(number, percent)


def proposed(total: int, record: Record = "unknown") -> Waves:
    """Waves that fit a run of so many tasks: each about ten times the one before, the first small enough to lose.

    Args:
        total: tasks of the run.
        record: how the last run over the same cause went: after a bad one the first wave is smaller, and there is one
            more; after a good one the smallest is left out.
    """
    if total <= _SMALL:
        return ONE_WAVE
    size = 10 if total < _LARGE else 100
    if record == "bad":
        size //= 2
    elif record == "good" and size * 50 <= total:
        size *= 10
    most = 4 if record == "bad" else 3
    sizes: list[WaveSize] = []
    while size * 5 <= total and len(sizes) < most:
        sizes.append(WaveSize(size))
        size *= 10
    if 0 < len(sizes) < 3 and total - sum(int(size.number) for size in sizes) > 10 * sizes[-1].number:
        sizes.append(WaveSize(sizes[-1].number * 5))
    return Waves((*sizes, WaveSize(rest=True)))
