"""Rows of a list that the console filters itself: read page by page behind the screen, over and over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from retriage.console.engine.errors import EngineProblem
from retriage.console.reading.filtered_pages import FilteredPages
from retriage.console.session.freshness import Freshness
from retriage.console.session.poller import reconsider_all, until_wanted
from retriage.console.text.words import clock, count, things
from retriage.console.widgets.line import Span

if TYPE_CHECKING:
    from retriage.console.reading.row_filter import RowFilter
    from retriage.console.screens.subject import ListSubject
    from retriage.console.session.session import Session
    from retriage.store.contract.queries import Query

AGAIN = 10.0
"""Seconds between two ways through all rows, at least; ten times as long as one took."""
AFTER_A_FAILURE = 3.0
"""Seconds before a page that was not answered is asked for again."""


class FilteredList:
    """Keeps the rows that fit. The first way through shows what it finds on the way, later ones when they have ended.

    Args:
        session: whose engine is asked.
        subject: what the rows are.
        query: what the engine filters, in the order of the list.
        wanted: what the console looks for; times count from now for each way anew.
        changed: is told when more is known.
        fresh: is told what becomes of the questions.
    """

    def __init__(
        self,
        session: Session,
        subject: ListSubject[Any],
        query: Query,
        wanted: RowFilter,
        changed: Callable[[], None],
        fresh: Freshness | None = None,
        going: Callable[[], bool] = lambda: True,
    ) -> None:
        self.query = query
        self._fresh = fresh or Freshness()
        self._session = session
        self._subject = subject
        self._wanted = wanted
        self._changed = changed
        self._order = subject.reading_order(query)
        self._so_far: Sequence[Any] = ()
        self._kept: Sequence[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._going = going
        self._asked = asyncio.Event()
        self.looked = 0
        """Rows that were looked at in the last way, or so far in the first."""
        self.among: int | None = None
        """How many rows the engine's part of the filter matches, once they are counted."""
        self.at: datetime | None = None
        """When the last way through ended; nothing while the first one goes on."""

    @property
    def rows(self) -> Sequence[Any]:
        """Records that fit, as far as they are known."""
        return self._kept if self._kept is not None else self._so_far

    @property
    def exact(self) -> bool:
        """All rows were looked at."""
        return self.at is not None

    @property
    def ids(self) -> frozenset[str]:
        """Ids of the rows that fit."""
        return frozenset(map(self._subject.identify, self.rows))

    def part(self, first: int, size: int) -> list[Any]:
        """Rows from an index on, as far as they are known."""
        return list(self.rows[first : first + size])

    def told(self, title: str) -> list[Span]:
        """How many fit, and whether that is all."""
        among = count(self.among) if self.among is not None else "…"
        if self.at is None:
            return [
                (count(len(self.rows)), "strong"),
                (" so far ", "warning"),
                (f"{count(self.looked)}/{among} read", "muted"),
            ]
        return [(count(len(self.rows)), "strong"), (f" of {count(self.looked)} {title} {clock(self.at)}", "muted")]

    def not_yet(self, thing: str) -> str:
        """Why all that fit cannot be taken yet."""
        return f"Still looking: {things(len(self.rows), thing)} so far. All can be taken when all rows have been read."

    def start(self) -> None:
        """Begin. Where nothing is to be read now this filter was asked for all the same: one way through is."""
        if not self._going():
            self._asked.set()
        self._task = asyncio.create_task(self._run(), name="filtered list")

    def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()

    def again(self) -> None:
        """Look at all rows again now, also while paused."""
        self._asked.set()
        reconsider_all()

    async def _run(self) -> None:
        while True:
            started = time.monotonic()
            await self._through()
            pause = max(AGAIN, 10 * (time.monotonic() - started))
            try:
                await asyncio.wait_for(self._asked.wait(), pause)
            except TimeoutError:
                await self._allowed()

    async def _allowed(self) -> None:
        """Wait until reading is free, or asked for."""
        await until_wanted(lambda: self._asked.is_set() or self._going())

    async def _through(self) -> None:
        """Look at all rows once."""
        going: FilteredPages[Any] = FilteredPages(
            self._page, self._subject.identify, self._wanted.finds(self._subject.now())
        )
        self._wanted.look()
        while not going.ended:
            await self._allowed()
            try:
                if not going.looked:
                    self.among = await self._session.connection.ask(
                        lambda client: self._subject.count(client, self.query), self._fresh
                    )
                    if self._kept is None:
                        self._changed()
                await going.next()
                self._so_far = self._order.arranged(going.kept)
            except EngineProblem as problem:
                if not self._session.connection.stale:
                    self._session.news.say(problem.sentence, "failed")
                await asyncio.sleep(AFTER_A_FAILURE)
                continue
            if self._kept is None:
                self.looked = going.looked
                if not going.ended:
                    self._changed()
        self._asked.clear()
        self._kept, self.looked, self.at = self._order.arranged(going.kept), going.looked, datetime.now(UTC)
        self.among = going.looked
        self._changed()

    async def _page(self, first: int, size: int) -> list[Any]:
        rows = await self._session.connection.ask(
            lambda client: self._subject.read(client, self._order.query, first, size), self._fresh
        )
        self._fresh.heard()
        await self._wanted.learn(rows, self._session.connection.ask)
        return rows
