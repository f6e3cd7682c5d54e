"""Batches: the running ones live, below them the ended ones of the engine's history."""

from __future__ import annotations

from typing import ClassVar, cast

from textual.binding import BindingType

from retriage.console.actions import at
from retriage.console.batches.batch_view import BatchView
from retriage.console.engine.rights import READ_BATCH_HISTORY, UNSEEN_ENDS
from retriage.console.screens.batches.subject import Batches
from retriage.console.screens.batches.verbs import BatchVerbs
from retriage.console.screens.listing import ListScreen
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.words import count
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.filter_line import FilterLine
from retriage.console.widgets.line import Span
from retriage.console.widgets.rows import Row


class BatchesScreen(ListScreen):
    """All batches that are known."""

    PLACES: ClassVar[tuple[str, ...]] = ("batches", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"batches"}))
    VIEW: ClassVar[str] = "batches"

    def __init__(self, session: Session) -> None:
        self._batches = Batches(session.watch.known_batches)
        super().__init__(session, self._batches)
        self._orders = BatchVerbs(self, self.chosen, self.action_refresh)
        self.attach(self._orders)
        self._seen: tuple[tuple[str, str], ...] = ()

    def on_news(self, news: News) -> None:
        """The session knows more than the row; rows are read again when a batch has come, changed or ended."""
        super().on_news(news)
        if news == "batches" and self.is_current:
            self.show_detail(self.table.row)
            self.tell_count()
            self.tell_hints()
            seen = tuple((view.id, view.phase) for view in self.session.watch.known_batches.all())
            if seen != self._seen:
                self._seen = seen
                self.action_refresh()

    def nothing(self) -> str:
        """What to say when no row matches."""
        if self.filter_text:
            return "No batch matches, running or ended.  esc clears the filter"
        if unseen := self.session.connection.rights.unseen("batches"):
            return unseen
        if self.session.connection.rights.lacks(READ_BATCH_HISTORY):
            return f"There are no running batches; {UNSEEN_ENDS}."
        if self.session.connection.unrecorded == "untold":
            return "There are no running batches; this engine keeps no history of ended ones."
        return "There are no batches, running or ended."

    def tell_count(self) -> None:
        """How many run and how many have ended: the view lists both."""
        spans: list[Span] = []
        if self.matching is not None and not self.session.connection.rights.unseen("batches"):
            running = self._batches.running - self._batches.unrecorded
            ended = max(self.matching - running, 0)
            spans = [(count(running), "strong"), (" running, ", "muted")]
            unseen = self.session.connection.rights.lacks(READ_BATCH_HISTORY)
            if unseen and not ended:
                spans.append(("ended ones not shown", "warning"))
            else:
                spans += [(count(ended) + "+" * unseen, "strong"), (" ended", "muted")]
        spans += self.unread_said()
        spans.append((f"  sort {self.sort.label} {'▼' if self.sort.descending else '▲'} ", "muted"))
        self.query_one("#filter", FilterLine).show_count(spans)

    def chosen(self) -> BatchView | None:
        """The batch under the cursor."""
        row = self.table.row
        return None if row is None else self.session.watch.known_batches.get(row.id) or cast("BatchView", row.item)

    def hint_labels(self) -> dict[str, str]:
        """What the orders would do with the batch under the cursor."""
        return super().hint_labels() | self._orders.hint_labels()

    def open_row(self, row: Row) -> None:
        """The batch with its phases, tasks and failed jobs."""
        self.navigator.show("batch", row.item)
