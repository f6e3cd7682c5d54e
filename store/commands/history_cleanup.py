"""Remove history whose time to live is over, a slice at a time."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, delete, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.removals import remove_instances
from retriage.store.queries.conditions import one_of
from retriage.store.queries.of_definition import DAY, time_to_live
from retriage.store.tables import Batch, Incident, JobLog, ProcessDefinition, ProcessInstance, UserOperation
from retriage.store.tables.types import EPOCH, Rows, col

INSTANCES = 50
"""Ended instances of one slice."""

ENTRIES = 1000
"""Log entries of one slice."""


async def clean_up(connection: AsyncConnection, at: datetime, batch_days: int) -> int:
    """Remove a slice of what is too old: ended instances by the ``historyTimeToLive`` of their definitions, ended
    batches, and operations whose removal time has come.

    Args:
        connection: the caller's transaction.
        at: this moment.
        batch_days: how long the history of a batch lives after its end, 0 for ever.

    Returns:
        Rows that were removed, not counting what belongs to an instance; 0 when nothing is left to remove.
    """
    removed = await _instances(connection, at)
    if not removed and batch_days:
        removed = await _batch(connection, at - timedelta(days=batch_days))
    return removed or await _entries(connection, UserOperation, col(UserOperation.removal_time) <= at)


async def _instances(connection: AsyncConnection, at: datetime) -> int:
    end = type_coerce(col(ProcessInstance.end_time), BigInteger)
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    over = (
        select(col(ProcessInstance.id))
        .join(ProcessDefinition, col(ProcessDefinition.id) == col(ProcessInstance.process_definition_id))
        .where(end <= milliseconds - time_to_live() * DAY)
        .limit(INSTANCES)
    )
    found = await _locked(connection, over, ProcessInstance)
    if found:
        await remove_instances(
            connection, select(col(ProcessInstance.id)).where(one_of(col(ProcessInstance.id), found))
        )
    return len(found)


async def _batch(connection: AsyncConnection, until: datetime) -> int:
    """Remove some of the log of a batch that ended so long ago; when nothing of it is left, the batch."""
    over = select(col(Batch.id)).where(col(Batch.start_time) <= until, col(Batch.end_time) <= until)
    found = await _locked(connection, over.order_by(col(Batch.start_time)).limit(1), Batch)
    if not found:
        return 0
    this = col(Batch.id) == found[0]
    if entries := await _entries(connection, JobLog, col(JobLog.batch_id) == found[0]):
        return entries
    kinds = (Batch.seed_job_definition_id, Batch.monitor_job_definition_id, Batch.batch_job_definition_id)
    for kind in kinds:
        of_kind = col(Incident.job_definition_id) == select(col(kind)).where(this).scalar_subquery()
        await connection.execute(delete(Incident).where(of_kind))
    await connection.execute(delete(UserOperation).where(col(UserOperation.batch_id) == found[0]))
    await connection.execute(delete(Batch).where(this))
    return 1


async def _entries(
    connection: AsyncConnection, table: type[JobLog | UserOperation], condition: ColumnElement[bool]
) -> int:
    some = select(col(table.id)).where(condition).limit(ENTRIES)
    found = await _locked(connection, some, table)
    if found:
        await connection.execute(delete(table).where(one_of(col(table.id), found)))
    return len(found)


async def _locked(connection: AsyncConnection, rows: Rows, table: type) -> list[str]:
    """Ids of rows that no other server is removing at the moment."""
    return list((await connection.execute(rows.with_for_update(of=table, skip_locked=True))).scalars())
