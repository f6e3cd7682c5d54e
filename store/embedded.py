"""Open the embedded engine: the store behind its contract, with its job runner."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from sqlalchemy import exists, select

from store.api.app import create_app
from store.api.parking import close_parking
from store.api.state import Store
from store.database import Database, open_database
from store.runner import JobPace
from store.settings import StoreSettings
from store.tables import ProcessDefinition
from store.tables.types import col

if TYPE_CHECKING:
    from store.demo import World

__all__ = ["JobPace", "embedded_app"]

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
    users: Mapping[str, str] | None = None,
    pace: JobPace | None = None,
    progress: Callable[[int], None] | None = None,
) -> FastAPI:
    """The contract as an ASGI application over a store.

    The store is opened, and its runner started, when the application's lifespan is entered; both end with it.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        demo_tasks: fill an empty store with a demo world of so many external tasks.
        demo_seed: the world's seed.
        outage: seconds for which the outage of a new demo world goes on; by the seed if none are given.
        workers: let simulated workers fetch, complete and fail tasks.
        strict: refuse unknown task ids in ``retries-async``; none leaves it to the settings.
        settings: how batches are cut and carried out; none reads them from the environment.
        users: passwords by name; where there are any, every request must name one of them.
        pace: how fast batches go, and simulated workers with them; the caller may change it at any time. Full speed
            if none is given.
        progress: called with the number of the demo world's tasks that are written, while the store is opened.
    """
    chosen = settings or StoreSettings()
    if strict is not None:
        chosen = chosen.model_copy(update={"strict": strict})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = await open_database(store, chosen.readers)
        try:
            app.state.store = opened = Store(database, chosen, pace)
            world = None
            if demo_tasks and await _is_empty(database):
                world = await _fill(database, demo_tasks, demo_seed, progress)
                if world.at_work is not None:
                    opened.runner.pace.of_batch[world.at_work] = COLLEAGUES_JOBS_PER_SECOND
            await opened.runner.start()
            simulated = None
            if workers:
                from store.demo import SimulatedWorkers, recovery

                # In a world that was made some other time the outage is over.
                lasts = recovery(demo_seed) if outage is None else outage
                simulated = SimulatedWorkers(
                    database,
                    seed=demo_seed,
                    outage=0.0 if world is None else lasts,
                    speed=lambda: opened.runner.pace.factor,
                    tasks_changed=opened.tasks_changed,
                )
                await simulated.start()
            try:
                yield
            finally:
                close_parking(opened)
                if simulated is not None:
                    await simulated.stop()
                await opened.runner.stop()
        finally:
            await database.close()

    return create_app(lifespan, users)


async def _fill(database: Database, tasks: int, seed: int, progress: Callable[[int], None] | None) -> "World":
    """Fill an empty store. What is there when this is interrupted is no world: indexes and batches are made last."""
    from store.demo import build_world

    return await build_world(database, tasks, seed, progress=progress)


async def _is_empty(database: Database) -> bool:
    async with database.reading() as connection:
        used = select(exists().where(col(ProcessDefinition.id).is_not(None)))
        return not (await connection.execute(used)).scalar_one()
