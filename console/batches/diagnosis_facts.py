"""Collects what the doctor needs to know: a few small questions about the jobs of a batch.

A batch that moves is asked nothing but for the seed job. One that stands costs at most eight counts of its own jobs.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from retriage.console.batches.diagnosis import STANDING, Ahead, DiagnosisFacts, Hitch
from retriage.console.batches.progress import Progress
from retriage.console.engine.errors import Refused
from retriage.store.contract.queries import BatchStatisticsQuery, JobQuery, Sorting, TimeFilter
from retriage.store.contract.records import BatchStatistics, Job
from retriage.store.contract.values import format_moment

TAKEN = 100
"""So many of the jobs that executors have taken are looked at: more than the threads of one."""


class DiagnosisLists(Protocol):
    """The part of the client that tells about jobs."""

    def engine_now(self) -> datetime:
        """The time by the engine's clock."""
        ...

    async def jobs(self, query: JobQuery, first: int, size: int) -> list[Job]:
        """A page of jobs."""
        ...

    async def count_jobs(self, query: JobQuery) -> int:
        """How many jobs match."""
        ...

    async def batches(self, query: BatchStatisticsQuery, first: int, size: int) -> list[BatchStatistics]:
        """A page of running batches."""
        ...


class DiagnosisReader:
    """Examines one batch again and again.

    Args:
        batch: its id.
        seed: id of its seed job definition.
        work: id of its batch job definition.
        monitor: id of its monitor job definition.
    """

    def __init__(self, batch: str, seed: str, work: str, monitor: str) -> None:
        self._batch = batch
        self._seed = seed
        self._work = work
        self._monitor = monitor
        self._locked_since: datetime | None = None

    async def examine(
        self,
        client: DiagnosisLists,
        progress: Progress,
        standing: float | None,
        others: Sequence[Ahead] = (),
        acquired: bool = True,
    ) -> DiagnosisFacts:
        """The facts of this moment.

        Args:
            client: counts and lists jobs.
            progress: statistics of the batch.
            standing: seconds since anything about it changed, ``None`` when that is not known.
            others: batches that move meanwhile.
            acquired: the engine can tell which jobs an executor has taken; an older one would count all of them.

        Raises:
            EngineProblem: the engine did not answer.
        """
        now = client.engine_now()
        seed = await self._maker(client) if progress.created < progress.total else None
        closing = progress.created >= progress.total and not progress.left
        monitor = await self._closer(client) if closing else None
        moving = standing is not None and standing < STANDING and progress.created > 0
        if progress.suspended or progress.stuck or moving or closing:
            self._locked_since = None
            return DiagnosisFacts(progress, now, standing, seed, monitor)
        # Counted after the statistics: a job made in between is not one of those that they know.
        locked = min(await self._taken(client, self._jobs(acquired=True)), progress.waiting) if acquired else 0
        self._locked_since = (self._locked_since or now) if locked else None
        elsewhere = await self._taken_elsewhere(client) if acquired else Counter[str]()
        if seed is not None and acquired and not seed.gone:
            seed = replace(seed, locked=await self._taken(client, self._of(self._seed, acquired=True)) > 0)
        later = [TimeFilter(operator="gt", value=format_moment(now))]
        due = await client.jobs(self._left(due_dates=later, sorting=[_SOONEST]), 0, 1)
        return DiagnosisFacts(
            progress,
            now,
            standing,
            seed,
            None,
            locked,
            self._locked_since,
            ready=await client.count_jobs(self._jobs(executable=True, active=True)),
            suspended=await client.count_jobs(self._left(suspended=True)),
            later=await client.count_jobs(self._left(due_dates=later)) if due else 0,
            due=due[0].due_date if due else None,
            locked_elsewhere=elsewhere.total(),
            tells_locks=acquired,
            ahead=max((one for one in others if one.id in elsewhere), key=lambda other: other.left, default=None),
        )

    async def _taken_elsewhere(self, client: DiagnosisLists) -> Counter[str]:
        """Jobs that an executor has taken and that are none of this batch, by the id of their batch; empty for those of
        none. They are read, not counted: numbers of two moments would make a job of this batch one of another."""
        own = {self._seed, self._work, self._monitor}
        try:
            taken = await client.jobs(JobQuery(acquired=True), 0, TAKEN)
        except Refused:
            return Counter()
        return Counter(job.batch_id or "" for job in taken if job.job_definition_id not in own)

    async def _taken(self, client: DiagnosisLists, query: JobQuery) -> int:
        """How many of these jobs an executor has taken; 0 from an engine that is too old for the question."""
        try:
            return await client.count_jobs(query)
        except Refused as problem:
            if problem.between:
                raise
            return 0

    async def _maker(self, client: DiagnosisLists) -> Hitch | None:
        """The seed job, which is there as long as jobs are to be made."""
        seed = await self._hitch(client, self._seed)
        if seed is None and (batch := await self._now(client)) and batch.jobs_created < batch.total_jobs:
            return Hitch(gone=True)
        return seed

    async def _closer(self, client: DiagnosisLists) -> Hitch | None:
        """The monitor job, which is there from the moment on when there is no seed job any more."""
        seed = await self._hitch(client, self._seed)
        monitor = await self._hitch(client, self._monitor)
        if seed is None and monitor is None and await self._now(client):
            return Hitch(gone=True)
        return monitor

    async def _now(self, client: DiagnosisLists) -> BatchStatistics | None:
        """The batch after a job of it was not found: it may have moved on since it was read, or be closed."""
        found = await client.batches(BatchStatisticsQuery(batch_id=self._batch), 0, 1)
        return found[0] if found else None

    async def _hitch(self, client: DiagnosisLists, definition: str) -> Hitch | None:
        """The one job of this definition that waits, if there is one."""
        jobs = await client.jobs(JobQuery(job_definition_id=definition), 0, 1)
        if not jobs:
            return None
        job = jobs[0]
        failed = (job.exception_message or "no message") if job.retries <= 0 else None
        return Hitch(failed, job.due_date, job.suspended, job.id)

    def _jobs(self, **filters: object) -> JobQuery:
        return self._of(self._work, **filters)

    def _of(self, definition: str, **filters: object) -> JobQuery:
        return JobQuery.model_validate({"job_definition_id": definition} | filters)

    def _left(self, **filters: object) -> JobQuery:
        return self._jobs(with_retries_left=True, **filters)


_SOONEST = Sorting(sort_by="jobDueDate", sort_order="asc")
