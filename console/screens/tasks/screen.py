"""The start screen: tasks, the one under the cursor, live batches, incidents by cause."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from console.actions import at
from console.causes.group_members import group_member_of
from console.causes.groups import CauseGroups
from console.screens.batches.rows import live
from console.screens.listing import LIST_CSS, ListScreen
from console.screens.tasks.causes import Cause, cause_lines, causes_of
from console.screens.tasks.subject import TaskSubject
from console.screens.tasks.verbs import TaskVerbs
from console.session.poller import Poller
from console.session.session import News, Session
from console.text.words import count
from console.widgets.bindings import bindings
from console.widgets.pane import Pane, Prose
from console.widgets.rows import Row
from store.contract.queries import ExternalTaskQuery, IncidentQuery

if TYPE_CHECKING:
    from console.reading.selection import Everything, Marked
    from console.session.snapshot import Snapshot
    from store.contract.records import ExternalTask

EMPTY_STORE = (
    "There are no external tasks in this store yet. `retriage demo` opens a made-up world to try things on; "
    "`retriage demo-data --store FILE --tasks 5000` fills an empty store with one."
)
CAUSES_EVERY = 30.0
"""Seconds between two samples of incidents."""
CAUSES_EVERY_WHILE_LAUNCHED = 3.0
"""The same while a batch launched here runs, since incidents go then."""
SAMPLE = 500
"""Incidents of the sample, the newest ones."""


class CausesSample(NamedTuple):
    """What is known of the incidents: all of them or the newest, by cause, the most frequent first."""

    size: int
    causes: tuple[Cause, ...]
    everything: bool


class TasksScreen(ListScreen):
    """External tasks, and what is going on with them."""

    CSS_PATH = [*LIST_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("tasks", "task", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"tasks", "task"}))
    VIEW = "tasks"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        super().__init__(session, TaskSubject())
        self.attach(TaskVerbs(self, self.task_in_hand, self._locks_meant, self._unlocked))
        self._causes: Poller[CausesSample] | None = None

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
        pane = self.query_one("#live", Pane)
        if self.session.client is None or not pane.size.width:
            return
        pane.show(live(self.session.book.all(), pane.size.width, pane.size.height, datetime.now(UTC)))

    @work(group="tasks.causes", exclusive=True, exit_on_error=False)
    async def _watch_causes(self) -> None:
        await self.session.opened()
        self._causes = Poller(self._sample, self._show_causes, interval=CAUSES_EVERY)
        self._causes.start()

    async def _sample(self) -> CausesSample:
        """All incidents, where the incidents view has grouped them; else the newest ones."""
        now, book = datetime.now(UTC), self.session.grouped
        if book is not None and book.complete:
            await book.catch_up()
            if book.overdue:
                await book.read_again(lambda: None)
            return CausesSample(len(book.groups), causes_of(book.groups, now, drifts=True), True)
        query = IncidentQuery(sort_by="incidentTimestamp", sort_order="desc")
        incidents = await self.session.ask(lambda client: client.incidents(query, 0, SAMPLE))
        groups, everything = CauseGroups(), len(incidents) < SAMPLE
        groups.put(map(group_member_of, incidents))
        return CausesSample(len(incidents), causes_of(groups, now, drifts=everything), everything)

    def _show_causes(self, snapshot: Snapshot[CausesSample]) -> None:
        sample = snapshot.value
        if sample is None:
            return
        pane = self.query_one("#causes", Pane)
        everything = f"Incidents by cause  {count(sample.size)}"
        pane.entitle(everything if sample.everything else f"Causes of the newest {SAMPLE} incidents")
        pane.show(cause_lines(sample.causes, pane.size.height) or [Prose("no incidents", "good")])

    def heed_pause(self) -> None:
        """The incidents rest too."""
        super().heed_pause()
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

    def nothing(self) -> str:
        """What to say when no row matches."""
        if self.filter_text or self.session.identity.url:
            return super().nothing()
        return EMPTY_STORE

    def open_row(self, row: Row) -> None:
        """The task in full."""
        self.navigator.show("task", row.item)

    def task_in_hand(self) -> ExternalTask | None:
        """The task under the cursor."""
        row = self.table.row
        return cast("ExternalTask", row.item) if row is not None else None

    def action_retry(self) -> None:
        """Ask how the chosen tasks are to be retried."""
        from console.screens.launch.flow import open_launch

        self.heed_filter()
        if self._can_be_taken():
            open_launch(self.app, self.session, self._chosen(), self._launched)

    def _can_be_taken(self) -> bool:
        """Whether it is known which tasks are chosen; it is said when not."""
        filtered = self.filtered_list
        if self.table.marks.everything and filtered is not None and not filtered.exact:
            self.session.say(filtered.not_yet("task"), "warning")
            return False
        return True

    def _chosen(self) -> Marked | Everything | None:
        """The marked tasks, or the one under the cursor; nothing if there is no row."""
        from console.screens.launch.flow import selection_of

        row, filtered, query = self.table.row, self.filtered_list, self.reader.query
        if not isinstance(query, ExternalTaskQuery):
            return None
        filtered_ids = filtered.ids if filtered is not None else None
        return selection_of(self.table.marks, row.id if row else None, query, self.filter_text, filtered_ids)

    def _locks_meant(self) -> Marked | Everything | None:
        """The marked tasks, or the one under the cursor."""
        self.heed_filter()
        return self._chosen() if self._can_be_taken() else None

    def _unlocked(self) -> None:
        """See the tasks as they are now."""
        self.table.unmark()
        self.action_refresh()

    def _launched(self, batch_id: str) -> None:
        if self.table.marks:
            self.table.unmark()
