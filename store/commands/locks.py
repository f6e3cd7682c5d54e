"""Locks and priority of one external task."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.fetch_and_lock import after
from retriage.store.commands.news import fetchable
from retriage.store.commands.operators import NOBODY, Change, Operator
from retriage.store.commands.worker_task import check_active, checked_worker, find, find_held, wrong_worker
from retriage.store.contract.deployments import ExtendLock, LockTask, SetPriority
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.database import now
from retriage.store.tables import ExternalTask
from retriage.store.tables.types import col

_T = ExternalTask
_ID = col(_T.id)


async def lock(connection: AsyncConnection, task_id: str, order: LockTask) -> None:
    """Lock a task for a worker, unless another one holds it now. Suspended tasks and those without retries too.

    Raises:
        ContractError: 400 no positive duration, or held by another; 404 no such task; 500 the worker is missing.
    """
    worker = checked_worker(order.worker_id)
    duration = order.lock_duration or 0
    if duration <= 0:
        raise ContractError(400, "RestException", "lockDuration is not greater than 0", 0)
    task = await find(connection, task_id)
    at = now()
    held = task.lock_expiration_time is not None and task.lock_expiration_time >= at
    if held and task.worker_id not in (None, worker):
        raise wrong_worker(task, worker, "External Task {id} cannot be locked by worker '{worker}'")
    await connection.execute(
        update(_T).where(_ID == task_id).values(worker_id=worker, lock_expiration_time=after(at, duration))
    )


async def extend_lock(connection: AsyncConnection, task_id: str, order: ExtendLock) -> None:
    """Let a worker's lock expire at another moment, counted from now.

    Raises:
        ContractError: 400 no positive duration, wrong worker, expired, or suspended; 404 no such task; 500 the worker
            is missing.
    """
    duration = order.new_duration or 0
    if duration <= 0:
        raise ContractError(400, "RestException", "lockTime is not greater than 0", 0)
    worker = checked_worker(order.worker_id)
    # The doubled quote is the engine's own.
    text = "The lock of the External Task {id} cannot be extended by worker '{worker}''"
    task = await find_held(connection, task_id, worker, text)
    at = now()
    if task.lock_expiration_time is None or task.lock_expiration_time < at:
        moment = int(at.timestamp() * 1000)
        message = f"Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to {moment}"
        raise ContractError(400, "RestException", message, 0)
    check_active(task)
    fetchable(connection, [task.topic_name])
    await connection.execute(update(_T).where(_ID == task_id).values(lock_expiration_time=after(at, duration)))


async def unlock(connection: AsyncConnection, task_id: str, by: Operator = NOBODY) -> None:
    """Take a task from its worker, whoever that is.

    Raises:
        ContractError: 404, no such task.
    """
    task = await find(connection, task_id)
    fetchable(connection, [task.topic_name])
    await connection.execute(update(_T).where(_ID == task_id).values(worker_id=None, lock_expiration_time=None))
    await by.note(connection, "Unlock", "ExternalTask", about=await by.about_task(connection, task_id))


async def set_priority(connection: AsyncConnection, task_id: str, order: SetPriority, by: Operator = NOBODY) -> None:
    """Set the priority of a task.

    Raises:
        ContractError: 400 no priority, 404 no such task.
    """
    if order.priority is None:
        raise invalid("The priority cannot be null.")
    task = await find(connection, task_id)
    await connection.execute(update(_T).where(_ID == task_id).values(priority=order.priority))
    change = Change("priority", order.priority, task.priority)
    await by.note(connection, "SetPriority", "ExternalTask", change, about=await by.about_task(connection, task_id))
