"""What the job log says about jobs since a launch: carried out, deleted, failed.

The log is kept at history level full. It can be asked by job one by one, and by job definition for many at once: the
jobs of a wave mostly wait at one activity. The entry of a success holds the retries that the job had left, so that it
also tells whether an attempt had failed before; a conflict with another transaction costs none, and the executor tries
again by itself (observed on Camunda 7.24.0).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from retriage.console.engine.errors import Refused
from retriage.console.reading.pages import Pages, believed, pieces, present
from retriage.console.reading.task_history import NEWEST_FIRST
from retriage.store.contract.history import HistoricJobLog, HistoricJobLogQuery
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Job

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient

PAGE = 1000
"""Entries of one answer."""
PAGES = 4
"""So many pages of the newest entries of one definition are read in one look."""
DEFINITIONS = 8
"""So many job definitions are asked about in one look, those of most jobs."""
ONE_BY_ONE = 20
"""So many jobs are asked about by id in one look."""
ENTRIES = 100
"""Entries of one job that are read, the newest."""

LATE = timedelta(seconds=10)
"""An entry may come into the log so much later than its time says: its transaction is committed at the end."""

Event = Literal["failure_log", "success_log"]
End = Literal["carried out", "deleted", "unkept", "open"]


@dataclass(frozen=True)
class JobPast:
    """What the log knows of a job that is not there any more.

    Attributes:
        end: *carried out*, *deleted*; *unkept* where it has no entry of the job, *open* where none of them is an end.
        retries: those that it had left then.
        failed: an attempt has failed since the launch.
        error: message of the first of them.
    """

    end: End
    retries: int = 0
    failed: bool = False
    error: str | None = None


async def jobs_of(client: EngineClient, ids: Sequence[str], *, acquired: bool = False) -> dict[str, Job]:
    """Those of these jobs that are there, by id.

    Args:
        client: lists jobs.
        ids: which ones.
        acquired: only those that an executor holds; ask only an engine that heeds this filter.

    Raises:
        EngineProblem: the engine did not answer.
    """

    async def read(some: Sequence[str]) -> list[Job]:
        return await client.jobs(JobQuery(job_ids=list(some), acquired=acquired or None), 0, len(some))

    found: dict[str, Job] = {}
    for some in pieces(ids):
        found |= {job.id: job for job in await read(some)} if acquired else await present(read, some)
    return found


class JobLog:
    """Reads the log of one engine, each entry once.

    Args:
        since: when the jobs were given retries, by the engine's clock: what is older belongs to an earlier attempt.
        jobs: ids of those that are asked about; entries of others are forgotten.
    """

    def __init__(self, since: datetime, jobs: Container[str]) -> None:
        self.since = since
        self._jobs = jobs
        self._failed: dict[str, tuple[datetime, str | None]] = {}
        """Job -> its first failure since, as far as it was read."""
        self._done: dict[str, int] = {}
        """Job that was carried out since -> the retries that it had left."""
        self._definitions: Counter[str] = Counter()
        """Job definitions of the jobs that were asked about."""
        self._ways: dict[tuple[str, Event], Pages[HistoricJobLog]] = {}
        """Ways back through the entries of a definition that have not come to their end yet."""
        self._newest: dict[tuple[str, Event], datetime] = {}
        """The newest entry when such a way began."""
        self._read_from: dict[tuple[str, Event], datetime] = {}
        """What is older than this was read."""
        self._kept: set[str] = set()
        """Definitions that have entries."""
        self._refused = False

    async def failures(self, client: EngineClient, jobs: Iterable[Job]) -> dict[str, JobPast]:
        """Whether jobs have failed since, by id: *open* where the log tells, *unkept* where it does not.

        Args:
            client: is asked.
            jobs: as they are now, all of which have failed once.

        Returns:
            One that is missing is to be asked about in a later look.

        Raises:
            EngineProblem: the engine did not answer.
        """
        wanted = list(jobs)
        of = Counter(job.job_definition_id for job in wanted if job.job_definition_id)
        self._definitions.update(of)
        told: dict[str | None, JobPast] = {}
        for definition, _ in of.most_common(DEFINITIONS):
            if await self._read_on(client, definition, "failure_log"):
                told[definition] = JobPast("open" if definition in self._kept else "unkept")
        found: dict[str, JobPast] = {}
        for job in wanted:
            if job.id in self._failed:
                found[job.id] = JobPast("open", job.retries, True, self._failed[job.id][1])
            elif job.job_definition_id in told:
                found[job.id] = told[job.job_definition_id]
        return found

    async def ended(self, client: EngineClient, ids: Sequence[str], given: int) -> dict[str, JobPast]:
        """What became of jobs that are not there any more. One that is missing is to be asked about in a later look.

        Args:
            client: is asked.
            ids: of the jobs.
            given: the retries that they were given: one that has them left at its end had not failed.

        Raises:
            EngineProblem: the engine did not answer.
        """
        found: dict[str, JobPast] = {}
        missing, read = dict.fromkeys(ids), set[str]()
        for number in range(ONE_BY_ONE + 1):
            new = [one for one, _ in self._definitions.most_common(DEFINITIONS) if one not in read]
            if len(missing) > len(new):
                read.update(new)
                for definition in new:
                    await self._read_on(client, definition, "success_log")
                    if any(self._done.get(id, given) < given for id in missing):
                        await self._read_on(client, definition, "failure_log")
            for id in [id for id in missing if id in self._done]:
                if self._done[id] == given or id in self._failed:
                    found[id] = self._past(id, "carried out", self._done[id])
                    del missing[id]
            if not missing or number == ONE_BY_ONE:
                break
            id = next(iter(missing))
            del missing[id]
            found[id] = await self._of(client, id)
        return found

    async def _of(self, client: EngineClient, id: str) -> JobPast:
        """What the entries of one job say."""
        query = HistoricJobLogQuery(job_id=id, sorting=NEWEST_FIRST)
        entries = await self._ask(client, query, 0, ENTRIES)
        self._definitions.update({one.job_definition_id for one in entries if one.job_definition_id})
        for entry in entries:
            self._note(entry)
        last = next((entry for entry in entries if entry.success_log or entry.deletion_log), None)
        if last is None:
            return self._past(id, "open" if entries else "unkept", 0)
        return self._past(id, "carried out" if last.success_log else "deleted", last.job_retries)

    def _past(self, id: str, end: End, retries: int) -> JobPast:
        return JobPast(end, retries, id in self._failed, self._failed.get(id, (None, None))[1])

    def _note(self, entry: HistoricJobLog) -> None:
        if entry.job_id not in self._jobs or entry.timestamp < self.since:
            return
        if entry.success_log:
            self._done[entry.job_id] = entry.job_retries
        elif entry.failure_log:
            known = self._failed.get(entry.job_id)
            if known is None or entry.timestamp < known[0]:
                self._failed[entry.job_id] = entry.timestamp, entry.job_exception_message

    async def _read_on(self, client: EngineClient, definition: str, event: Event) -> bool:
        """Read entries of a definition from the newest back to those that were read, some pages in each look.

        Returns:
            All that there were when this was called are read now.
        """
        key, begins = (definition, event), (definition, event) not in self._ways
        if begins:
            query = HistoricJobLogQuery(job_definition_id=definition, sorting=NEWEST_FIRST)
            chosen = query.model_copy(update={event: True})
            self._ways[key] = Pages(partial(self._ask, client, chosen), size=PAGE)
        way, floor = self._ways[key], max(self.since, self._read_from.get(key, self.since))
        for _ in range(PAGES):
            page = await way.next()
            for entry in page:
                self._note(entry)
                self._kept.add(definition)
                self._newest.setdefault(key, entry.timestamp)
            if way.ended or any(entry.timestamp < floor for entry in page):
                del self._ways[key]
                if (newest := self._newest.pop(key, None)) is not None:
                    self._read_from[key] = newest - LATE
                return begins
        return False

    async def _ask(
        self, client: EngineClient, query: HistoricJobLogQuery, first: int, size: int
    ) -> list[HistoricJobLog]:
        if self._refused:
            return []
        try:
            return await believed(client.job_log, query, first, size)
        except Refused as problem:
            if not problem.says_never:
                raise
            self._refused = True
            return []
