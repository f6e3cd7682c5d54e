"""Open the embedded engine: the store behind its contract, with its job runner."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import exists, select

from store.api.app import create_app
from store.api.parking import close_parking
from store.api.state import Store
from store.api.users import User
from store.database import HALF_FILLED, Database, Limits, StoreNotOpened, filling, is_half_filled, open_database
from store.settings import StoreSettings
from store.tables import ProcessDefinition
from store.tables.types import col


def embedded_app(
    store: str,
    *,
    demo_tasks: int = 0,
    demo_seed: int = 1,
    workers: bool = False,
    strict: bool | None = None,
    settings: StoreSettings | None = None,
    users: Iterable[User] = (),
) -> FastAPI:
    """The contract as an ASGI application over a store.

    The store is opened, and its runner started, when the application's lifespan is entered; both end with it.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        demo_tasks: fill an empty store with a demo world of so many external tasks.
        demo_seed: the world's seed.
        workers: let simulated workers fetch, complete and fail tasks.
        strict: refuse unknown task ids in ``retries-async``; none leaves it to the settings.
        settings: how batches are cut and carried out; none reads them from the environment.
        users: who may be let in; where there are any, every request must name one of them.
    """
    chosen = settings or StoreSettings()
    if strict is not None:
        chosen = chosen.model_copy(update={"strict": strict})

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = await open_database(store, chosen.readers, Limits(chosen.question_seconds, chosen.order_seconds))
        try:
            app.state.store = opened = Store(database, chosen)
            half_filled = await is_half_filled(database)
            if half_filled and not demo_tasks:
                raise StoreNotOpened(HALF_FILLED.format(store=store))
            if demo_tasks and (half_filled or await _is_empty(database)):
                from store.demo import build_world

                async with filling(database):
                    await build_world(database, demo_tasks, demo_seed)
            async with opened.open():
                await opened.runner.start()
                simulated = None
                if workers:
                    from store.demo import SimulatedWorkers

                    simulated = SimulatedWorkers(database, seed=demo_seed, tasks_changed=opened.tasks_changed)
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


async def _is_empty(database: Database) -> bool:
    async with database.reading() as connection:
        used = select(exists().where(col(ProcessDefinition.id).is_not(None)))
        return not (await connection.execute(used)).scalar_one()
