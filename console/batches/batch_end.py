"""How a batch ended that is in the history: by itself, or deleted, and how far it had come.

The record of an ended batch tells only when. Its job log tells the rest: a batch that ends by itself is ended by its
monitor job, which succeeds last; one that is deleted takes its seed or monitor job, and every job that was not carried
out, with it, and each of them leaves an entry for its deletion (observed on Camunda 7.24.0). Below history level full
there is no job log.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from retriage.console.engine.errors import Refused
from retriage.console.reading.incident_pages import IncidentPages
from retriage.store.contract.history import HistoricIncident, HistoricIncidentQuery, HistoricJobLog, HistoricJobLogQuery
from retriage.store.contract.operations import UserOperation, UserOperationQuery
from retriage.store.contract.queries import Sorting
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, HistoricBatch

Unrecorded = Literal["gone", "untold", "unseen"]
How = Literal["done", "deleted", "unknown"] | Unrecorded

MOST = 500
"""So many dropped jobs are looked at to tell the failed ones among them."""
JOB_TIME = timedelta(seconds=2)
"""Between the entry of a job in the log and the moment at which it closes incidents."""
INCIDENT_PAGES = 40
"""So many pages of incidents are read that ended while a batch worked."""


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


class EndedBatchHistory(JobHistory, Protocol):
    """The part of the client that also tells what an ended batch had done."""

    async def historic_batch(self, id: str) -> HistoricBatch:
        """One batch, running or ended; NotThere when history does not know it."""
        ...

    async def historic_incidents(self, query: HistoricIncidentQuery, first: int, size: int) -> list[HistoricIncident]:
        """A page of incidents, open or ended."""
        ...


@dataclass(frozen=True)
class BatchEnd:
    """How a batch ended.

    Attributes:
        how: *done*: by itself. *deleted*: somebody deleted it. *unknown*: the engine keeps no job log, or does not show
            it. *gone*: the history does not know the batch. *untold*: the engine keeps no history of batches, so that
            it is not known whether it ended by itself. *unseen*: this user may not read the history of batches.
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


@dataclass(frozen=True)
class CutShort:
    """How far a batch had come that was deleted before it was through.

    Attributes:
        done: jobs that were carried out; ``None`` where no history says how it ended.
        tasks: external tasks, or jobs, that they gave retries, as far as the incidents prove it that this closed.
    """

    done: int | None = None
    tasks: frozenset[str] = frozenset()


async def cut_short(
    client: EndedBatchHistory, batch_id: str, incident_type: str = FAILED_EXTERNAL_TASK
) -> CutShort | None:
    """How far a batch had come when it was deleted; ``None`` of one that was through.

    Args:
        client: is asked.
        batch_id: the batch.
        incident_type: of the incidents that it closed.

    Raises:
        EngineProblem: the engine did not answer.
    """
    try:
        batch = await client.historic_batch(batch_id)
    except Refused as problem:
        if not problem.says_never:
            raise
        return CutShort()
    end = await end_of(client, batch) if batch.end_time is not None else BatchEnd("done")
    if end.how == "done" or (end.done or 0) >= batch.total_jobs:
        return None
    if not end.done:
        return CutShort(end.done)
    worked: list[datetime] = []
    for order in ("asc", "desc"):
        query = _of_jobs(batch, success_log=True).model_copy(update={"sorting": _by("timestamp", order)})
        worked += [entry.timestamp for entry in await client.job_log(query, 0, 1)]
    closed = HistoricIncidentQuery(
        incident_type=incident_type,
        end_time_after=min(worked) - JOB_TIME,
        end_time_before=max(worked) + JOB_TIME,
    )
    pages: IncidentPages[HistoricIncident] = IncidentPages(client.historic_incidents, closed)
    tasks = set[str]()
    for _ in range(INCIDENT_PAGES):
        tasks.update(one.configuration for one in await pages.next() if one.configuration)
        if pages.ended:
            break
    return CutShort(end.done, frozenset(tasks))


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
