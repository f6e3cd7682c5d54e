"""Asks which columns of a list are shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection

from retriage.console.widgets.line import Line, Span


class ColumnsDialog(ModalScreen["frozenset[int] | None"]):
    """Answers the columns to leave out, or nothing.

    Args:
        titles: titles of all columns.
        hidden: indexes of those that are left out now.
    """

    AUTO_FOCUS = "SelectionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("enter", "take", show=False, priority=True),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]
    DEFAULT_CSS = """
    ColumnsDialog { align: center middle; }
    ColumnsDialog > .dialog {
        width: 36; height: auto; max-height: 80%; border: round $frame-focus; background: $panel; padding: 0 1;
        border-title-color: $ink-accent;
    }
    ColumnsDialog #keys { dock: bottom; background: $line-ground; }
    ColumnsDialog SelectionList, ColumnsDialog SelectionList:focus {
        border: none; height: auto; max-height: 16; padding: 0; background: $panel;
    }
    """

    def __init__(self, titles: Sequence[str], hidden: Collection[int]) -> None:
        super().__init__()
        self._titles = titles
        self._hidden = hidden

    def compose(self) -> ComposeResult:
        """A tick for each column."""
        with Vertical(classes="dialog"):
            yield SelectionList[int](
                *(Selection(title, index, index not in self._hidden) for index, title in enumerate(self._titles))
            )
        yield Line(id="keys")

    def on_mount(self) -> None:
        """Say what is asked, and which keys act."""
        self.query_one(".dialog").border_title = "Columns"
        said: list[Span] = []
        for key, label in (("space", "show or leave out"), ("enter", "take"), ("esc", "cancel")):
            said += [(f"  {key}" if said else f" {key}", "accent"), (f" {label}", "muted")]
        self.query_one("#keys", Line).show(said)

    def action_take(self) -> None:
        """These columns; where none is ticked all stay."""
        shown = set(self.query_one(SelectionList).selected)
        self.dismiss(frozenset(range(len(self._titles))) - shown if shown else frozenset())

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)

    def action_down(self) -> None:
        """One column down."""
        self.query_one(SelectionList).action_cursor_down()

    def action_up(self) -> None:
        """One column up."""
        self.query_one(SelectionList).action_cursor_up()
