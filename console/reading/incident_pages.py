"""All incidents of a query, page by page, although incidents open and close while they are read.

The contract has no cursor. Pages that are counted off would skip an incident for each one that closes meanwhile, so
every page is asked for by the time of the last row of the one before, and begins with the rows of that millisecond.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from store.contract.queries import IncidentQuery
from store.contract.records import Incident

PAGE = 500
"""Rows of a page: parsed in a few milliseconds, and a hundred thousand of them are two hundred questions."""

STEP = timedelta(milliseconds=1)
"""What the contract's times are counted in."""

Read = Callable[[IncidentQuery, int, int], Awaitable[list[Incident]]]
"""Asks for a page: query, rows to skip, most rows."""


class IncidentPages:
    """Goes through a query once.

    Args:
        read: asks the engine.
        query: which incidents; its order does not matter.
        newest_first: the way to go.
        size: most rows of a page.
    """

    def __init__(self, read: Read, query: IncidentQuery, *, newest_first: bool = True, size: int = PAGE) -> None:
        self._read = read
        self._query = query.model_copy(
            update={"sorting": None, "sort_by": "incidentTimestamp", "sort_order": "desc" if newest_first else "asc"}
        )
        self._newest_first = newest_first
        self._size = size
        self._skip = 0
        self._counts_off = False
        self.ended = False
        """The last page was read."""

    async def next(self) -> list[Incident]:
        """The next page; some rows of the one before may be among its rows. After a failure it can be asked again.

        Raises:
            EngineProblem: the engine did not answer.
        """
        page = await self._read(self._query, self._skip, self._size)
        if len(page) < self._size:
            self.ended = True
        elif self._strayed(page) or not self._move(page[-1].incident_timestamp):
            self._skip += len(page)
        return page

    def _strayed(self, page: list[Incident]) -> bool:
        """The engine has passed over the time it was asked for; its rows are then counted off to the end."""
        before, after = self._query.incident_timestamp_before, self._query.incident_timestamp_after
        first, last = page[0].incident_timestamp, page[-1].incident_timestamp
        if (before is not None and max(first, last) >= before) or (after is not None and min(first, last) <= after):
            self._counts_off = True
        return self._counts_off

    def _move(self, last: datetime) -> bool:
        """Let the next page begin with the rows of this moment; not if that is where this one began."""
        if self._newest_first:
            edge, at = last + STEP, self._query.incident_timestamp_before
            further = at is None or edge < at
            update = {"incident_timestamp_before": edge}
        else:
            edge, at = last - STEP, self._query.incident_timestamp_after
            further = at is None or edge > at
            update = {"incident_timestamp_after": edge}
        if further:
            self._query = self._query.model_copy(update=update)
            self._skip = 0
        return further
