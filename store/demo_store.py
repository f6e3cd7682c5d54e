"""Fill a store with a demo world, for nobody to look at meanwhile."""

import asyncio
import time
from collections.abc import Callable

from retriage.store.database import filling, open_database
from retriage.store.demo.world import build_world


def fill(
    store: str,
    tasks: int,
    seed: int,
    progress: Callable[[int], None],
    *,
    indexed: Callable[[int, int], None] | None = None,
    batches: bool = True,
) -> float:
    """Fill an empty store with a demo world.

    Args:
        store: path of an SQLite file, or an SQLAlchemy URL.
        tasks: how many external tasks.
        seed: the same seed makes the same world.
        progress: told how many tasks are written.
        indexed: told how many indexes are sorted, and of how many, when all tasks are written.
        batches: add the batches of other operators.

    Returns:
        Seconds that it took.

    Raises:
        ValueError: the store is not empty, is none, or cannot be opened or filled; one sentence for whoever named it.
    """

    async def run() -> None:
        database = await open_database(store)
        try:
            async with filling(database), database.unshared():
                await build_world(database, tasks, seed, progress=progress, indexed=indexed, batches=batches)
        finally:
            await database.close()

    start = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - start
