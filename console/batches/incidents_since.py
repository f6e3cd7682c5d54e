"""What has become of the incidents of an engine since a moment: how many were opened and closed, by cause.

They are read from the history of incidents, each one once, in the order in which they came. Engines keep it at history
level full only; where it is not kept the open incidents tell what was opened, and nothing tells what was closed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retriage.console.causes.fold import fold
from retriage.console.engine.errors import Refused
from retriage.store.contract.history import HistoricIncident, HistoricIncidentQuery
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident

PAGE = 500
"""Incidents that are asked for at once."""
PAGES = 4
"""Pages of one kind that are read in one look, so that a look is short whatever has happened."""
CAUSES = 200
"""Causes that are told apart."""
OTHERS = "(further causes)"
AT_ONCE = 100
"""Messages that are folded before the event loop has its turn."""


class IncidentHistory(Protocol):
    """The part of the client that tells about incidents."""

    async def incidents(self, query: IncidentQuery, first: int, size: int) -> list[Incident]:
        """A page of open incidents."""
        ...

    async def count_incidents(self, query: IncidentQuery) -> int:
        """How many open incidents match."""
        ...

    async def historic_incidents(self, query: HistoricIncidentQuery, first: int, size: int) -> list[HistoricIncident]:
        """A page of incidents, open or ended."""
        ...


@dataclass(frozen=True)
class CauseSince:
    """Incidents of one cause.

    Attributes:
        cause: their folded message. A text of workers, not inert.
        opened: raised since.
        closed: ended since; ``None`` where the engine does not tell.
        ours: of those opened, how many are about a task of the launch.
    """

    cause: str
    opened: int
    closed: int | None
    ours: int = 0


@dataclass(frozen=True)
class IncidentsSince:
    """What has become of the incidents.

    Attributes:
        since: the moment.
        at: when that was read.
        opened: raised since.
        closed: ended since; ``None`` where the engine does not tell.
        causes: the same by cause; those that were opened most often first.
        complete: nothing is left to be read.
    """

    since: datetime
    at: datetime
    opened: int
    closed: int | None
    causes: tuple[CauseSince, ...]
    complete: bool = True


class IncidentsReader:
    """Reads on, look by look.

    Args:
        since: the moment, by the engine's clock.
        ours: whether a task is one of the launch.
    """

    def __init__(self, since: datetime, ours: Callable[[str], bool] = lambda id: False) -> None:
        self._since = since
        self._is_ours = ours
        self._opened: Counter[str] = Counter()
        self._ours: Counter[str] = Counter()
        self._closed: Counter[str] = Counter()
        self._opened_read = 0
        self._closed_read = 0
        self._untold = False
        """The engine keeps no history of incidents, or does not show it."""

    async def read(self, client: IncidentHistory, now: datetime, history: bool = True) -> IncidentsSince:
        """Read what has come since the last look.

        Args:
            client: lists incidents.
            now: the time by the engine's clock.
            history: what is not in the history of incidents has not happened.

        Raises:
            EngineProblem: the engine did not answer.
        """
        if history and not self._untold:
            try:
                return await self._of_history(client, now)
            except Refused as refusal:
                if refusal.between:
                    raise
                self._untold = True
        return await self._of_open_ones(client, now)

    async def _of_history(self, client: IncidentHistory, now: datetime) -> IncidentsSince:
        opened = HistoricIncidentQuery(create_time_after=self._since, sort_by="createTime", sort_order="asc")
        closed = HistoricIncidentQuery(end_time_after=self._since, sort_by="endTime", sort_order="asc")
        complete = True
        for page in range(PAGES):
            raised = await client.historic_incidents(opened, self._opened_read, PAGE)
            self._opened_read += len(raised)
            await self._count(self._opened, raised, self._ours)
            if len(raised) < PAGE:
                break
            complete = page + 1 < PAGES
        for page in range(PAGES):
            ended = await client.historic_incidents(closed, self._closed_read, PAGE)
            self._closed_read += len(ended)
            await self._count(self._closed, ended)
            if len(ended) < PAGE:
                break
            complete = complete and page + 1 < PAGES
        if not self._opened_read and not self._closed_read and await self._is_untold(client):
            self._untold = True
            return await self._of_open_ones(client, now)
        return self._told(now, self._opened_read, self._closed_read, complete)

    async def _is_untold(self, client: IncidentHistory) -> bool:
        """An engine below history level full answers with nothing, although an incident was opened."""
        return await client.count_incidents(IncidentQuery(incident_timestamp_after=self._since)) > 0

    async def _of_open_ones(self, client: IncidentHistory, now: datetime) -> IncidentsSince:
        query = IncidentQuery(incident_timestamp_after=self._since, sort_by="incidentTimestamp", sort_order="desc")
        self._opened, self._ours = Counter(), Counter()
        raised = await client.incidents(query, 0, PAGE)
        await self._count(self._opened, raised, self._ours)
        number = len(raised) if len(raised) < PAGE else await client.count_incidents(query)
        return self._told(now, number, None, number == len(raised))

    async def _count(
        self, causes: Counter[str], page: Sequence[HistoricIncident | Incident], ours: Counter[str] | None = None
    ) -> None:
        for number, one in enumerate(page, 1):
            cause = fold(one.incident_message)
            cause = cause if cause in causes or len(causes) < CAUSES else OTHERS
            causes[cause] += 1
            if ours is not None and one.configuration is not None and self._is_ours(one.configuration):
                ours[cause] += 1
            if not number % AT_ONCE:
                await asyncio.sleep(0)

    def _told(self, now: datetime, opened: int, closed: int | None, complete: bool) -> IncidentsSince:
        causes = sorted(
            {*self._opened, *self._closed}, key=lambda cause: (-self._opened[cause], -self._closed[cause], cause)
        )
        told = tuple(
            CauseSince(cause, self._opened[cause], None if closed is None else self._closed[cause], self._ours[cause])
            for cause in causes
        )
        return IncidentsSince(self._since, now, opened, closed, told, complete)
