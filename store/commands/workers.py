"""What workers report: work done, failed, an error of the business; and the locks they hold."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import How, Move, Node
from retriage.store.commands import incidents
from retriage.store.commands.fetch_and_lock import after, fetch_and_lock
from retriage.store.commands.instances import hold_of_task
from retriage.store.commands.locks import extend_lock, lock, set_priority, unlock
from retriage.store.commands.news import fetchable
from retriage.store.commands.processes import process_of
from retriage.store.commands.retries import set_retries
from retriage.store.commands.tokens import LOGGED, Running, end_instances, go_on
from retriage.store.commands.typed import is_transient, typed
from retriage.store.commands.variables import end_scope, set_variables
from retriage.store.commands.worker_task import Task, check_active, checked_worker, find_held, only
from retriage.store.contract.deployments import BpmnError
from retriage.store.contract.errors import ContractError, engine_error, null_value, stale
from retriage.store.contract.orders import CompleteTask, FailTask
from retriage.store.contract.records import VariableValue
from retriage.store.contract.states import LogState
from retriage.store.database import new_id, now
from retriage.store.tables import ErrorDetails, Execution, ExternalTask, ExternalTaskLog
from retriage.store.tables.types import TooLong, col

__all__ = [
    "bpmn_error",
    "complete",
    "complete_here",
    "extend_lock",
    "fail",
    "fetch_and_lock",
    "lock",
    "set_priority",
    "unlock",
]

_T = ExternalTask
_ID = col(_T.id)

_DELETE_TASK = delete(_T).where(_ID == bindparam("task"))
_DELETE_DETAILS = delete(ErrorDetails).where(col(ErrorDetails.external_task_id) == bindparam("task"))
_DELETE_EXECUTION = delete(Execution).where(col(Execution.id) == bindparam("execution"))

MESSAGE_LENGTH = 666
"""Characters that are kept of an error message; the rest is cut off silently, as the engine does."""

Variables = Mapping[str, VariableValue]


async def complete(connection: AsyncConnection, task_id: str, order: CompleteTask) -> None:
    """The work is done: the task goes, and its process goes on.

    Raises:
        ContractError: 400 wrong worker, suspended, or a variable that is not of its type; 404 no such task; 500 the
            worker is missing, or the process can not go on. Nothing must be committed then.
    """
    given, local = typed(order.variables), typed(order.local_variables)
    worker = checked_worker(order.worker_id)
    refusal = "External Task {id} cannot be completed by worker '{worker}'"
    task, instance = await _hold_both(connection, task_id, worker, refusal)
    await set_variables(connection, instance.id, given, task.execution_id)
    await set_variables(connection, instance.id, local, task.execution_id, local=True)  # they end with the execution
    if task.retries == 0:  # and so an incident is open; see retriage.store.commands.retries
        await incidents.resolve(connection, only(task), now())
    await _take_away(connection, task, LogState.SUCCESSFUL)
    await go_on(connection, instance, Move(How.LEAVE, task.activity_id), _transient(given))


async def complete_here(connection: AsyncConnection, task_id: str, worker: str) -> None:
    """The work is done, and its token ends there, whatever the process says; the instance ends with its last token.

    Raises:
        ContractError: 400 wrong worker, or suspended; 404 no such task. Nothing must be committed then.
    """
    refusal = "External Task {id} cannot be completed by worker '{worker}'"
    task, instance = await _hold_both(connection, task_id, worker, refusal)
    await incidents.resolve(connection, only(task), now())
    await _take_away(connection, task, LogState.SUCCESSFUL)
    waiting = select(col(Execution.id)).where(col(Execution.process_instance_id) == instance.id).limit(1)
    if (await connection.execute(waiting)).first() is None:
        await end_instances(connection, [instance.id], now())


async def _hold_both(connection: AsyncConnection, task_id: str, worker: str, refusal: str) -> tuple[Task, Running]:
    """A task of a worker that may report on it, and its instance; both kept from other writers.

    Raises:
        ContractError: see ``find_held`` and ``check_active``; 500, the instance has ended meanwhile.
    """
    instance = await hold_of_task(connection, task_id)
    task = await _held(connection, task_id, worker, refusal)
    if instance is None:
        raise stale(f"ExternalTaskEntity[{task_id}]")
    return task, instance


async def _held(connection: AsyncConnection, task_id: str, worker: str, refusal: str) -> Task:
    task = await find_held(connection, task_id, worker, refusal)
    check_active(task)
    return task


async def fail(connection: AsyncConnection, task_id: str, order: FailTask) -> None:
    """The work could not be done: message and details are kept, the lock lasts until the retry timeout is over, and
    the retries become what the worker says. At 0 an incident is raised.

    Raises:
        ContractError: 400 wrong worker, suspended, or a variable that is not of its type; 404 no such task; 500 the
            worker is missing, or retries or timeout are negative.
    """
    given, local = typed(order.variables), typed(order.local_variables)
    worker = checked_worker(order.worker_id)
    retries, timeout = order.retries or 0, order.retry_timeout or 0
    if retries < 0:
        raise engine_error("retries is not greater than or equal to 0")
    if timeout < 0:
        raise engine_error("retryDuration is not greater than or equal to 0")
    refusal = "Failure of External Task {id} cannot be reported by worker '{worker}'"
    if given or local:
        task, _ = await _hold_both(connection, task_id, worker, refusal)
        await set_variables(connection, task.process_instance_id, given, task.execution_id)
        await set_variables(connection, task.process_instance_id, local, task.execution_id, local=True)
    else:
        task = await _held(connection, task_id, worker, refusal)
    fetchable(connection, [task.topic_name])
    message = None if order.error_message is None else printable(order.error_message)[:MESSAGE_LENGTH]
    at = now()  # of both: by it one tells a retry time from a lock
    await connection.execute(
        update(_T).where(_ID == task.id).values(error_message=message, lock_expiration_time=after(at, timeout))
    )
    details = order.error_details
    if details is not None:
        details = printable(details)
        await connection.execute(delete(ErrorDetails).where(col(ErrorDetails.external_task_id) == task_id))
        await connection.execute(insert(ErrorDetails).values(external_task_id=task_id, details=details))
    await _log(connection, task, LogState.FAILED, at, error_message=message, error_details=details)
    await set_retries(connection, only(task), retries)


async def bpmn_error(connection: AsyncConnection, task_id: str, order: BpmnError) -> None:
    """The work met an error that the process may know: it goes on at the boundary event that catches the code. Where
    none does, the token simply ends.

    Raises:
        ContractError: 400 wrong worker, suspended, or a variable that is not of its type; 404 no such task; 500 the
            worker or the code is missing, the code is blank, or the process can not go on. Nothing must be committed
            then.
    """
    given = typed(order.variables)
    worker = checked_worker(order.worker_id)
    if order.error_code is None:
        raise null_value("errorCode is null")
    refusal = "Bpmn error of External Task {id} cannot be reported by worker '{worker}'"
    task, instance = await _hold_both(connection, task_id, worker, refusal)
    if not order.error_code.strip():
        raise engine_error("Error Code is empty")
    process = await process_of(connection, instance.definition_id)
    catcher = process.catcher(task.activity_id, order.error_code)
    try:
        await set_variables(connection, instance.id, given, task.execution_id)
        await incidents.delete(connection, only(task), now())
        await _take_away(connection, task, LogState.DELETED)
        if catcher is not None:
            await set_variables(connection, instance.id, _caught(catcher, order))
        move = Move(How.ENTER, catcher.id) if catcher else None
        await go_on(connection, instance, move, _transient(given))
    except TooLong:
        raise
    except ContractError:
        raise engine_error(f"ENGINE-13033 Propagation of bpmn error {order.error_code} failed. ") from None


def _caught(catcher: Node, order: BpmnError) -> dict[str, VariableValue]:
    """The variables in which a boundary event keeps what it caught."""
    found: dict[str, VariableValue] = {}
    if catcher.catch is not None and catcher.catch.code_variable:
        found[catcher.catch.code_variable] = VariableValue(type="String", value=order.error_code)
    if catcher.catch is not None and catcher.catch.message_variable:
        kind = "Null" if order.error_message is None else "String"
        found[catcher.catch.message_variable] = VariableValue(type=kind, value=order.error_message)
    return found


def _transient(values: Variables) -> Variables:
    return {name: value for name, value in values.items() if is_transient(value)}


def printable(text: str) -> str:
    """A text without NUL, which PostgreSQL does not keep."""
    return text.replace("\0", "\ufffd")


async def _log(
    connection: AsyncConnection, task: Task, state: LogState, at: datetime | None = None, **more: str | None
) -> None:
    values = {name: getattr(task, name) for name in (*LOGGED, "worker_id", "retries")}
    entry = {"id": new_id(), "timestamp": at or now(), "state": state, "external_task_id": task.id, **values, **more}
    await connection.execute(insert(ExternalTaskLog), entry)


async def _take_away(connection: AsyncConnection, task: Task, state: LogState) -> None:
    """Remove a task with its details, its execution and that execution's variables."""
    await connection.execute(_DELETE_TASK, {"task": task.id})
    await connection.execute(_DELETE_DETAILS, {"task": task.id})
    await connection.execute(_DELETE_EXECUTION, {"execution": task.execution_id})
    await end_scope(connection, task.process_instance_id, task.execution_id)
    await _log(connection, task, state)
