"""One launch: what was sent, and its tasks with the retries they had before and have now."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.journal import journal_problem
from retriage.console.operations.known import operation_of
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.selected_tasks import read_selected_tasks
from retriage.console.reading.selection import Marked
from retriage.console.screens.base import BASE_CSS, ConsoleScreen
from retriage.console.screens.journal.rows import facts, request_lines
from retriage.console.screens.journal.verbs import LaunchVerbs
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Pane
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.reading.selected_tasks import SelectedTasks
    from retriage.store.journal import Launch, TaskBefore

COLUMNS = (
    Column("task", 14, share=3, most=40, keep=9, tail=True),
    Column("before", 6, keep=9, align="right"),
    Column("now", 5, keep=8, align="right"),
    Column("", 8, share=1, keep=4),
)
LARGEST = 400
"""Most tasks that are read at once."""


class LaunchDetail(ConsoleScreen):
    """A launch in full."""

    CSS_PATH = [BASE_CSS, Path(__file__).with_name("journal.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("journal", "detail")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"journal", "detail"}))
    VIEW: ClassVar[str] = "journal"

    def __init__(self, session: Session, launch: Launch) -> None:
        super().__init__(session)
        self.attach(LaunchVerbs(self, self.chosen))
        self.add_class("journal", "-detail")
        self._launch = launch

    def body(self) -> Iterable[Widget]:
        """The launch and its request on one side, its tasks on the other."""
        with Horizontal(id="upper"):
            with Vertical(id="side"):
                yield Pane(f"Launch {self._launch.id}", id="facts", classes="framed")
                yield Pane("Request", id="request", classes="framed")
            empty = "" if self._launch.listed else "Its tasks are not known: there were too many to be read."
            table = LineTable(COLUMNS, markable=False, id="rows", empty=empty)
            table.add_class("framed")
            yield table

    @property
    def table(self) -> LineTable:
        """Its tasks."""
        return self.query_one("#rows", LineTable)

    def on_mount(self) -> None:
        """Show what is known, read the tasks."""
        known = self._launch.listed
        self.table.border_title = (
            "Tasks" if known is None else f"{operation_of(self._launch).units(known)}, retries before and now"
        )
        self.table.set_total(known or 0)
        self.call_after_refresh(self._tell)
        self._read(0, LARGEST)

    def on_news(self, news: News) -> None:
        """Its batch goes on, or it is known by now what became of it."""
        if news == "batches" and self.is_current:
            self._tell()
        elif news == "journal":
            self._read_launch()

    @work(group="journal.launch", exclusive=True, exit_on_error=False)
    async def _read_launch(self) -> None:
        journal = self.session.memory.journal
        if journal is not None:
            try:
                self._launch = await journal.launch(self._launch.id) or self._launch
            except journal_problem():
                pass  # The detail shows what was known.
        self._tell()

    def on_resize(self) -> None:
        """The panes say as much as fits."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        view = self.session.watch.known_batches.get(self._launch.batch_id or "")
        self.query_one("#facts", Pane).show(facts(self._launch, view))
        self.query_one("#request", Pane).show(request_lines(self._launch))

    @on(LineTable.RowsWanted, "#rows")
    def _wanted(self, message: LineTable.RowsWanted) -> None:
        self._read(message.first, message.last - message.first + 1)

    @work(group="journal.tasks", exclusive=True, exit_on_error=False)
    async def _read(self, first: int, size: int) -> None:
        journal = self.session.memory.journal
        if journal is None or not self._launch.listed:
            return
        try:
            tasks = await journal.tasks(self._launch.id, first, min(size, LARGEST))
        except journal_problem() as problem:
            self.session.news.say(f"The journal cannot be read: {getattr(problem, 'orig', None) or problem}", "failed")
            return
        self.table.put(first, [self._row(task, None) for task in tasks])
        selected_tasks = await self._now(tasks)
        self.table.put(first, [self._row(task, selected_tasks) for task in tasks])

    async def _now(self, tasks: list[TaskBefore]) -> SelectedTasks | None:
        """What the tasks have now; other units are not among the engine's tasks."""
        if self._launch.operation != SetRetries.name:
            return None
        selection = Marked(frozenset(task.task_id for task in tasks))
        try:
            return await self.session.connection.ask(lambda client: read_selected_tasks(client, selection))
        except EngineProblem:
            return None

    def _row(self, task: TaskBefore, selected_tasks: SelectedTasks | None) -> Row:
        before = "-" if task.retries is None else str(task.retries)
        now, told = "", ""
        if selected_tasks is not None:
            has = selected_tasks.retries.get(task.task_id)
            now = ("-" if has is None else str(has)) if task.task_id in selected_tasks.retries else ""
            told = "" if now else "has ended"
            if task.task_id in selected_tasks.delayed:
                told = "in its retry time"
            elif task.task_id in selected_tasks.held:
                sure = task.task_id not in selected_tasks.unsure
                told = "locked by a worker" if sure else "lock or retry time"
        cells = (Cell(inert(task.task_id)), Cell(before, "muted"), Cell(now, "failed" if now == "0" else ""))
        return Row(task.task_id, (*cells, Cell(told, "muted")), task)

    def chosen(self) -> Launch | None:
        """The launch that is shown."""
        return self._launch

    def action_back(self) -> None:
        """To the list."""
        self.dismiss()
