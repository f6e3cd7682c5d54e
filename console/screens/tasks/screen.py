"""The start screen: tasks, the one under the cursor, live batches, incidents by cause."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from console.actions import at
from console.screens.listing import ListScreen
from console.screens.session import News, Session
from console.screens.tasks.causes import cause_lines
from console.screens.tasks.detail import TaskDetail
from console.screens.tasks.subject import Tasks
from console.screens.words import count
from console.widgets.bindings import bindings
from console.widgets.pane import Pane, Prose
from console.widgets.rows import Row

CAUSES_EVERY = 10.0
"""Seconds between two samples of incidents."""
SAMPLE = 500
"""Incidents of the sample, the newest ones."""


class TasksScreen(ListScreen):
    """External tasks, and what is going on with them."""

    CSS_PATH = ["../base.tcss", "../listing.tcss", "screen.tcss"]
    PLACES: ClassVar[tuple[str, ...]] = ("tasks", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"tasks"}))
    VIEW = "tasks"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        super().__init__(session, Tasks())

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

    def on_resize(self) -> None:
        """Bars are as long as there is room."""
        super().on_resize()
        self.call_after_refresh(self._show_batches)

    def _show_batches(self) -> None:
        from console.screens.batches.rows import live

        pane = self.query_one("#live", Pane)
        if self.session.client is None or not pane.size.width:
            return
        pane.show(live(self.app.book.all(), pane.size.width, pane.size.height, datetime.now(UTC)))  # type: ignore[attr-defined]

    @work(group="tasks.causes", exclusive=True, exit_on_error=False)
    async def _watch_causes(self) -> None:
        """Fold the newest incidents by cause from time to time, while the pane is in sight."""
        await self.session.opened()
        while True:
            started = time.monotonic()
            if self._looking() and not self.narrow:
                await self._read_causes()
            took = time.monotonic() - started
            await asyncio.sleep(max(CAUSES_EVERY if not self.session.launched else 2.0, 10 * took))

    async def _read_causes(self) -> None:
        from store.contract.queries import IncidentQuery

        query = IncidentQuery(sort_by="incidentTimestamp", sort_order="desc")
        incidents = await self._ask(lambda client: client.incidents(query, 0, SAMPLE))
        if incidents is None:
            return
        pane = self.query_one("#causes", Pane)
        total = self.session.counts.get("incidents", len(incidents))
        whole = len(incidents) < SAMPLE
        pane.entitle("Incidents by cause" if whole else f"Incidents by cause · newest {SAMPLE} of {count(total)}")
        pane.show(cause_lines(incidents, pane.size.height) or [Prose("no incidents", "good")])

    def open_row(self, row: Row) -> None:
        """The task in full."""
        self.app.push_screen(TaskDetail(self.session, row.item))

    def action_retry(self) -> None:
        """Ask how the chosen tasks are to be retried."""
        from console.screens.launch.flow import launch

        problem = self.session.why_no_orders()
        if problem:
            self.session.say(problem, "warning")
        elif self._query is not None:
            launch(self)
