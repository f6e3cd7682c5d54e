"""Batches as the subject of a list view."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from console.screens.batches.book import MOST, BatchBook, BatchView, running
from console.screens.batches.progress import facts, summary
from console.screens.batches.rows import COLUMNS, cells
from console.screens.subject import Sort, Subject
from console.widgets.pane import Item
from console.widgets.rows import Cell

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.queries import BatchStatisticsQuery, Query


class Batches(Subject[BatchView]):
    """The running batches and, where nothing is filtered, those that ended in this session below them."""

    name = "batches"
    title = "Batches"
    thing = "Batch"
    columns = COLUMNS
    sorts = (Sort("startTime", "start", descending=True), Sort("batchId", "id"), Sort("tenantId", "tenant"))

    def __init__(self, book: BatchBook) -> None:
        self._book = book

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[BatchView]:
        """A page of batches."""
        wanted = _query(query)
        if wanted.chosen() or first + size > MOST:
            return [running(record) for record in await client.batches(wanted, first, size)]
        views = _ordered(await self._book.read(client), wanted)
        return views[first : first + size]

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many batches are shown."""
        wanted = _query(query)
        number = await client.count_batches(wanted)
        return number if wanted.chosen() else number + len(self._book.ended())

    def identify(self, record: BatchView) -> str:
        """The id of the batch."""
        return record.id

    def cells(self, record: BatchView, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        return cells(record, now)

    def brief(self, record: BatchView, now: datetime) -> list[Item]:
        """Phases and facts."""
        return facts(self._book.get(record.id) or record, now)

    def summary(self, record: BatchView, now: datetime) -> list[Item]:
        """The same in two lines."""
        return summary(self._book.get(record.id) or record, now)


def _ordered(views: tuple[BatchView, ...], query: BatchStatisticsQuery) -> list[BatchView]:
    """The running ones first, each part in the order that the engine would give it."""
    by_id = query.sort_by == "batchId"
    backwards = query.sort_order == "desc"
    ordered = sorted(views, key=lambda view: view.id if by_id else str(view.start.timestamp()), reverse=backwards)
    return sorted(ordered, key=lambda view: view.ended)


def _query(query: Query) -> BatchStatisticsQuery:
    from store.contract.queries import BatchStatisticsQuery

    assert isinstance(query, BatchStatisticsQuery)
    return query
