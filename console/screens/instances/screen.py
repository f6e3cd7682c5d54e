"""Process instances: where they stand, and a retry of those of their tasks that need one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.operations.cancel import Cancel
from retriage.console.operations.set_variables import SetVariables
from retriage.console.operations.suspension import Activate, Suspend
from retriage.console.reading.instance_activity import InstanceActivity, activity_of, tasks_without_retries
from retriage.console.reading.instance_ids import instance_ids
from retriage.console.reading.selection import Instances, Marked
from retriage.console.screens.instances.subject import InstanceSubject
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.listing import LIST_CSS, ListScreen
from retriage.console.screens.operations.dialog import open_operation
from retriage.console.session.session import Session
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.words import bar, count, things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Pane, Prose, Spans
from retriage.console.widgets.rows import Row
from retriage.store.contract.queries import ExternalTaskQuery, IncidentQuery, ProcessInstanceQuery

if TYPE_CHECKING:
    from retriage.console.operations.operation import Operation
    from retriage.store.contract.queries import Query

BAR = 24
"""Cells of the longest bar."""
WARNING = "R lists only tasks without retries; the engine's own instance queries would also set healthy ones."


class InstancesScreen(ListScreen):
    """Running process instances."""

    CSS_PATH = [*LIST_CSS, Path(__file__).with_name("screen.tcss")]
    PLACES: ClassVar[tuple[str, ...]] = ("instances", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"instances"}))
    VIEW: ClassVar[str] = "instances"
    MARKABLE = True

    def __init__(self, session: Session) -> None:
        super().__init__(session, InstanceSubject())
        self.add_class("instances")

    def lower(self) -> ComposeResult:
        """Where those that are read stand."""
        yield Pane("Where they stand", id="standing", classes="framed")

    def show_detail(self, row: Row | None) -> None:
        """The pane about the row, and where all rows that are read stand."""
        super().show_detail(row)
        self._show_standing()

    def _show_standing(self) -> None:
        pane = self.query_one("#standing", Pane)
        rows = [cast("InstanceActivity", row.item) for row in self.table.loaded()]
        what = "" if self.narrow or not rows else "  (activity : instances : without retries)"
        pane.entitle(f"{_whose(len(rows), self.matching)}{what}")
        pane.show(_stands(activity_of(rows), pane.size.width, pane.size.height))

    def open_row(self, row: Row) -> None:
        """The tasks of the instance, in the tasks view."""
        self.navigator.jump("tasks", ExternalTaskQuery(process_instance_id=row.id))

    def action_variables(self) -> None:
        """The instance with its tasks and variables in full."""
        row = self.table.row
        if row is not None:
            self.navigator.show("instance", cast("InstanceActivity", row.item).instance)

    def action_incidents(self) -> None:
        """The open incidents of the instance, in the incidents view."""
        row = self.table.row
        if row is not None:
            self.navigator.jump("incidents", IncidentQuery(process_instance_id=row.id))

    @work(group="instances.retry", exclusive=True, exit_on_error=False)
    async def action_retry(self) -> None:
        """Look up the tasks without retries of the chosen instances, and open the launch dialog for exactly those."""
        self.heed_filter()
        try:
            ids = await self._chosen()
            if not ids:
                self.session.news.say("There is no instance to retry.", "warning")
                return
            tasks = await self.session.connection.ask(lambda client: tasks_without_retries(client, ids))
        except EngineProblem as problem:
            self.session.news.say(problem.sentence, "failed")
            return
        instances = things(len(ids), "instance")
        if not tasks:
            self.session.news.say(f"None of the tasks of {instances} is without retries.", "muted")
            return
        said = f"tasks without retries of {instances}"
        if not self.left_meanwhile("The launch dialog"):
            open_launch(self.app, self.session, Marked(frozenset(tasks), said), lambda _batch: self._launched())

    def action_suspend(self) -> None:
        """Suspend the chosen instances."""
        self._open(Suspend())

    def action_activate(self) -> None:
        """Activate the chosen instances."""
        self._open(Activate())

    def action_cancel(self) -> None:
        """Cancel the chosen instances."""
        self._open(Cancel())

    def action_set(self) -> None:
        """Set a variable of the chosen instances."""
        self._open(SetVariables())

    def _open(self, operation: Operation) -> None:
        self.heed_filter()
        open_operation(self.app, self.session, operation, self._selection(), self._launched)

    def _selection(self) -> Instances | None:
        """As :meth:`_chosen`; what matches is named by its query where the engine heeds it."""
        marks, row, query = self.table.marks, self.table.row, self.reader.query
        if not marks:
            return Instances(frozenset({row.id}), said="the instance under the cursor") if row is not None else None
        if not marks.everything:
            return Instances(frozenset(marks.ids))
        if self.filtered_list is not None:
            return Instances(frozenset(self.filtered_list.ids) - marks.ids, said=self.filter_text)
        if not isinstance(query, ProcessInstanceQuery):
            return None
        unsorted = query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
        return Instances(query=unsorted, but=frozenset(marks.ids), said=self.filter_text)

    def _launched(self) -> None:
        if self.is_attached:
            self.table.unmark()

    async def _chosen(self) -> set[str]:
        """Ids of the instances: all that match but those unmarked, the marked ones, or the one under the cursor."""
        marks, row, query = self.table.marks, self.table.row, self.reader.query
        if not marks:
            return {row.id} if row is not None else set()
        if not marks.everything:
            return set(marks.ids)
        if self.filtered_list is not None:
            return set(self.filtered_list.ids) - marks.ids
        return await self._matching(query) - marks.ids if query is not None else set()

    async def _matching(self, query: Query) -> set[str]:
        assert isinstance(query, ProcessInstanceQuery)
        said = self.session.news.say
        return await self.session.connection.ask(
            lambda client: instance_ids(
                client, query, lambda known: said(f"{count(known)} instances looked up …", "muted")
            )
        )


def _whose(read: int, matching: int | None) -> str:
    """Whose activities are shown: a pane that knows a part of the rows says so."""
    if not read:
        return "Where they stand, reading …" if matching is None else "Where they stand"
    if matching is None or read < matching:
        of = "…" if matching is None else count(matching)
        return f"Where they stand, {count(read)} of {of} read so far"
    return f"Where {'the one instance stands' if read == 1 else f'all {count(read)} instances stand'}"


def _stands(found: list[tuple[str, int, int]], width: int, room: int) -> list[Item]:
    """Activities with a bar, as many as fit, and why ``R`` looks tasks up itself."""
    if not found:
        return [Prose(WARNING, "faint", lines=1)]
    most = max(number for _, number, _ in found)
    if room < 3:
        short = "   ".join(f"{inert(name)} {count(number)}:{count(stuck)}" for name, number, stuck in found)
        narrow: list[Item] = [Prose(short, lines=1), Prose(WARNING, "faint", lines=1)]
        return narrow[: max(room, 1)]
    items: list[Item] = []
    for name, number, stuck in found[: room - 1]:
        spans: tuple[Span, ...] = (
            (f"{cut(inert(name), 24)} ", "strong" if stuck else ""),
            (bar(number / most, min(BAR, width // 3)), "failed" if stuck else "muted"),
            (f" {count(number):>6} : ", ""),
            (count(stuck), "failed" if stuck else "faint"),
        )
        items.append(Spans(spans))
    return [*items, Prose(WARNING, "faint", lines=1)]
