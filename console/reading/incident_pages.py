"""All incidents of a query, newest or oldest first, although incidents open and close while they are read.

A list of incidents is sorted by one key only, and incidents of one transaction share their time: counted off in the
order of their time some would be skipped. So every page is asked for by the time of the last row of the one before, and
begins with the rows of that millisecond. Where a whole page lies in one millisecond, that one is read in the order of
ids; and so is everything on an engine that passes over the times that it is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from retriage.console.reading import pages
from retriage.console.reading.pages import Pages, pages_by_id
from retriage.store.contract.history import HistoricIncident, HistoricIncidentQuery
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident

I = TypeVar("I", Incident, HistoricIncident)  # noqa: E741
Read = Callable[[IncidentQuery, int, int], Awaitable[list[Incident]]]
"""Asks for a page: query, rows to skip, most rows."""

STEP = timedelta(milliseconds=1)
"""What the contract's times are counted in."""


@dataclass(frozen=True)
class _Times:
    """What a list calls the times that it is read by."""

    key: str
    field: str
    before: str
    after: str


_TIMES: dict[type, _Times] = {
    IncidentQuery: _Times(
        "incidentTimestamp", "incident_timestamp", "incident_timestamp_before", "incident_timestamp_after"
    ),
    HistoricIncidentQuery: _Times("endTime", "end_time", "end_time_before", "end_time_after"),
}


class IncidentPages(Generic[I]):
    """Goes through a query once. An incident that is there all the time is given exactly once.

    Args:
        read: asks the engine.
        query: which incidents; its order does not matter. Those of the history are read by the time of their end, and
            have to have ended.
        newest_first: the way to go.
        size: most rows of a page.
    """

    def __init__(
        self,
        read: Callable[[Any, int, int], Awaitable[list[I]]],
        query: IncidentQuery | HistoricIncidentQuery,
        *,
        newest_first: bool = True,
        size: int | None = None,
    ) -> None:
        self._read: Callable[[Any, int, int], Awaitable[list[I]]] = read
        self._times = _TIMES[type(query)]
        self._asked: Any = query
        self._newest_first = newest_first
        self._size = pages.PAGE if size is None else size
        self._edge: datetime | None = None
        """The millisecond that the next page begins with."""
        self._given: set[str] = set()
        self._by_id: Pages[I] | None = None
        """Reads a millisecond, or everything."""
        self._passes_over = False
        """The engine passes over the times that it is asked for."""
        self.ended = False
        """The last page was read."""

    async def next(self) -> list[I]:
        """The rows of the next page that were not given before. After a failure it can be asked again.

        Raises:
            EngineProblem: the engine did not answer.
        """
        if self._by_id is not None:
            return self._fresh(await self._next_by_id(self._by_id))
        page = await self._read(self._window(), 0, self._size)
        if self._strayed(page):
            self._passes_over = True
            self._by_id = pages_by_id(self._read, self._asked, self._size)
        elif len(page) < self._size:
            self.ended = True
        else:
            self._edge = self._time(page[-1])
            if self._time(page[0]) == self._edge:
                self._by_id = pages_by_id(self._read, self._between(self._edge - STEP, self._edge + STEP), self._size)
        return self._fresh(page)

    async def _next_by_id(self, way: Pages[I]) -> list[I]:
        rows = await way.next()
        if way.ended:
            self._by_id = None
            self.ended = self._passes_over
            if self._edge is not None:
                self._edge -= STEP if self._newest_first else -STEP
        return rows

    def _fresh(self, rows: Sequence[I]) -> list[I]:
        fresh = [row for row in rows if row.id not in self._given]
        self._given.update(row.id for row in fresh)
        return fresh

    def _window(self) -> Any:
        """The query from the millisecond on that the page begins with."""
        query = self._asked
        if self._edge is not None and self._newest_first:
            query = self._between(None, self._edge + STEP)
        elif self._edge is not None:
            query = self._between(self._edge - STEP, None)
        order = "desc" if self._newest_first else "asc"
        return query.model_copy(update={"sorting": None, "sort_by": self._times.key, "sort_order": order})

    def _between(self, after: datetime | None, before: datetime | None) -> Any:
        """The query between two moments, neither included. They lie within those that the query names itself."""
        update = {self._times.after: after} if after is not None else {}
        return self._asked.model_copy(update=update | ({self._times.before: before} if before is not None else {}))

    def _strayed(self, page: Sequence[I]) -> bool:
        """The page holds rows of before the millisecond that it should begin with."""
        if self._edge is None:
            return False
        times = map(self._time, page)
        return any(time > self._edge if self._newest_first else time < self._edge for time in times)

    def _time(self, row: I) -> datetime:
        time: datetime = getattr(row, self._times.field)
        return time
