"""Jobs: look at them, let failed ones try again, delete them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from console.actions import at
from console.screens.dialogs.confirm import Confirm
from console.screens.jobs.detail import JobDetail
from console.screens.jobs.subject import Jobs
from console.screens.listing import ListScreen
from console.screens.orders import carry_out
from console.screens.session import Session
from console.screens.words import short
from console.widgets.bindings import bindings
from console.widgets.rows import Row

if TYPE_CHECKING:
    from console.engine.client import EngineClient


class JobsScreen(ListScreen):
    """Jobs of the engine."""

    PLACES: ClassVar[tuple[str, ...]] = ("jobs", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"jobs"}))
    VIEW: ClassVar[str] = "jobs"

    def __init__(self, session: Session) -> None:
        super().__init__(session, Jobs())

    def open_row(self, row: Row) -> None:
        """The job with its stack trace."""
        self.app.push_screen(JobDetail(self.session, row.item))

    def action_retry_job(self) -> None:
        """Let the job try once more."""
        row = self.table.row
        if row is not None:
            sentence = f"Job {row.id} gets 1 retry and is done as soon as the executor takes it."
            question = Confirm("Retry this job?", [sentence], "Retry", "L")
            self._order(question, f"Job {short(row.id)} will be tried again.", lambda c: c.set_job_retries(row.id, 1))

    def action_delete_job(self) -> None:
        """Delete the job."""
        row = self.table.row
        if row is not None:
            sentences = [f"Job {row.id} is deleted.", "What it would have done is never done, and counts as completed."]
            question = Confirm("Delete this job?", sentences, "Delete", "L")
            self._order(question, f"Job {short(row.id)} is deleted.", lambda c: c.delete_job(row.id))

    @work(group="jobs.order", exit_on_error=False)
    async def _order(self, question: Confirm, said: str, order: Callable[[EngineClient], Awaitable[None]]) -> None:
        if await carry_out(self.app, self.session, question, said, order):
            self.action_refresh()
