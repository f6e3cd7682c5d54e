"""What can be done about jobs, from the list and from the page of one: each order is asked for first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from retriage.console.engine.errors import EngineProblem
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.orders.jobs import Planned, deletion, execution, planned, retry, retry_as_batch, suspension
from retriage.console.screens.operations.dialog import open_operation
from retriage.console.screens.verbs import Verbs, carry_out
from retriage.console.text.words import count
from retriage.store.contract.queries import ProcessInstanceQuery

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from retriage.console.orders.order import Order
    from retriage.console.reading.chosen_jobs import ChosenJobs
    from retriage.console.screens.base import ConsoleScreen
    from retriage.store.contract.records import Job


class JobVerbs(Verbs["ConsoleScreen"]):
    """Orders to jobs, and the ways from a job to what it belongs to.

    Args:
        screen: a list of jobs, or one job.
        job: the job under the cursor, or of the page.
        chosen: the jobs that an order would go to; nothing, and a sentence was said, where it can go to none.
        ordered: called after an order was carried out; ``gone`` if the jobs are not there any more.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("job",)

    def __init__(
        self,
        screen: ConsoleScreen,
        job: Callable[[], Job | None],
        chosen: Callable[[], ChosenJobs | None],
        ordered: Callable[[bool], None],
    ) -> None:
        super().__init__(screen)
        self._job = job
        self._chosen = chosen
        self._ordered = ordered

    def action_retry_in_waves(self) -> None:
        """Retry the job, or the marked jobs, in waves."""
        chosen = self._chosen()
        if chosen is not None:
            self.look_up(partial(self._retry_in_waves, chosen), "jobs.retry")

    async def _retry_in_waves(self, chosen: ChosenJobs) -> None:
        def tell(known: int) -> None:
            self.session.news.say(f"{count(known)} jobs looked up …", "muted")

        try:
            failed = await self.session.connection.ask(lambda client: chosen.failed(client, tell))
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
            return
        if not self.screen.left_meanwhile("The dialog"):
            open_operation(self.app, self.session, RetryJobs(1), failed, self._begun)

    def _begun(self) -> None:
        if self.screen.is_attached:
            self._ordered(False)

    def action_retry(self) -> None:
        """Let the job, or the marked jobs, try once more."""
        chosen = self._chosen()
        if chosen is None:
            return
        if chosen.job is None:
            self.order(partial(self._carry_out, partial(retry_as_batch, self.session, chosen)), "jobs.order")
        else:
            self._give(chosen, retry)

    def action_execute(self) -> None:
        """Carry the jobs out now."""
        self._give(self._chosen(), execution)

    def action_suspend(self) -> None:
        """Suspend the jobs, or let them go on."""
        self._give(self._chosen(), suspension)

    def action_delete(self) -> None:
        """Delete the jobs."""
        self._give(self._chosen(), deletion)

    def _give(self, chosen: ChosenJobs | None, plan: Planned) -> None:
        if chosen is not None:
            self.order(partial(self._carry_out, partial(planned, self.session, chosen, plan)), "jobs.order")

    async def _carry_out(self, plan: Callable[[], Awaitable[Order | str]]) -> None:
        report = await carry_out(self.screen, plan)
        if report is not None and report.changed and self.screen.is_attached:
            self._ordered(report.gone)

    # -- what it belongs to -----------------------------------------------------------------------------------------

    def action_owner(self) -> None:
        """Jump to its process instance, or open its batch."""
        job = self._job()
        if job is None:
            return
        if job.process_instance_id is not None:
            self.navigator.jump("instances", ProcessInstanceQuery(process_instance_ids=[job.process_instance_id]))
        elif job.batch_id is not None:
            self.look_up(partial(self.navigator.show_batch, job.batch_id), "jobs.owner")
        else:
            self.session.news.say("This job belongs to no process instance and to no batch.", "warning")

    def action_incidents(self) -> None:
        """The open incident of the job."""
        job = self._job()
        if job is not None:
            self.look_up(partial(self.navigator.show_incident_of, "Job", job.id), "jobs.owner")
