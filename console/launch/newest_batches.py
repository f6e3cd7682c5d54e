"""The batches of a type that began since a moment, running and ended ones, read until none is left out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from retriage.console.engine.answers import UNKNOWN_TIME
from retriage.console.engine.errors import Refused
from retriage.store.contract.queries import BatchStatisticsQuery, HistoricBatchQuery
from retriage.store.contract.records import BatchStatistics, HistoricBatch

PAGE = 50
"""Batches of one question."""
MOST = 1000
"""So many batches are read at most; where there are more nothing can be said about the others."""

NEVER = datetime(1971, 1, 1, tzinfo=UTC)
"""No batch began before."""
NEWEST_FIRST = [{"sortBy": "startTime", "sortOrder": "desc"}]


class BatchLists(Protocol):
    """The part of the client that lists batches."""

    def engine_now(self) -> datetime:
        """The time by the engine's clock."""
        ...

    async def batches(self, query: BatchStatisticsQuery, first: int, size: int) -> list[BatchStatistics]:
        """A page of running batches."""
        ...

    async def historic_batches(self, query: HistoricBatchQuery, first: int, size: int) -> list[HistoricBatch]:
        """A page of batches, running or ended."""
        ...

    async def count_historic_batches(self, query: HistoricBatchQuery) -> int:
        """How many batches history knows, running or ended."""
        ...


@dataclass(frozen=True)
class FoundBatch:
    """A batch that began in the time that was asked for.

    Attributes:
        batch: its record; of an ended one as its statistics would have stood at the end.
        start: when it began. History tells it where the running batch does not (engines before 7.20).
        ended: it does not run any more.
    """

    batch: BatchStatistics
    start: datetime
    ended: bool

    @property
    def worked(self) -> bool:
        """Some of its jobs are through."""
        return self.ended or self.batch.completed_jobs > 0

    @property
    def through(self) -> bool:
        """All of its jobs are."""
        return self.ended or self.batch.completed_jobs >= self.batch.total_jobs > 0


@dataclass(frozen=True)
class NewestBatches:
    """What one look has shown.

    Attributes:
        found: the batches, oldest first.
        at: when the engine was asked, by its own clock.
        whole: no batch of that time was left out, as far as the engine shows them.
        history: the engine keeps ended batches: at history level ``full`` only (observed on Camunda 7.24.0).
        any: it showed a batch at all, of whatever time.
    """

    found: tuple[FoundBatch, ...]
    at: datetime
    whole: bool
    history: bool
    any: bool


async def batches_since(client: BatchLists, since: datetime, type: str, most: int = MOST) -> NewestBatches:
    """The batches of a type that began at ``since`` or later.

    Raises:
        EngineProblem: the engine did not answer, or refused to list running batches.
    """
    at = client.engine_now()
    running, all_running = await _running(client, since, type, most)
    ever, all_ever = await _ever(client, since, type, most)
    alive = {batch.id: batch for batch in running}
    starts = {batch.id: batch.start_time for batch in ever}
    starts |= {batch.id: batch.start_time for batch in running if batch.start_time != UNKNOWN_TIME}
    gone = {batch.id: finished(batch) for batch in ever if batch.id not in alive}
    found = [FoundBatch(batch, starts[id], id in gone) for id, batch in (gone | alive).items() if id in starts]
    found = [one for one in found if one.start >= since and one.batch.type == type]
    kept = bool(ever) or await _kept(client, bool(running))
    # A running batch that tells no start, and that no history tells of, may have begun at any time.
    whole = all_running and all_ever and not alive.keys() - starts.keys()
    return NewestBatches(tuple(sorted(found, key=lambda one: one.start)), at, whole, kept, kept or bool(running))


async def newest_start(client: BatchLists, type: str) -> datetime | None:
    """When the newest batch of a type began, running or ended, by the engine's own records; :data:`UNKNOWN_TIME` where
    none is shown, ``None`` where the engine does not show it.

    Raises:
        EngineProblem: the engine did not answer, or refused to list running batches.
    """
    seen = await batches_since(client, NEVER, type, most=PAGE)
    if not seen.found:
        return UNKNOWN_TIME if seen.whole else None
    return seen.found[-1].start


async def _running(client: BatchLists, since: datetime, type: str, most: int) -> tuple[list[BatchStatistics], bool]:
    """Running batches, newest first where the engine sorts them so (7.20 and later), and whether these are all."""
    query = BatchStatisticsQuery.model_validate({"type": type, "sorting": NEWEST_FIRST})
    found: list[BatchStatistics] = []
    while len(found) < most:
        try:
            page = await client.batches(query, len(found), PAGE)
        except Refused as problem:
            if not problem.says_never:
                raise
            found = await client.batches(BatchStatisticsQuery(type=type), 0, MOST)
            return found, len(found) < MOST
        found += page
        if len(page) < PAGE or UNKNOWN_TIME < page[-1].start_time < since:
            return found, True
    return found, False


async def _ever(client: BatchLists, since: datetime, type: str, most: int) -> tuple[list[HistoricBatch], bool]:
    query = HistoricBatchQuery.model_validate({"type": type, "sorting": NEWEST_FIRST})
    found: list[HistoricBatch] = []
    while len(found) < most:
        try:
            page = await client.historic_batches(query, len(found), PAGE)
        except Refused as problem:
            if not problem.says_never:
                raise
            return [], True
        found += page
        if len(page) < PAGE or page[-1].start_time < since:
            return found, True
    return found, False


async def _kept(client: BatchLists, running: bool) -> bool:
    """Whether history knows any batch at all, where it knows none of this type; it knows running ones too."""
    if running:
        return False
    try:
        return await client.count_historic_batches(HistoricBatchQuery()) > 0
    except Refused as problem:
        if not problem.says_never:
            raise
        return False


def finished(batch: HistoricBatch) -> BatchStatistics:
    """An ended batch as its statistics would have stood at the end, as far as history tells (deleted jobs count)."""
    shared = {name: getattr(batch, name) for name in HistoricBatch.model_fields if name in BatchStatistics.model_fields}
    return BatchStatistics(
        **shared,
        jobs_created=batch.total_jobs,
        suspended=False,
        remaining_jobs=0,
        completed_jobs=batch.total_jobs,
        failed_jobs=0,
    )
