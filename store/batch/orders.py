"""What an operator may do to a batch and its jobs."""

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.jobs import write_log
from store.batch.monitor import close, close_soon
from store.commands import incidents
from store.contract.errors import ContractError, engine_error, invalid, missing
from store.contract.orders import SetRetries
from store.database import keep, now
from store.queries.conditions import Condition
from store.tables import Batch, BatchElement, Incident, Job, JobDefinition, JobLog
from store.tables.log import LogState
from store.tables.types import col


async def suspend_batch(connection: AsyncConnection, batch_id: str, suspended: bool) -> None:
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
    await connection.execute(update(Job).where(_jobs_of(batch_id)).values(suspended=suspended))


def _jobs_of(batch_id: str) -> Condition:
    """All jobs of a running batch, found by their definitions, which have an index."""
    definitions = select(col(JobDefinition.id)).where(col(JobDefinition.job_configuration) == batch_id)
    return col(Job.job_definition_id).in_(definitions)


async def delete_batch(connection: AsyncConnection, batch_id: str, cascade: bool = False) -> None:
    """Remove a running batch with its jobs. Tasks that were set already stay set.

    Args:
        connection: the caller's transaction.
        batch_id: the batch.
        cascade: remove its history, its incidents and its job log too.

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
    await write_log(connection, jobs, LogState.DELETED, at)
    await incidents.delete(connection, select(col(Job.id)).where(jobs), at)
    await connection.execute(delete(Job).where(jobs))
    await close(connection, batch_id, at)
    if cascade:
        await _delete_history(connection, batch_id)


async def delete_historic_batch(connection: AsyncConnection, batch_id: str) -> None:
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


async def _delete_history(connection: AsyncConnection, batch_id: str) -> None:
    definitions = select(
        col(Batch.seed_job_definition_id), col(Batch.monitor_job_definition_id), col(Batch.batch_job_definition_id)
    ).where(col(Batch.id) == batch_id)
    ids = list((await connection.execute(definitions)).one())
    await connection.execute(delete(Incident).where(col(Incident.job_definition_id).in_(ids)))
    await connection.execute(delete(JobLog).where(col(JobLog.batch_id) == batch_id))
    await connection.execute(delete(Batch).where(col(Batch.id) == batch_id))


def _checked(retries: int | None) -> int:
    if retries is None:
        raise ContractError(500, "NullPointerException", "retries is null")
    if retries < 0:
        raise ContractError(
            500,
            "InvalidRequestException",
            "ENGINE-13054 The number of job retries must be a non-negative Integer, "
            f"but '{retries}' has been provided.",
        )
    return retries


def _values(order: SetRetries, retries: int) -> dict[str, Any]:
    values: dict[str, Any] = {"retries": retries}
    if "due_date" in order.model_fields_set:
        values["due_date"] = order.due_date
    return values


async def set_job_retries(connection: AsyncConnection, job_id: str, order: SetRetries) -> None:
    """Set the retries of one job; 0 to above 0 resolves its incident. A lock of a job without retries is cleared.

    Raises:
        ContractError: 500 for null or negative retries or an unknown id; observed on Camunda 7.24.0.
    """
    retries = _checked(order.retries)
    await keep(connection, col(Job.id), col(Job.id) == job_id)
    found = select(col(Job.retries)).where(col(Job.id) == job_id)
    before = (await connection.execute(found)).scalar_one_or_none()
    if before is None:
        raise ContractError(500, "InvalidRequestException", f"ENGINE-13053 No job found with id '{job_id}'.'")
    values = _values(order, retries)
    if before == 0 and retries > 0:
        await incidents.resolve(connection, select(col(Job.id)).where(col(Job.id) == job_id), now())
        values |= {"lock_owner": None, "lock_expiration_time": None}
    await connection.execute(update(Job).where(col(Job.id) == job_id).values(**values))
    if before > 0 and retries == 0:
        await incidents.raise_for_jobs(connection, col(Job.id) == job_id)


async def set_definition_retries(connection: AsyncConnection, definition_id: str, order: SetRetries) -> int:
    """Set the retries of all jobs of a definition that have none left.

    Their incidents stay open until the jobs succeed, and are reused when they fail again.

    Returns:
        How many jobs were set; an unknown definition has none.

    Raises:
        ContractError: 500 for null or negative retries.
    """
    values = _values(order, _checked(order.retries))
    spent: Condition = col(Job.retries) == 0
    changed = await connection.execute(
        update(Job)
        .where(col(Job.job_definition_id) == definition_id, spent)
        .values(**values, lock_owner=None, lock_expiration_time=None)
    )
    return changed.rowcount


async def delete_job(connection: AsyncConnection, job_id: str) -> None:
    """Drop a job; the ids in it are never processed.

    Raises:
        ContractError: 404 no such job, 500 it is locked.
    """
    await keep(connection, col(Job.id), col(Job.id) == job_id)
    found = select(col(Job.lock_owner), col(Job.batch_id), col(Job.first), col(Job.past)).where(col(Job.id) == job_id)
    job = (await connection.execute(found)).one_or_none()
    if job is None:
        raise missing(f"No job found with id '{job_id}': job is null")
    if job.lock_owner is not None:
        raise engine_error("Cannot delete job when the job is being executed. Try again later.", "RestException")
    at = now()
    one = col(Job.id) == job_id
    await write_log(connection, one, LogState.DELETED, at)
    await incidents.delete(connection, select(col(Job.id)).where(one), at)
    if job.first is not None:
        ordinal = col(BatchElement.ordinal)
        await connection.execute(
            delete(BatchElement).where(
                col(BatchElement.batch_id) == job.batch_id, ordinal >= job.first, ordinal < job.past
            )
        )
    await connection.execute(delete(Job).where(one))
    await close_soon(connection, job.batch_id)
