"""What every route needs: the open store, reached as ``request.app.state.store``."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.api.callers import while_called
from retriage.store.commands.fetch_and_lock import topics_with_tasks
from retriage.store.commands.news import forget_news, has_made_jobs, news_of
from retriage.store.database import Database, News
from retriage.store.runner import JobPace, Runner
from retriage.store.settings import StoreSettings

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_TOPICS = 10_000
"""Topics whose last ring is known; beyond, a ring is one for all."""

LOOK_SECONDS = 30.0
"""Time between two looks for what other processes have made fetchable, of which nothing is heard here."""

LOOK_FOR_ALL = 8
"""Topics that are waited for, from which on one question finds those with tasks, where each would ask its own."""


FEW_CONDITIONS = 200
"""Conditions of a question from which on its statement takes long to make, some two milliseconds each. Of such
questions one is answered at a time, so that the others find a connection."""


class Bell:
    """News of topics: it wakes who waits for one of those that it rings for. Nobody misses a ring between two waits."""

    def __init__(self) -> None:
        self._rings = 0
        self._last_of_all = 0
        self._last: dict[str, int] = {}
        self._waiting: dict[str | None, set[asyncio.Future[None]]] = {}

    @property
    def rings(self) -> int:
        """How often it has rung; hand it to ``wait``."""
        return self._rings

    @property
    def awaited(self) -> frozenset[str]:
        """The topics that somebody waits for."""
        return frozenset(topic for topic in self._waiting if topic is not None)

    def ring(self, topics: Collection[str] | None = None) -> None:
        """Wake those who wait for one of these topics, and those who wait for any; without topics everybody."""
        self._rings += 1
        if topics is None or len(self._last) + len(topics) > MOST_TOPICS:
            self._last_of_all = self._rings
            self._last.clear()
            woken = list(self._waiting.values())
        else:
            self._last.update(dict.fromkeys(topics, self._rings))
            woken = [self._waiting[topic] for topic in (*topics, None) if topic in self._waiting]
        for future in set().union(*woken):
            if not future.done():
                future.set_result(None)

    async def wait(self, since: int, seconds: float, topics: frozenset[str] | None = None) -> bool:
        """Wait until it rings for one of these topics, or for any, after ``since``; false when so many seconds passed
        without.
        """
        if self._has_rung(since, topics):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        places: Collection[str | None] = (None,) if topics is None else topics
        for place in places:
            self._waiting.setdefault(place, set()).add(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            for place in places:
                self._waiting[place].discard(future)
                if not self._waiting[place]:
                    del self._waiting[place]
        return True

    def _has_rung(self, since: int, topics: frozenset[str] | None) -> bool:
        if topics is None:
            return self._rings > since
        return self._last_of_all > since or any(self._last.get(topic, 0) > since for topic in topics)


class Store:
    """The open embedded engine."""

    def __init__(self, database: Database, settings: StoreSettings, pace: JobPace | None = None) -> None:
        self.database = database
        self.settings = settings
        self.tasks = Bell()
        """Rings when a task may have become fetchable."""
        self._many_conditions = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._all_changed = False
        self._news: News | None = None
        self.runner = Runner(database, settings, self.tasks_changed, pace)

    async def ask(self, request: Request, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Answer a question; it ends when its caller has hung up.

        Raises:
            ContractError: 500, it took longer than a question may.
            ClientDisconnect: nobody waits for the answer any more.
        """
        conditions: int = getattr(request.state, "conditions", 0)
        return await while_called(request, self._answer(question, conditions))

    async def _answer(self, question: Callable[[AsyncConnection], Awaitable[T]], conditions: int) -> T:
        if conditions <= FEW_CONDITIONS:
            return await self.database.read(question)
        async with self._many_conditions:
            return await self.database.read(question)

    def wake_runner(self) -> None:
        """There may be jobs to do, here or at another server of this database."""
        self.runner.wake()
        if self._news is not None:
            self._news.tell(jobs=True)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Share news with other servers of this database, where it can carry them."""
        looking = asyncio.create_task(self._look_now_and_then(), name="look for what others made fetchable")
        try:
            if self.database.is_sqlite:
                yield
            else:
                async with News(self.database.url, self._heard) as self._news:
                    yield
        finally:
            tasks = {looking} if self._looking is None else {looking, self._looking}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _look_now_and_then(self) -> None:
        """One look for all who wait, where each would look for itself."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.tasks.awaited:
                self._changed(None)

    def _heard(self, topics: frozenset[str] | None, jobs: bool) -> None:
        """Another server has changed something."""
        if jobs:
            self.runner.wake()
        self._changed(topics)

    @asynccontextmanager
    async def changing_tasks(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may make tasks fetchable: who waits for tasks looks again once it is committed."""
        async with self.database.writing() as connection:
            forget_news(connection)
            yield connection
            topics, jobs = news_of(connection), has_made_jobs(connection)
        self._changed_by_order(topics, jobs)

    async def change_tasks(self, order: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Carry out an order that may make tasks fetchable: who waits for tasks looks again once it is committed.

        Args:
            order: awaits nothing but statements.
        """

        async def noted(connection: AsyncConnection) -> tuple[T, frozenset[str] | None, bool]:
            forget_news(connection)
            return await order(connection), news_of(connection), has_made_jobs(connection)

        result, topics, jobs = await self.database.write(noted)
        self._changed_by_order(topics, jobs)
        return result

    def _changed_by_order(self, topics: frozenset[str] | None, jobs: bool) -> None:
        self.tasks_changed(topics)
        if jobs:
            self.wake_runner()

    def tasks_changed(self, topics: frozenset[str] | None = None) -> None:
        """Tasks may have become fetchable, of these topics or of any."""
        self._changed(topics)
        if self._news is not None:
            self._news.tell(topics)

    def _changed(self, topics: frozenset[str] | None) -> None:
        if topics is None and len(self.tasks.awaited) >= LOOK_FOR_ALL:
            self._all_changed = True
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look_for_all(), name="look for topics with tasks")
        else:
            self.tasks.ring(topics)  # without one too: variables have changed, for which some wait at any topic

    async def _look_for_all(self) -> None:
        """Find the topics with tasks among those that are waited for, and wake who waits for these."""
        while self._all_changed:
            self._all_changed = False
            try:
                found = await self.database.read(partial(topics_with_tasks, topics=self.tasks.awaited))
            except Exception as error:
                log.info("everybody who waits for tasks looks again: %s", error)
                self.tasks.ring()
            else:
                self.tasks.ring(found)


async def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


StoreDep = Annotated[Store, Depends(_store)]
"""The open store, as an argument of a route."""
