"""Launch a batch without keeping other writers waiting.

On PostgreSQL a batch is created in one transaction, beside which others write. SQLite has one writer, and the ids of a
large batch take it a second or more. There they are read at one moment, from one state, and written in slices; a batch
is there for others once it is whole. What a process leaves behind that is killed meanwhile is discarded by the next
one that opens the store.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import Plan
from retriage.store.batch.collect import add_elements, collected
from retriage.store.batch.create import create, write_batch
from retriage.store.commands.operators import NOBODY, Operator
from retriage.store.contract.errors import engine_error
from retriage.store.contract.records import Batch as Record
from retriage.store.database import PROCESS, Database, new_id, owner_is_gone
from retriage.store.settings import StoreSettings
from retriage.store.tables import BatchElement, BatchGroup, UnfinishedBatch
from retriage.store.tables.types import col

log = logging.getLogger(__name__)

SLICE = 5000
"""Ids that one transaction writes: it is about as long as one that carries out a set of jobs."""


async def launch(database: Database, plan: Plan, settings: StoreSettings, by: Operator = NOBODY) -> Record:
    """Collect the ids of a batch and create it.

    Args:
        database: where.
        plan: what it is to do.
        settings: how it is cut into jobs.
        by: who gives the order.

    Returns:
        The batch, with no job created yet.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks, 404 in strict mode. Nothing is kept then.
    """
    if not database.is_sqlite:
        return await database.write(partial(create, plan=plan, settings=settings, by=by))
    unfinished = _Unfinished(database, plan)
    try:
        await unfinished.collect()
        return await database.write(partial(unfinished.finish, settings=settings, by=by))
    except BaseException:
        if unfinished.written:
            database.beside(_discard_quietly(database, unfinished.batch_id))
        raise


class _Unfinished:
    """A batch whose ids are being written."""

    def __init__(self, database: Database, plan: Plan) -> None:
        self.batch_id = new_id()
        self.written = 0
        self._database = database
        self._plan = plan
        self._last: Sequence[Row[Any]] = ()
        self._groups: list[dict[str, Any]] = []

    async def collect(self) -> None:
        """Read all ids and write all but the last of them."""
        plan = self._plan
        async with self._database.reading() as connection:
            if plan.check is not None:
                await plan.check(connection)
            sources = plan.sources()
            if not plan.explicit and not sources:
                return
            rows = collected(connection, plan.type, plan.explicit, sources)
            found = await connection.stream(rows, execution_options={"yield_per": SLICE})
            async for part in found.partitions():
                if self._last:
                    await self._database.write(self._add)
                self._last = part

    async def _add(self, connection: AsyncConnection) -> None:
        """Write the slice that was read last."""
        if not self.written:
            await connection.execute(insert(UnfinishedBatch).values(batch_id=self.batch_id, owner=PROCESS))
        await add_elements(connection, self.batch_id, self.written, [row.id for row in self._last])
        for deployment_id, rows in groupby(self._last, key=_deployment):
            past = self.written + sum(1 for _ in rows)
            if self._groups and self._groups[-1]["deployment_id"] == deployment_id:
                self._groups[-1]["past"] = past
            else:
                group = {"batch_id": self.batch_id, "first": self.written, "past": past, "deployment_id": deployment_id}
                self._groups.append(group)
            self.written = past

    async def finish(self, connection: AsyncConnection, settings: StoreSettings, by: Operator) -> Record:
        """Write the last slice and the batch.

        Raises:
            ContractError: nothing is named, it may not be made, or another process has discarded it.
        """
        in_slices = bool(self.written)
        self._plan.check_count(self.written + len(self._last))
        await self._add(connection)
        this = delete(UnfinishedBatch).where(_is(self.batch_id), col(UnfinishedBatch.owner) == PROCESS)
        if not (await connection.execute(this)).rowcount and in_slices:
            raise engine_error("The batch was discarded by another process while its ids were collected.")
        await connection.execute(insert(BatchGroup), self._groups)
        return await write_batch(connection, self.batch_id, self._plan, self.written, settings, by)


def _deployment(row: Row[Any]) -> str | None:
    found: str | None = row.deployment_id
    return found


def _is(batch_id: str) -> Any:
    return col(UnfinishedBatch.batch_id) == batch_id


async def discard_unfinished(database: Database) -> None:
    """Remove what processes that have ended left of batches that were not whole yet."""
    async with database.reading() as connection:
        found = (await connection.execute(select(UnfinishedBatch.__table__))).all()  # type: ignore[attr-defined]
    for one in found:
        if owner_is_gone(one.owner):
            log.info("the ids of a batch that was not whole when its process ended are removed")
            await _discard(database, one.batch_id)


async def _discard(database: Database, batch_id: str) -> None:
    """Remove a batch that is not whole, in slices too. From now on nobody can finish it."""
    async with database.writing() as connection:
        await connection.execute(update(UnfinishedBatch).where(_is(batch_id)).values(owner=""))
    first, removed = 0, 1
    while removed:
        first += SLICE
        mine = (col(BatchElement.batch_id) == batch_id, col(BatchElement.ordinal) < first)
        async with database.writing() as connection:
            removed = (await connection.execute(delete(BatchElement).where(*mine))).rowcount
    async with database.writing() as connection:
        await connection.execute(delete(UnfinishedBatch).where(_is(batch_id)))


async def _discard_quietly(database: Database, batch_id: str) -> None:
    """After an order that failed; where this fails too, the next process that opens the store does it."""
    with suppress(Exception):
        await _discard(database, batch_id)
