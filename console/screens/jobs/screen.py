"""Jobs: look at them, let failed ones try again, run them now, suspend them, delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from console.actions import at
from console.screens.jobs.detail import JobDetail
from console.screens.jobs.orders import JobOrders
from console.screens.jobs.subject import Jobs
from console.screens.listing import ListScreen
from console.screens.session import Session
from console.screens.words import things
from console.widgets.bindings import bindings
from console.widgets.rows import Row

if TYPE_CHECKING:
    from store.contract.records import Job


class JobsScreen(JobOrders, ListScreen):
    """Jobs of the engine, the failed ones first."""

    PLACES: ClassVar[tuple[str, ...]] = ("job", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"job"}))
    VIEW: ClassVar[str] = "jobs"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        ListScreen.__init__(self, session, Jobs())

    def job(self) -> Job | None:
        """The job under the cursor."""
        row = self.table.row
        return row.item if row is not None else None

    def marked(self) -> frozenset[str]:
        """The marked jobs; of everything those that are in sight, since the order names each of them."""
        marks = self.table.marks
        if not marks.everything:
            return marks.ids
        return frozenset(row.id for row in self.table.loaded() if row.id in marks)

    def carried_out(self, *, gone: bool) -> None:
        """Show what is so now."""
        self.table.unmark()
        self.action_refresh()

    def open_row(self, row: Row) -> None:
        """The job with its stack trace."""
        self.app.push_screen(JobDetail(self.session, row.item))

    def hint_labels(self) -> dict[str, str]:
        """What the keys would do with the job under the cursor, or with the marked ones."""
        labels = super().hint_labels()
        job = self.job() if self.is_mounted else None
        marked = self.marked() if self.is_mounted else frozenset()
        if marked:
            labels["job.retry"] = f"try {things(len(marked), 'job')} again.."
        if job is not None and job.suspended:
            labels["job.suspend"] = "let go on.."
        return labels
