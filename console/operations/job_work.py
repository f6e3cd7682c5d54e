"""What becomes of the jobs of one wave. A job's first failure after its wave is final, whatever comes later."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from retriage.console.batches.task_state import failure_of
from retriage.console.causes.fold import fold
from retriage.console.engine.capabilities import heeds
from retriage.console.engine.errors import NotThere, Refused
from retriage.console.operations.frozen_tasks import FOLDED
from retriage.console.operations.units_in_turn import UnitsInTurn
from retriage.console.operations.work_counts import Decided, Obstacles, WorkCounts
from retriage.console.reading.failure_proofs import IncidentTimes
from retriage.console.reading.job_history import JobLog, JobPast, jobs_of
from retriage.store.contract.records import FAILED_JOB

if TYPE_CHECKING:
    from retriage.console.batches.outcome import SeenBefore
    from retriage.console.engine.client import EngineClient
    from retriage.console.operations.operation import Operation
    from retriage.store.contract.records import Job

INCIDENT_PAGES = 4
"""So many pages of incidents since the launch are read in one look, where no log is kept."""

OpenState = Literal["waiting", "delayed", "locked", "unset", "untold"]


class JobWork(UnitsInTurn):
    """Jobs of a wave that were given retries.

    Args:
        operation: the retries that were set.
        since: when the first of them were sent, by the engine's clock.
    """

    def __init__(self, operation: Operation, since: datetime) -> None:
        super().__init__(operation, since)
        assert operation.retries is not None, "it sets some"
        self._given = operation.retries
        self._since = since
        self._log = JobLog(since, self._ordinals)
        self._said: dict[str, str] = {}
        """Job -> what tells the message of its failure before from another."""
        self._causes: set[str] = set()
        """Why jobs of the run had failed before."""
        self._state: dict[str, OpenState] = {}
        """Of those that are not decided."""
        self._suspended: set[str] = set()
        self._set_back: set[str] = set()
        """An undo has been ordered for these."""
        self._tells_locks: bool | None = None
        self._taken = False

    def known_before(self, before: Mapping[str, SeenBefore]) -> None:
        """What jobs had failed of."""
        self._said |= {id: seen.message for id, seen in before.items()}
        self._causes.update(seen.cause for seen in before.values() if seen.cause)

    def failed_before(self, causes: Iterable[str]) -> None:
        """Jobs had failed of these causes before: they are not new."""
        self._causes.update(causes)

    def setting_back(self, ids: Iterable[str]) -> None:
        """An undo has been ordered for these jobs: without retries they have not failed again."""
        self._set_back.update(ids)

    def add_units(self, units: Sequence[tuple[int, str, int | None]]) -> None:
        """Jobs, none of which is known to be set."""
        super().add_units(units)
        self._state |= dict.fromkeys((id for _, id, _ in units), "unset")

    async def look(self, client: EngineClient) -> WorkCounts:
        """Ask for a page of the jobs that are not decided.

        Raises:
            EngineProblem: the engine did not answer.
        """
        await self.look_at_batch(client)
        page, at = self.next_page(), datetime.now(UTC)
        # Before the log is read: what it does not know of these jobs then has not happened to them.
        there = await jobs_of(client, page)
        short = {id: job for id, job in there.items() if job.retries < self._given}
        past = await self._log.failures(client, short.values()) if short else {}
        reopened: set[str] = set()
        if silent := [id for id, one in past.items() if one.end == "unkept"]:
            incidents = IncidentTimes(self._since, INCIDENT_PAGES, FAILED_JOB)
            reopened = set(await incidents.of(client, silent))
        gone = [id for id in page if id not in there]
        ends = await self._log.ended(client, gone, self._given) if gone else {}
        held = await self._held(client, [id for id, job in there.items() if job.retries == self._given])
        knows = await self._knows(client) if any(one.end == "unkept" for one in ends.values()) else True
        decided: dict[str, Decided] = {}
        for number, id in enumerate(page):
            if number % FOLDED == 0:
                await asyncio.sleep(0)
            if (job := there.get(id)) is None:
                what = self._ended(id, ends.get(id), knows)
            else:
                what = self._there(job, past.get(id), id in reopened, id in held, client.engine_now())
            if what is not None:
                decided[id] = what
        self.decide(decided)
        for id in decided:
            self._state.pop(id, None)
            self._suspended.discard(id)
        self.looked_at(page, at, [id for id in page if id not in decided])
        self._taken = self._taken or bool(held)
        return self.counts

    async def _held(self, client: EngineClient, ids: Sequence[str]) -> set[str]:
        """Those that an executor has taken; none on an engine that cannot tell."""
        if self._tells_locks is None:
            self._tells_locks = await heeds(client, "jobs", "acquired")
        return set(await jobs_of(client, ids, acquired=True)) if ids and self._tells_locks else set()

    def _there(self, job: Job, past: JobPast | None, reopened: bool, held: bool, now: datetime) -> Decided | None:
        """What a job has come to that is there."""
        state: OpenState = "waiting"
        if past is not None and past.failed:
            return self._again(job.id, past.error)
        if job.retries > self._given or (not job.retries and job.id in self._set_back):
            return "changed"
        if job.retries < self._given and past is not None:
            if past.end == "unkept" and (reopened or job.retries or self.all_set):
                return self._again(job.id, job.exception_message)
            if past.end == "open" and (job.retries or self.all_set):
                return "changed"
        if job.retries < self._given:
            state = "waiting" if job.retries else "unset"
        elif held:
            state = "locked"
        elif job.due_date is not None and job.due_date > now:
            state = "delayed"
        self._state[job.id] = state
        (self._suspended.add if job.suspended and state != "unset" else self._suspended.discard)(job.id)
        return None

    def _again(self, id: str, message: str | None) -> Decided:
        known = failure_of(message) == self._said.get(id) or fold(message or "") in self._causes
        return "again" if known or not (self._said or self._causes) else "new"

    def _ended(self, id: str, past: JobPast | None, knows: bool) -> Decided | None:
        """What a job has come to that is not there any more."""
        self._suspended.discard(id)
        if past is None or past.end == "open":
            return None
        if past.end == "unkept" and (self.history == "not known" or not knows):
            # Nobody was warned that ends are not shown here: that it has failed is as likely as that it helped.
            self._state[id] = "untold"
            return None
        if past.end == "unkept":
            # Nothing is left of a job that was deleted with its history, as with its deployment in cascade.
            return "cancelled" if self.history == "kept" else "unknown"
        if past.failed and past.retries < self._given:
            return self._again(id, past.error)
        if past.end == "deleted":
            return "cancelled"
        # With none left it was run by hand, before it was set.
        return "done" if past.retries == self._given else "gone" if not past.retries else "changed"

    async def _knows(self, client: EngineClient) -> bool:
        """The engine knows a batch of the wave, running or ended, or does not show any to this user: one that does not
        may be another one that answers at this address."""
        try:
            if self.newest_batch and self.history == "kept":
                await client.historic_batch(self.newest_batch)
        except Refused as problem:
            if not problem.says_never:
                raise
            return not isinstance(problem, NotThere)
        return True

    @property
    def counts(self) -> WorkCounts:
        """What has become of all of them by now."""
        decided, open = Counter(self.decided.values()), Counter(self._state.values())
        return WorkCounts(
            done=decided["done"],
            again=decided["again"] + decided["new"],
            new_cause=decided["new"],
            waiting=open["waiting"],
            delayed=open["delayed"],
            locked=open["locked"],
            not_set=open["unset"] + self.unsent,
            changed=decided["changed"],
            cancelled=decided["cancelled"],
            unknown=decided["unknown"],
            gone=decided["gone"],
            untold=open["untold"],
            suspended=len(self._suspended),
        )

    @property
    def obstacles(self) -> Obstacles:
        """As of every unit, and whether an executor was seen to hold a job."""
        return replace(super().obstacles, taken=self._taken)
