"""The start screen: tasks, the one under the cursor, live batches, incidents by cause."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from retriage.console.actions import at
from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import CauseGroups
from retriage.console.causes.open_incidents import OpenIncidents
from retriage.console.engine.errors import EngineProblem
from retriage.console.screens.batches.rows import NONE, live
from retriage.console.screens.listing import ABOUT_A_ROW, LIST_CSS, ListScreen
from retriage.console.screens.tasks.causes import BESIDE, COLUMNS, LEGEND, Cause, causes_of, row_of
from retriage.console.screens.tasks.subject import TaskSubject
from retriage.console.screens.tasks.verbs import TaskVerbs
from retriage.console.session.news import News
from retriage.console.session.poller import Poller, until_wanted
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import FocusPane, Item, Pane
from retriage.console.widgets.rows import Row
from retriage.store.contract.queries import ExternalTaskQuery, IncidentQuery

if TYPE_CHECKING:
    from retriage.console.reading.selection import Everything, Marked
    from retriage.console.screens.operations.dialog import OfTasks
    from retriage.console.session.snapshot import Snapshot
    from retriage.store.contract.records import ExternalTask, Incident

EMPTY_STORE = (
    "There are no external tasks in this store yet. `retriage demo` opens a made-up world to try things out; "
    "`retriage demo-data --store FILE --tasks 5000` fills an empty store with one."
)
CAUSES_EVERY = 30.0
"""Seconds between two samples of incidents."""
CAUSES_EVERY_WHILE_MOVING = 3.0
"""The same while a batch launched here runs, since incidents go then, and while the world of a demo is written."""
ROOM_BESIDE = 120
"""Cells from which on the signs of the causes are explained beside those of the tasks."""
MOST_GROUPED = 20_000
"""Incidents up to which all of them are read and grouped in the background."""
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
        self._whole = False
        """The causes shown are those of all incidents, not only of the newest."""
        self._has_chosen_cause = False
        """The causes had the focus: the cursor stays on the one it is on. Until then it is on the first one."""

    def lower(self) -> ComposeResult:
        """Incidents and batches."""
        with Horizontal(id="lower"):
            causes = LineTable(COLUMNS, markable=False, id="causes", empty="reading …")
            causes.border_title = "Incidents by cause"
            causes.add_class("framed")
            yield causes
            yield FocusPane("Batches", id="live", classes="framed")

    def on_mount(self) -> None:
        """Follow incidents as well."""
        self._watch_causes()

    def on_news(self, news: News) -> None:
        """Batches are shown live."""
        super().on_news(news)
        if news == "identity":  # what can be read is known
            self._show_batches()
            self._say_no_causes()
        elif news == "batches":
            self._show_batches()
            self._heed_causes_pace()
        elif news == "filled":
            self._has_chosen_cause = False
            self._heed_causes_pace()
            self._group_all()
        elif news == "state" and self._causes is not None:
            self._show_causes(self._causes.snapshot)  # their ages go on while nothing is read

    def _heed_causes_pace(self) -> None:
        soon = self.session.watch.launched or self.session.connection.filling
        if self._causes is not None:
            self._causes.every(CAUSES_EVERY_WHILE_MOVING if soon else CAUSES_EVERY)

    def _show_batches(self) -> None:
        if self.session.connection.client is not None:
            self.query_one("#live", Pane).show_fitted(self._live)

    def _live(self, width: int, height: int) -> list[Item]:
        """The batches in a pane of that size: bars are as long as there is room."""
        known = self.session.watch.known_batches
        none = self.session.connection.rights.unseen("batches") or (NONE if known.read_once else "reading …")
        return live(known.all(), width, height, self.session.connection.now(), none)

    @work(group="tasks.causes", exclusive=True, exit_on_error=False)
    async def _watch_causes(self) -> None:
        await self.session.connection.opened()
        self._causes = Poller(self._sample, self._show_causes, interval=CAUSES_EVERY, wanted=self.reader.wanted)
        self._heed_causes_pace()
        self._causes.start()
        if not self.session.connection.filling:
            self._group_all()

    @work(group="tasks.grouping", exclusive=True, exit_on_error=False)
    async def _group_all(self) -> None:
        """Read all incidents once, so that causes have their whole counts and trends, and can be retried from here."""

        async def page(query: IncidentQuery, first: int, size: int) -> list[Incident]:
            await until_wanted(self.reader.wanted)
            return await self.session.connection.ask(lambda client: client.incidents(query, first, size))

        async def counted(query: IncidentQuery) -> int:
            return await self.session.connection.ask(lambda client: client.count_incidents(query))

        await until_wanted(self.reader.wanted)
        incidents = OpenIncidents(IncidentQuery(), page, counted)
        with suppress(EngineProblem):
            if await counted(incidents.query) > MOST_GROUPED or self.session.watch.grouped is not None:
                return
            await incidents.fill(lambda: None)
            if self.session.watch.grouped is None:
                self.session.watch.grouped = incidents
            if self._causes is not None:
                await self._causes.refresh()

    async def _sample(self) -> CausesSample:
        """All incidents, where the incidents view has grouped them; else the newest ones."""
        now, known = self.session.connection.now(), self.session.watch.grouped
        if known is not None and known.complete:
            await known.catch_up()
            if known.overdue:
                await known.read_again(lambda: None)
            return CausesSample(len(known.groups), causes_of(known.groups, now, drifts=True), True)
        query = IncidentQuery(sort_by="incidentTimestamp", sort_order="desc")
        incidents = await self.session.connection.ask(lambda client: client.incidents(query, 0, SAMPLE))
        groups, everything = CauseGroups(), len(incidents) < SAMPLE
        groups.put(map(group_member_of, incidents))
        return CausesSample(len(incidents), causes_of(groups, now, drifts=everything), everything)

    def _show_causes(self, snapshot: Snapshot[CausesSample]) -> None:
        sample = snapshot.value
        if sample is None:
            return
        table, now = self.causes, self.session.connection.now()
        self._whole = sample.everything
        title = "Incidents by cause" if sample.everything else f"Causes of the newest {SAMPLE} incidents"
        table.border_title = f"{title}, as far as written" if self.session.connection.filling else title
        self._say_no_causes()
        table.set_total(len(sample.causes))
        table.put(0, [row_of(cause, now) for cause in sample.causes])
        if not self._has_chosen_cause:
            table.move_to(0)
        table.refresh()

    def _say_no_causes(self) -> None:
        if self._causes is not None and self._causes.snapshot.value is not None:
            self.causes.empty = self.session.connection.rights.unseen("incidents") or "There are no incidents."
            self.causes.refresh()

    @property
    def causes(self) -> LineTable:
        """The table of causes."""
        return self.query_one("#causes", LineTable)

    @property
    def _cause(self) -> Cause | None:
        """The cause under the cursor, where the causes have the focus."""
        row = self.causes.row if self.causes.has_focus else None
        return cast("Cause", row.item) if row is not None else None

    @on(LineTable.Opened, "#causes")
    def _cause_opened(self, message: LineTable.Opened) -> None:
        self.open_row(message.row)

    def legend(self) -> str:
        """What the signs mean in the pane that has the focus."""
        if self.causes.has_focus:
            return LEGEND
        return f"{super().legend()}{BESIDE if self.size.width >= ROOM_BESIDE else ''}"

    def on_descendant_focus(self) -> None:
        """Other keys act, and other signs are to be explained."""
        self._has_chosen_cause = self._has_chosen_cause or self.causes.has_focus
        self.tell_hints()
        self._tell_event()

    def hint_labels(self) -> dict[str, str]:
        """``R`` says what it would retry."""
        labels = super().hint_labels()
        if self.causes.has_focus:
            return {**labels, "tasks.retry": "retry cause..", "list.open": "its incidents"}
        return {**labels, "list.open": "open newest"} if self._batches_have_focus else labels

    def idle(self) -> Collection[str]:
        """Beside the causes, what is done with the task under the other cursor."""
        if self._batches_have_focus:
            return {*super().idle(), *ABOUT_A_ROW, *(action.name for action in at({"task", "tasks"}))} - {"list.open"}
        if not self.causes.has_focus:
            return super().idle()
        return {*super().idle(), *ABOUT_A_ROW, *(action.name for action in at({"task"}))} - {"list.open"}

    def on_unmount(self) -> None:
        """Look no more."""
        if self._causes is not None:
            self._causes.close()

    def nothing(self) -> str:
        """What to say when no row matches."""
        if self.filter_text or self.session.connection.identity.url:
            return super().nothing()
        return EMPTY_STORE

    def open_row(self, row: Row) -> None:
        """The task in full, or the cause among all incidents."""
        if isinstance(row.item, Cause):
            self.navigator.show_cause(row.item.group.key)
        else:
            self.navigator.show("task", row.item)

    def action_open(self) -> None:
        """What the cursor is on, in the pane that has the focus."""
        if self._batches_have_focus:
            self._open_newest_batch()
        else:
            super().action_open()

    @work(group="tasks.batch", exclusive=True, exit_on_error=False)
    async def _open_newest_batch(self) -> None:
        """The batch that stands first among those that run, or their list."""
        first = next(iter(self.session.watch.known_batches.all()), None)
        if first is None:
            self.session.news.say("No batch runs, and none has ended since the console was opened.", "muted")
        else:
            await self.navigator.show_batch(first.id)

    def task_in_hand(self) -> ExternalTask | None:
        """The task under the cursor."""
        row = self.table.row
        return cast("ExternalTask", row.item) if row is not None else None

    def action_retry(self) -> None:
        """Ask how the chosen tasks are to be retried: those of the cause, where the causes have the focus."""
        if self._beside_the_tasks():
            if (tasks := self._tasks_of_cause()) is not None:
                self._open_launch(tasks)
            return
        self.heed_filter()
        if not self._can_be_taken():
            return
        chosen = self._chosen()
        if chosen is None and self.table.total:
            self.session.news.say("The row under the cursor is still being read: press the key again.", "warning")
        else:
            self._open_launch(chosen, self._launched)

    def action_fix(self) -> None:
        """Set a variable of the instances of the chosen tasks, or of those of the cause, and retry these."""
        self._open_operation("fix")

    def action_skip(self) -> None:
        """Let the instances of the chosen tasks go on behind their activity."""
        self._open_operation("skip")

    def action_repeat(self) -> None:
        """Begin the activity of the chosen tasks anew."""
        self._open_operation("repeat")

    def action_suspend(self) -> None:
        """Suspend the instances of the chosen tasks."""
        self._open_operation("suspend")

    def action_activate(self) -> None:
        """Activate the instances of the chosen tasks."""
        self._open_operation("activate")

    def _open_operation(self, does: OfTasks) -> None:
        from retriage.console.screens.operations.dialog import open_for_tasks  # 60 ms

        if self._beside_the_tasks():
            if (tasks := self._tasks_of_cause()) is not None:
                open_for_tasks(self, does, tasks, lambda: None)
            return
        self.heed_filter()
        if self._can_be_taken():
            open_for_tasks(self, does, self._chosen(), self.table.unmark)

    def _beside_the_tasks(self) -> bool:
        """Another pane than that of the tasks has the focus: no task under the cursor is meant."""
        return self.causes.has_focus or self._batches_have_focus

    def _open_launch(self, chosen: Marked | Everything | None, done: Callable[[str], None] | None = None) -> None:
        from retriage.console.screens.launch.flow import open_launch  # 91 ms

        open_launch(self.app, self.session, chosen, done)

    @property
    def _batches_have_focus(self) -> bool:
        return self.query_one("#live").has_focus

    def _tasks_of_cause(self) -> Marked | None:
        """The tasks of the cause under the cursor; why there are none is said."""
        from retriage.console.reading.selection import Marked  # 12 ms

        cause = self._cause
        if self._batches_have_focus:
            said = "This key acts on tasks, or on a cause: tab leads to their panes."
        elif cause is None:
            said = "There is no cause under the cursor."
        elif not self._whole:
            said = (
                f"Only the newest {SAMPLE} incidents are read here: enter opens this cause among all of them, "
                "and R there takes the whole of it."
            )
        elif cause.group.kind != "T":
            said = "These are not external tasks: enter opens the cause, where R asks about its jobs."
        else:
            return Marked(frozenset(cause.group.failed()), inert(cause.text))
        self.session.news.say(said, "warning")
        return None

    def _can_be_taken(self) -> bool:
        """Whether it is known which tasks are chosen; it is said when not."""
        filtered = self.filtered_list
        if self.table.marks.everything and filtered is not None and not filtered.exact:
            self.session.news.say(filtered.not_yet("task"), "warning")
            return False
        return True

    def _chosen(self) -> Marked | Everything | None:
        """The marked tasks, or the one under the cursor; nothing if there is no row."""
        from retriage.console.screens.launch.flow import selection_of  # 91 ms

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
