"""Going through all rows of a query page by page, and keeping those that the console itself looks for.

The engine pages by index. Rows that end meanwhile make the later ones move up, so every page begins with the last row
of the one before; when that row is not there any more, the page is asked for again further up, until it joins.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

R = TypeVar("R")

PAGE = 500
"""Rows of a page: read in a few milliseconds, so that keys are answered in between."""

Read = Callable[[int, int], Awaitable[list[R]]]
"""Asks for a page: rows to skip, most rows."""


class FilteredPages(Generic[R]):
    """One way through the rows.

    Args:
        read: asks the engine for a page, always in the same order.
        identify: id of a row.
        wanted: whether a row is kept.
        size: most rows of a page, 2 or more.
    """

    def __init__(
        self, read: Read[R], identify: Callable[[R], str], wanted: Callable[[Any], bool], size: int = PAGE
    ) -> None:
        self._read = read
        self._identify = identify
        self._wanted = wanted
        self._size = size
        self._first = 0
        self._seen: set[str] = set()
        self.kept: list[R] = []
        """The rows that are wanted, in the engine's order."""
        self.ended = False
        """The last page was read."""

    @property
    def looked(self) -> int:
        """Rows that were looked at."""
        return len(self._seen)

    async def next(self) -> list[R]:
        """Read the next page, and answer its rows that were not seen before, wanted or not.

        After a failure it can be asked again.

        Raises:
            EngineProblem: the engine did not answer.
        """
        page = await self._read(self._first, self._size)
        if self._first and (not page or self._identify(page[0]) not in self._seen):
            self._first = max(0, self._first - self._size // 2)
            return []
        fresh = [row for row in page if self._identify(row) not in self._seen]
        self._seen.update(map(self._identify, fresh))
        self.kept += filter(self._wanted, fresh)
        self.ended = len(page) < self._size
        self._first += len(page) - 1
        return fresh
