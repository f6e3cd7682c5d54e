"""How a batch ended that is in the history: by itself, or deleted, and how far it had come.

The record of an ended batch tells only when. Its job log tells the rest: a batch that ends by itself is ended by its
monitor job, which succeeds last; one that is deleted takes its seed or monitor job, and every job that was not carried
out, with it, and each of them leaves an entry for its deletion (observed on Camunda 7.24.0). Below history level full
there is no job log.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from console.engine.errors import Refused
from store.contract.history import HistoricJobLog, HistoricJobLogQuery
from store.contract.operations import UserOperation, UserOperationQuery
from store.contract.queries import Sorting
from store.contract.records import HistoricBatch

How = Literal["done", "deleted", "unknown", "gone", "untold"]

MOST = 500
"""So many dropped jobs are looked at to tell the failed ones among them."""


class JobHistory(Protocol):
    """The part of the client that tells what became of jobs."""

    async def job_log(self, query: HistoricJobLogQuery, first: int, size: int) -> list[HistoricJobLog]:
        """A page of the job log."""
        ...

    async def count_job_log(self, query: HistoricJobLogQuery) -> int:
        """How many entries of the job log match."""
        ...

    async def user_operations(self, query: UserOperationQuery, first: int, size: int) -> list[UserOperation]:
        """A page of the user operation log."""
        ...


@dataclass(frozen=True)
class BatchEnd:
    """How a batch ended.

    Attributes:
        how: *done*: by itself. *deleted*: somebody deleted it. *unknown*: the engine keeps no job log, or does not show
            it. *gone*: the history does not know the batch. *untold*: the engine keeps no history of batches, so that
            it is not known whether it ended by itself.
        done: jobs that were carried out, ``None`` where that is not known.
        dropped: jobs that were deleted without being carried out, one by one or with the batch.
        failed: those of the dropped ones that had failed for good; at least so many when there are :data:`MOST`.
        by: who deleted the batch, empty where the engine does not tell.
    """

    how: How
    done: int | None = None
    dropped: int = 0
    failed: int = 0
    by: str = ""


async def end_of(client: JobHistory, batch: HistoricBatch) -> BatchEnd:
    """Find out how an ended batch ended.

    Raises:
        EngineProblem: the engine did not answer. That it keeps or shows no log is no problem.
    """
    try:
        how = await _how(client, batch)
        if how == "unknown":
            return BatchEnd("unknown")
        done = await client.count_job_log(_of_jobs(batch, success_log=True))
        dropped = await client.count_job_log(_of_jobs(batch, deletion_log=True))
        failed = len(await failed_and_dropped(client, batch)) if dropped else 0
    except Refused as problem:
        if problem.between:
            raise
        return BatchEnd("unknown")
    by = await _who(client, batch) if how == "deleted" else ""
    return BatchEnd(how, done, dropped, failed, by)


async def failed_and_dropped(client: JobHistory, batch: HistoricBatch) -> list[HistoricJobLog]:
    """Deletion entries of the jobs that had no retries left, at most :data:`MOST`."""
    query = _of_jobs(batch, deletion_log=True).model_copy(update={"sorting": _by("jobRetries", "asc")})
    return [entry for entry in await client.job_log(query, 0, MOST) if entry.job_retries <= 0]


async def last_words(client: JobHistory, batch: HistoricBatch) -> list[tuple[str, str | None]]:
    """Ids of the jobs that had failed for good when they were dropped, with what was said when they failed last."""
    dropped = {entry.job_id for entry in await failed_and_dropped(client, batch)}
    if not dropped:
        return []
    query = _of_jobs(batch, failure_log=True).model_copy(update={"sorting": _by("timestamp", "desc")})
    said: dict[str, str | None] = {}
    for entry in await client.job_log(query, 0, MOST * 3):
        if entry.job_id in dropped:
            said.setdefault(entry.job_id, entry.job_exception_message)
    return [(job, said.get(job)) for job in sorted(dropped)]


async def _how(client: JobHistory, batch: HistoricBatch) -> How:
    for definition in (batch.monitor_job_definition_id, batch.seed_job_definition_id):
        query = HistoricJobLogQuery(job_definition_id=definition, sorting=_by("timestamp", "desc"))
        entries = await client.job_log(query, 0, 4)
        if any(entry.deletion_log for entry in entries):
            return "deleted"
        if definition == batch.monitor_job_definition_id and any(entry.success_log for entry in entries):
            return "done"
    return "unknown"


async def _who(client: JobHistory, batch: HistoricBatch) -> str:
    """The user operation log knows the batch when it was deleted by somebody who had logged in."""
    query = UserOperationQuery(batch_id=batch.id, entity_type="Batch", operation_type="Delete")
    try:
        entries = await client.user_operations(query, 0, 1)
    except Refused as problem:
        if problem.between:
            raise
        return ""
    return entries[0].user_id or "" if entries else ""


def _of_jobs(batch: HistoricBatch, **events: bool) -> HistoricJobLogQuery:
    return HistoricJobLogQuery(job_definition_id=batch.batch_job_definition_id, **events)


def _by(key: str, order: str) -> list[Sorting]:
    return [Sorting(sort_by=key, sort_order=order)]
