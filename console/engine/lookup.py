"""Was it launched? Looks for the batch of a launch whose answer never came."""

from datetime import datetime, timedelta

from console.engine.answers import UNKNOWN_TIME
from store.contract.orders import SetExternalTaskRetries
from store.contract.queries import BatchStatisticsQuery, HistoricBatchQuery
from store.contract.records import SET_EXTERNAL_TASK_RETRIES, Batch, BatchStatistics, HistoricBatch

EARLY = timedelta(seconds=2)
"""How much earlier than ``since`` a batch may have begun: clocks are compared to the second."""

NEWEST = 50
"""So many of the newest batches are looked at."""

MANY = 1000
"""So many running batches are looked at where the engine cannot bring the newest to the top."""

RUNNING = BatchStatisticsQuery.model_validate(
    {"type": SET_EXTERNAL_TASK_RETRIES, "sorting": [{"sortBy": "startTime", "sortOrder": "desc"}]}
)
EVER = HistoricBatchQuery.model_validate(
    {"type": SET_EXTERNAL_TASK_RETRIES, "sorting": [{"sortBy": "startTime", "sortOrder": "desc"}]}
)


def candidates(
    running: list[BatchStatistics], ever: list[HistoricBatch], since: datetime
) -> list[tuple[BatchStatistics, datetime]]:
    """Batches that began at or after ``since`` with their start, oldest first, running ones as they are now.

    The start is the one that history tells where the running batch does not (before 7.20 it did not).
    """
    alive = {batch.id: batch for batch in running}
    starts = {batch.id: batch.start_time for batch in running if batch.start_time != UNKNOWN_TIME}
    starts |= {batch.id: batch.start_time for batch in ever if batch.id not in starts}
    ended = {batch.id: finished(batch) for batch in ever if batch.id not in alive}
    found = [(batch, starts[id]) for id, batch in (ended | alive).items() if id in starts]
    return sorted((pair for pair in found if pair[1] >= since - EARLY), key=lambda pair: pair[1])


def launched(
    order: SetExternalTaskRetries, found: list[tuple[BatchStatistics, datetime]], tasks: int | None
) -> BatchStatistics | None:
    """The batch that the order made, if one of ``found`` must be it.

    A batch with exactly the expected number of jobs is it, the oldest of several. A query may match a few tasks more
    or less when it is carried out than when it was counted, so an only batch is taken for it then too. Ids are exact.
    """
    expected = distinct_ids(order) if tasks is None else tasks
    exact = [batch for batch, _ in found if expected is not None and batch.total_jobs == jobs_of(expected, batch)]
    if exact:
        return exact[0]
    return found[0][0] if len(found) == 1 and distinct_ids(order) is None else None


def distinct_ids(order: SetExternalTaskRetries) -> int | None:
    """How many tasks the order names, ``None`` when it names them by instance or query."""
    by_other_means = (
        order.process_instance_ids,
        order.external_task_query,
        order.process_instance_query,
        order.historic_process_instance_query,
    )
    if any(source is not None for source in by_other_means):
        return None
    return len(set(order.external_task_ids or []))


def jobs_of(tasks: int, batch: Batch) -> int:
    """``totalJobs`` of a batch over so many tasks: rounded up once over all of them."""
    return -(-tasks // max(1, batch.invocations_per_batch_job))


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
