"""Give failed jobs retries: the job executor runs each as soon as it has some."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from retriage.console.batches.outcome import SeenBefore
from retriage.console.batches.task_state import failure_of
from retriage.console.causes.fold import fold
from retriage.console.engine.batch_request import RETRY_JOBS, BatchRequest
from retriage.console.engine.capabilities import heeds
from retriage.console.engine.rights import LAUNCH, RETRY_THESE_JOBS
from retriage.console.operations.evidence import Before, Effect
from retriage.console.operations.frozen_tasks import FOLDED
from retriage.console.operations.job_work import JobWork
from retriage.console.operations.operation import AS_THEY_ARE, CheckedUnits, FreezeRules, FrozenUnits, WayBack
from retriage.console.operations.retry import GivesRetries
from retriage.console.reading.failure_proofs import IncidentTimes
from retriage.console.reading.job_history import JobLog, jobs_of
from retriage.console.reading.pages import pieces
from retriage.console.reading.selection import Instances, Marked, Selection
from retriage.store.contract.orders import SetJobsRetries
from retriage.store.contract.records import FAILED_JOB, SET_JOB_RETRIES
from retriage.store.journal.run_records import FrozenTask

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.reading.task_history import TaskLog
    from retriage.store.journal import RunTask, TaskBefore

INCIDENT_PAGES = 4
"""So many pages of the incidents since the freeze are read for a page of jobs."""
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class RetryJobs(GivesRetries):
    """Set the retries of jobs to a number: 1 or more of jobs without retries, 0 on the way back."""

    name = "retry-jobs"
    verb = "Retry"
    unit = "job"
    gated = True
    batch_type = SET_JOB_RETRIES
    rights = (LAUNCH, RETRY_THESE_JOBS)
    logged_as = "SetJobRetries"
    incident_type = FAILED_JOB
    why_left_out = kinds = {
        "gone": "gone",
        "raised": "given retries by somebody else",
        "newer-incident": "failed since, with a newer incident",
        "retries-left": "with retries left",
    }
    taken = "without retries"
    effect_said = "they run again, their incidents close"
    left_alone: ClassVar[dict[str, str]] = {
        "gone": "gone by now, run or ended with their instance",
        "undone": "set back already by an undo",
        "again": "failed again since: what they have now is not of this launch",
        "unset": "not known to be set by this launch: its batch was deleted before it was through",
        "before": "with the retries of before: never set, or set back",
        "changed": "with other retries by now: run, or set by somebody",
        "later": "launched again since",
        "locked": "taken by the job executor",
        "same": "had the same retries before",
    }

    @property
    def word(self) -> str:
        """The same as for tasks."""
        return "retry"

    async def freeze(
        self,
        client: EngineClient,
        selection: Selection | Instances,
        at: datetime,
        rules: FreezeRules = AS_THEY_ARE,
    ) -> FrozenUnits:
        """Those that have no retries, the oldest first."""
        assert isinstance(selection, Marked), "jobs are named by their ids"
        frozen, found = FrozenUnits(at), list[tuple[datetime, str, FrozenTask]]()
        number = 0
        for some in pieces(sorted(selection.ids)):
            there = await jobs_of(client, some)
            for place, job in enumerate(there.values()):
                if place % FOLDED == 0:
                    await asyncio.sleep(0)
                if job.retries:
                    frozen.left_out["retries-left"] += 1
                    continue
                one = FrozenTask(job.id, job.retries, failure_of(job.exception_message))
                found.append((job.create_time or _NEVER, job.id, one))
                if job.exception_message:
                    frozen.causes[job.process_definition_key or "", _folded(job.exception_message)] += 1
            frozen.left_out["gone"] += len(some) - len(there)
            number += len(some)
            rules.progress(number)
            await rules.turn()
        frozen.left_out = +frozen.left_out
        frozen.tasks = [one for _, _, one in sorted(found)][: rules.limit]
        return frozen

    async def check(self, client: EngineClient, checked: CheckedUnits, tasks: Sequence[RunTask], log: TaskLog) -> None:
        """What has changed since it was frozen is left out."""
        there = await jobs_of(client, [task.task_id for task in tasks])
        without = {id: job for id, job in there.items() if not job.retries}
        past = await JobLog(log.since, without).failures(client, without.values())
        silent = [id for id in without if id not in past or past[id].end == "unkept"]
        reopened = await IncidentTimes(log.since, INCIDENT_PAGES, FAILED_JOB).of(client, silent) if silent else {}
        again = reopened.keys() | {id for id, one in past.items() if one.failed}
        for task in tasks:
            id = task.task_id
            if (job := there.get(id)) is None:
                checked.left_out[task.ordinal] = "gone"
            elif job.retries:
                checked.left_out[task.ordinal] = "raised"
            elif failure_of(job.exception_message) != task.failure or id in again:
                checked.left_out[task.ordinal] = "newer-incident"
            else:
                checked.taken[id] = job.retries
                checked.before[id] = SeenBefore(task.failure, _folded(job.exception_message), job.retries, None, "")

    def request(self, ids: Sequence[str]) -> BatchRequest:
        """By the ids of the jobs."""
        return BatchRequest(SetJobsRetries(retries=self.retries, job_ids=list(ids)), RETRY_JOBS)

    def work(self, since: datetime) -> JobWork:
        """What the job executor makes of the retries."""
        return JobWork(self, since)

    async def effect(self, client: EngineClient, sample: Sequence[Before], since: datetime) -> Effect:
        """The retries that jobs have since: nothing but an order gives one some that had none, and one that has failed
        since had been given some."""
        before = {id: had for id, had in sample if had != self.retries}
        there = await jobs_of(client, list(before))
        others = {id: job for id, job in there.items() if job.retries != self.retries}
        past = await JobLog(since, others).failures(client, others.values()) if others else {}
        failed = {id for id, one in past.items() if one.failed}
        told = Counter[str]()
        for id, job in there.items():
            if id not in others or (not before[id] and id in failed):
                told["ours"] += 1
            elif job.retries == before[id]:
                told["unchanged" if id in past and past[id].end == "open" else "unclear"] += 1
            else:
                told["unclear" if id in failed else "another"] += 1
        return Effect(**told, gone=len(before) - len(there))

    async def way_back(
        self, client: EngineClient, before: Sequence[TaskBefore], later: Collection[str], was: Mapping[str, str]
    ) -> WayBack:
        """Jobs that have not run since get the retries that they had."""
        there = await jobs_of(client, [task.task_id for task in before])
        locks = await heeds(client, "jobs", "acquired")
        held = await jobs_of(client, list(there), acquired=True) if there and locks else {}
        return self.sort(before, {id: job.retries for id, job in there.items()}, held, later)

    def with_retries(self, retries: int) -> RetryJobs:
        """Those of jobs."""
        return RetryJobs(retries)


@lru_cache(maxsize=1000)
def _folded(message: str | None) -> str:
    return "" if message is None else fold(message)
