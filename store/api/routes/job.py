"""Jobs and job definitions."""

from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import answer, no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives, gives_nothing
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists, add_one, add_text
from retriage.store.api.state import StoreDep
from retriage.store.batch import definition_orders, job_orders
from retriage.store.batch.launch import launch
from retriage.store.batch.types.job_retries import plan_job_retries
from retriage.store.contract.deployments import SetPriority
from retriage.store.contract.orders import (
    SetDefinitionPriority,
    SetDefinitionSuspended,
    SetDueDate,
    SetJobsRetries,
    SetJobsSuspended,
    SetRetries,
    SetSuspended,
)
from retriage.store.contract.records import Batch
from retriage.store.queries import jobs as queries

router = Router(tags=["Job"])
add_lists(router, queries.JOBS, path="/job", post=True)
add_text(router, queries.get_stacktrace, "/job/{id}/stacktrace")
add_lists(router, queries.JOB_DEFINITIONS, path="/job-definition", post=True)
add_one(router, queries.JOB_DEFINITIONS, "/job-definition/{id}")


@router.post("/job/retries")
@gives(Batch)
async def post_retries(
    store: StoreDep, by: OperatorDep, order: Annotated[SetJobsRetries, body(SetJobsRetries)]
) -> Response:
    """Create a batch that sets the retries of many jobs."""
    batch = await launch(store.database, plan_job_retries(order), store.settings, by)
    store.wake_runner()
    return answer(batch)


@router.put("/job/suspended")
@gives_nothing
async def put_many_suspended(
    store: StoreDep, by: OperatorDep, order: Annotated[SetJobsSuspended, body(SetJobsSuspended)]
) -> Response:
    """Suspend or activate many jobs. Exactly one selector is needed."""
    async with store.database.writing() as connection:
        await definition_orders.set_jobs_suspended(connection, order, by)
    store.wake_runner()
    return no_content()


@router.put("/job/{job_id}/retries")
@gives_nothing
async def put_retries(
    store: StoreDep, by: OperatorDep, job_id: str, order: Annotated[SetRetries, body(SetRetries)]
) -> Response:
    """Set the retries of a job."""
    async with store.database.writing() as connection:
        await job_orders.set_job_retries(connection, job_id, order, by)
    store.wake_runner()
    return no_content()


@router.post("/job/{job_id}/execute")
@gives_nothing
async def execute(store: StoreDep, by: OperatorDep, job_id: str) -> Response:
    """Carry out a job now, also a suspended one and one without retries. Its failure is the answer."""
    await store.runner.execute(job_id, by)
    return no_content()


@router.put("/job/{job_id}/suspended")
@gives_nothing
async def put_suspended(
    store: StoreDep, by: OperatorDep, job_id: str, order: Annotated[SetSuspended, body(SetSuspended)]
) -> Response:
    """Suspend or activate a job. Nothing happens to an unknown one."""
    async with store.database.writing() as connection:
        await job_orders.set_job_suspended(connection, job_id, order.suspended, by)
    store.wake_runner()
    return no_content()


@router.put("/job/{job_id}/priority")
@gives_nothing
async def put_priority(
    store: StoreDep, by: OperatorDep, job_id: str, order: Annotated[SetPriority, body(SetPriority)]
) -> Response:
    """Set the priority of a job."""
    async with store.database.writing() as connection:
        await job_orders.set_job_priority(connection, job_id, order, by)
    return no_content()


@router.put("/job/{job_id}/duedate")
@gives_nothing
async def put_due_date(
    store: StoreDep, by: OperatorDep, job_id: str, order: Annotated[SetDueDate, body(SetDueDate)]
) -> Response:
    """Set or clear the due date of a job."""
    async with store.database.writing() as connection:
        await job_orders.set_job_due_date(connection, job_id, order, by)
    store.wake_runner()
    return no_content()


@router.delete("/job/{job_id}")
@gives_nothing
async def delete_job(store: StoreDep, by: OperatorDep, job_id: str) -> Response:
    """Drop a job."""
    async with store.database.writing() as connection:
        await job_orders.delete_job(connection, job_id, by)
    store.wake_runner()
    return no_content()


add_one(router, queries.JOBS, "/job/{id}", literals={"retries", "suspended"})


@router.put("/job-definition/{definition_id}/suspended")
@gives_nothing
async def put_definition_suspended(
    store: StoreDep,
    by: OperatorDep,
    definition_id: str,
    order: Annotated[SetDefinitionSuspended, body(SetDefinitionSuspended)],
) -> Response:
    """Suspend or activate a job definition. Nothing happens to an unknown one."""
    async with store.database.writing() as connection:
        await definition_orders.set_definition_suspended(connection, definition_id, order, by)
    store.wake_runner()
    return no_content()


@router.put("/job-definition/{definition_id}/jobPriority")
@gives_nothing
async def put_definition_priority(
    store: StoreDep,
    by: OperatorDep,
    definition_id: str,
    order: Annotated[SetDefinitionPriority, body(SetDefinitionPriority)],
) -> Response:
    """Set or reset the priority of a job definition."""
    async with store.database.writing() as connection:
        await definition_orders.set_definition_priority(connection, definition_id, order, by)
    return no_content()


@router.put("/job-definition/{definition_id}/retries")
@gives_nothing
async def put_definition_retries(
    store: StoreDep, by: OperatorDep, definition_id: str, order: Annotated[SetRetries, body(SetRetries)]
) -> Response:
    """Set the retries of all jobs of a definition that have none left."""
    async with store.database.writing() as connection:
        await definition_orders.set_definition_retries(connection, definition_id, order, by)
    store.wake_runner()
    return no_content()
