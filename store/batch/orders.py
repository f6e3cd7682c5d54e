"""What an operator may do to a batch."""

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.monitor import close
from retriage.store.commands import incidents
from retriage.store.commands.job_log import OF_BATCH, write_log
from retriage.store.commands.operators import NOBODY, Change, Operator, Place, suspension
from retriage.store.contract.errors import invalid
from retriage.store.contract.states import LogState
from retriage.store.database import keep, now
from retriage.store.queries.conditions import Condition
from retriage.store.tables import Batch, Incident, Job, JobDefinition, JobLog
from retriage.store.tables.types import col


async def suspend_batch(connection: AsyncConnection, batch_id: str, suspended: bool, by: Operator = NOBODY) -> None:
    """Suspend or activate a batch, its job definitions and all its jobs. Repeating it is harmless.

    Raises:
        ContractError: 400, no batch with that id is running.
    """
    await keep(connection, col(Batch.id), col(Batch.id) == batch_id)
    changed = await connection.execute(
        update(Batch).where(col(Batch.id) == batch_id, col(Batch.end_time).is_(None)).values(suspended=suspended)
    )
    if not changed.rowcount:
        raise invalid(f"Unable to {'suspend' if suspended else 'activate'} batch with id '{batch_id}'", 0)
    await connection.execute(
        update(JobDefinition).where(col(JobDefinition.job_configuration) == batch_id).values(suspended=suspended)
    )
    await keep(connection, col(Job.id), _jobs_of(batch_id))
    await connection.execute(update(Job).where(_jobs_of(batch_id)).values(suspended=suspended))
    word = "SuspendBatch" if suspended else "ActivateBatch"
    await by.note(connection, word, "Batch", suspension(suspended), about={"batch_id": batch_id})


def _jobs_of(batch_id: str) -> Condition:
    """All jobs of a running batch, found by their definitions, which have an index."""
    definitions = select(col(JobDefinition.id)).where(col(JobDefinition.job_configuration) == batch_id)
    return col(Job.job_definition_id).in_(definitions)


async def delete_batch(
    connection: AsyncConnection, batch_id: str, cascade: bool = False, by: Operator = NOBODY
) -> None:
    """Remove a running batch with its jobs. Tasks that were set already stay set.

    Args:
        connection: the caller's transaction.
        batch_id: the batch.
        cascade: remove its history, its incidents and its job log too.
        by: who gives the order.

    Raises:
        ContractError: 400, no batch with that id is running.
    """
    await keep(connection, col(Batch.id), col(Batch.id) == batch_id)
    running = select(col(Batch.id)).where(col(Batch.id) == batch_id, col(Batch.end_time).is_(None))
    if (await connection.execute(running)).one_or_none() is None:
        raise invalid(f"Unable to delete batch with id '{batch_id}'", 0)
    at = now()
    jobs = _jobs_of(batch_id)
    await keep(connection, col(Job.id), jobs)
    await write_log(connection, jobs, LogState.DELETED, at, OF_BATCH)
    await incidents.delete(connection, select(col(Job.id)).where(jobs), at)
    await connection.execute(delete(Job).where(jobs))
    await close(connection, batch_id, at)
    if cascade:
        await _delete_history(connection, batch_id)
    about: Place = {"batch_id": batch_id}
    await by.note(connection, "Delete", "Batch", Change("cascadeToHistory", cascade), about=about)


async def delete_historic_batch(connection: AsyncConnection, batch_id: str, by: Operator = NOBODY) -> None:
    """Remove the history of a batch: its incidents, its job log and, when it has ended, its row.

    Raises:
        ContractError: 400, there is no batch with that id.
    """
    ended = select(col(Batch.end_time)).where(col(Batch.id) == batch_id)
    row = (await connection.execute(ended)).one_or_none()
    if row is None:
        raise invalid(f"Unable to delete historic batch with id '{batch_id}'", 0)
    if row.end_time is None:
        raise invalid(f"Unable to delete historic batch with id '{batch_id}': it is still running", 0)
    await _delete_history(connection, batch_id)
    await by.note(connection, "DeleteHistory", "Batch", about={"batch_id": batch_id})


async def _delete_history(connection: AsyncConnection, batch_id: str) -> None:
    definitions = select(
        col(Batch.seed_job_definition_id), col(Batch.monitor_job_definition_id), col(Batch.batch_job_definition_id)
    ).where(col(Batch.id) == batch_id)
    ids = list((await connection.execute(definitions)).one())
    await connection.execute(delete(Incident).where(col(Incident.job_definition_id).in_(ids)))
    await connection.execute(delete(JobLog).where(col(JobLog.batch_id) == batch_id))
    await connection.execute(delete(Batch).where(col(Batch.id) == batch_id))
