"""Giving failed jobs their retries back: by a batch of the engine, or one order per job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.engine.errors import NotThere
from console.orders.each import order_each
from console.orders.order import Order, Report
from console.reading.pages import pieces
from console.text.words import count, short, things
from store.contract.queries import JobQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.engine.client import EngineClient
    from console.session.session import Session

BY_BATCH = 50
"""From so many jobs on their retries are set by a batch of the engine."""


async def without_retries(client: EngineClient, jobs: Sequence[str]) -> list[str]:
    """Those of the jobs that still have no retries left.

    Raises:
        EngineProblem: the engine did not answer.
    """
    found: list[str] = []
    for some in pieces(jobs):
        query = JobQuery(job_ids=list(some), no_retries_left=True)
        found += [job.id for job in await client.jobs(query, 0, len(some))]
    return found


async def launch_job_retries(session: Session, jobs: Sequence[str] | JobQuery) -> Report | None:
    """Launch a batch that gives each job, or each that matches, one retry.

    Returns:
        what became of it; nothing if the engine has no such batch, and nothing was done then.

    Raises:
        EngineProblem: it was refused, or it is not known whether it was carried out.
    """
    try:
        batch = await session.ask(lambda client: client.set_job_retries_async(jobs, 1))
    except NotThere:
        return None
    if session.follower is not None:
        await session.follower.launched(batch.id)
    return Report(f"Batch {short(batch.id)} launched: {things(batch.total_jobs, 'job')}, 1 retry each.")


async def retry_each_job(session: Session, jobs: Sequence[str]) -> Report:
    """Give each job one retry, and say how far it is; what is refused is counted and not tried again."""
    all_jobs = things(len(jobs), "job")
    outcome = await order_each(
        session,
        jobs,
        lambda client, job: client.set_job_retries(job, 1),
        lambda done: session.say(f"{count(done)} of {all_jobs} have their retry …"),
    )
    if not outcome.all_done:
        left = f", {count(outcome.unknown)} not known" if outcome.unknown else ""
        left += f", {count(outcome.left)} not tried" if outcome.left else ""
        said = f"{things(outcome.done, 'job')} will be tried again, {count(outcome.refused)} refused{left}."
        return Report(f"{said} {outcome.sentence}".rstrip(), "warning")
    return Report(f"{things(outcome.done, 'job')} will be tried again.")


async def retry_failed_jobs(session: Session, jobs: Sequence[str]) -> Order | str:
    """An order that gives those of the jobs that still are without retries one, or why there is none.

    Raises:
        EngineProblem: the engine did not tell which they are.
    """
    failed = await session.ask(lambda client: without_retries(client, jobs))
    if not failed:
        return "All of these jobs have retries again."
    by_batch = len(failed) >= BY_BATCH
    how = "by a batch of the engine" if by_batch else "one by one"
    sentences = [f"{things(len(failed), 'failed job')} get 1 retry each, {how}.", "Their incidents close then."]
    if len(failed) < len(jobs):
        rest = things(len(jobs) - len(failed), "other job")
        sentences.append(f"{rest}: gone since, or with retries again: left alone.")

    async def send(session: Session) -> Report:
        report = await launch_job_retries(session, failed) if by_batch else None
        return await retry_each_job(session, failed) if report is None else report

    return Order("Retry these jobs?", sentences, "Retry", send, len(failed))
