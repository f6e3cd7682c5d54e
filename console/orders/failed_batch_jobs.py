"""Orders to some of the jobs of a batch: those that failed of one cause, or the seed or monitor job that failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from retriage.console.engine.errors import Refused
from retriage.console.orders.each import order_each
from retriage.console.orders.order import Order, Report, sent
from retriage.console.text.inert import inert
from retriage.console.text.words import count, short, things

if TYPE_CHECKING:
    from retriage.console.batches.batch_view import BatchView
    from retriage.console.batches.failed_jobs import FailedJobs
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.session import Session


def retry_group(view: BatchView, group: FailedJobs) -> Order:
    """The jobs that failed of one cause get one retry each."""
    jobs = things(len(group.jobs), "failed job")
    sentences = [f"{jobs} of batch {inert(view.id)} get 1 retry each:", inert(group.cause)]
    if group.remedy.advice == "drop":
        sentences.append("They would fail again: their tasks are gone.")
    said = f"{jobs} of batch {inert(short(view.id))} will be tried again."
    send = _each(group.jobs, said, lambda client, job: client.set_job_retries(job, 1))
    return Order("Retry these failed jobs?", sentences, "Retry", send, len(group.jobs))


def drop_group(view: BatchView, group: FailedJobs) -> Order:
    """The jobs that failed of one cause are deleted, so that the batch can close."""
    jobs = things(len(group.jobs), "failed job")
    sentences = [
        f"{jobs} of batch {inert(view.id)} are dropped:",
        inert(group.cause),
        "What they would have set is never set, and they count as completed. The batch goes on, and can close.",
    ]
    if group.remedy.advice == "retry":
        sentences.append("Trying them again (T) may well succeed.")
    said = f"{jobs} of batch {inert(short(view.id))} dropped."
    send = _each(group.jobs, said, lambda client, job: client.delete_job(job))
    return Order("Drop these failed jobs?", sentences, "Drop", send, len(group.jobs))


def retry_vital(view: BatchView, job: str) -> Order:
    """The seed or monitor job, without which the batch never ends, gets one retry."""
    return Order(
        "Retry its failed job?",
        [f"Job {inert(job)} of batch {inert(view.id)} gets 1 retry."],
        "Retry",
        sent("It will be tried again.", lambda client: client.set_job_retries(job, 1)),
        1,
    )


def _each(
    jobs: Sequence[str], said: str, order: Callable[[EngineClient, str], Awaitable[None]]
) -> Callable[[Session], Awaitable[Report]]:
    """The same order for each of these jobs. One that is gone meanwhile needs none."""

    async def unless_gone(client: EngineClient, job: str) -> None:
        try:
            await order(client, job)
        except Refused as refusal:
            # An engine answers 404 to the deletion and 500 to new retries of a job that is not there. Without the
            # engine's error body it may be a proxy that has answered.
            if refusal.between or (refusal.status != 404 and "No job found" not in refusal.message):
                raise

    async def send(session: Session) -> Report:
        many = things(len(jobs), "job")
        told = await order_each(
            session, jobs, unless_gone, lambda done: session.news.say(f"{count(done)} of {many} so far …", "muted")
        )
        if told.all_done:
            return Report(said)
        changed = bool(told.done or told.unknown or told.failed)
        return Report(f"{count(told.done)} of {many} done. {told.sentence}".rstrip(), "failed", changed)

    return send
