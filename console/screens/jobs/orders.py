"""What can be done about jobs, from the list and from the page of one: each order is asked for first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual import work

from console.screens.base import ConsoleScreen, ordering
from console.screens.dialogs.confirm import Confirm
from console.screens.jobs.chosen import MOST, Chosen
from console.screens.jobs.plans import JobOrderPlan, deletion, execution, retried, retry, suspension
from console.text.words import count, things

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from store.contract.queries import JobQuery
    from store.contract.records import Job


class JobOrders(ConsoleScreen):
    """A screen with jobs."""

    def chosen(self) -> Chosen | None:
        """The jobs that an order would go to; nothing, and a sentence if there is one, where it can go to none."""
        raise NotImplementedError

    def carried_out(self, *, gone: bool) -> None:
        """An order was carried out; ``gone`` if the jobs are not there any more."""
        raise NotImplementedError

    def action_retry(self) -> None:
        """Let the job, or the marked jobs, try once more."""
        chosen = self.chosen()
        if chosen is None:
            return
        if chosen.job is None:
            self._retry_many(chosen)
        else:
            self._give(chosen, retry)

    def action_execute(self) -> None:
        """Carry the jobs out now."""
        self._give(self.chosen(), execution)

    def action_suspend(self) -> None:
        """Suspend the jobs, or let them go on."""
        self._give(self.chosen(), suspension)

    def action_delete(self) -> None:
        """Delete the jobs."""
        self._give(self.chosen(), deletion)

    # -- what it belongs to -----------------------------------------------------------------------------------------

    def job(self) -> Job | None:
        """The job under the cursor, or of the page."""
        raise NotImplementedError

    def action_owner(self) -> None:
        """Jump to its process instance, or open its batch."""
        from console.screens.jump import jump
        from store.contract.queries import ProcessInstanceQuery

        job = self.job()
        if job is None:
            return
        if job.process_instance_id is not None:
            jump(self.app, "instances", ProcessInstanceQuery(process_instance_ids=[job.process_instance_id]))
        elif job.batch_id is not None:
            self._open_batch(job.batch_id)
        else:
            self.session.say("This job belongs to no process instance and to no batch.", "warning")

    @work(group="jobs.owner", exclusive=True, exit_on_error=False)
    async def _open_batch(self, batch_id: str) -> None:
        from console.screens.batches.opening import open_batch

        await open_batch(self.app, self.session, batch_id)

    @work(group="jobs.owner", exclusive=True, exit_on_error=False)
    async def action_incidents(self) -> None:
        """The open incident of the job."""
        from console.screens.incidents.opening import open_incident

        job = self.job()
        if job is not None:
            await open_incident(self.app, self.session, "Job", job.id)

    # -- one order per job ------------------------------------------------------------------------------------------

    @ordering("jobs.order")
    async def _give(
        self, chosen: Chosen | None, planned: Callable[[EngineClient, list[Job]], Awaitable[JobOrderPlan | str]]
    ) -> None:
        """Ask, and give each of the jobs the order."""
        from console.engine.errors import EngineProblem

        if chosen is None or not self._may():
            return
        try:
            plan = await self.session.ask(lambda client: self._plan(client, chosen, planned))
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")
            return
        if isinstance(plan, str):
            self.session.say(plan, "warning")
        elif await self._sure(plan.title, plan.sentences, plan.label, len(plan.jobs), grave=plan.grave):
            await self._each(plan)

    async def _plan(
        self,
        client: EngineClient,
        chosen: Chosen,
        planned: Callable[[EngineClient, list[Job]], Awaitable[JobOrderPlan | str]],
    ) -> JobOrderPlan | str:
        jobs = await chosen.read(client)
        if len(jobs) > MOST:
            return f"More than {count(MOST)} jobs: the order would go to each of them by itself. Choose fewer."
        if not jobs:
            return "None of these jobs is there any more."
        return await planned(client, jobs)

    async def _each(self, plan: JobOrderPlan) -> None:
        from console.session.many_orders import order_each

        ids = [job.id for job in plan.jobs]
        many = things(len(ids), "job")
        told = await order_each(
            self.session, ids, plan.order, lambda done: self.session.say(f"{count(done)} of {many} so far …", "muted")
        )
        if told.all_done:
            self.session.say(plan.said, "good")
        elif len(ids) == 1:
            self.session.say(told.sentence, "failed")
        else:
            others = (
                (told.failed, "failed"),
                (told.refused, "refused"),
                (told.unknown, "not known"),
                (told.left, "not tried"),
            )
            rest = ", ".join(f"{count(number)} {what}" for number, what in others if number)
            self.session.say(f"{plan.done}: {count(told.done)} of {many}; {rest}. {told.sentence}".rstrip(), "failed")
        if (told.done or told.failed or told.unknown) and self.is_attached:
            self.carried_out(gone=plan.gone and bool(told.done))

    # -- a batch for all --------------------------------------------------------------------------------------------

    @ordering("jobs.order")
    async def _retry_many(self, chosen: Chosen) -> None:
        """Ask, and launch a batch that gives the jobs without retries one; none has its retries lowered."""
        from console.engine.errors import EngineProblem
        from console.screens.incidents.job_retries import retried_by_batch

        if not self._may():
            return
        try:
            total = await self.session.ask(chosen.count)
            failed, number = await self.session.ask(lambda client: self._failed(client, chosen))
        except EngineProblem as problem:
            self.session.say(problem.sentence, "failed")
            return
        if number > MOST and chosen.failed_query is None:
            self.session.say(f"More than {count(MOST)} jobs cannot be named one by one. Choose fewer.", "warning")
        elif not number:
            self.session.say("None of these jobs is without retries: 1 retry could only lower theirs.", "warning")
        elif await self._sure(f"Retry {things(number, 'job')}?", retried(number, total), "Retry", number, grave=True):
            if not await retried_by_batch(self.session, failed):
                self.session.say("This engine has no batch that retries jobs: T on a job retries that one.", "warning")
            elif self.is_attached:
                self.carried_out(gone=False)

    async def _failed(self, client: EngineClient, chosen: Chosen) -> tuple[Sequence[str] | JobQuery, int]:
        """Those of the jobs without retries, as the engine is told them, and how many they are."""
        query = chosen.failed_query
        if query is not None:
            return query, await client.count_jobs(query)
        jobs = await chosen.read(client, failed=True)
        return [job.id for job in jobs], len(jobs)

    # -- asking -----------------------------------------------------------------------------------------------------

    def _may(self) -> bool:
        """Orders may be given; else it is said why not."""
        problem = self.session.why_no_orders()
        if problem:
            self.session.say(problem, "warning")
        return not problem

    async def _sure(self, title: str, sentences: list[str], label: str, number: int, *, grave: bool) -> bool:
        """Ask; where the environment is guarded the number has to be typed. Must run in a worker."""
        typed = str(number) if self.session.safety.guarded and (grave or number > 1) else ""
        return await self.ask_late(Confirm(title, sentences, label, "L", typed=typed))
