"""What every route needs: the open store, reached as ``request.app.state.store``."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from store.api.callers import while_called
from store.database import Database
from store.runner import JobPace, Runner
from store.settings import StoreSettings

T = TypeVar("T")


class Bell:
    """News without content: whoever waits is woken when it rings; nobody misses a ring between two waits."""

    def __init__(self) -> None:
        self._rings = 0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def rings(self) -> int:
        """How often it has rung; hand it to ``wait``."""
        return self._rings

    def ring(self) -> None:
        """Wake everybody."""
        self._rings += 1
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, since: int, seconds: float) -> bool:
        """Wait until it rings after ``since``; false when so many seconds passed without."""
        if self._rings != since:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True


class Store:
    """The open embedded engine."""

    def __init__(self, database: Database, settings: StoreSettings, pace: JobPace | None = None) -> None:
        self.database = database
        self.settings = settings
        self.tasks = Bell()
        """Rings when a task may have become fetchable."""
        self.runner = Runner(database, settings, self.tasks_changed, pace)

    async def ask(self, request: Request, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Answer a question; it ends when its caller has hung up.

        Raises:
            ContractError: 500, it took longer than a question may.
            ClientDisconnect: nobody waits for the answer any more.
        """
        return await while_called(request, self.database.read(question))

    def wake_runner(self) -> None:
        """There may be jobs to do."""
        self.runner.wake()

    @asynccontextmanager
    async def changing_tasks(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may make tasks fetchable: who waits for tasks looks again once it is committed."""
        async with self.database.writing() as connection:
            yield connection
        self.tasks_changed()

    def tasks_changed(self) -> None:
        """A task may have become fetchable."""
        self.tasks.ring()


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


StoreDep = Annotated[Store, Depends(_store)]
"""The open store, as an argument of a route."""
