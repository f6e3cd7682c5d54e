"""Building the demo world in an empty store."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database import Database
from retriage.store.database import now as this_moment
from retriage.store.demo.bulk_insert import copy_from_tasks, insert_rows, rarely_checkpointed, without_indexes
from retriage.store.demo.deployments import deploy_releases
from retriage.store.demo.instances import InstanceRows
from retriage.store.demo.operator_batches import add_operator_batches
from retriage.store.demo.process_versions import ProcessVersions
from retriage.store.demo.processes import RELEASES
from retriage.store.demo.row_source import RowSource, row_source
from retriage.store.demo.rows import PackedRows
from retriage.store.demo.times import milliseconds
from retriage.store.tables import Batch, Deployment, ExternalTask, Incident, ProcessInstance
from retriage.store.tables.types import col

SLICE = 2000
"""Tasks written in one transaction."""

FIRST_SLICE = 500
"""Tasks of the first transaction: enough to look at while the others are written."""


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
    batches: int = 0
    at_work: str | None = None
    """The batch that a colleague has at work."""

    def count(self, rows: PackedRows) -> None:
        """Add the rows of a slice."""
        self.process_instances += rows.instances
        self.external_tasks += rows.tasks
        self.incidents += rows.incidents
        self.variables += rows.variables
        self.log_entries += rows.task_log + rows.tasks


async def build_world(
    database: Database,
    tasks: int,
    seed: int = 1,
    *,
    now: datetime | None = None,
    progress: Callable[[int], None] | None = None,
    indexed: Callable[[int, int], None] | None = None,
    batches: bool = True,
) -> World:
    """Fill an empty store with a demo world of exactly this many external tasks.

    Rows are drawn elsewhere and written in slices of one transaction each, so that the event loop stays free and memory
    does not grow with the world.

    Args:
        database: an open store without rows.
        tasks: external tasks to make, 0 or more.
        seed: the same seed and the same ``now`` make the same world, ids included.
        now: the moment that all ages count from; this moment if none is given.
        progress: called with the number of tasks written so far, after each slice; with all of them when the world is
            whole, its indexes and batches too.
        indexed: called in between, when all tasks are written: how many indexes there are so far, and of how many.
        batches: add what other operators have ordered, if the world is large enough for that.

    Raises:
        ValueError: the store is not empty, or the number is negative.
    """
    if tasks < 0:
        raise ValueError(f"a demo world cannot have {tasks} tasks")
    at = now or this_moment()
    random = Random(seed)
    async with database.writing() as connection:
        for table in (Deployment, ProcessInstance, ExternalTask, Incident, Batch):
            if (await connection.execute(select(col(table.id)).limit(1))).first() is not None:
                raise ValueError(
                    f"a demo world needs an empty store, and this one has rows in its table '{table.__tablename__}'"
                )
        versions = await deploy_releases(connection, random, milliseconds(at))
    instances = InstanceRows(random, milliseconds(at), ProcessVersions(versions), tasks)
    world = World(seed, at, len(RELEASES), len(versions))
    async with (
        rarely_checkpointed(database),
        without_indexes(database, indexed),
        row_source(instances, tasks) as source,
    ):
        await _write_slices(database, source, world, tasks, progress)
    if batches:
        async with database.writing() as connection:
            added = await add_operator_batches(connection, source.ids, milliseconds(at), tasks)
        world.batches, world.at_work = added.batches, added.at_work
        world.incidents += added.incidents
    if progress is not None and tasks:
        progress(tasks)
    return world


async def _write_slices(
    database: Database, source: RowSource, world: World, tasks: int, progress: Callable[[int], None] | None
) -> None:
    """Write one slice after the other, each in a transaction. The next is drawn in the meantime."""
    drawing = asyncio.create_task(source.slice(min(FIRST_SLICE, SLICE)))
    try:
        while (rows := await drawing).tasks:
            drawing = asyncio.create_task(source.slice(SLICE))
            await database.write(partial(_write, rows=rows), bounded=False)
            world.count(rows)
            if progress is not None and world.external_tasks < tasks:
                progress(world.external_tasks)
    finally:
        drawing.cancel()
        await asyncio.wait({drawing})


async def _write(connection: AsyncConnection, rows: PackedRows) -> None:
    await insert_rows(connection, rows)
    await copy_from_tasks(connection, rows)
