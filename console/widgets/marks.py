"""Marks: a set of ids, or everything but a set of ids."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Marks:
    """Which rows are chosen. A value: every change makes a new one."""

    ids: frozenset[str] = frozenset()
    """The marked rows or, with ``everything``, the ones left out."""
    everything: bool = False

    def __contains__(self, row_id: str) -> bool:
        return (row_id in self.ids) != self.everything

    def __bool__(self) -> bool:
        return self.everything or bool(self.ids)

    def count(self, total: int) -> int:
        """How many rows are chosen when ``total`` rows match."""
        return max(total - len(self.ids), 0) if self.everything else len(self.ids)

    def toggled(self, row_id: str) -> "Marks":
        """With the mark of one row turned around."""
        return Marks(self.ids ^ {row_id}, self.everything)

    def with_all(self, ids: Iterable[str]) -> "Marks":
        """With these rows chosen too."""
        return Marks(self.ids - set(ids) if self.everything else self.ids | set(ids), self.everything)
