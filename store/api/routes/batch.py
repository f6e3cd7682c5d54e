"""Batches: running ones, their progress, history, and what may be done to them."""

from typing import Annotated

from fastapi import Response

from store.api.answers import no_content
from store.api.authentication import OperatorDep
from store.api.declared import gives_nothing
from store.api.requests import body, flag
from store.api.router import Router
from store.api.routes.lists import add_lists, add_one
from store.api.state import StoreDep
from store.batch import orders
from store.contract.orders import SetSuspended
from store.queries.batches import BATCHES, HISTORIC_BATCHES, STATISTICS

Cascade = Annotated[bool, flag("cascade", "Remove the history of the batch too.")]

router = Router(tags=["Batch"])
add_lists(router, BATCHES, path="/batch")
add_lists(router, STATISTICS, path="/batch/statistics")
add_one(router, BATCHES, "/batch/{id}")
add_lists(router, HISTORIC_BATCHES, path="/history/batch")
add_one(router, HISTORIC_BATCHES, "/history/batch/{id}")


@router.put("/batch/{batch_id}/suspended")
@gives_nothing
async def put_suspended(
    store: StoreDep, by: OperatorDep, batch_id: str, order: Annotated[SetSuspended, body(SetSuspended)]
) -> Response:
    """Suspend or activate a batch."""
    async with store.database.writing() as connection:
        await orders.suspend_batch(connection, batch_id, order.suspended, by)
    store.wake_runner()
    return no_content()


@router.delete("/batch/{batch_id}")
@gives_nothing
async def delete_batch(store: StoreDep, by: OperatorDep, batch_id: str, cascade: Cascade) -> Response:
    """Remove a running batch with its jobs."""
    async with store.database.writing() as connection:
        await orders.delete_batch(connection, batch_id, cascade, by)
    return no_content()


@router.delete("/history/batch/{batch_id}")
@gives_nothing
async def delete_historic_batch(store: StoreDep, by: OperatorDep, batch_id: str) -> Response:
    """Remove the history of a batch."""
    async with store.database.writing() as connection:
        await orders.delete_historic_batch(connection, batch_id, by)
    return no_content()
