"""One batch: its phases, its figures, and its failed jobs grouped by message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from console.actions import at
from console.screens.base import BASE_CSS
from console.screens.batches.book import BatchView
from console.screens.batches.ordering import BatchOrders
from console.screens.batches.progress import figures, steps
from console.screens.session import News, Session
from console.screens.words import count
from console.widgets.bindings import bindings
from console.widgets.columns import Column
from console.widgets.inert import inert
from console.widgets.line_table import LineTable
from console.widgets.pane import Pane
from console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from console.watch import Poller, Snapshot
    from store.contract.records import Job

COLUMNS = (
    Column("jobs", 7, keep=9, align="right"),
    Column("message", 30, share=1, keep=8),
)
MOST_JOBS = 500
"""Failed jobs that are read to group them."""
EVERY = 3.0


class Failures(NamedTuple):
    """Failed jobs by message: message, how many, one of them."""

    read: int
    groups: tuple[tuple[str, int, Job], ...]


class BatchDetail(BatchOrders):
    """A batch in full, also after it has moved to the history."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("detail.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("batches", "detail", "failures")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"batches", "detail", "failures"}))
    VIEW: ClassVar[str] = "batches"

    def __init__(self, session: Session, view: BatchView) -> None:
        super().__init__(session)
        self._view = view
        self._poller: Poller[Failures] | None = None

    def body(self) -> Iterable[Widget]:
        """Phases and figures above, failed jobs below."""
        with Horizontal(id="upper"):
            yield Pane("Are the retries set?", id="steps", classes="framed")
            yield Pane(f"Batch {inert(self._view.id)}", id="figures", classes="framed")
        table = LineTable(COLUMNS, markable=False, id="failures", empty="no failed jobs")
        table.add_class("framed")
        yield table

    def on_mount(self) -> None:
        """Show what is known, look for failed jobs."""
        self.query_one("#failures").border_title = "Failed jobs by message (they keep the batch open)"
        self._watch()
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Bars are as long as there is room."""
        self.call_after_refresh(self._show)

    def on_news(self, news: News) -> None:
        """The batch has moved on."""
        if news == "batches":
            self._show()

    def chosen(self) -> BatchView:
        """The batch as it is known now."""
        return self.session.book.get(self._view.id) or self._view

    def _show(self) -> None:
        view, now = self.chosen(), datetime.now(UTC)
        upper = self.query_one("#steps", Pane)
        upper.show(steps(view, max(min(upper.size.width - 30, 40), 10)))
        self.query_one("#figures", Pane).show(figures(view, now))
        if view.ended and self._poller is not None:
            self._poller.close()
            self._fill(Failures(0, ()))

    @work(group="batch.failures", exclusive=True, exit_on_error=False)
    async def _watch(self) -> None:
        from console.watch import Poller

        if not self.chosen().ended:
            self._poller = Poller(self._read, self._show_failures, interval=EVERY)
            self._poller.start()

    async def _read(self) -> Failures:
        from console.triage.causes import fold
        from store.contract.queries import JobQuery

        query = JobQuery(job_definition_id=self._view.batch_definition, no_retries_left=True)
        jobs = await self.session.ask(lambda client: client.jobs(query, 0, MOST_JOBS))
        causes = Counter(fold(job.exception_message) for job in jobs)
        one = {fold(job.exception_message): job for job in reversed(jobs)}
        return Failures(len(jobs), tuple((cause, number, one[cause]) for cause, number in causes.most_common()))

    def _show_failures(self, snapshot: Snapshot[Failures]) -> None:
        if snapshot.value is not None:
            self._fill(snapshot.value)

    def _fill(self, failures: Failures) -> None:
        table = self.query_one("#failures", LineTable)
        first = f" of the first {count(MOST_JOBS)}" if failures.read == MOST_JOBS else ""
        table.border_title = f"Failed jobs{first} by message (they keep the batch open)"
        table.set_total(len(failures.groups))
        table.put(0, [
            Row(cause, (Cell(count(number), "strong"), Cell(inert(cause), "failed")), job)
            for cause, number, job in failures.groups
        ])  # fmt: skip
        table.refresh()

    def on_screen_suspend(self) -> None:
        """Nothing is read behind a dialog."""
        if self._poller is not None:
            self._poller.pause()

    def on_screen_resume(self) -> None:
        """In front again."""
        if self._poller is not None:
            self._poller.resume()
        self._show()

    def on_unmount(self) -> None:
        """Look no more."""
        if self._poller is not None:
            self._poller.close()

    def action_open(self) -> None:
        """One job of the group in full."""
        from console.screens.jobs.detail import JobDetail

        row = self.query_one("#failures", LineTable).row
        if row is not None:
            self.app.push_screen(JobDetail(self.session, row.item))

    def action_back(self) -> None:
        """To the list."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copy the id of the batch."""
        self.app.copy_to_clipboard(self._view.id)
        self.session.say(f"Copied {self._view.id}", "muted")
