"""Which jobs an order would go to, and which of them a batch cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retriage.console.reading.pages import pages_by_id, pieces
from retriage.console.reading.selection import Marked, matches_all
from retriage.console.text.words import count, short, things
from retriage.store.contract.queries import JobDefinitionQuery, JobQuery
from retriage.store.contract.records import MONITOR_JOB, SEED_JOB

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.records import Job

MOST = 5000
"""Jobs that an order goes to one by one, at most."""


@dataclass(frozen=True)
class ChosenJobs:
    """One job, some by id, or all that match a query.

    Attributes:
        job: the job under the cursor, where none is marked.
        ids: ids of the marked jobs; with a query those that were taken out again.
        query: what the jobs match, where all were marked.
        said: the filter of those in words; may be empty.
    """

    job: Job | None = None
    ids: frozenset[str] = frozenset()
    query: JobQuery | None = None
    said: str = ""

    @property
    def failed_query(self) -> JobQuery | None:
        """What all chosen jobs without retries match, where the engine can be told them so."""
        return None if self.query is None or self.ids else _failed(self.query)

    async def failed(self, client: EngineClient, progress: Callable[[int], object]) -> Marked:
        """The chosen jobs by id; of all that match a query, those without retries.

        Args:
            client: asks the engine.
            progress: called with the number of jobs known, after every page.

        Raises:
            EngineProblem: the engine did not answer.
        """
        if self.job is not None:
            return Marked(frozenset({self.job.id}), f"job {short(self.job.id)}")
        if self.query is None:
            return Marked(self.ids, self.said or things(len(self.ids), "marked job"))
        found: set[str] = set()
        async for page in pages_by_id(client.jobs, _failed(self.query)):
            found.update(job.id for job in page)
            progress(len(found))
        said = "every failed job" if matches_all(self.query) else self.said or "all failed jobs that match"
        said += f" but {count(len(self.ids))}" if self.ids else ""
        return Marked(frozenset(found) - self.ids, said, None if self.ids else self.query)

    async def read(self, client: EngineClient, *, failed: bool = False) -> list[Job]:
        """The jobs as they are now, one more than :data:`MOST` at most.

        Args:
            client: asks the engine.
            failed: only those that have no retries left.

        Raises:
            EngineProblem: the engine did not answer.
        """
        if self.job is not None:
            return [self.job]
        if self.query is not None:
            return await self._read_all(client, _failed(self.query) if failed else self.query)
        return await self._read_named(client, failed)

    async def count(self, client: EngineClient) -> int:
        """How many jobs were chosen.

        Raises:
            EngineProblem: the engine did not answer.
        """
        if self.query is None:
            return len(self.ids) or 1
        return max(await client.count_jobs(self.query) - len(self.ids), 0)

    async def _read_named(self, client: EngineClient, failed: bool) -> list[Job]:
        found: list[Job] = []
        for some in pieces(sorted(self.ids)):
            found += await client.jobs(JobQuery(job_ids=list(some), no_retries_left=failed or None), 0, len(some))
            if len(found) > MOST:
                break
        return found[: MOST + 1]

    async def _read_all(self, client: EngineClient, query: JobQuery) -> list[Job]:
        found: list[Job] = []
        async for page in pages_by_id(client.jobs, query):
            found += [job for job in page if job.id not in self.ids]
            if len(found) > MOST:
                break
        return found[: MOST + 1]


def _failed(query: JobQuery) -> JobQuery:
    """The same, and without retries; the two filters about retries are both heeded."""
    return query.model_copy(update={"no_retries_left": True})


async def vital(client: EngineClient, jobs: Sequence[Job]) -> dict[str, tuple[str, str]]:
    """Those of the jobs that a batch cannot do without: id of the job -> ``seed`` or ``monitor``, id of the batch.

    Raises:
        EngineProblem: the engine did not answer, or does not tell what its jobs are.
    """
    if all(job.process_definition_key is not None for job in jobs):
        return {}
    kinds: dict[str | None, tuple[str, str]] = {}
    for word, job_type in (("seed", SEED_JOB), ("monitor", MONITOR_JOB)):
        for definition in await client.job_definitions(JobDefinitionQuery(job_type=job_type)):
            kinds[definition.id] = (word, definition.job_configuration or "")
    return {job.id: kinds[job.job_definition_id] for job in jobs if job.job_definition_id in kinds}
