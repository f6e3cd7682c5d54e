"""Reading a list to its end: one pager for all of them, and one way to cut what is asked by id into pieces.

The contract pages by index. While a list is read rows end and others appear, so that an index means another row a
moment later. So every page begins with the last row of the one before; when another row stands there, the page is asked
for again further up, until it begins with one that is known. Then nothing lies between: rows keep their order, as long
as they are asked for in a total one (:mod:`retriage.console.engine.total_order`).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from retriage.console.engine.total_order import in_order_of_ids
from retriage.store.contract.queries import Query

Q = TypeVar("Q", bound=Query)
R = TypeVar("R")
T = TypeVar("T")

PAGE = 500
"""Rows of a page: read in a few milliseconds, so that keys are answered in between."""

Read = Callable[[int, int], Awaitable[list[R]]]
"""Asks for a page: rows to skip, most rows."""


class Pages(Generic[R]):
    """One way through the rows. A row that is there all the time is given exactly once, any other once at most.

    Args:
        read: asks the engine for a page, always in the same total order.
        identify: id of a row.
        size: most rows of a page, 2 or more.
    """

    def __init__(self, read: Read[R], identify: Callable[[R], str] = attrgetter("id"), size: int | None = None) -> None:
        self._read = read
        self._identify = identify
        self._size = PAGE if size is None else size
        self._first = 0
        self._back = 0
        self._seen: set[str] = set()
        self.ended = False
        """The last page was read."""

    @property
    def looked(self) -> int:
        """Rows that were given."""
        return len(self._seen)

    async def next(self) -> list[R]:
        """Read the next page, and answer its rows that were not given before: none where it does not join.

        After a failure it can be asked again.

        Raises:
            EngineProblem: the engine did not answer.
        """
        page = await self._read(self._first, self._size)
        if self._first and (not page or self._identify(page[0]) not in self._seen):
            # Twice as far each time: thousands of rows may have ended at once.
            self._back = 2 * self._back or self._size // 2
            self._first = max(0, self._first - self._back)
            return []
        self._back = 0
        fresh = {id: row for row in page if (id := self._identify(row)) not in self._seen}
        self._seen.update(fresh)
        self.ended = len(page) < self._size
        self._first += len(page) - 1
        return list(fresh.values())

    async def __aiter__(self) -> AsyncIterator[list[R]]:
        """The pages that are left; those without a new row are left out.

        Raises:
            EngineProblem: the engine did not answer.
        """
        while not self.ended:
            if rows := await self.next():
                yield rows


async def believed(read: Callable[[Q, int, int], Awaitable[list[T]]], query: Q, first: int, size: int) -> list[T]:
    """A page. A first page without rows is requested twice: one empty answer proves no absence (a proxy, or a database
    replica that lags behind, may send one).

    Raises:
        EngineProblem: the engine did not answer.
    """
    page = await read(query, first, size)
    return page if page or first else await read(query, first, size)


async def present(read: Callable[[Sequence[str]], Awaitable[list[R]]], ids: Sequence[str]) -> dict[str, R]:
    """Rows by id. Those that are missing are requested once more, as :func:`believed` does.

    Args:
        read: requests the rows of these ids, one at least.
        ids: as many as one question takes.

    Raises:
        EngineProblem: the engine did not answer.
    """
    found: dict[str, R] = {}
    for _ in range(2):
        if missing := [id for id in ids if id not in found]:
            found |= {id: row for row in await read(missing) if (id := row.id) in missing}  # type: ignore[attr-defined]
    return found


def pages_by_id(read: Callable[[Q, int, int], Awaitable[list[Any]]], query: Q, size: int | None = None) -> Pages[Any]:
    """All rows of a query in the order of their ids, which never changes, whatever order the query names.

    Args:
        read: asks the engine for a page: query, rows to skip, most rows.
        query: which rows.
        size: most rows of a page, 2 or more.
    """
    ordered = in_order_of_ids(query)
    return Pages(lambda first, most: read(ordered, first, most), size=size)


def pieces(things: Sequence[T], size: int | None = None) -> Iterator[Sequence[T]]:
    """The things, so many at a time: ids for a question each."""
    step = PAGE if size is None else size
    for start in range(0, len(things), step):
        yield things[start : start + step]
