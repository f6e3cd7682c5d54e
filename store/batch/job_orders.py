"""What an operator may do to one job."""

from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.job_retries import NO_JOB, checked_retries, set_retries_of_jobs
from retriage.store.batch.monitor import close_soon
from retriage.store.commands import incidents
from retriage.store.commands.job_log import write_log
from retriage.store.commands.operators import NOBODY, Change, Operator, suspension
from retriage.store.contract.deployments import SetPriority
from retriage.store.contract.errors import ContractError, engine_error, missing
from retriage.store.contract.orders import SetDueDate, SetRetries
from retriage.store.contract.states import LogState
from retriage.store.database import keep, now
from retriage.store.tables import BatchElement, Job
from retriage.store.tables.types import col


async def _found(connection: AsyncConnection, job_id: str) -> Row[Any] | None:
    """A job, kept from other writers until the transaction ends."""
    await keep(connection, col(Job.id), col(Job.id) == job_id)
    columns = Job.__table__.c  # type: ignore[attr-defined]
    return (await connection.execute(select(*columns).where(col(Job.id) == job_id))).one_or_none()


async def set_job_retries(connection: AsyncConnection, job_id: str, order: SetRetries, by: Operator = NOBODY) -> None:
    """Set the retries of one job; 0 to above 0 resolves its incident. A lock of a job without retries is cleared.

    Raises:
        ContractError: 500 for null or negative retries or an unknown id; observed on Camunda 7.24.0.
    """
    retries = checked_retries(order.retries)
    job = await _found(connection, job_id)
    if job is None:
        raise ContractError(500, "InvalidRequestException", NO_JOB.format(job_id))
    changes = [Change("retries", retries, job.retries)]
    due = {}
    if "due_date" in order.model_fields_set:
        due["due_date"] = order.due_date
        changes.append(Change("dueDate", order.due_date, job.due_date))
    await set_retries_of_jobs(connection, [job_id], retries, due)
    await by.note(connection, "SetJobRetries", "Job", *changes, about=await by.about_job(connection, job_id))


async def set_job_suspended(connection: AsyncConnection, job_id: str, suspended: bool, by: Operator = NOBODY) -> None:
    """Suspend or activate one job. Nothing happens to an unknown one."""
    await _found(connection, job_id)
    await connection.execute(update(Job).where(col(Job.id) == job_id).values(suspended=suspended))
    word = "SuspendJob" if suspended else "ActivateJob"
    await by.note(connection, word, "Job", suspension(suspended), about=await by.about_job(connection, job_id))


async def set_job_priority(connection: AsyncConnection, job_id: str, order: SetPriority, by: Operator = NOBODY) -> None:
    """Set the priority of one job.

    Raises:
        ContractError: 400 no priority, 404 no such job.
    """
    if order.priority is None:
        raise ContractError(400, "RestException", f"Priority for job '{job_id}' cannot be null.")
    job = await _found(connection, job_id)
    if job is None:
        raise missing(f"No job found with id '{job_id}': job is null")
    await connection.execute(update(Job).where(col(Job.id) == job_id).values(priority=order.priority))
    change = Change("priority", order.priority, job.priority)
    await by.note(connection, "SetPriority", "Job", change, about=await by.about_job(connection, job_id))


async def set_job_due_date(connection: AsyncConnection, job_id: str, order: SetDueDate, by: Operator = NOBODY) -> None:
    """Set or clear the due date of one job.

    Raises:
        ContractError: 500, no such job; observed on Camunda 7.24.0.
    """
    job = await _found(connection, job_id)
    if job is None:
        raise ContractError(500, "InvalidRequestException", f"No job found with id '{job_id}'.")
    await connection.execute(update(Job).where(col(Job.id) == job_id).values(due_date=order.duedate))
    change = Change("duedate", order.duedate, job.due_date)
    await by.note(connection, "SetDueDate", "Job", change, about=await by.about_job(connection, job_id))


async def delete_job(connection: AsyncConnection, job_id: str, by: Operator = NOBODY) -> None:
    """Drop a job; the ids in it are never processed, and a token that waits for it waits for ever.

    Raises:
        ContractError: 404 no such job, 500 it is locked.
    """
    job = await _found(connection, job_id)
    if job is None:
        raise missing(f"No job found with id '{job_id}': job is null")
    if job.lock_owner is not None:
        raise engine_error("Cannot delete job when the job is being executed. Try again later.", "RestException")
    about = await by.about_job(connection, job_id)
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
    if job.batch_id is not None:
        await close_soon(connection, job.batch_id)
    await by.note(connection, "Delete", "Job", about=about)
