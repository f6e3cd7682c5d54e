"""The list of actions: type to narrow it, enter runs one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from retriage.console.actions import Action, at
from retriage.console.screens.help.ranked import ranked
from retriage.console.widgets.columns import Column
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.rows import Cell, Row

COLUMNS = (
    Column("key", 8, keep=9),
    Column("action", 18, keep=8),
    Column("what it does", 20, share=1, keep=7),
)


class Palette(ModalScreen["Action | None"]):
    """Answers the action that was chosen.

    Args:
        places: where actions are found.
        labels: labels that say more than the table of actions, by the name of the action.
        idle: names of actions that would do nothing now.
    """

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("down,tab", "move(1)", show=False, priority=True),
        Binding("up,shift+tab", "move(-1)", show=False, priority=True),
        Binding("enter", "run", show=False, priority=True),
    ]

    def __init__(self, places: Collection[str], labels: Mapping[str, str], idle: Collection[str]) -> None:
        super().__init__()
        self._labels = labels
        self._idle = idle
        self._actions = [action for action in at(places) if action.name != "app.palette"]

    def compose(self) -> ComposeResult:
        """A field and a list."""
        with Vertical(classes="dialog"):
            yield Input(placeholder="what to do", id="words", compact=True)
            yield LineTable(COLUMNS, markable=False, id="actions", empty="no action has that name")

    def on_mount(self) -> None:
        """All actions."""
        self.query_one(Input).cursor_blink = False
        self.query_one(".dialog").border_title = "Actions"
        self.query_one(".dialog").border_subtitle = "enter runs   esc closes"
        self._list("")

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        self._list(message.value)

    def _list(self, text: str) -> None:
        table = self.query_one(LineTable)
        found = ranked(self._actions, text, self._idle)
        table.begin()
        table.set_total(len(found))
        table.put(0, [self._row(action) for action in found])

    def action_move(self, step: int) -> None:
        """Another line."""
        table = self.query_one(LineTable)
        (table.action_down if step > 0 else table.action_up)()

    def action_run(self) -> None:
        """Answer the action under the cursor."""
        row = self.query_one(LineTable).row
        self.dismiss(cast("Action", row.item) if row else None)

    def action_close(self) -> None:
        """Answer nothing."""
        self.dismiss(None)

    def _row(self, action: Action) -> Row:
        resting = action.name in self._idle
        label = self._labels.get(action.name, action.label)
        return Row(
            action.name,
            (
                Cell(action.shown_keys, "faint" if resting else "accent"),
                Cell(label, "faint" if resting else "warning" if action.changes_engine else "strong"),
                Cell(action.help, "faint" if resting else ""),
            ),
            action,
        )
