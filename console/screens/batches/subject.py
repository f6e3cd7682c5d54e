"""Batches as the subject of a list view."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.batches.batch_view import BatchView, running
from retriage.console.batches.ended_batches import EndedBatches, order_of
from retriage.console.batches.known_batches import MOST, KnownBatches
from retriage.console.reading.reading_order import ReadingOrder
from retriage.console.screens.batches.progress import facts, summary
from retriage.console.screens.batches.rows import COLUMNS, cells
from retriage.console.screens.subject import ListSubject, SortKey
from retriage.console.widgets.pane import Item
from retriage.console.widgets.rows import Cell
from retriage.store.contract.queries import BatchStatisticsQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.queries import Query


class Batches(ListSubject[BatchView]):
    """The running batches, and below them the ended ones of the engine's history, page by page."""

    name = "batches"
    title = "Batches"
    thing = "Batch"
    questions = 2
    columns = COLUMNS
    sorts = (SortKey("startTime", "start", descending=True), SortKey("batchId", "id"), SortKey("tenantId", "tenant"))

    def __init__(self, known_batches: KnownBatches) -> None:
        self._known_batches = known_batches
        self._shelf = EndedBatches()
        self.running = 0
        """How many of those that match stand first: they run, or are gone from everywhere."""
        self.unrecorded = 0
        """How many of those do not run."""
        self.ended = 0
        """How many of those that match have ended, when they were last counted."""

    def reading_order(self, query: Query) -> ReadingOrder:
        """Running batches come before those that have ended, in the order of the list."""
        return ReadingOrder(query)

    async def read(self, client: EngineClient, query: Query, first: int, size: int) -> list[BatchView]:
        """A page of batches."""
        wanted = _query(query)
        live = await self._living(client, wanted)
        self.running = len(live) if len(live) < MOST else await client.count_batches(wanted)
        if self.running > len(live):
            page = [running(record) for record in await client.batches(wanted, first, size)]
        else:
            page = live[first : first + size]
        past = max(first - self.running, 0)
        ended = await self._shelf.read(client, wanted, past, size - len(page))
        return page + self._known_batches.of_history(
            [record for record in ended if all(record.id != view.id for view in page)]
        )

    async def count(self, client: EngineClient, query: Query) -> int:
        """How many batches match, running or ended."""
        wanted = _query(query)
        self.running = await client.count_batches(wanted) + (
            0 if wanted.chosen() else len(self._known_batches.forgotten())
        )
        self.ended = await self._shelf.count(client, wanted)
        return self.running + self.ended

    async def _living(self, client: EngineClient, query: BatchStatisticsQuery) -> list[BatchView]:
        """The running ones, and those that are gone from everywhere but were seen; at most the newest :data:`MOST`."""
        if query.chosen():
            self.unrecorded = 0
            return [self._known(running(record)) for record in await client.batches(query, 0, MOST)]
        views = [view for view in await self._known_batches.read(client) if not view.ended or view.unrecorded]
        self.unrecorded = sum(view.ended for view in views)
        return _ordered(views, query)

    def _known(self, view: BatchView) -> BatchView:
        """With what was seen of it."""
        known = self._known_batches.get(view.id)
        return view if known is None or known.ended else replace(known, progress=view.progress)

    def identify(self, record: BatchView) -> str:
        """The id of the batch."""
        return record.id

    def cells(self, record: BatchView, now: datetime) -> tuple[Cell, ...]:
        """One cell per column."""
        return cells(record, now)

    def brief(self, record: BatchView, now: datetime) -> list[Item]:
        """Phases and facts."""
        return facts(self._newest(record), now)

    def summary(self, record: BatchView, now: datetime) -> list[Item]:
        """The same in two lines."""
        return summary(self._newest(record), now)

    def _newest(self, record: BatchView) -> BatchView:
        """The batch as its row shows it; how an ended one ended may have been found out since."""
        known = self._known_batches.get(record.id)
        return known if known is not None and record.ended else record


def _ordered(views: list[BatchView], query: BatchStatisticsQuery) -> list[BatchView]:
    """The running ones first, each part in the order that the engine would give it."""
    key, order = order_of(query)
    ordered = sorted(
        views, key=lambda view: view.id if key == "batchId" else str(view.start.timestamp()), reverse=order == "desc"
    )
    return sorted(ordered, key=lambda view: view.ended)


def _query(query: Query) -> BatchStatisticsQuery:
    assert isinstance(query, BatchStatisticsQuery)
    return query
