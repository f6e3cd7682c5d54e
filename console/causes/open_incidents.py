"""All open incidents of a query in groups: read once from end to end, then kept up to date with small questions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from retriage.console.causes.group_members import GroupMember, group_member_of
from retriage.console.causes.groups import CauseGroups
from retriage.console.reading.incident_pages import IncidentPages, Read
from retriage.console.reading.pages import pieces
from retriage.store.contract.queries import IncidentQuery
from retriage.store.contract.records import Incident

PIECE = 100
"""Incidents that are folded before others have their turn."""

NEWEST = 100
"""Rows of a page when only what is new is looked for."""
LOOK_EVERY = 5
"""Every so many times it is looked for although the count tells of nothing new: as many may have closed as came."""

RESTS = 10.0
"""So many times as long as a reading took, the next one of everything waits."""
SOONEST = 3.0
"""Seconds that it waits at least, when the count tells that incidents have closed."""
LATEST = 600.0
"""Seconds after which everything is read again, whatever the count tells."""


class OpenIncidents:
    """Groups of one query.

    Args:
        query: which incidents.
        read: asks the engine for a page, and for what its rows do not tell.
        count: asks the engine how many there are.
        wanted: what the engine cannot filter is left to this.
    """

    def __init__(
        self,
        query: IncidentQuery,
        read: Read,
        count: Callable[[IncidentQuery], Awaitable[int]],
        wanted: Callable[[Incident], bool] | None = None,
    ) -> None:
        self.groups = CauseGroups()
        self.complete = False
        """Every incident has been read once."""
        self.counted: int | None = None
        """How many the engine last said there are."""
        self.read_at: datetime | None = None
        """When everything was last read, or known to agree with the engine's count."""
        self.query = query
        self._read = read
        self._ask_count = count
        self._wanted = wanted
        self._walk = IncidentPages(read, query)
        self._seen: set[str] = set()
        """Ids of all that were read, also of those that are not wanted."""
        self._catches = 0
        self._read_through = 0.0
        self._took = 0.0

    @property
    def sieved(self) -> bool:
        """The engine's part of the filter matches more than is wanted."""
        return self._wanted is not None

    @property
    def looked(self) -> int:
        """How many were read, whether they are wanted or not."""
        return len(self._seen)

    @property
    def exact(self) -> bool:
        """As many are known as the engine counts."""
        return self.complete and self.counted == (self.looked if self.sieved else len(self.groups))

    async def fill(self, told: Callable[[], None]) -> None:
        """Read everything; after a failure it goes on where it was. ``told`` is called after every page.

        Raises:
            EngineProblem: the engine did not answer.
        """
        began = time.monotonic()
        if self.counted is None:
            await self._count()
        while not self._walk.ended:
            await self._take(await self._walk.next())
            told()
        self._finish(began)
        await self._count()
        told()

    async def catch_up(self) -> int:
        """Ask for what came since; answers how many came.

        As long as the count agrees the newest page is read from time to time only. Pages are read, the newest first, up
        to one that holds nothing new; what came to light late, below that, shows in the count and comes with the next
        reading of everything.

        Raises:
            EngineProblem: the engine did not answer.
        """
        await self._count()
        self._catches += 1
        if self.exact and self._catches % LOOK_EVERY:
            return 0
        walk = IncidentPages(self._read, self.query, size=NEWEST)
        came, fresh = 0, True
        while fresh and not walk.ended:
            page = await walk.next()
            fresh = any(incident.id not in self._seen for incident in page)
            came += await self._take(page, arrived=True)
            if self.exact:
                break
        if came:
            await self._count()
        return came

    @property
    def overdue(self) -> bool:
        """Everything should be read again: incidents have closed, or it was long ago."""
        if not self.complete:
            return False
        rested = time.monotonic() - self._read_through
        return rested > max(LATEST, RESTS * self._took) or (
            not self.exact and rested > max(SOONEST, RESTS * self._took)
        )

    async def read_again(self, told: Callable[[], None]) -> None:
        """Read everything once more; what is open no more leaves at the end.

        Raises:
            EngineProblem: the engine did not answer; nothing has left then.
        """
        began = time.monotonic()
        before, read = self.groups.ids(), set(self._seen)
        seen: set[str] = set()
        walk = IncidentPages(self._read, self.query)
        while not walk.ended:
            page = await walk.next()
            seen.update(incident.id for incident in page)
            if await self._take(page, arrived=True):
                told()
        for some in pieces(before, PIECE * 10):
            self.groups.drop(member_id for member_id in some if member_id not in seen)
            await asyncio.sleep(0)
        self._seen = seen | (self._seen - read)
        self._finish(began)
        await self._count()
        told()

    async def rehome(self, members: Sequence[GroupMember]) -> None:
        """Put members into the groups they belong to now, in pieces."""
        for some in pieces(members, PIECE):
            self.groups.rehome(some)
            await asyncio.sleep(0)

    async def _take(self, page: Sequence[Incident], *, arrived: bool = False) -> int:
        """Fold and keep the incidents of a page, in pieces; answers how many were not known."""
        unknown = 0
        for piece in pieces(page, PIECE):
            self._seen.update(incident.id for incident in piece)
            some = piece if self._wanted is None else [incident for incident in piece if self._wanted(incident)]
            unknown += self.groups.put(map(group_member_of, some), arrived=arrived)
            await asyncio.sleep(0)
        return unknown

    def _finish(self, began: float) -> None:
        self.complete, self.read_at = True, datetime.now(UTC)
        self._read_through = time.monotonic()
        self._took = self._read_through - began

    async def _count(self) -> None:
        self.counted = await self._ask_count(self.query)
        if self.exact:
            self.read_at = datetime.now(UTC)
