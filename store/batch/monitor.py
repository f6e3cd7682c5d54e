"""The monitor job: close a batch when none of its jobs is left."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from retriage.store.batch.acquire import Acquired, release
from retriage.store.batch.jobs import finish, insert_job
from retriage.store.contract.records import MONITOR_JOB
from retriage.store.database import keep, now
from retriage.store.tables import Batch, BatchElement, BatchGroup, Job, JobDefinition, Variable
from retriage.store.tables.types import col

_Other = aliased(Job)


async def run_monitor(connection: AsyncConnection, acquired: Acquired, poll_seconds: float) -> bool:
    """Carry out the monitor job of a batch that an acquisition holds.

    Args:
        connection: the caller's transaction.
        acquired: the acquisition.
        poll_seconds: when the next monitor job is due if jobs are left.

    Returns:
        Whether the batch has ended. Log and incidents of its jobs stay.
    """
    mine, batch_id = acquired.held(), acquired.batch_id
    await keep(connection, col(Batch.id), col(Batch.id) == batch_id)
    await keep(connection, col(Job.id), mine)
    if (await connection.execute(select(col(Job.id)).where(mine))).first() is None:
        await release(connection, acquired)
        return False
    at = now()
    of_batch = select(col(Batch.batch_job_definition_id)).where(col(Batch.id) == batch_id).scalar_subquery()
    left = select(exists().where(col(Job.job_definition_id) == of_batch))
    jobs_left = (await connection.execute(left)).scalar_one()
    await finish(connection, mine, at)
    if jobs_left:
        await insert_job(connection, batch_id, MONITOR_JOB, at, due=at + timedelta(seconds=poll_seconds))
        return False
    await close(connection, batch_id, at)
    return True


async def close(connection: AsyncConnection, batch_id: str, at: datetime) -> None:
    """End a batch: its definitions, variables and what is left of its ids go, its row stays with an end time."""
    await connection.execute(delete(JobDefinition).where(col(JobDefinition.job_configuration) == batch_id))
    await connection.execute(delete(BatchElement).where(col(BatchElement.batch_id) == batch_id))
    await connection.execute(delete(BatchGroup).where(col(BatchGroup.batch_id) == batch_id))
    await connection.execute(delete(Variable).where(col(Variable.batch_id) == batch_id))
    await connection.execute(update(Batch).where(col(Batch.id) == batch_id).values(end_time=at))


async def close_soon(connection: AsyncConnection, batch_id: str) -> None:
    """Make the monitor job due at once when no batch job is left, so that a batch closes when it is done.

    The engine lets the batch wait for the end of the poll time, up to 30 s.
    """
    batch = (
        select(col(Batch.batch_job_definition_id), col(Batch.monitor_job_definition_id))
        .where(col(Batch.id) == batch_id)
        .cte("batch_of_job")
    )
    work, monitor = (select(column).scalar_subquery() for column in batch.c)
    # Of two that end their jobs at the same time, the second must see that the first has ended its own.
    await keep(connection, col(Job.id), col(Job.job_definition_id) == monitor)
    await connection.execute(
        update(Job)
        .where(
            col(Job.job_definition_id) == monitor,
            col(Job.due_date).is_not(None),
            ~select(col(_Other.id)).where(col(_Other.job_definition_id) == work).exists(),
        )
        .values(due_date=None)
    )
