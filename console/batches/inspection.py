"""What the batch detail asks again and again: failed jobs, the doctor's facts, what the job log tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.batches.batch_end import last_words
from console.batches.batch_events import BatchEvent, failed_job_events
from console.batches.diagnosis import STANDING, Ahead, Diagnosis, diagnose
from console.batches.diagnosis_facts import DiagnosisReader
from console.batches.failed_jobs import FailedJobs, by_cause
from console.batches.incidents_since import IncidentsReader, IncidentsSince
from console.batches.job_states import JobState, JobStateReader
from console.engine.errors import Refused
from store.contract.history import HistoricJobLogQuery
from store.contract.queries import JobQuery, Sorting
from store.contract.records import SET_EXTERNAL_TASK_RETRIES

if TYPE_CHECKING:
    from console.batches.batch_view import BatchView
    from console.batches.known_batches import KnownBatches
    from console.engine.client import EngineClient

MOST_JOBS = 500
"""Failed jobs that are read to group them."""
RECENT = 24 * 3600.0
"""Seconds after its start for which the incidents since then are of interest once a batch has ended."""
MOST_ENTRIES = 60
"""Entries of the job log that are read for the list of events."""


@dataclass(frozen=True)
class Looked:
    """One look at a batch.

    Attributes:
        diagnosis: what the doctor says; nothing about an ended one.
        failed: its failed jobs by cause.
        read: how many failed jobs were read.
        log: jobs that failed for good, from the job log.
        of_ended: it had ended.
        jobs: its jobs by part and state; nothing of an ended one.
        incidents: what has become of the incidents since it was started; nothing before that was read, and where it
            is not known which tasks it was launched for.
        at: when its jobs were read.
    """

    diagnosis: Diagnosis | None = None
    failed: tuple[FailedJobs, ...] = ()
    read: int = 0
    log: tuple[BatchEvent, ...] = ()
    of_ended: bool = False
    jobs: tuple[JobState, ...] = ()
    incidents: IncidentsSince | None = None
    at: datetime | None = None


class BatchInspection:
    """Looks at one batch again and again.

    Args:
        view: the batch.
        known_batches: tells which other batches run.
        ours: whether a task is one of those that it was launched for.
    """

    def __init__(
        self, view: BatchView, known_batches: KnownBatches, ours: Callable[[str], bool] = lambda id: False
    ) -> None:
        self._id = view.id
        self._work = view.batch_definition
        self._known_batches = known_batches
        self._examiner = DiagnosisReader(view.id, view.seed_definition, view.batch_definition, view.monitor_definition)
        self._last_job: datetime | None = None
        self._log: tuple[BatchEvent, ...] = ()
        self._logged: int | None = None
        self._jobs = JobStateReader(view.seed_definition, view.batch_definition, view.monitor_definition)
        self._incidents = IncidentsReader(view.start, ours)

    async def look(self, client: EngineClient, view: BatchView, acquired: bool = True) -> Looked:
        """Everything that the detail needs beyond the statistics.

        Args:
            client: answers the questions.
            view: the batch as it is known now.
            acquired: the engine can tell which jobs an executor has taken.

        Raises:
            EngineProblem: the engine did not answer.
        """
        await self._read_log(client, view)
        if view.ended:
            jobs = await self._words(client, view)
            incidents = await self._since_launch(client, view)
            return Looked(None, tuple(by_cause(jobs)), len(jobs), self._log, True, (), incidents)
        failed = await self._failed(client) if view.failed else []
        standing = await self._standing(client, view)
        signs = await self._examiner.examine(client, view.progress, standing, self._others(), acquired)
        at = datetime.now(UTC)
        jobs_now = await self._jobs.read(client, view.progress, at, acquired)
        incidents = await self._since_launch(client, view)
        return Looked(diagnose(signs), tuple(by_cause(failed)), len(failed), self._log, False, jobs_now, incidents, at)

    async def _since_launch(self, client: EngineClient, view: BatchView) -> IncidentsSince | None:
        """The incidents since a batch was started that sets retries of tasks; of other batches, and of one that ended
        long ago, they tell nothing."""
        now = datetime.now(UTC)
        if view.type != SET_EXTERNAL_TASK_RETRIES or (view.ended and (now - view.start).total_seconds() > RECENT):
            return None
        return await self._incidents.read(client, now)

    async def _failed(self, client: EngineClient) -> list[tuple[str, str | None]]:
        query = JobQuery(job_definition_id=self._work, no_retries_left=True)
        return [(job.id, job.exception_message) for job in await client.jobs(query, 0, MOST_JOBS)]

    async def _words(self, client: EngineClient, view: BatchView) -> list[tuple[str, str | None]]:
        """What the jobs had failed of that were dropped."""
        if view.record is None or not view.failed:
            return []
        try:
            return await last_words(client, view.record)
        except Refused as problem:
            if problem.between:
                raise
            return []

    async def _standing(self, client: EngineClient, view: BatchView) -> float | None:
        """Seconds since it last moved: as it was seen, or else as the job log tells."""
        if view.standing is not None:
            return view.standing
        if view.watched >= STANDING or view.suspended:
            return await self._since(client, view)
        return None

    async def _since(self, client: EngineClient, view: BatchView) -> float:
        if self._last_job is None:
            query = HistoricJobLogQuery(job_definition_id=self._work, success_log=True, sorting=[_NEWEST])
            try:
                entries = await client.job_log(query, 0, 1)
            except Refused as problem:
                if problem.between:
                    raise
                entries = []
            self._last_job = entries[0].timestamp if entries else view.start
        return max((datetime.now(UTC) - self._last_job).total_seconds(), view.watched)

    def _others(self) -> list[Ahead]:
        """Batches that move meanwhile."""
        return [
            Ahead(view.id, view.remaining)
            for view in self._known_batches.running()
            if view.id != self._id and view.standing is not None and view.standing < STANDING and view.remaining
        ]

    async def _read_log(self, client: EngineClient, view: BatchView) -> None:
        """The job log is read when another job has failed, not every time."""
        if self._logged == view.failed:
            return
        query = HistoricJobLogQuery(job_definition_id=self._work, failure_log=True, sorting=[_NEWEST])
        try:
            self._log = tuple(failed_job_events(await client.job_log(query, 0, MOST_ENTRIES)))
        except Refused as problem:
            if problem.between:
                raise
            self._log = ()
        self._logged = view.failed


_NEWEST = Sorting(sort_by="timestamp", sort_order="desc")
