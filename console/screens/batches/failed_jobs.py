"""Orders to some of the failed jobs of a batch: try them again, or drop them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from console.batches.batch_view import BatchView
from console.screens.batches.ordering import BatchOrders
from console.text.inert import inert
from console.text.words import short, things

if TYPE_CHECKING:
    from console.batches.failed_jobs import FailedJobs
    from console.engine.client import EngineClient

AT_ONCE = 4
"""Orders to single jobs that are under way at once."""


class FailedJobOrders(BatchOrders):
    """A screen with a batch and one group of its failed jobs under the cursor."""

    def group(self) -> FailedJobs | None:
        """The failed jobs that an order would go to; nothing where it would go to the batch."""
        raise NotImplementedError

    def needy_job(self) -> str:
        """The seed or monitor job that has failed; empty if none has."""
        raise NotImplementedError

    def group_labels(self) -> dict[str, str]:
        """What the capitals would do now."""
        view, group = self.chosen(), self.group() if self.is_mounted else None
        if view is None or group is None:
            return {}
        jobs = things(len(group.jobs), "job")
        return {"batches.retry-jobs": f"try {jobs} again", "batches.delete": f"drop {jobs}.."}

    def action_retry_jobs(self) -> None:
        """Let the failed jobs under the cursor try again, or the seed or monitor job that has failed."""
        view, group = self._alive(), self.group()
        if view is None:
            return
        if group is not None and len(group.jobs) < view.failed:
            self._retry_some(view, group)
        elif not view.failed and (job := self.needy_job()):
            question = self.question(
                "Retry its failed job?", [f"Job {job} of batch {view.id} gets 1 retry."], "Retry", 1
            )
            self._order(question, "It will be tried again.", lambda client: client.set_job_retries(job, 1))
        else:
            super().action_retry_jobs()

    def _retry_some(self, view: BatchView, group: FailedJobs) -> None:
        jobs = things(len(group.jobs), "failed job")
        sentences = [f"{jobs} of batch {view.id} get 1 retry each:", inert(group.cause)]
        if group.remedy.advice == "drop":
            sentences.append("They would fail again: their tasks are not there any more.")
        question = self.question("Retry these failed jobs?", sentences, "Retry", len(group.jobs))
        order = _each(group.jobs, lambda client, job: client.set_job_retries(job, 1))
        self._order(question, f"{jobs} of batch {short(view.id)} will be tried again.", order)

    def action_delete(self) -> None:
        """Drop the failed jobs under the cursor; where none are, delete the batch."""
        group = self.group()
        view = self._alive() if group is not None else None
        if group is None:
            super().action_delete()
        elif view is not None:
            self._drop(view, group)

    def _drop(self, view: BatchView, group: FailedJobs) -> None:
        jobs = things(len(group.jobs), "failed job")
        sentences = [
            f"{jobs} of batch {view.id} are dropped:",
            inert(group.cause),
            "What they would have set is never set, and they count as completed. The batch goes on, and can close.",
        ]
        if group.remedy.advice == "retry":
            sentences.append("Trying them again (T) may well succeed.")
        question = self.question("Drop these failed jobs?", sentences, "Drop", len(group.jobs))
        said = f"{jobs} of batch {short(view.id)} dropped."
        self._order(question, said, _each(group.jobs, lambda client, job: client.delete_job(job)))


def _each(
    jobs: Sequence[str], order: Callable[[EngineClient, str], Awaitable[None]]
) -> Callable[[EngineClient], Awaitable[None]]:
    """The same order for each of these jobs, a few at once. Jobs that are gone meanwhile need none.

    The first other refusal is raised when all have been tried.
    """

    async def carried_out(client: EngineClient) -> None:
        from console.engine.errors import EngineProblem, Refused

        waiting, refused = list(reversed(jobs)), list[EngineProblem]()

        async def some() -> None:
            while waiting:
                job = waiting.pop()
                try:
                    await order(client, job)
                except Refused as refusal:
                    # An engine answers 404 to the deletion and 500 to new retries of a job that is not there.
                    if refusal.status != 404 and "No job found" not in refusal.message:
                        refused.append(refusal)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        if refused:
            raise refused[0]

    return carried_out
