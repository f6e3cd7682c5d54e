"""Jobs: look at them, let failed ones try again, run them now, suspend them, delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.reading.chosen_jobs import ChosenJobs
from retriage.console.screens.jobs.subject import JobSubject
from retriage.console.screens.jobs.verbs import JobVerbs
from retriage.console.screens.listing import ListScreen
from retriage.console.session.session import Session
from retriage.console.text.words import things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.rows import Row
from retriage.store.contract.queries import JobQuery

if TYPE_CHECKING:
    from retriage.store.contract.records import Job


class JobsScreen(ListScreen):
    """Jobs of the engine, the failed ones first."""

    PLACES: ClassVar[tuple[str, ...]] = ("job", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"job"}))
    VIEW: ClassVar[str] = "jobs"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        super().__init__(session, JobSubject())
        self.attach(JobVerbs(self, self.job, self.chosen, self._ordered))

    def job(self) -> Job | None:
        """The job under the cursor."""
        row = self.table.row
        return cast("Job", row.item) if row is not None else None

    def chosen(self) -> ChosenJobs | None:
        """The marked jobs; where none are, the one under the cursor."""
        self.heed_filter()
        marks, job = self.table.marks, self.job()
        if not marks:
            return ChosenJobs(job) if job is not None else None
        if not marks.everything:
            return ChosenJobs(ids=marks.ids)
        if self.filtered_list is None:
            query = self.reader.query
            assert isinstance(query, JobQuery)
            unsorted = query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
            return ChosenJobs(ids=marks.ids, query=unsorted, said=self.filter_text)
        if self.filtered_list.exact:
            return ChosenJobs(ids=self.filtered_list.ids - marks.ids, said=self.filter_text)
        self.session.news.say(self.filtered_list.not_yet("job"), "warning")
        return None

    def _ordered(self, gone: bool) -> None:
        """Show what is so now."""
        self.table.unmark()
        self.action_refresh()

    def open_row(self, row: Row) -> None:
        """The job with its stack trace."""
        self.navigator.show("job", row.item)

    def hint_labels(self) -> dict[str, str]:
        """What the keys would do with the job under the cursor, or with the marked ones."""
        labels = super().hint_labels()
        if not self.is_mounted:
            return labels
        job, marks = self.job(), self.table.marks
        if marks:
            marked = things(marks.count(self.table.total), "job")
            labels |= {
                "job.retry-in-waves": f"retry {marked}..",
                "job.retry": f"try {marked} again..",
                "job.execute": f"run {marked}..",
                "job.suspend": f"suspend {marked}..",
                "job.delete": f"delete {marked}..",
            }
        elif job is not None and job.suspended:
            labels["job.suspend"] = "resume.."
        if job is not None and job.process_instance_id is None:
            labels["job.owner"] = "its batch"
        return labels
