"""External tasks: lists, one, error details, retries."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from store.api.answers import answer, answer_json, answer_text, no_content
from store.api.requests import body, flag_param
from store.api.routes.lists import add_lists, add_one
from store.api.state import StoreDep
from store.batch.create import set_retries_async
from store.commands.retries import set_retries_in_bulk, set_retries_of_one
from store.contract.orders import SetExternalTaskRetries, SetRetries
from store.contract.queries import ExternalTaskQuery
from store.queries import external_tasks as queries

router = APIRouter(prefix="/external-task", tags=["External Task"])
add_lists(router, ExternalTaskQuery, queries.list_external_tasks, queries.count_external_tasks, post=True)


@router.get("/topic-names")
async def get_topic_names(store: StoreDep, request: Request) -> Response:
    """Topics that have tasks."""
    locked, unlocked, left = (
        flag_param(request, name) for name in ("withLockedTasks", "withUnlockedTasks", "withRetriesLeft")
    )
    async with store.database.reading() as connection:
        names = await queries.list_topic_names(
            connection, locked_only=locked, unlocked_only=unlocked, with_retries_left=left
        )
    return answer_json(names)


@router.put("/retries")
async def put_retries_in_bulk(
    store: StoreDep, order: Annotated[SetExternalTaskRetries, body(SetExternalTaskRetries)]
) -> Response:
    """Set the retries of many tasks at once: all or none."""
    async with store.database.writing() as connection:
        await set_retries_in_bulk(connection, order)
    return no_content()


@router.post("/retries-async")
async def post_retries_async(
    store: StoreDep, order: Annotated[SetExternalTaskRetries, body(SetExternalTaskRetries)]
) -> Response:
    """Create a batch that sets the retries of many tasks."""
    async with store.database.writing() as connection:
        batch = await set_retries_async(connection, order, store.settings)
    store.wake_runner()
    return answer(batch)


@router.get("/{task_id}/errorDetails")
async def get_error_details(store: StoreDep, task_id: str) -> Response:
    """The long error text of a task."""
    async with store.database.reading() as connection:
        return answer_text(await queries.get_error_details(connection, task_id))


@router.put("/{task_id}/retries")
async def put_retries(store: StoreDep, task_id: str, order: Annotated[SetRetries, body(SetRetries)]) -> Response:
    """Set the retries of one task."""
    async with store.database.writing() as connection:
        await set_retries_of_one(connection, task_id, order)
    return no_content()


add_one(router, queries.get_external_task, literals={"retries", "retries-async", "fetchAndLock"})
