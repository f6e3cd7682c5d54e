"""Batches: running ones, their progress, history, and what may be done to them."""

from datetime import timedelta
from typing import Annotated

from fastapi import Response

from retriage.store.api.answers import no_content
from retriage.store.api.authentication import OperatorDep
from retriage.store.api.declared import gives_nothing
from retriage.store.api.requests import body, flag
from retriage.store.api.router import Router
from retriage.store.api.routes.lists import add_lists, add_one
from retriage.store.api.state import StoreDep
from retriage.store.batch import orders
from retriage.store.contract.orders import SetSuspended
from retriage.store.contract.records import HistoricBatch
from retriage.store.queries.batches import BATCHES, HISTORIC_BATCHES, STATISTICS
from retriage.store.settings import StoreSettings

Cascade = Annotated[bool, flag("cascade", "Remove the history of the batch too.")]


def _with_removal_time(batch: HistoricBatch, settings: StoreSettings) -> HistoricBatch:
    """With the moment from which the cleanup of the history takes an ended batch; one that runs, or that is kept for
    ever, has none (observed on Camunda 7.24.0)."""
    if batch.end_time is None or not settings.batch_history_days:
        return batch
    return batch.model_copy(update={"removal_time": batch.end_time + timedelta(days=settings.batch_history_days)})


router = Router(tags=["Batch"])
add_lists(router, BATCHES, path="/batch")
add_lists(router, STATISTICS, path="/batch/statistics")
add_one(router, BATCHES, "/batch/{id}")
add_lists(router, HISTORIC_BATCHES, path="/history/batch", completed=_with_removal_time)
add_one(router, HISTORIC_BATCHES, "/history/batch/{id}", completed=_with_removal_time)


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
