"""Ended batches, read from the engine's history page by page under the filter that is made for running ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from retriage.store.contract.queries import HistoricBatchQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.queries import BatchStatisticsQuery
    from retriage.store.contract.records import HistoricBatch

SHARED = ("batch_id", "type", "tenant_id_in", "without_tenant_id")
"""Filters that the history knows too."""
LOOKED = 1000
"""So many of the newest ended batches are looked through for filters that the history does not know."""
FRESH = 10.0
"""Seconds for which what was found by looking through is good."""


class EndedBatches:
    """Ended batches. Those of a running batch's filters that the history does not know are looked for here."""

    def __init__(self) -> None:
        self._key = ""
        self._at = 0.0
        self._found: list[HistoricBatch] = []

    async def read(
        self, client: EngineClient, query: BatchStatisticsQuery, first: int, size: int
    ) -> list[HistoricBatch]:
        """A page of the ended batches that match."""
        wanted = _historic(query)
        if wanted is None or size <= 0:
            return []
        if _here(query):
            return (await self._look_through(client, query, wanted))[first : first + size]
        return await client.historic_batches(wanted, first, size)

    async def count(self, client: EngineClient, query: BatchStatisticsQuery) -> int:
        """How many match; of those that are looked for here the ones among the newest :data:`LOOKED`."""
        wanted = _historic(query)
        if wanted is None:
            return 0
        if _here(query):
            return len(await self._look_through(client, query, wanted))
        return await client.count_historic_batches(wanted)

    async def _look_through(
        self, client: EngineClient, query: BatchStatisticsQuery, wanted: HistoricBatchQuery
    ) -> list[HistoricBatch]:
        key = query.model_dump_json()
        if key != self._key or time.monotonic() - self._at > FRESH:
            read = await client.historic_batches(wanted, 0, LOOKED)
            self._found = [record for record in read if _fits(record, query)]
            self._key, self._at = key, time.monotonic()
        return self._found


def _here(query: BatchStatisticsQuery) -> bool:
    return not (query.created_by is None and query.started_before is None and query.started_after is None)


def _fits(record: HistoricBatch, query: BatchStatisticsQuery) -> bool:
    return (
        query.created_by in (None, record.create_user_id)
        and (query.started_before is None or record.start_time <= query.started_before)
        and (query.started_after is None or record.start_time >= query.started_after)
    )


def _historic(query: BatchStatisticsQuery) -> HistoricBatchQuery | None:
    """The same question to the history; nothing when no ended batch can match: none is suspended or has failed jobs."""
    if query.suspended or query.with_failures:
        return None
    key, order = order_of(query)
    shared = {name: getattr(query, name) for name in SHARED}
    return HistoricBatchQuery(**shared, completed=True, sort_by=key, sort_order=order)


def order_of(query: BatchStatisticsQuery) -> tuple[str, str]:
    """Sort key and order of a query; the newest first where it names none."""
    if query.sorting:
        return query.sorting[0].sort_by or "startTime", query.sorting[0].sort_order or "asc"
    if query.sort_by is None:
        return "startTime", "desc"
    return query.sort_by, query.sort_order or "asc"
