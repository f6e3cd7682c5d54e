"""A journal that knows a few launches by heart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Launched:
    """A launch as a batch view needs it."""

    id: int = 1
    retries: int = 1
    reason: str = ""
    listed: int | None = 0
    probable: bool = False


class Ledger:
    """Tells the tasks of batches. Everything else that a journal can be asked is empty."""

    def __init__(
        self, tasks: Mapping[str, Sequence[tuple[str, int | None]]], retries: int = 1, reason: str = ""
    ) -> None:
        self._tasks = dict(tasks)
        self._numbers = {batch: number for number, batch in enumerate(tasks, 1)}
        self._retries = retries
        self._reason = reason
        self.asked: list[str] = []

    async def launch_of(self, batch_id: str) -> Launched | None:
        """The launch that made a batch."""
        self.asked.append(batch_id)
        if batch_id not in self._tasks:
            return None
        return Launched(self._numbers[batch_id], self._retries, self._reason, len(self._tasks[batch_id]))

    async def tasks(self, launch_id: int, first: int = 0, size: int = 2000) -> Sequence[tuple[str, int | None]]:
        """Its tasks with the retries they had."""
        batch = next(batch for batch, number in self._numbers.items() if number == launch_id)
        return self._tasks[batch][first : first + size]

    async def launches(self, engine: str, limit: int = 1000) -> list[Launched]:
        """Launches are known by their batch only."""
        return []

    async def set_back(self, launch_id: int) -> set[str]:
        """Nothing was undone."""
        return set()

    async def recent(self, engine: str, subject: str, limit: int = 50) -> list[str]:
        """No filter was used."""
        return []
