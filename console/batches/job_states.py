"""The jobs of a batch by their parts: the seed job, the jobs that set retries, the monitor job, and how each is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from retriage.console.batches.progress import Progress
from retriage.console.engine.errors import Refused
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Job

Part = Literal["seed", "batch", "monitor"]
State = Literal["done", "ready", "locked", "due", "retrying", "waiting", "suspended", "failed", "missing"]

STATES: dict[State, tuple[str, str]] = {
    "done": ("✓", "done"),
    "ready": ("·", "ready for an executor"),
    "locked": ("L", "taken by an executor"),
    "due": ("d", "due later"),
    "retrying": ("r", "failed before, will be tried again"),
    "waiting": ("-", "queued"),
    "suspended": ("S", "suspended"),
    "failed": ("X", "no retries left"),
    "missing": ("?", "not there: deleted by somebody, or just done"),
}
"""The letter and the meaning of each state."""


class JobQuestions(Protocol):
    """The part of the client that tells about jobs."""

    async def jobs(self, query: JobQuery, first: int, size: int) -> list[Job]:
        """A page of jobs."""
        ...

    async def count_jobs(self, query: JobQuery) -> int:
        """How many jobs match."""
        ...


@dataclass(frozen=True)
class JobState:
    """So many jobs of one part that are in one state.

    Attributes:
        part: which jobs.
        state: how they are.
        jobs: how many.
        due: when the first is due, ``None`` when at once or not known.
        retries: the fewest that one of them has left, ``None`` where that is not known.
        message: of the last failure, ``None`` when none has failed. A text of the engine, not inert.
        job: id of the job where it is one.
    """

    part: Part
    state: State
    jobs: int
    due: datetime | None = None
    retries: int | None = None
    message: str | None = None
    job: str = ""


class JobStateReader:
    """Asks how the jobs of one batch are, again and again.

    Args:
        seed: id of its seed job definition.
        work: id of its batch job definition.
        monitor: id of its monitor job definition.
    """

    def __init__(self, seed: str, work: str, monitor: str) -> None:
        self._seed = seed
        self._work = work
        self._monitor = monitor

    async def read(
        self, client: JobQuestions, progress: Progress, now: datetime, acquired: bool = True
    ) -> tuple[JobState, ...]:
        """The jobs as they are now; those that have failed for good are told by cause elsewhere.

        Args:
            client: lists and counts jobs.
            progress: statistics of the batch.
            now: the moment by which jobs are due.
            acquired: the engine can tell which jobs an executor has taken.

        Raises:
            EngineProblem: the engine did not answer.
        """
        made = progress.created >= progress.total
        seed = JobState("seed", "done", 0) if made else await self._one(client, "seed", self._seed, now, acquired)
        if not made:
            return (seed, *await self._batch(client, progress, acquired), JobState("monitor", "waiting", 0))
        monitor = await self._one(client, "monitor", self._monitor, now, acquired)
        # The monitor job is made when the last job has been; without it, the seed job is still in its last turn.
        if monitor.state == "missing" and progress.left:
            monitor = JobState("monitor", "waiting", 0)
        return (*await self._batch(client, progress, acquired), seed, monitor)

    async def _one(self, client: JobQuestions, part: Part, definition: str, now: datetime, acquired: bool) -> JobState:
        jobs = await client.jobs(JobQuery(job_definition_id=definition), 0, 1)
        if not jobs:
            return JobState(part, "missing", 0)
        found = single(part, jobs[0], now)
        taken = acquired and found.state in ("ready", "retrying") and await self._locked(client, definition)
        return replace(found, state="locked") if taken else found

    async def _batch(self, client: JobQuestions, progress: Progress, acquired: bool) -> list[JobState]:
        if progress.created and not progress.left:
            return [JobState("batch", "done", progress.completed)]
        found: list[JobState] = []
        waiting = min(progress.created, progress.total) - progress.completed - progress.failed
        if progress.suspended and waiting > 0:
            return [*found, JobState("batch", "suspended", waiting)]
        locked = min(await self._locked(client, self._work), max(waiting, 0)) if acquired and waiting > 0 else 0
        tried = JobQuery(job_definition_id=self._work, with_exception=True, with_retries_left=True)
        again = await client.jobs(tried, 0, 1) if waiting > 0 else []
        retrying = min(await client.count_jobs(tried), max(waiting - locked, 0)) if again else 0
        if locked:
            found.append(JobState("batch", "locked", locked))
        if retrying:
            first = again[0]
            found.append(
                JobState("batch", "retrying", retrying, first.due_date, first.retries, first.exception_message)
            )
        ready = waiting - locked - retrying
        if ready > 0:
            found.append(JobState("batch", "ready", ready))
        return found if found or progress.failed else [JobState("batch", "waiting", 0)]

    async def _locked(self, client: JobQuestions, definition: str) -> int:
        """How many an executor has taken; 0 from an engine that refuses the question."""
        try:
            return await client.count_jobs(JobQuery(job_definition_id=definition, acquired=True))
        except Refused:
            return 0


def single(part: Part, job: Job, now: datetime) -> JobState:
    """The state of the one job of a part."""
    state: State = "ready"
    if job.retries <= 0:
        state = "failed"
    elif job.suspended:
        state = "suspended"
    elif job.due_date is not None and job.due_date > now:
        state = "due"
    elif job.exception_message is not None:
        state = "retrying"
    return JobState(part, state, 1, job.due_date, job.retries, job.exception_message, job.id)
