"""Queries with a name: giving one, taking one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from retriage.console.text.inert import inert
from retriage.console.text.words import day
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line import Line
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.rows import Cell, Row

if TYPE_CHECKING:
    from retriage.console.session.session import Session
    from retriage.store.journal import SavedQuery

LONGEST = 60
"""Characters of a name."""
COLUMNS = (
    Column("name", 14, share=1, most=28, keep=9),
    Column("query", 20, share=3, keep=8),
    Column("saved", 20, keep=1),
)


class SaveQuery(ModalScreen["str | None"]):
    """Answers the name for a query, or nothing."""

    CSS_PATH = "saved.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("enter", "save", show=False, priority=True),
    ]

    def __init__(self, text: str, names: Sequence[str]) -> None:
        super().__init__()
        self._text = text
        self._names = frozenset(names)

    def compose(self) -> ComposeResult:
        """The query, and a field for its name."""
        with Vertical(classes="dialog"):
            yield Line(id="what")
            yield Input(placeholder="name", id="name", compact=True, max_length=LONGEST)
            yield Line(id="said")

    def on_mount(self) -> None:
        """Say what is saved."""
        frame = self.query_one(".dialog")
        frame.border_title, frame.border_subtitle = "Save this query", "enter saves   esc leaves"
        self.query_one(Input).cursor_blink = False
        self.query_one("#what", Line).show([(inert(self._text), "muted")])

    def on_input_changed(self, message: Input.Changed) -> None:
        """A name that is taken already is told."""
        taken = message.value.strip() in self._names
        self.query_one("#said", Line).show([("replaces the query of that name", "warning")] if taken else [])

    def action_save(self) -> None:
        """Answer the name."""
        name = self.query_one(Input).value.strip()
        if name:
            self.dismiss(name)
        else:
            self.query_one("#said", Line).show([("type a name first", "warning")])

    def action_close(self) -> None:
        """Save nothing."""
        self.dismiss(None)


class SavedQueries(ModalScreen["str | None"]):
    """Answers the text of the query that was chosen, or nothing."""

    CSS_PATH = "saved.tcss"
    AUTO_FOCUS = "LineTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("enter", "take", show=False, priority=True),
        Binding("x,delete", "forget", show=False),
    ]

    def __init__(self, session: Session, subject: str, queries: Sequence[SavedQuery]) -> None:
        super().__init__()
        self._session = session
        self._subject = subject
        self._queries = list(queries)

    def compose(self) -> ComposeResult:
        """A table."""
        with Vertical(classes="dialog -tall"):
            yield LineTable(COLUMNS, markable=False, id="saved", empty="no query is saved for this engine")

    def on_mount(self) -> None:
        """All of them."""
        frame = self.query_one(".dialog")
        frame.border_title, frame.border_subtitle = "Saved queries", "enter takes   x forgets   esc leaves"
        self._list()

    def _list(self) -> None:
        table = self.query_one(LineTable)
        table.begin()
        table.set_total(len(self._queries))
        table.put(0, [_row(query) for query in self._queries])
        table.refresh()

    def action_take(self) -> None:
        """Answer the one under the cursor."""
        row = self.query_one(LineTable).row
        self.dismiss(cast("SavedQuery", row.item).text if row else None)

    async def action_forget(self) -> None:
        """Take its name away."""
        row = self.query_one(LineTable).row
        if row is not None and await self._session.memory.forget(self._subject, row.id):
            self._queries = [query for query in self._queries if query.name != row.id]
            self._list()

    def action_close(self) -> None:
        """Take none."""
        self.dismiss(None)


def _row(query: SavedQuery) -> Row:
    text = inert(query.text)
    return Row(query.name, (Cell(inert(query.name), "strong"), Cell(text), Cell(day(query.saved_at), "muted")), query)
