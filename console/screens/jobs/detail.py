"""One job in full, with the stack trace of its last failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.reading.chosen_jobs import ChosenJobs
from retriage.console.screens.jobs.subject import JobSubject
from retriage.console.screens.jobs.verbs import JobVerbs
from retriage.console.screens.reading.screen import ReadingScreen
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.pane import Item, Pane
from retriage.store.contract.queries import JobQuery

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.records import Job


class JobDetail(ReadingScreen):
    """A job with its stack trace."""

    VIEW = "jobs"
    HEADING = "Stack trace of the last failure"
    PLACES: ClassVar[tuple[str, ...]] = ("job", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"job"}))

    def __init__(self, session: Session, job: Job) -> None:
        super().__init__(session, f"Job {inert(job.id)}", job.id, self.text)
        self._shown = job
        self.attach(JobVerbs(self, self.job, lambda: ChosenJobs(self._shown), self._ordered))

    def job(self) -> Job:
        """The job of this page."""
        return self._shown

    def facts(self) -> list[Item]:
        """Every field of the job."""
        return JobSubject().full(self._shown, self.session.connection.now())

    async def text(self, client: EngineClient) -> str:
        """The message, then the stack trace."""
        if self._shown.exception_message is None:
            return "This job has not failed."
        message = self._shown.exception_message or "(an empty message)"
        trace = await client.job_stacktrace(self._shown.id)
        if not trace:
            return f"{message}\n\n{self.session.connection.identity.said_of_none('The engine kept no stack trace.')}"
        return trace if message in trace[: len(message) + 200] else f"{message}\n\n{trace}"

    def _ordered(self, gone: bool) -> None:
        """Back to the list when the job is gone; else show what is so now."""
        if gone:
            self._leave()
        else:
            self._read_again()

    def _leave(self) -> None:
        """Back, unless something else was opened in front meanwhile."""
        if self.is_active:
            self.dismiss()

    @work(group="job.again", exclusive=True, exit_on_error=False)
    async def _read_again(self) -> None:
        try:
            found = await self.session.connection.ask(lambda client: client.jobs(JobQuery(job_id=self._shown.id), 0, 1))
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
            return
        if not found:
            self._leave()
            return
        self._shown = found[0]
        self.query_one("#facts", Pane).show(self.facts())
        self.tell_hints()

    def hint_labels(self) -> dict[str, str]:
        """A suspended job can be let go on."""
        owner = {"job.owner": "its batch"} if self._shown.process_instance_id is None else {}
        return owner | ({"job.suspend": "resume.."} if self._shown.suspended else {})
