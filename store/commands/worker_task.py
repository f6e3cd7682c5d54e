"""The task that a worker speaks about, and the checks that it may."""

from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import ContractError, no_external_task, null_value
from retriage.store.tables import ExternalTask
from retriage.store.tables.types import Rows, col

Task = Row[*tuple[Any, ...]]
"""All columns of an external task."""

_TASK = (
    select(*ExternalTask.__table__.c)  # type: ignore[attr-defined]
    .where(col(ExternalTask.id) == bindparam("task"))
    .with_for_update()
)


def checked_worker(worker_id: str | None) -> str:
    """The id of the worker.

    Raises:
        ContractError: 500, it is missing.
    """
    if worker_id is None:
        raise null_value("workerId is null")
    return worker_id


async def find(connection: AsyncConnection, task_id: str) -> Task:
    """A task, kept from other writers until the transaction ends. Whoever also needs the instance keeps that first.

    Args:
        connection: the caller's transaction.
        task_id: which one.

    Raises:
        ContractError: 404, there is none with that id.
    """
    task = (await connection.execute(_TASK, {"task": task_id})).one_or_none()
    if task is None:
        raise no_external_task(task_id, 0)
    return task


async def find_held(connection: AsyncConnection, task_id: str, worker: str, refusal: str) -> Task:
    """A task that was last locked by this worker. The lock may have expired: nobody else has taken the task since.

    Args:
        connection: the caller's transaction.
        task_id: which one.
        worker: who speaks.
        refusal: first sentence of the refusal, with ``{id}`` and ``{worker}``.

    Raises:
        ContractError: 404 no such task, 400 another worker has it, or none.
    """
    task = await find(connection, task_id)
    if task.worker_id != worker:
        raise wrong_worker(task, worker, refusal)
    return task


def wrong_worker(task: Task, worker: str, refusal: str) -> ContractError:
    """400, another worker has the task, or none."""
    owner = "null" if task.worker_id is None else task.worker_id
    message = f"{refusal.format(id=task.id, worker=worker)}. It is locked by worker '{owner}'."
    return ContractError(400, "RestException", message, 0)


def check_active(task: Task) -> None:
    """Check that the instance of a task is active.

    Raises:
        ContractError: 400, it is suspended.
    """
    if task.suspended:
        message = f"ENGINE-03043 ExternalTask with id '{task.id}' is suspended."
        raise ContractError(400, "RestException", message, 0)


def only(task: Task) -> Rows:
    """A select of the id of this task."""
    return select(col(ExternalTask.id)).where(col(ExternalTask.id) == task.id)
