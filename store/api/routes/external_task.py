"""External tasks: lists, one, error details, retries."""

from functools import partial
from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import answer, answer_json, no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives, gives_list, gives_nothing
from retriage.store.api.requests import body, flag
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists, add_one, add_text
from retriage.store.api.state import StoreDep
from retriage.store.batch.launch import launch
from retriage.store.batch.types.external_task_retries import plan_task_retries
from retriage.store.commands.retries import set_retries_in_bulk, set_retries_of_one
from retriage.store.contract.orders import SetExternalTaskRetries, SetRetries
from retriage.store.contract.records import Batch
from retriage.store.queries import external_tasks as queries

Locked = Annotated[bool, flag("withLockedTasks", "Only topics with a locked task.")]
Unlocked = Annotated[bool, flag("withUnlockedTasks", "Only topics with a task that is not locked.")]
RetriesLeft = Annotated[bool, flag("withRetriesLeft", "Only topics with a task that has retries left.")]

router = Router(prefix="/external-task", tags=["External Task"])
add_lists(router, queries.EXTERNAL_TASKS, post=True)
add_text(router, queries.get_error_details, "/{id}/errorDetails")


@router.get("/topic-names")
@gives_list(str)
async def get_topic_names(store: StoreDep, locked: Locked, unlocked: Unlocked, left: RetriesLeft) -> Response:
    """Topics that have tasks."""
    async with store.database.reading() as connection:
        names = await queries.list_topic_names(
            connection, locked_only=locked, unlocked_only=unlocked, with_retries_left=left
        )
    return answer_json(names)


@router.put("/retries")
@gives_nothing
async def put_retries_in_bulk(
    store: StoreDep, by: OperatorDep, order: Annotated[SetExternalTaskRetries, body(SetExternalTaskRetries)]
) -> Response:
    """Set the retries of many tasks at once: all or none."""
    await store.change_tasks(partial(set_retries_in_bulk, order=order, by=by))
    return no_content()


@router.post("/retries-async")
@gives(Batch)
async def post_retries_async(
    store: StoreDep, by: OperatorDep, order: Annotated[SetExternalTaskRetries, body(SetExternalTaskRetries)]
) -> Response:
    """Create a batch that sets the retries of many tasks."""
    batch = await launch(store.database, plan_task_retries(order, store.settings), store.settings, by)
    store.wake_runner()
    return answer(batch)


@router.put("/{task_id}/retries")
@gives_nothing
async def put_retries(
    store: StoreDep, by: OperatorDep, task_id: str, order: Annotated[SetRetries, body(SetRetries)]
) -> Response:
    """Set the retries of one task."""
    await store.change_tasks(partial(set_retries_of_one, task_id=task_id, order=order, by=by))
    return no_content()


add_one(router, queries.EXTERNAL_TASKS, literals={"retries", "retries-async", "fetchAndLock"})
