"""Jobs and job definitions."""

from typing import Annotated

from fastapi import APIRouter, Response

from store.api.answers import answer_text, no_content
from store.api.requests import body
from store.api.routes.lists import add_lists, add_one
from store.api.state import StoreDep
from store.batch import orders
from store.contract.orders import SetRetries
from store.contract.queries import JobDefinitionQuery, JobQuery
from store.queries import jobs as queries

router = APIRouter(tags=["Job"])
add_lists(router, JobQuery, queries.list_jobs, queries.count_jobs, path="/job", post=True)
add_one(router, queries.get_job, "/job/{id}")
add_lists(
    router,
    JobDefinitionQuery,
    queries.list_job_definitions,
    queries.count_job_definitions,
    path="/job-definition",
    post=True,
)
add_one(router, queries.get_job_definition, "/job-definition/{id}")


@router.get("/job/{job_id}/stacktrace")
async def get_stacktrace(store: StoreDep, job_id: str) -> Response:
    """The stack trace of a job's last failure."""
    async with store.database.reading() as connection:
        return answer_text(await queries.get_stacktrace(connection, job_id))


@router.put("/job/{job_id}/retries")
async def put_retries(store: StoreDep, job_id: str, order: Annotated[SetRetries, body(SetRetries)]) -> Response:
    """Set the retries of a job."""
    async with store.database.writing() as connection:
        await orders.set_job_retries(connection, job_id, order)
    store.wake_runner()
    return no_content()


@router.delete("/job/{job_id}")
async def delete_job(store: StoreDep, job_id: str) -> Response:
    """Drop a job."""
    async with store.database.writing() as connection:
        await orders.delete_job(connection, job_id)
    store.wake_runner()
    return no_content()


@router.put("/job-definition/{definition_id}/retries")
async def put_definition_retries(
    store: StoreDep, definition_id: str, order: Annotated[SetRetries, body(SetRetries)]
) -> Response:
    """Set the retries of all jobs of a definition that have none left."""
    async with store.database.writing() as connection:
        await orders.set_definition_retries(connection, definition_id, order)
    store.wake_runner()
    return no_content()
