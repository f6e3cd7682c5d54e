"""The start screen: tasks, the one under the cursor, live batches, incidents by cause."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from console.actions import at
from console.screens.listing import LIST_CSS, ListScreen
from console.screens.session import News, Session
from console.screens.tasks.causes import cause_lines
from console.screens.tasks.detail import TaskDetail
from console.screens.tasks.subject import Tasks
from console.widgets.bindings import bindings
from console.widgets.pane import Pane, Prose
from console.widgets.rows import Row

if TYPE_CHECKING:
    from console.triage.launch import Plan
    from console.watch import Poller, Snapshot

CAUSES_EVERY = 10.0
"""Seconds between two samples of incidents."""
CAUSES_EVERY_WHILE_LAUNCHED = 3.0
"""The same while a batch launched here runs, since incidents go then."""
SAMPLE = 500
"""Incidents of the sample, the newest ones."""


class Sample(NamedTuple):
    """Causes of so many incidents, the most frequent first."""

    size: int
    causes: tuple[tuple[str, int], ...]


class TasksScreen(ListScreen):
    """External tasks, and what is going on with them."""

    CSS_PATH = [*LIST_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("tasks", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"tasks"}))
    VIEW = "tasks"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        super().__init__(session, Tasks())
        self._causes: Poller[Sample] | None = None

    def lower(self) -> ComposeResult:
        """Batches and incidents."""
        with Horizontal(id="lower"):
            yield Pane("Batches", id="live", classes="framed")
            yield Pane("Incidents by cause", id="causes", classes="framed")

    def on_mount(self) -> None:
        """Follow incidents as well."""
        self._watch_causes()

    def on_news(self, news: News) -> None:
        """Batches are shown live."""
        super().on_news(news)
        if news == "batches":
            self._show_batches()
            if self._causes is not None:
                self._causes.every(CAUSES_EVERY_WHILE_LAUNCHED if self.session.launched else CAUSES_EVERY)

    def on_resize(self) -> None:
        """Bars are as long as there is room."""
        self.call_after_refresh(self._show_batches)

    def _show_batches(self) -> None:
        from console.screens.batches.rows import live

        pane = self.query_one("#live", Pane)
        if self.session.client is None or not pane.size.width:
            return
        pane.show(live(self.session.book.all(), pane.size.width, pane.size.height, datetime.now(UTC)))

    @work(group="tasks.causes", exclusive=True, exit_on_error=False)
    async def _watch_causes(self) -> None:
        await self.session.opened()
        from console.watch import Poller

        self._causes = Poller(self._sample, self._show_causes, interval=CAUSES_EVERY)
        self._causes.start()

    async def _sample(self) -> Sample:
        """The newest incidents folded by cause."""
        from collections import Counter

        from console.triage.causes import fold
        from store.contract.queries import IncidentQuery

        query = IncidentQuery(sort_by="incidentTimestamp", sort_order="desc")
        incidents = await self.session.ask(lambda client: client.incidents(query, 0, SAMPLE))
        causes = Counter(fold(incident.incident_message) for incident in incidents)
        return Sample(len(incidents), tuple(causes.most_common()))

    def _show_causes(self, snapshot: Snapshot[Sample]) -> None:
        sample = snapshot.value
        if sample is None:
            return
        pane = self.query_one("#causes", Pane)
        pane.entitle(f"Causes of the newest {SAMPLE} incidents" if sample.size == SAMPLE else "Incidents by cause")
        pane.show(cause_lines(sample.causes, pane.size.height) or [Prose("no incidents", "good")])

    def _heed_pause(self) -> None:
        super()._heed_pause()
        if self._causes is not None:
            looking = self.is_current and not self.session.paused and not self.narrow
            (self._causes.resume if looking else self._causes.pause)()

    def on_screen_suspend(self) -> None:
        """Nothing is read behind another screen."""
        if self._causes is not None:
            self._causes.pause()

    def on_unmount(self) -> None:
        """Look no more."""
        if self._causes is not None:
            self._causes.close()

    def open_row(self, row: Row) -> None:
        """The task in full."""
        self.app.push_screen(TaskDetail(self.session, row.item))

    def action_retry(self) -> None:
        """Ask how the chosen tasks are to be retried."""
        problem = self.session.why_no_orders()
        if self.session.launching:
            problem = "A launch is still on its way; wait until it is known what became of it."
        if problem:
            self.session.say(problem, "warning")
            return
        self.heed_filter()
        from console.screens.launch.flow import ask
        from store.contract.queries import ExternalTaskQuery

        if isinstance(self._query, ExternalTaskQuery):
            ask(self, self._query, self._decided)

    def _decided(self, plan: Plan | None) -> None:
        if plan is not None:
            self.session.launching = True
            self._launch(plan)

    @work(group="tasks.order", exit_on_error=False)
    async def _launch(self, plan: Plan) -> None:
        from console.screens.launch.flow import launch

        try:
            await launch(self, plan)
        finally:
            self.session.launching = False
