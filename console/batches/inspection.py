"""One look at a batch: its statistics first, then its jobs, incidents and tasks; its page shows nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from retriage.console.batches.batch_end import last_words
from retriage.console.batches.batch_events import BatchEvent, failed_job_events, newest_first, record_events
from retriage.console.batches.diagnosis import STANDING, Ahead, Diagnosis, diagnose
from retriage.console.batches.diagnosis_facts import DiagnosisReader
from retriage.console.batches.failed_jobs import FailedJobs, by_cause
from retriage.console.batches.incidents_since import IncidentsReader, IncidentsSince
from retriage.console.batches.job_states import JobState, JobStateReader
from retriage.console.engine.errors import Refused, Slow
from retriage.store.contract.history import HistoricJobLogQuery
from retriage.store.contract.queries import JobQuery, Sorting
from retriage.store.contract.records import SET_EXTERNAL_TASK_RETRIES

if TYPE_CHECKING:
    from retriage.console.batches.batch_view import BatchView
    from retriage.console.batches.known_batches import KnownBatch, KnownBatches
    from retriage.console.engine.client import EngineClient

MOST_JOBS = 500
"""Failed jobs that are read to group them."""
RECENT = 24 * 3600.0
"""Seconds after its start for which the incidents since then are of interest once a batch has ended."""
MOST_ENTRIES = 60
"""Entries of the job log that are read for the list of events."""


Part = Literal["jobs", "job log", "incidents", "tasks"]


@dataclass(frozen=True)
class BatchLook:
    """A batch as of one moment, by the engine's clock.

    Attributes:
        view: its figures, with those of its tasks.
        at: when its statistics were read; everything else was read right after.
        until: when the last of it was read.
        diagnosis: what the doctor says; nothing about an ended one.
        failed: its failed jobs by cause.
        read: how many failed jobs were read.
        jobs: its jobs by part and state; nothing of an ended one.
        incidents: what has become of the incidents since it was started; nothing where it sets no retries of tasks.
        events: what is known to have happened, the newest first.
        unread: why a part could not be read in this look, in one sentence.
    """

    view: BatchView
    at: datetime
    until: datetime
    diagnosis: Diagnosis | None = None
    failed: tuple[FailedJobs, ...] = ()
    read: int = 0
    jobs: tuple[JobState, ...] = ()
    incidents: IncidentsSince | None = None
    events: tuple[BatchEvent, ...] = ()
    unread: Mapping[Part, str] = field(default_factory=dict)


class BatchInspection:
    """Looks at one batch again and again.

    Args:
        batch: the batch.
        known_batches: knows which other batches run.
    """

    def __init__(self, batch: KnownBatch, known_batches: KnownBatches) -> None:
        view = batch.view
        self._batch = batch
        self._known_batches = known_batches
        self._work = view.batch_definition
        self._examiner = DiagnosisReader(view.id, view.seed_definition, view.batch_definition, view.monitor_definition)
        self._last_job: datetime | None = None
        self._log: tuple[BatchEvent, ...] = ()
        self._log_refused = ""
        """Why the engine does not show the job log; it is not asked again before another job fails."""
        self._logged: int | None = None
        self._jobs = JobStateReader(view.seed_definition, view.batch_definition, view.monitor_definition)
        self._incidents = IncidentsReader(view.start, batch.is_ours)

    async def look(
        self,
        ask: Callable[[Callable[[EngineClient], Awaitable[Any]]], Awaitable[Any]],
        read_tasks: Callable[[KnownBatch, BatchView], Awaitable[object]],
        now: Callable[[], datetime],
        *,
        acquired: bool = True,
        history: bool = True,
    ) -> BatchLook:
        """Read everything that the page of a batch shows.

        Args:
            ask: asks the engine.
            read_tasks: reads the tasks of the batch, as far as one look goes.
            now: the time by the engine's clock.
            acquired: the engine can tell which jobs an executor has taken.
            history: incidents that are not in its history were not raised.

        Raises:
            EngineProblem: the engine did not answer, or not about the batch itself.
        """
        await ask(self._known_batches.read)
        at, unread = now(), dict[Part, str]()
        view = replace(self._batch.view, at=at)

        async def part(name: Part, question: Awaitable[Any]) -> Any:
            """The answer; ``None`` where the engine refuses this part, or is too slow for it."""
            try:
                return await question
            except (Refused, Slow) as problem:
                if isinstance(problem, Refused) and (problem.between or problem.retry_after):
                    raise
                unread[name] = problem.sentence

        async def parts() -> BatchLook:
            await part("job log", ask(partial(self._read_log, view=view)))
            look = await part("jobs", ask(partial(self._read_jobs, view=view, at=at, acquired=acquired)))
            incidents = await part("incidents", ask(partial(self._since_launch, view=view, history=history)))
            return replace(look or BatchLook(view, at, at), incidents=incidents)

        look, _ = await asyncio.gather(parts(), part("tasks", read_tasks(self._batch, view)))
        if self._log_refused:
            unread["job log"] = self._log_refused
        view = self._batch.with_tasks(view)
        return replace(look, view=view, until=now(), events=self._events(view), unread=unread)

    def _events(self, view: BatchView) -> tuple[BatchEvent, ...]:
        record = record_events(view.total, view.user, view.start, view.execution_start, view.end, view.batch_end)
        return tuple(newest_first((*record, *self._batch.events, *self._log)))

    async def _read_jobs(self, client: EngineClient, view: BatchView, at: datetime, acquired: bool) -> BatchLook:
        if view.ended:
            dropped = await self._words(client, view)
            return BatchLook(view, at, at, None, tuple(by_cause(dropped)), len(dropped))
        failed = await self._failed(client) if view.failed else []
        standing = await self._standing(client, view)
        signs = await self._examiner.examine(client, view.progress, standing, self._others(), acquired)
        jobs = await self._jobs.read(client, view.progress, client.engine_now(), acquired)
        return BatchLook(view, at, at, diagnose(signs), tuple(by_cause(failed)), len(failed), jobs)

    async def _since_launch(self, client: EngineClient, view: BatchView, history: bool) -> IncidentsSince | None:
        """The incidents since a batch was started that sets retries of tasks; of other batches, and of one that ended
        long ago, they tell nothing."""
        now = client.engine_now()
        if view.type != SET_EXTERNAL_TASK_RETRIES or (view.ended and (now - view.start).total_seconds() > RECENT):
            return None
        return await self._incidents.read(client, now, history)

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
            if not entries and view.completed:  # the log is not kept, or not shown
                return view.watched
            self._last_job = entries[0].timestamp if entries else view.start
        return max((client.engine_now() - self._last_job).total_seconds(), view.watched)

    def _others(self) -> list[Ahead]:
        """Batches that move meanwhile."""
        others = [view for view in self._known_batches.running() if view.id != self._batch.view.id and view.remaining]
        return [
            Ahead(view.id, view.remaining) for view in others if view.standing is not None and view.standing < STANDING
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
            self._log, self._log_refused = (), problem.sentence
        self._logged = view.failed


_NEWEST = Sorting(sort_by="timestamp", sort_order="desc")
