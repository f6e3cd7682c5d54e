"""Process instances: suspend, activate, delete; remove from history."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from store.api.answers import no_content
from store.api.requests import body, flag_param
from store.api.state import StoreDep
from store.commands.instances import delete_instance, set_suspended, set_suspended_in_bulk
from store.commands.removals import remove_instance
from store.contract.deployments import SetInstancesSuspended
from store.contract.orders import SetSuspended
from store.tables import ProcessInstance
from store.tables.types import col

router = APIRouter(tags=["Process Instance"])


@router.put("/process-instance/suspended")
async def put_suspended_in_bulk(
    store: StoreDep, order: Annotated[SetInstancesSuspended, body(SetInstancesSuspended)]
) -> Response:
    """Suspend or activate many instances."""
    async with store.database.writing() as connection:
        await set_suspended_in_bulk(connection, order)
    return no_content()


@router.put("/process-instance/{instance_id}/suspended")
async def put_suspended(
    store: StoreDep, instance_id: str, order: Annotated[SetSuspended, body(SetSuspended)]
) -> Response:
    """Suspend or activate an instance. Nothing happens to an unknown one."""
    one = select(col(ProcessInstance.id)).where(col(ProcessInstance.id) == instance_id)
    async with store.database.writing() as connection:
        await set_suspended(connection, one, order.suspended)
    return no_content()


@router.delete("/process-instance/{instance_id}")
async def delete(store: StoreDep, request: Request, instance_id: str) -> Response:
    """Delete a running instance."""
    required = _is_required(request)
    async with store.database.writing() as connection:
        await delete_instance(connection, instance_id, fail_if_not_exists=required)
    return no_content()


@router.delete("/history/process-instance/{instance_id}")
async def delete_history(store: StoreDep, request: Request, instance_id: str) -> Response:
    """Remove an ended instance from the history."""
    required = _is_required(request)
    async with store.database.writing() as connection:
        await remove_instance(connection, instance_id, fail_if_not_exists=required)
    return no_content()


def _is_required(request: Request) -> bool:
    """``failIfNotExists`` of the query string; true when it is absent."""
    return "failIfNotExists" not in request.query_params or flag_param(request, "failIfNotExists")
