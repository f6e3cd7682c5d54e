"""One task that acquires jobs, carries them out, and sleeps until there is news.

Each turn is a few short transactions: one that locks jobs, one per batch and kind that does the work, so that
whoever else wants to write gets its turn in between. Work and the check of the lock are one transaction: a runner
that lost its lock changes nothing, and nothing is ever done twice.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import and_, or_
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.acquire import (
    Acquired,
    acquire,
    held_jobs,
    narrow,
    next_moment,
    owners,
    ready_batches,
    release,
    take,
)
from retriage.store.batch.execute import Outcome, run_jobs
from retriage.store.batch.jobs import Failure, fail
from retriage.store.batch.launch import discard_unfinished
from retriage.store.batch.monitor import run_monitor
from retriage.store.batch.seed import run_seed
from retriage.store.batch.token_jobs import run_token_jobs
from retriage.store.commands.operators import Operator
from retriage.store.contract.errors import ContractError, missing
from retriage.store.contract.records import MONITOR_JOB, SEED_JOB
from retriage.store.database import PROCESS, Database, StoreLost, keep, now, owner_is_gone
from retriage.store.runner.pace import TURN_SECONDS, JobPace
from retriage.store.settings import StoreSettings
from retriage.store.tables import Job
from retriage.store.tables.types import col

log = logging.getLogger(__name__)

TROUBLE = (OperationalError, InterfaceError, NoConnection, PendingRollbackError, StoreLost)
"""The database did not answer, or took back a transaction that stood in the way of another. No fault of the jobs."""

SMALLEST_SET = 50
"""Jobs that a set has at least, however often the database has taken back larger ones."""

LONGEST_WORK = 0.1
"""Seconds that a transaction on SQLite should take at most: nobody else writes meanwhile. After a longer one sets are
smaller, after one of half the time they are larger again."""

PAUSE_AFTER_TROUBLE = 1.0
"""Seconds to wait when the database itself did not answer."""

ROOM_FOR_SEEDS = 50
"""Acquired beyond the size of a set, so that the seed job that follows a full set of jobs comes along with it."""


WORK_BETWEEN_BREATHS = 0.1
"""Seconds that the runner works before it lets other writers in."""

BREATH = 0.005
"""Seconds that it then pauses: longer than a waiting writer of SQLite takes to look again."""


def is_trouble(error: Exception) -> bool:
    """Whether the database itself failed, in the middle of a statement or between two."""
    return isinstance(error, TROUBLE) or (isinstance(error, DBAPIError) and error.connection_invalidated)


class Runner:
    """Carries out the jobs of a store. Several runners, in one process or in many, may share one database.

    Args:
        database: where the jobs are.
        settings: how hard to work.
        tasks_changed: called after a set of jobs was done, for whoever waits for tasks.
        pace: how fast batches go; full speed if none is given.
    """

    def __init__(
        self,
        database: Database,
        settings: StoreSettings,
        tasks_changed: Callable[[], None] = lambda: None,
        pace: JobPace | None = None,
    ) -> None:
        self.pace = pace or JobPace(None)
        self._database = database
        self._settings = settings
        self._tasks_changed = tasks_changed
        self._owner = f"{PROCESS}/{uuid.uuid4().hex[:12]}"
        self.turns = 0
        """Turns that were begun."""
        self.trouble = 0
        """Turns that ended with an error."""
        self.done = 0
        """Jobs of batches and of tokens that were carried out; not those that make and watch a batch's own."""
        self.failed = 0
        """Jobs that failed, each attempt counted."""
        self._held_up = False
        self._set_size = settings.runner_set_size
        self._may_hold = False
        self._clock = time.monotonic
        self._breathed = 0.0
        self._news = asyncio.Event()
        self._leaving = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be work."""
        self._news.set()

    async def start(self) -> None:
        """Begin to work. Calling it twice is harmless."""
        if self._task is None:
            await self._rescue()
            self._leaving = False
            self._task = asyncio.create_task(self._run(), name="job runner")

    async def stop(self) -> None:
        """Finish the set in hand, take no more, leave nothing locked. Calling it twice is harmless."""
        task, self._task = self._task, None
        if task is not None:
            self._leaving = True
            self._news.set()
            await task

    async def _run(self) -> None:
        while not self._leaving:
            self._news.clear()
            try:
                if self._may_hold:
                    await self._let_go()
                worked = await self.turn()
                pause = 0.0 if worked else await self._until_next()
                if self._held_up:
                    pause = TURN_SECONDS
            except Exception as error:
                self.trouble += 1
                if is_trouble(error):
                    log.warning("the database did not answer the job runner: %s", error)
                else:
                    log.exception("the job runner met an unforeseen error; it goes on")
                self._may_hold = True
                # What is taken back again and again must be small enough to come to its end between two failures.
                self._smaller_sets()
                pause = PAUSE_AFTER_TROUBLE
            if self._leaving:
                return
            if pause:
                await self._sleep(pause)
            else:
                await asyncio.sleep(0)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass

    async def _until_next(self) -> float:
        """Seconds to the next job that becomes due or free, at most the idle time."""
        async with self._database.reading() as connection:
            moment = await next_moment(connection)
        idle = self._settings.runner_idle_seconds
        return idle if moment is None else max(0.001, min(idle, (moment - now()).total_seconds()))

    async def turn(self) -> int:
        """Acquire one set of jobs and carry it out.

        Returns:
            How many jobs were acquired; 0 means that there is nothing to do now.
        """
        self.turns += 1
        await self._breathe()
        sets = await self._database.write(self._acquire, bounded=False)
        for one in sets:
            if self._leaving:
                await self._give_back(one)
            else:
                await self._carry_out(one)
        return sum(one.count for one in sets)

    async def _acquire(self, connection: AsyncConnection) -> list[Acquired]:
        """A set of whatever is ready, or of each batch what its pace allows."""
        token = self._token()
        if not self.pace.is_full_speed:
            return await self._acquire_portions(connection, token)
        self._held_up = False
        return await acquire(connection, token, self._set_size + ROOM_FOR_SEEDS, self._settings.runner_lock_seconds)

    async def _acquire_portions(self, connection: AsyncConnection, token: str) -> list[Acquired]:
        """Of each batch what its pace allows by now; each portion under a token of its own."""
        kind, of_batch = col(Job.job_type), col(Job.batch_id)
        most, seconds = self._set_size, self._settings.runner_lock_seconds
        unpaced = or_(kind == MONITOR_JOB, of_batch.is_(None))
        sets = await acquire(connection, f"{token}/unpaced", most, seconds, unpaced)
        batches = await ready_batches(connection)
        self._held_up = bool(batches)
        self.pace.keep_only({batch.id for batch in batches})
        for number, batch in enumerate(batches):
            seeds = self.pace.seeds(batch.id, batch.total_jobs, batch.batch_jobs_per_seed)
            if seeds:
                among = and_(of_batch == batch.id, kind == SEED_JOB)
                found = await acquire(connection, f"{token}/seed {number}", 1, seconds, among)
                sets += [replace(one, seeds=seeds) for one in found]
            portion = min(most, self.pace.portion(batch.id, batch.total_jobs))
            if portion:
                among = and_(of_batch == batch.id, kind.not_in((SEED_JOB, MONITOR_JOB)))
                sets += await acquire(connection, f"{token}/{number}", portion, seconds, among)
        return sets

    def _token(self) -> str:
        return f"{self._owner}/{self.turns}"

    async def _let_go(self) -> None:
        """Give back whatever this runner still holds. Between two turns that is nothing, unless one went wrong."""
        async with self._database.writing() as connection:
            for token in await owners(connection):
                if token.startswith(f"{self._owner}/"):
                    await release(connection, token)
        self._may_hold = False

    async def _give_back(self, acquired: Acquired) -> None:
        async with self._database.writing() as connection:
            await release(connection, acquired)

    async def _carry_out(self, acquired: Acquired) -> None:
        try:
            await self._work(acquired)
        except Exception as error:
            if is_trouble(error):
                raise
            if acquired.count == 1:
                await self._record_failure(acquired, error)
            else:
                log.info("a set of %d jobs failed as a whole and is run job by job: %s", acquired.count, error)
                await self._one_by_one(acquired)

    async def _one_by_one(self, acquired: Acquired) -> None:
        async with self._database.reading() as connection:
            jobs = await held_jobs(connection, acquired)
        for number, job_id in enumerate(jobs):
            if self._leaving:
                await self._give_back(acquired)
                return
            async with self._database.writing() as connection:
                alone = await narrow(connection, acquired, job_id, f"{acquired.token}/{number}")
            await self._carry_out(alone)

    async def _work(self, acquired: Acquired) -> None:
        async def timed(connection: AsyncConnection) -> tuple[Outcome, float]:
            began = self._clock()
            return await self._carried_out(connection, acquired, self._set_size), self._clock() - began

        left = True
        while left:
            await self._breathe()
            outcome, seconds = await self._database.write(timed, bounded=False)
            self._count(outcome)
            self._fit_sets(seconds)
            left = outcome.left
        if acquired.job_type not in (SEED_JOB, MONITOR_JOB):
            self._tasks_changed()

    def _count(self, outcome: Outcome) -> None:
        self.done += outcome.succeeded
        self.failed += len(outcome.failures)

    async def _carried_out(self, connection: AsyncConnection, acquired: Acquired, most_jobs: int) -> Outcome:
        """Do the work of jobs, of whatever kind they are; a seed job makes about so many jobs at most.

        Those of tokens are carried out so many at a time.
        """
        if not acquired.batch_id:
            return await run_token_jobs(connection, acquired)
        if acquired.job_type == SEED_JOB:
            await run_seed(connection, acquired, most_jobs)
        elif acquired.job_type == MONITOR_JOB:
            await run_monitor(connection, acquired, self._settings.batch_poll_time)
        else:
            return await run_jobs(connection, acquired)
        return Outcome()

    def _fit_sets(self, seconds: float) -> None:
        """Make the next sets as large as others can wait for, after a transaction of so many seconds."""
        if self._database.is_sqlite and seconds > LONGEST_WORK:
            self._smaller_sets()
        elif not self._database.is_sqlite or seconds < LONGEST_WORK / 2:
            self._set_size = min(self._settings.runner_set_size, self._set_size * 2)

    def _smaller_sets(self) -> None:
        self._set_size = max(min(SMALLEST_SET, self._set_size), self._set_size // 2)

    async def _breathe(self) -> None:
        """Let others write. SQLite has no queue of writers: another process gets in only while nobody writes."""
        if self._clock() - self._breathed >= WORK_BETWEEN_BREATHS:
            await asyncio.sleep(BREATH)
            self._breathed = self._clock()

    async def execute(self, job_id: str, by: Operator) -> None:
        """Carry out one job now, whatever its state. A failure counts as an attempt, and is the answer.

        Args:
            job_id: the job.
            by: who gives the order.

        Raises:
            ContractError: 404 no such job, or the engine refuses what it does; 500 anything else went wrong.
        """
        token = f"{self._owner}/order/{uuid.uuid4().hex[:12]}"
        failed: Failure | None = None
        try:
            async with self._database.writing() as connection:
                about = await by.about_job(connection, job_id)
                acquired = await take(connection, token, job_id, self._settings.runner_lock_seconds)
                if acquired is None:
                    raise missing(f"ENGINE-14026 No job found with id '{job_id}'")
                outcome = await self._carried_out(connection, acquired, 1)
                failed = outcome.failures[0] if outcome.failures else None
                if failed is None:
                    await by.note(connection, "Execute", "Job", about=about)
            self._count(outcome)
        except Exception as error:
            if is_trouble(error) or (isinstance(error, ContractError) and error.status == 404):
                raise
            async with self._database.writing() as connection:
                await fail(connection, [Failure.of(job_id, error)])
            self.failed += 1
            if isinstance(error, ContractError):
                raise missing(error.message) from error
            raise ContractError(500, "RestException", str(error)) from error
        finally:
            self.wake()
            self._tasks_changed()
        if failed is not None:
            raise missing(failed.message)

    async def _record_failure(self, acquired: Acquired, error: Exception) -> None:
        async with self._database.writing() as connection:
            await keep(connection, col(Job.id), acquired.held())
            failures = [Failure.of(job_id, error) for job_id in await held_jobs(connection, acquired)]
            await fail(connection, failures)
        self.failed += len(failures)

    async def _rescue(self) -> None:
        """Give back what processes of this machine held that are not alive any more, and remove what they left of
        batches that were not whole yet.

        Taking a job from a runner that is alive after all would be harmless: it then finds nothing to do.
        """
        async with self._database.writing() as connection:
            for token in await owners(connection):
                if owner_is_gone(token):
                    await release(connection, token)
        await discard_unfinished(self._database)
