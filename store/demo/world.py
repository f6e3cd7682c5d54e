"""Building the demo world in an empty store."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import select

from store.database import Database
from store.database import now as this_moment
from store.demo.bulk import write
from store.demo.lines import Lines
from store.demo.making import Maker
from store.demo.processes import RELEASES
from store.demo.releases import deploy_releases
from store.demo.rows import IncidentRow, InstanceRow, LogRow, Rows, TaskRow, VariableRow
from store.demo.times import milliseconds
from store.tables import Batch, Deployment, ExternalTask, Incident, ProcessInstance
from store.tables.types import col

SLICE = 2000
"""Tasks written in one transaction."""


@dataclass
class World:
    """What was built: the seed, the moment that all ages count from, and how many rows of each kind."""

    seed: int
    now: datetime
    deployments: int = 0
    process_definitions: int = 0
    process_instances: int = 0
    external_tasks: int = 0
    incidents: int = 0
    variables: int = 0
    log_entries: int = 0

    def count(self, rows: Rows) -> None:
        """Add the rows of a slice."""
        self.process_instances += len(rows.of(InstanceRow))
        self.external_tasks += len(rows.of(TaskRow))
        self.incidents += len(rows.of(IncidentRow))
        self.variables += len(rows.of(VariableRow))
        self.log_entries += len(rows.of(LogRow))


async def build_world(
    database: Database,
    tasks: int,
    seed: int = 1,
    *,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
) -> World:
    """Fill an empty store with a demo world of exactly this many external tasks.

    Rows are prepared in a thread and written in slices of one transaction each, so that the event loop stays free and
    memory does not grow with the world.

    Args:
        database: an open store without rows.
        tasks: external tasks to make, 0 or more.
        seed: the same seed and the same ``now`` make the same world, ids included.
        now: the moment that all ages count from; this moment if none is given.
        progress: called with the number of tasks written so far, after each slice.

    Raises:
        ValueError: the store is not empty, or the number is negative.
    """
    if tasks < 0:
        raise ValueError(f"a demo world can not have {tasks} tasks")
    at = now or this_moment()
    random = Random(seed)
    async with database.writing() as connection:
        for table in (Deployment, ProcessInstance, ExternalTask, Incident, Batch):
            if (await connection.execute(select(col(table.id)).limit(1))).first() is not None:
                raise ValueError(
                    f"a demo world needs an empty store, and this one has rows in its table '{table.__tablename__}'"
                )
        versions = await deploy_releases(connection, random, milliseconds(at))
    maker = Maker(random, milliseconds(at), Lines(versions), tasks)
    world = World(seed, at, len(RELEASES), len(versions))
    while maker.made < tasks:
        rows = await asyncio.to_thread(maker.slice, SLICE)
        async with database.writing() as connection:
            await write(connection, rows)
        world.count(rows)
        if progress is not None:
            progress(maker.made)
        await asyncio.sleep(0)
    return world
