"""Open the embedded engine: the store behind its contract, with its job runner."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from sqlalchemy import exists, select

from retriage.store.api.app import create_app
from retriage.store.api.parking import close_parking
from retriage.store.api.state import Store
from retriage.store.api.stopped import Stopped
from retriage.store.api.users import User
from retriage.store.database import (
    HALF_FILLED,
    Database,
    Limits,
    NotFilled,
    StoreNotOpened,
    filling,
    is_half_filled,
    open_database,
)
from retriage.store.runner import HistoryCleanup, JobPace
from retriage.store.settings import StoreSettings
from retriage.store.snapshot import Rehearsal, copy_of
from retriage.store.snapshot.rehearsal_workers import RehearsalWorkers
from retriage.store.snapshot_mark import SnapshotMark, is_snapshot, path_of, read_mark
from retriage.store.store_name import name_of
from retriage.store.tables import ProcessDefinition
from retriage.store.tables.types import col
from retriage.store.throwaway import throwaway_folder

if TYPE_CHECKING:
    from retriage.store.demo.workers import SimulatedWorkers
    from retriage.store.demo.world import World

__all__ = ["JobPace", "Rehearsal", "embedded_app"]

log = logging.getLogger(__name__)

COLLEAGUES_JOBS_PER_SECOND = 1.0
"""A colleague's batch in the demo is still at work when an operator has looked round. Only a paced runner does so."""


def embedded_app(
    store: str,
    *,
    demo_tasks: int = 0,
    demo_seed: int = 1,
    outage: float | None = None,
    workers: bool = False,
    strict: bool | None = None,
    settings: StoreSettings | None = None,
    users: Iterable[User] = (),
    pace: JobPace | None = None,
    progress: Callable[[int], None] | None = None,
    indexed: Callable[[int, int], None] | None = None,
    open_early: bool = False,
    rehearsal: Rehearsal | None = None,
) -> FastAPI:
    """The contract as an ASGI application over a store.

    The store is opened, and its runner started, when the application's lifespan is entered; both end with it.

    A snapshot is opened as a copy that is thrown away. Its clock stands at the moment when it was taken, no runner
    works on it and nothing can be ordered; or it is rehearsed.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        demo_tasks: fill an empty store with a demo world of so many external tasks.
        demo_seed: the world's seed.
        outage: seconds for which the outage of a new demo world goes on; by the seed if none are given.
        workers: let simulated workers fetch, complete and fail tasks.
        strict: refuse unknown task ids in ``retries-async``; none leaves it to the settings.
        settings: how batches are cut and carried out; none reads them from the environment.
        users: who may be let in; where there are any, every request must name one of them.
        pace: how fast batches go, and simulated workers with them; the caller may change it at any time. Full speed
            if none is given.
        progress: called with the number of the demo world's tasks that are written, after each of some hundreds.
        indexed: called when all its tasks are written, before each index is sorted: how many are, and of how many.
        open_early: be open as soon as the first tasks of a new demo world are there; the others follow, and then the
            runner and the workers begin.
        rehearsal: how a snapshot is rehearsed; none looks at it only.

    Raises:
        NoSnapshot: the snapshot is broken, or of a newer version.
    """
    chosen = settings or StoreSettings()
    if strict is not None:
        chosen = chosen.model_copy(update={"strict": strict})
    mark = read_mark(store) if rehearsal is not None or is_snapshot(store) else None
    if mark is not None:  # nothing is cleaned up in it, and its batches go when their engine said
        chosen = chosen.model_copy(update={"batch_history_days": 0})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            place = store
            if mark is not None:
                folder = stack.enter_context(throwaway_folder())
                place = str(await asyncio.to_thread(copy_of, path_of(store), folder))
            limits = Limits(chosen.question_seconds, chosen.order_seconds)
            database = await open_database(place, chosen.readers, limits)
            stack.push_async_callback(database.close)
            app.state.store = opened = Store(database, chosen, pace)
            if mark is not None:
                await stack.enter_async_context(_snapshot(opened, mark, rehearsal))
                yield
                return
            half_filled = await is_half_filled(database)
            if half_filled and not demo_tasks:
                raise StoreNotOpened(HALF_FILLED.format(store=name_of(store)))
            demo = _Demo(opened, demo_tasks, demo_seed, outage, workers, progress, indexed)
            cleanup = HistoryCleanup(database, chosen)
            async with opened.open():
                cleanup.start()
                begun = asyncio.create_task(demo.begin())
                try:
                    await (demo.first_rows(begun) if open_early else begun)
                    yield
                finally:
                    close_parking(opened)
                    await cleanup.stop()
                    await demo.end(begun)

    app = create_app(lifespan, users)
    if mark is not None and rehearsal is None:
        app.add_middleware(Stopped, at=mark.taken_at)
    return app


