"""Process instances: orders to many of them, each of which is a batch."""

from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import answer
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.state import Store, StoreDep
from retriage.store.batch.batch_type import Plan
from retriage.store.batch.launch import launch
from retriage.store.batch.types.instance_deletion import plan_deletion
from retriage.store.batch.types.instance_suspension import plan_suspension
from retriage.store.batch.types.job_retries import plan_job_retries_of_instances
from retriage.store.batch.types.set_variables import plan_variables
from retriage.store.commands.operators import Operator
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.orders import DeleteInstances, SetInstancesJobsRetries, SetInstancesVariables
from retriage.store.contract.records import Batch

router = Router(prefix="/process-instance", tags=["Process Instance"])
LITERALS = (
    "variables-async",
    "delete",
    "delete-historic-query-based",
    "suspended-async",
    "suspended",
    "job-retries",
    "job-retries-historic-query-based",
)
"""What stands in the place of an id, for other methods than GET."""


async def launched(store: Store, plan: Plan, by: Operator) -> Response:
    """Launch a batch, and answer it."""
    batch = await launch(store.database, plan, store.settings, by)
    store.wake_runner()
    return answer(batch)


@router.post("/variables-async")
@gives(Batch)
async def post_variables(
    store: StoreDep, by: OperatorDep, order: Annotated[SetInstancesVariables, body(SetInstancesVariables)]
) -> Response:
    """Create a batch that sets variables of many instances."""
    return await launched(store, plan_variables(order), by)


@router.post("/delete")
@gives(Batch)
async def post_delete(
    store: StoreDep, by: OperatorDep, order: Annotated[DeleteInstances, body(DeleteInstances)]
) -> Response:
    """Create a batch that deletes many running instances. A historic query is ignored."""
    return await launched(store, plan_deletion(order), by)


@router.post("/delete-historic-query-based")
@gives(Batch)
async def post_delete_by_history(
    store: StoreDep, by: OperatorDep, order: Annotated[DeleteInstances, body(DeleteInstances)]
) -> Response:
    """Create a batch that deletes many running instances, those that a historic query finds too."""
    return await launched(store, plan_deletion(order, historic=True), by)


@router.post("/suspended-async")
@gives(Batch)
async def post_suspended(
    store: StoreDep, by: OperatorDep, order: Annotated[SetInstancesSuspended, body(SetInstancesSuspended)]
) -> Response:
    """Create a batch that suspends or activates many instances."""
    return await launched(store, plan_suspension(order), by)


RetriesBody = Annotated[SetInstancesJobsRetries, body(SetInstancesJobsRetries)]


@router.post("/job-retries")
@gives(Batch)
async def post_job_retries(store: StoreDep, by: OperatorDep, order: RetriesBody) -> Response:
    """Create a batch that sets the retries of all jobs of many instances. A historic query is ignored."""
    return await launched(store, plan_job_retries_of_instances(order), by)


@router.post("/job-retries-historic-query-based")
@gives(Batch)
async def post_job_retries_by_history(store: StoreDep, by: OperatorDep, order: RetriesBody) -> Response:
    """Create a batch that sets the retries of all jobs of instances that are named, or that a historic query finds."""
    return await launched(store, plan_job_retries_of_instances(order, historic=True), by)
