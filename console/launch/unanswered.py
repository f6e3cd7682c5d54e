"""Was it launched? Looks for the batch of a launch whose answer never came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.engine.answers import UNKNOWN_TIME
from store.contract.orders import SetExternalTaskRetries
from store.contract.queries import BatchStatisticsQuery, HistoricBatchQuery
from store.contract.records import SET_EXTERNAL_TASK_RETRIES, Batch, BatchStatistics, HistoricBatch

EARLY = timedelta(seconds=2)
"""How much earlier than ``since`` a batch may have begun: clocks are compared to the second."""

LATE = timedelta(minutes=10)
"""How much later it may have begun: an engine collects all ids before it makes the batch. A later one is another's."""

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


@dataclass(frozen=True)
class FoundBatches:
    """What was found of a launch.

    Attributes:
        it: the batch that the order made, where nothing else can be meant.
        perhaps: batches that may be it, the likeliest first; somebody has to say. Empty where ``it`` is known.
    """

    it: BatchStatistics | None = None
    perhaps: tuple[BatchStatistics, ...] = ()


def candidates(
    running: list[BatchStatistics], ever: list[HistoricBatch], since: datetime
) -> list[tuple[BatchStatistics, datetime]]:
    """Batches of the type that began in the time of the order with their start, oldest first, running ones as they are
    now.

    The start is the one that history tells where the running batch does not (before 7.20 it did not).
    """
    alive = {batch.id: batch for batch in running}
    starts = {batch.id: batch.start_time for batch in running if batch.start_time != UNKNOWN_TIME}
    starts |= {batch.id: batch.start_time for batch in ever if batch.id not in starts}
    ended = {batch.id: finished(batch) for batch in ever if batch.id not in alive}
    found = [(batch, starts[id]) for id, batch in (ended | alive).items() if id in starts and _of_type(batch)]
    in_time = (pair for pair in found if since - EARLY <= pair[1] <= since + LATE)
    return sorted(in_time, key=lambda pair: pair[1])


def _of_type(batch: BatchStatistics) -> bool:
    """Not every engine filters as it is asked to."""
    return batch.type == SET_EXTERNAL_TASK_RETRIES


def traces(
    order: SetExternalTaskRetries,
    found: Sequence[tuple[BatchStatistics, datetime]],
    tasks: int | None,
    user: str = "",
    known: frozenset[str] = frozenset(),
) -> FoundBatches:
    """What of ``found`` is, or may be, the batch that the order made.

    It is a batch when it is the only one with exactly the expected number of jobs, and nobody else's. Ids are exact, so
    one with another number is none of theirs; a query may match a few tasks more or less when it is carried out than
    when it was counted, so one with another number may be.

    Args:
        order: the order.
        found: batches of the type and of the time.
        tasks: how many tasks the plan counted; not needed for an order that names tasks by id.
        user: who logged in; empty when that is not known. A batch that somebody else created is his.
        known: batches that are known to have been made by something else.
    """
    expected = distinct_ids(order) if tasks is None or distinct_ids(order) is not None else tasks
    mine = [batch for batch, _ in found if batch.id not in known and _may_be_of(batch, user)]
    exact = [batch for batch in mine if expected is not None and batch.total_jobs == jobs_of(expected, batch)]
    if len(exact) == 1:
        return FoundBatches(exact[0])
    if exact or distinct_ids(order) is not None:
        return FoundBatches(None, tuple(exact))
    return FoundBatches(
        None, tuple(sorted(mine, key=lambda batch: abs(batch.total_jobs - jobs_of(expected or 0, batch))))
    )


def _may_be_of(batch: Batch, user: str) -> bool:
    return not user or batch.create_user_id is None or batch.create_user_id.casefold() == user.casefold()


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
