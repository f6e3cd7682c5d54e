"""Going through all rows of a query page by page, and keeping those that the console itself looks for."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from retriage.console.reading.pages import Pages, Read

R = TypeVar("R")


class FilteredPages(Generic[R]):
    """One way through the rows.

    Args:
        read: asks the engine for a page, always in the same total order, and for what its rows do not tell.
        identify: id of a row.
        wanted: whether a row is kept.
        size: most rows of a page, 2 or more.
    """

    def __init__(
        self, read: Read[R], identify: Callable[[R], str], wanted: Callable[[Any], bool], size: int | None = None
    ) -> None:
        self._pages = Pages(read, identify, size)
        self._wanted = wanted
        self.kept: list[R] = []
        """The rows that are wanted, in the engine's order."""

    @property
    def ended(self) -> bool:
        """The last page was read."""
        return self._pages.ended

    @property
    def looked(self) -> int:
        """Rows that were looked at."""
        return self._pages.looked

    async def next(self) -> list[R]:
        """Read the next page, and answer its rows that were not seen before, wanted or not.

        After a failure it can be asked again.

        Raises:
            EngineProblem: the engine did not answer.
        """
        fresh = await self._pages.next()
        self.kept += filter(self._wanted, fresh)
        return fresh
