"""What can be done about a job, from the list and from its page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from textual import work

from console.screens.base import ConsoleScreen
from console.screens.dialogs.confirm import Confirm
from console.screens.orders import carry_out
from console.screens.words import short, things
from console.widgets.inert import inert

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.records import Job

Order = Callable[["EngineClient"], Awaitable[Any]]


class JobOrders(ConsoleScreen):
    """A screen with jobs. Each order is asked for first."""

    def job(self) -> Job | None:
        """The job that is meant."""
        raise NotImplementedError

    def marked(self) -> frozenset[str]:
        """Jobs that are marked; none where nothing can be."""
        return frozenset()

    def carried_out(self, *, gone: bool) -> None:
        """An order was carried out; ``gone`` if the job is not there any more."""
        raise NotImplementedError

    def action_retry(self) -> None:
        """Let the job, or the marked jobs, try once more."""
        marked = self.marked()
        job = self.job()
        if marked:
            jobs = things(len(marked), "job")
            sentence = f"{jobs} get 1 retry each, as a batch; whoever has no retries left is tried again."
            question = Confirm(f"Retry {jobs}?", [sentence], "Retry", "L")
            said = f"A batch gives {jobs} a retry."
            self._order(question, said, lambda client: client.set_job_retries_async(sorted(marked), 1))
        elif job is not None:
            left = f"It has {things(job.retries, 'retry', 'retries')} left; this sets 1." if job.retries > 0 else ""
            sentences = [f"Job {inert(job.id)} gets 1 retry and is done as soon as the executor takes it.", left]
            question = Confirm("Retry this job?", list(filter(None, sentences)), "Retry", "L")
            said = f"Job {inert(short(job.id))} will be tried again."
            self._order(question, said, lambda client: client.set_job_retries(job.id, 1))

    def action_execute(self) -> None:
        """Carry the job out now."""
        job = self.job()
        if job is not None:
            sentences = [
                f"Job {inert(job.id)} is carried out in this moment, whatever its retries and its due date are.",
                "If it fails its message is said here, and it has a retry less.",
            ]
            question = Confirm("Run this job now?", sentences, "Run now", "L")
            said = f"Job {inert(short(job.id))} was carried out."
            self._order(question, said, lambda client: client.execute_job(job.id), gone=True)

    def action_suspend(self) -> None:
        """Suspend the job, or let it go on."""
        job = self.job()
        if job is None:
            return
        then = not job.suspended
        what = "is not carried out until it is let go on" if then else "is carried out again when its turn comes"
        question = Confirm(
            "Suspend this job?" if then else "Let this job go on?",
            [f"Job {inert(job.id)} {what}."], "Suspend" if then else "Go on", "L",
        )  # fmt: skip
        said = f"Job {inert(short(job.id))} {'is suspended' if then else 'goes on'}."
        self._order(question, said, lambda client: client.suspend_job(job.id, then))

    def action_delete(self) -> None:
        """Delete the job."""
        job = self.job()
        if job is not None:
            of = "It counts as completed in its batch." if job.batch_id else "Its process instance waits for ever."
            sentences = [f"Job {inert(job.id)} is deleted. What it would have done is never done.", of]
            question = Confirm("Delete this job?", sentences, "Delete", "L")
            said = f"Job {inert(short(job.id))} is deleted."
            self._order(question, said, lambda client: client.delete_job(job.id), gone=True)

    @work(group="jobs.order", exit_on_error=False)
    async def _order(self, question: Confirm, said: str, order: Order, *, gone: bool = False) -> None:
        async def give(client: EngineClient) -> None:
            await order(client)

        if await carry_out(self.app, self.session, question, said, give):
            self.carried_out(gone=gone)
