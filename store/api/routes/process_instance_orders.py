"""Process instances: suspend, activate, delete; remove from history."""

from functools import partial
from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives_nothing
from retriage.store.api.requests import body, flag
from retriage.store.api.router import Router
from retriage.store.api.state import StoreDep
from retriage.store.commands.instances import delete_instance, set_suspended_in_bulk, set_suspended_of_one
from retriage.store.commands.removals import remove_instance
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.orders import SetSuspended

Required = Annotated[bool, flag("failIfNotExists", "Refuse an unknown id.", default=True)]

router = Router(tags=["Process Instance"])


@router.put("/process-instance/suspended")
@gives_nothing
async def put_suspended_in_bulk(
    store: StoreDep, by: OperatorDep, order: Annotated[SetInstancesSuspended, body(SetInstancesSuspended)]
) -> Response:
    """Suspend or activate many instances."""
    await store.change_tasks(partial(set_suspended_in_bulk, order=order, by=by))
    return no_content()


@router.put("/process-instance/{instance_id}/suspended")
@gives_nothing
async def put_suspended(
    store: StoreDep, by: OperatorDep, instance_id: str, order: Annotated[SetSuspended, body(SetSuspended)]
) -> Response:
    """Suspend or activate an instance. Nothing happens to an unknown one."""
    async with store.changing_tasks() as connection:
        await set_suspended_of_one(connection, instance_id, order.suspended, by)
    return no_content()


@router.delete("/process-instance/{instance_id}")
@gives_nothing
async def delete(store: StoreDep, by: OperatorDep, instance_id: str, required: Required) -> Response:
    """Delete a running instance."""
    async with store.database.writing() as connection:
        await delete_instance(connection, instance_id, fail_if_not_exists=required, by=by)
    return no_content()


@router.delete("/history/process-instance/{instance_id}")
@gives_nothing
async def delete_history(store: StoreDep, by: OperatorDep, instance_id: str, required: Required) -> Response:
    """Remove an ended instance from the history."""
    async with store.database.writing() as connection:
        await remove_instance(connection, instance_id, fail_if_not_exists=required, by=by)
    return no_content()
