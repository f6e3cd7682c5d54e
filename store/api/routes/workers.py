"""What workers ask and report."""

from functools import partial
from typing import Annotated

from fastapi import Request, Response

from retriage.store.api.answers import answer_list, no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives_list, gives_nothing
from retriage.store.api.parking import fetch_or_wait
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.state import StoreDep
from retriage.store.commands import workers
from retriage.store.contract.deployments import BpmnError, ExtendLock, LockTask, SetPriority
from retriage.store.contract.orders import CompleteTask, FailTask, FetchAndLock
from retriage.store.contract.records import LockedExternalTask

router = Router(prefix="/external-task", tags=["External Task"])


@router.post("/fetchAndLock")
@gives_list(LockedExternalTask)
async def fetch_and_lock(
    store: StoreDep, request: Request, order: Annotated[FetchAndLock, body(FetchAndLock)]
) -> Response:
    """Give a worker tasks and lock them for it."""
    return answer_list(await fetch_or_wait(store, request, order))


@router.post("/{task_id}/complete")
@gives_nothing
async def complete(store: StoreDep, task_id: str, order: Annotated[CompleteTask, body(CompleteTask)]) -> Response:
    """The work is done."""
    await store.change_tasks(partial(workers.complete, task_id=task_id, order=order))
    return no_content()


@router.post("/{task_id}/failure")
@gives_nothing
async def fail(store: StoreDep, task_id: str, order: Annotated[FailTask, body(FailTask)]) -> Response:
    """The work could not be done."""
    await store.change_tasks(partial(workers.fail, task_id=task_id, order=order))
    return no_content()


@router.post("/{task_id}/bpmnError")
@gives_nothing
async def bpmn_error(store: StoreDep, task_id: str, order: Annotated[BpmnError, body(BpmnError)]) -> Response:
    """The work met an error that the process may know."""
    await store.change_tasks(partial(workers.bpmn_error, task_id=task_id, order=order))
    return no_content()


@router.post("/{task_id}/lock")
@gives_nothing
async def lock(store: StoreDep, task_id: str, order: Annotated[LockTask, body(LockTask)]) -> Response:
    """Lock one task."""
    await store.database.write(partial(workers.lock, task_id=task_id, order=order))
    return no_content()


@router.post("/{task_id}/extendLock")
@gives_nothing
async def extend_lock(store: StoreDep, task_id: str, order: Annotated[ExtendLock, body(ExtendLock)]) -> Response:
    """Let a lock expire at another moment."""
    await store.change_tasks(partial(workers.extend_lock, task_id=task_id, order=order))
    return no_content()


@router.post("/{task_id}/unlock")
@gives_nothing
async def unlock(store: StoreDep, by: OperatorDep, task_id: str) -> Response:
    """Take a task from its worker."""
    await store.change_tasks(partial(workers.unlock, task_id=task_id, by=by))
    return no_content()


@router.put("/{task_id}/priority")
@gives_nothing
async def set_priority(
    store: StoreDep, by: OperatorDep, task_id: str, order: Annotated[SetPriority, body(SetPriority)]
) -> Response:
    """Set the priority of a task."""
    await store.database.write(partial(workers.set_priority, task_id=task_id, order=order, by=by))
    return no_content()