@asynccontextmanager
async def _snapshot(store: Store, mark: SnapshotMark, rehearsal: Rehearsal | None) -> AsyncIterator[None]:
    """What goes on in the copy of a snapshot: nothing, or its rehearsal."""
    if rehearsal is None:
        yield
        return
    await rehearsal.begin(store.database, mark)
    rates = mark.failure_rates(rehearsal.failure_rate)
    workers = RehearsalWorkers(store.database, rates, store.tasks_changed, rehearsal.seed)
    async with store.open():
        await store.runner.start()
        await workers.start()
        try:
            yield
        finally:
            close_parking(store)
            await workers.stop()
            await store.runner.stop()


class _Demo:
    """What goes on in an open store: a world that is written, the runner, simulated workers."""

    def __init__(
        self,
        store: Store,
        tasks: int,
        seed: int,
        outage: float | None,
        workers: bool,
        progress: Callable[[int], None] | None,
        indexed: Callable[[int, int], None] | None,
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._seed = seed
        self._outage = outage
        self._with_workers = workers
        self._progress = progress
        self._indexed = indexed
        self._written = asyncio.Event()
        self._workers: SimulatedWorkers | None = None

    async def begin(self) -> None:
        """Write the world, if there is to be one; then let the runner and the workers begin."""
        store = self._store
        world = None
        if self._tasks and (await is_half_filled(store.database) or await _is_empty(store.database)):
            world = await self._fill()
        if world is not None and world.at_work is not None:
            store.runner.pace.of_batch[world.at_work] = COLLEAGUES_JOBS_PER_SECOND
        await store.runner.start()
        if self._with_workers:
            from retriage.store.demo.plot import recovery
            from retriage.store.demo.workers import SimulatedWorkers

            lasts = recovery(self._seed) if self._outage is None else self._outage
            self._workers = SimulatedWorkers(
                store.database,
                seed=self._seed,
                outage=0.0 if world is None else lasts,  # in a world of some other time it is over
                speed=lambda: store.runner.pace.factor,
                tasks_changed=store.tasks_changed,
            )
            await self._workers.start()

    async def first_rows(self, begun: asyncio.Task[None]) -> None:
        """Wait until there is something to look at, or until all has begun.

        Raises:
            Exception: what kept it from beginning.
        """
        seen = asyncio.create_task(self._written.wait())
        await asyncio.wait({begun, seen}, return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
        if begun.done():
            begun.result()
        else:
            begun.add_done_callback(_tell)

    async def end(self, begun: asyncio.Task[None]) -> None:
        """Stop all of it, in whatever state it is."""
        begun.cancel()
        await asyncio.wait({begun})
        if self._workers is not None:
            await self._workers.stop()
        await self._store.runner.stop()

    async def _fill(self) -> "World":
        """Fill an empty store. What is there when this is interrupted is no world: indexes and batches come last, and
        then the mark goes."""
        from retriage.store.demo.world import build_world

        async with filling(self._store.database):
            return await build_world(
                self._store.database, self._tasks, self._seed, progress=self._wrote, indexed=self._indexed
            )

    def _wrote(self, tasks: int) -> None:
        self._written.set()
        if self._progress is not None:
            self._progress(tasks)


def _tell(begun: asyncio.Task[None]) -> None:
    problem = None if begun.cancelled() else begun.exception()
    if isinstance(problem, NotFilled):
        log.error("%s", problem)
    elif problem is not None:
        log.error("the demo world could not be written to its end", exc_info=problem)


async def _is_empty(database: Database) -> bool:
    async with database.reading() as connection:
        used = select(exists().where(col(ProcessDefinition.id).is_not(None)))
        return not (await connection.execute(used)).scalar_one()
