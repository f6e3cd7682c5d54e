"""Batches: running ones, their progress, history, and what may be done to them."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from store.api.answers import no_content
from store.api.requests import body, flag_param
from store.api.routes.lists import add_lists, add_one
from store.api.state import StoreDep
from store.batch import orders
from store.contract.orders import SetSuspended
from store.contract.queries import BatchQuery, BatchStatisticsQuery, HistoricBatchQuery
from store.queries import batches as queries

router = APIRouter(tags=["Batch"])
add_lists(router, BatchQuery, queries.list_batches, queries.count_batches, path="/batch")
add_lists(router, BatchStatisticsQuery, queries.list_statistics, queries.count_statistics, path="/batch/statistics")
add_one(router, queries.get_batch, "/batch/{id}")
add_lists(
    router,
    HistoricBatchQuery,
    queries.list_historic_batches,
    queries.count_historic_batches,
    path="/history/batch",
)
add_one(router, queries.get_historic_batch, "/history/batch/{id}")


@router.put("/batch/{batch_id}/suspended")
async def put_suspended(store: StoreDep, batch_id: str, order: Annotated[SetSuspended, body(SetSuspended)]) -> Response:
    """Suspend or activate a batch."""
    async with store.database.writing() as connection:
        await orders.suspend_batch(connection, batch_id, order.suspended)
    store.wake_runner()
    return no_content()


@router.delete("/batch/{batch_id}")
async def delete_batch(store: StoreDep, batch_id: str, request: Request) -> Response:
    """Remove a running batch with its jobs."""
    cascade = flag_param(request, "cascade")
    async with store.database.writing() as connection:
        await orders.delete_batch(connection, batch_id, cascade)
    return no_content()


@router.delete("/history/batch/{batch_id}")
async def delete_historic_batch(store: StoreDep, batch_id: str) -> Response:
    """Remove the history of a batch."""
    async with store.database.writing() as connection:
        await orders.delete_historic_batch(connection, batch_id)
    return no_content()
