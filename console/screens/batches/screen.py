"""Batches: the running ones live, the ended ones from history for the rest of the session."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from console.actions import at
from console.screens.batches.book import BatchView
from console.screens.batches.detail import BatchDetail
from console.screens.batches.ordering import BatchOrders
from console.screens.batches.subject import Batches
from console.screens.listing import ListScreen
from console.screens.session import News, Session
from console.widgets.bindings import bindings
from console.widgets.rows import Row


class BatchesScreen(BatchOrders, ListScreen):
    """All batches that are known."""

    PLACES: ClassVar[tuple[str, ...]] = ("batches", "list")
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"batches"}))
    VIEW: ClassVar[str] = "batches"

    def __init__(self, session: Session) -> None:
        super().__init__(session, Batches(session.book))

    def on_news(self, news: News) -> None:
        """The book knows more than the row under the cursor."""
        super().on_news(news)
        if news == "batches" and self.is_current:
            self.show_detail(self.table.row)
            if self.table.total != self.session.counts.get("batches", 0) + len(self.session.book.ended()):
                self.action_refresh()

    def chosen(self) -> BatchView | None:
        """The batch under the cursor."""
        row = self.table.row
        return None if row is None else row.item

    def ordered(self) -> None:
        """Show what has become of it."""
        self.action_refresh()

    def open_row(self, row: Row) -> None:
        """The batch with its phases and failed jobs."""
        self.app.push_screen(BatchDetail(self.session, row.item))
