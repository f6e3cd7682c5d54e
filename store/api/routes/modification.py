"""Modification: tokens of one process instance or of many are started and cancelled, at once or by a batch."""

from functools import partial
from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives, gives_nothing
from retriage.store.api.requests import body
from retriage.store.api.router import Router
from retriage.store.api.routes.process_instance_batches import launched
from retriage.store.api.state import StoreDep
from retriage.store.batch.types.instance_modification import plan_modification, plan_modifications
from retriage.store.commands.modification import modify_many, modify_one
from retriage.store.contract.modification import ModifyInstance, ModifyInstances
from retriage.store.contract.records import Batch

router = Router(tags=["Modification"])
OneBody = Annotated[ModifyInstance, body(ModifyInstance)]
ManyBody = Annotated[ModifyInstances, body(ModifyInstances)]


@router.post("/process-instance/{instance_id}/modification")
@gives_nothing
async def post_one(store: StoreDep, by: OperatorDep, instance_id: str, order: OneBody) -> Response:
    """Move the tokens of an instance."""
    await store.change_tasks(partial(modify_one, instance_id=instance_id, order=order, by=by))
    return no_content()


@router.post("/process-instance/{instance_id}/modification-async")
@gives(Batch)
async def post_one_later(store: StoreDep, by: OperatorDep, instance_id: str, order: OneBody) -> Response:
    """Create a batch that moves the tokens of an instance."""
    return await launched(store, plan_modification(instance_id, order, by), by)


@router.post("/modification/execute")
@gives_nothing
async def post_many(store: StoreDep, by: OperatorDep, order: ManyBody) -> Response:
    """Move the tokens of many instances, in one transaction."""
    await store.change_tasks(partial(modify_many, order=order, by=by))
    return no_content()


@router.post("/modification/executeAsync")
@gives(Batch)
async def post_many_later(store: StoreDep, by: OperatorDep, order: ManyBody) -> Response:
    """Create a batch that moves the tokens of many instances, each in a transaction of its own."""
    return await launched(store, plan_modifications(order, by), by)
