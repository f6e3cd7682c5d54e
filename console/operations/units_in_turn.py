"""Units of a wave that are looked at in turn, a page in each look, until they are decided."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from retriage.console.operations.operation import Operation, UnitWork
from retriage.console.reading.pages import PAGE


class UnitsInTurn(UnitWork):
    """Units that were sent, and which of them to look at next.

    Args:
        operation: what they were sent for.
        since: when the first of them were sent, by the engine's clock.
    """

    def __init__(self, operation: Operation, since: datetime) -> None:
        super().__init__(operation, since)
        self._open: deque[str] = deque()
        """Not decided; the one that was looked at longest ago is first."""
        self._looked: dict[str, datetime] = {}
        self._last: datetime | None = None

    def add_units(self, units: Sequence[tuple[int, str, int | None]]) -> None:
        """They are looked at before those that were looked at once."""
        self._open.extendleft(id for _, id, _ in reversed(units))

    @property
    def all_set(self) -> bool:
        """All batches were seen to end, and have reached all of their units."""
        return bool(self.newest_batch) and self._all_set and not self._batches

    @property
    def left(self) -> int:
        """How many are not decided."""
        return len(self._open)

    def next_page(self) -> list[str]:
        """Those whose turn it is."""
        return list(islice(self._open, PAGE))

    def looked_at(self, page: Iterable[str], at: datetime, rest: Iterable[str]) -> None:
        """A page of them was looked at.

        Args:
            page: as :meth:`next_page` returned it.
            at: when, by this machine's clock.
            rest: those of them that are not decided yet.
        """
        for id in page:
            self._open.popleft()
            self._looked.pop(id, None)
        for id in rest:
            self._open.append(id)
            self._looked[id] = at
        self._last = at

    @property
    def unread(self) -> bool:
        """Some were not looked at yet."""
        return bool(self._open) and self._open[0] not in self._looked

    @property
    def at(self) -> datetime | None:
        """When the one was looked at that was looked at longest ago."""
        if self.unread:
            return None
        return self._looked[self._open[0]] if self._open else self._last
