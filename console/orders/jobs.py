"""Orders to jobs: try again, carry out now, suspend or go on, delete. Each goes to one job, or to many one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retriage.console.engine.errors import NotThere
from retriage.console.orders.each import order_each
from retriage.console.orders.order import Order, Report
from retriage.console.reading.chosen_jobs import MOST, ChosenJobs, vital
from retriage.console.text.inert import inert
from retriage.console.text.words import count, short, things

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.session import Session
    from retriage.store.contract.queries import JobQuery
    from retriage.store.contract.records import Job


@dataclass(frozen=True)
class JobOrder:
    """An order that each of some jobs gets by itself.

    Attributes:
        jobs: those that get it.
        title: the question.
        sentences: what it means.
        label: the order in a word.
        done: what has happened to them then, in a word or two.
        said: the same in a sentence about all of them.
        order: gives it to one of them.
        gone: the jobs are not there any more then.
        grave: it cannot be taken back.
    """

    jobs: Sequence[Job]
    title: str
    sentences: list[str]
    label: str
    done: str
    said: str
    order: Callable[[EngineClient, str], Awaitable[None]]
    gone: bool = False
    grave: bool = True

    def value(self) -> Order:
        """The order; where it cannot be taken back, or goes to many, their number has to be typed."""
        number = len(self.jobs)
        return Order(self.title, self.sentences, self.label, self._send, number if self.grave or number > 1 else 0)

    async def _send(self, session: Session) -> Report:
        ids = [job.id for job in self.jobs]
        many = things(len(ids), "job")
        told = await order_each(
            session, ids, self.order, lambda done: session.news.say(f"{count(done)} of {many} so far …", "muted")
        )
        changed, gone = bool(told.done or told.failed or told.unknown), self.gone and bool(told.done)
        if told.all_done:
            return Report(self.said, "good", changed, gone)
        if len(ids) == 1:
            return Report(told.sentence, "failed", changed, gone)
        others = (
            (told.failed, "failed"),
            (told.refused, "refused"),
            (told.unknown, "not known"),
            (told.left, "not tried"),
        )
        rest = ", ".join(f"{count(number)} {what}" for number, what in others if number)
        said = f"{self.done}: {count(told.done)} of {many}; {rest}. {told.sentence}".rstrip()
        return Report(said, "failed", changed, gone)


Planned = Callable[["EngineClient", "list[Job]"], Awaitable["Order | str"]]
"""Plans an order to jobs that were read, or says why it makes no sense."""


async def planned(session: Session, chosen: ChosenJobs, plan: Planned) -> Order | str:
    """An order to the chosen jobs as they are now, or why there is none.

    Raises:
        EngineProblem: the engine did not tell which they are.
    """

    async def ask(client: EngineClient) -> Order | str:
        jobs = await chosen.read(client)
        if len(jobs) > MOST:
            return f"More than {count(MOST)} jobs: the order would be sent for each one separately. Choose fewer."
        return await plan(client, jobs) if jobs else "All of these jobs are gone."

    return await session.connection.ask(ask)


async def retry_as_batch(session: Session, chosen: ChosenJobs) -> Order | str:
    """A batch that gives the chosen jobs without retries one; none has its retries lowered.

    Raises:
        EngineProblem: the engine did not tell which they are.
    """
    total = await session.connection.ask(chosen.count)
    query = chosen.failed_query
    failed: Sequence[str] | JobQuery
    if query is not None:
        failed, number = query, await session.connection.ask(lambda client: client.count_jobs(query))
    else:
        jobs = await session.connection.ask(lambda client: chosen.read(client, failed=True))
        failed, number = [job.id for job in jobs], len(jobs)
    if number > MOST and query is None:
        return f"More than {count(MOST)} jobs cannot be named one by one. Choose fewer."
    if not number:
        return "None of these jobs is without retries: 1 retry could only lower theirs."

    async def send(session: Session) -> Report:
        report = await _launch_retries(session, failed)
        unable = "This engine has no batch that retries jobs: T on a job retries that one."
        return Report(unable, "warning", changed=False) if report is None else report

    return Order(f"Retry {things(number, 'job')}?", retried(number, total), "Retry", send, number)


async def _launch_retries(session: Session, jobs: Sequence[str] | JobQuery) -> Report | None:
    """Launch a batch that gives each job, or each that matches, one retry.

    Returns:
        what became of it; nothing if the engine has no such batch, and nothing was done then.

    Raises:
        EngineProblem: it was refused, or it is not known whether it was carried out.
    """
    try:
        batch = await session.connection.ask(lambda client: client.set_job_retries_async(jobs, 1))
    except NotThere:
        return None
    await session.watch.follow(batch.id)
    return Report(f"Batch {short(batch.id)} launched: {things(batch.total_jobs, 'job')}, 1 retry each.")


async def retry(client: EngineClient, jobs: list[Job]) -> Order | str:
    """One job gets one retry."""
    job = jobs[0]
    sentences = [f"Job {inert(job.id)} gets 1 retry and runs as soon as the executor takes it."]
    if job.retries > 1:
        sentences.append(f"It has {job.retries} retries left: this LOWERS them to 1.")
    elif job.retries == 1:
        sentences.append("It has 1 retry left already.")

    async def order(client: EngineClient, id: str) -> None:
        await client.set_job_retries(id, 1)

    said = f"Job {inert(short(job.id))} will be tried again."
    return JobOrder(jobs, "Retry this job?", sentences, "Retry", "Retried", said, order).value()


def retried(number: int, total: int) -> list[str]:
    """What it means that a batch gives jobs one retry each.

    Args:
        number: jobs without retries: these get one.
        total: jobs that were chosen.
    """
    get = "1 job gets" if number == 1 else f"{count(number)} jobs get"
    sentences = [f"{get} 1 retry each, as a batch: those without retries are tried again."]
    left = total - number
    if left > 0:
        others = "1 other has retries left or is" if left == 1 else f"{count(left)} others have retries left or are"
        sentences.append(f"{others} gone: left alone, since 1 retry could only lower theirs.")
    return sentences


async def execution(client: EngineClient, jobs: list[Job]) -> Order | str:
    """The jobs are carried out now."""

    async def order(client: EngineClient, id: str) -> None:
        await client.execute_job(id)

    if len(jobs) == 1:
        one = inert(jobs[0].id)
        sentences = [
            f"Job {one} runs right now, whatever its retries and its due date.",
            "If it fails, its message is shown here, and it has one retry fewer.",
        ]
        said = f"Job {inert(short(jobs[0].id))} has run."
        return JobOrder(jobs, "Run this job now?", sentences, "Run now", "Done", said, order, True).value()
    many = things(len(jobs), "job")
    sentences = [
        f"{many} run now, a few at a time, whatever their retries and their due dates.",
        "Those that fail have one retry fewer; how many failed, and why the first did, is shown here.",
    ]
    title, said = f"Run {many} now?", f"{many} have run."
    return JobOrder(jobs, title, sentences, "Run now", "Done", said, order, True).value()


async def suspension(client: EngineClient, jobs: list[Job]) -> Order | str:
    """The jobs that are not suspended are; where all are, they go on."""
    then = not all(job.suspended for job in jobs)
    meant = [job for job in jobs if job.suspended != then]
    label = "Suspend" if then else "Resume"

    async def order(client: EngineClient, id: str) -> None:
        await client.suspend_job(id, then)

    if len(meant) == 1:
        what = "does not run until it is resumed" if then else "runs when its turn comes"
        title = "Suspend this job?" if then else "Resume this job?"
        said = f"Job {inert(short(meant[0].id))} {'is suspended' if then else 'is resumed'}."
        sentences = [f"Job {inert(meant[0].id)} {what}."]
    else:
        many = things(len(meant), "job")
        what = "do not run until they are resumed" if then else "run when their turn comes"
        title = f"Suspend {many}?" if then else f"Resume {many}?"
        said = f"{many} {'are suspended' if then else 'are resumed'}."
        sentences = [f"{many} {what}."]
    if len(meant) < len(jobs):
        sentences.append(f"{count(len(jobs) - len(meant))} suspended already.")
    return JobOrder(
        meant, title, sentences, label, "Suspended" if then else "Resumed", said, order, grave=False
    ).value()


async def deletion(client: EngineClient, jobs: list[Job]) -> Order | str:
    """The jobs are deleted, but those that a batch cannot do without."""
    kept = await vital(client, jobs)
    meant = [job for job in jobs if job.id not in kept]
    if not meant:
        return _refused(kept)

    async def order(client: EngineClient, id: str) -> None:
        await client.delete_job(id)

    if len(meant) == 1:
        job = meant[0]
        of = "It counts as completed in its batch." if job.batch_id else "Its process instance waits forever."
        sentences = [f"Job {inert(job.id)} is deleted. What it would have done is never done.", of]
        title, said = "Delete this job?", f"Job {inert(short(job.id))} is deleted."
    else:
        many = things(len(meant), "job")
        of_batches = sum(job.batch_id is not None for job in meant)
        sentences = [f"{many} are deleted. What they would have done is never done."]
        if of_batches:
            sentences.append(f"{count(of_batches)} of batches: they count as completed there.")
        if of_batches < len(meant):
            sentences.append(f"{count(len(meant) - of_batches)} of process instances: those wait forever.")
        title, said = f"Delete {many}?", f"{many} are deleted."
    if kept:
        is_left = "1 seed or monitor job is" if len(kept) == 1 else f"{count(len(kept))} seed or monitor jobs are"
        sentences.append(f"{is_left} left alone: without it a batch never ends.")
    return JobOrder(meant, title, sentences, "Delete", "Deleted", said, order, True).value()


def _refused(kept: dict[str, tuple[str, str]]) -> str:
    """Why none of these jobs is deleted."""
    if len(kept) > 1:
        return "These are seed and monitor jobs: without them their batches never end. Delete the batches (4, D)."
    kind, batch = next(iter(kept.values()))
    return (
        f"This is the {kind} job of batch {inert(short(batch))}: without it the batch never ends. "
        "Delete the batch instead (4, D)."
    )
