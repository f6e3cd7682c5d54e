"""Giving failed jobs their retries back: by a batch of the engine, or one order per job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.session.many_orders import order_each
from console.text.words import count, short, things

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.engine.client import EngineClient
    from console.session.session import Session
    from store.contract.queries import JobQuery


async def without_retries(client: EngineClient, jobs: Sequence[str]) -> list[str]:
    """Those of the jobs that still have no retries left.

    Raises:
        EngineProblem: the engine did not answer.
    """
    from console.reading.pages import pieces
    from store.contract.queries import JobQuery

    found: list[str] = []
    for some in pieces(jobs):
        query = JobQuery(job_ids=list(some), no_retries_left=True)
        found += [job.id for job in await client.jobs(query, 0, len(some))]
    return found


async def retried_by_batch(session: Session, jobs: Sequence[str] | JobQuery) -> bool:
    """Launch a batch that gives each job, or each that matches, one retry.

    Returns:
        False if the engine has no such batch; nothing was done then.
    """
    from console.engine.errors import EngineProblem, NotThere

    try:
        batch = await session.ask(lambda client: client.set_job_retries_async(jobs, 1))
    except NotThere:
        return False
    except EngineProblem as problem:
        session.say(problem.sentence, "failed")
        return True
    session.say(f"Batch {short(batch.id)} launched: {things(batch.total_jobs, 'job')} get 1 retry each.", "good")
    if session.follower is not None:
        await session.follower.launched(batch.id)
    return True


async def retried_one_by_one(session: Session, jobs: Sequence[str]) -> None:
    """Give each job one retry, and say how far it is; what is refused is counted and not tried again."""
    all_jobs = things(len(jobs), "job")
    outcome = await order_each(
        session,
        jobs,
        lambda client, job: client.set_job_retries(job, 1),
        lambda done: session.say(f"{count(done)} of {all_jobs} have their retry …"),
    )
    if outcome.refused or outcome.left:
        left = f", {count(outcome.left)} not tried" if outcome.left else ""
        said = f"{things(outcome.done, 'job')} will be tried again, {count(outcome.refused)} refused{left}."
        session.say(f"{said} {outcome.sentence}".rstrip(), "warning")
    else:
        session.say(f"{things(outcome.done, 'job')} will be tried again.", "good")
