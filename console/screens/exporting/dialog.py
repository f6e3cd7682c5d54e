"""Asks where something is written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from console.screens.dialogs.choice import Choice
from console.screens.dialogs.field import Field
from console.screens.dialogs.keys import KeyLine
from console.screens.exporting.files import kind_of
from console.widgets.pane import Pane, Prose


def no_rows(path: Path) -> str:
    """One sentence if rows cannot be written to a file of this name; empty if they can."""
    return "" if kind_of(path) is not None else "The name has to end in .csv or .json."


class ExportDialog(ModalScreen["Path | None"]):
    """Answers with a path in a folder that is there, or nothing.

    Args:
        path: the proposal.
        told: what would be written, in words.
        title: the same in a few.
        why_not: answers one sentence if a path cannot be taken.
    """

    CSS_PATH = Path(__file__).with_name("dialog.tcss")
    AUTO_FOCUS = "Typed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]

    def __init__(
        self,
        path: Path,
        told: str,
        title: str = "Write rows to a file",
        why_not: Callable[[Path], str] = no_rows,
    ) -> None:
        super().__init__()
        self._path = path
        self._told = told
        self._title = title
        self._why_not = why_not

    def compose(self) -> ComposeResult:
        """What is written, the field, two choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            yield Field("file", id="file", value=str(self._path))
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice("Write", "enter", id="order")
        yield KeyLine()

    def on_mount(self) -> None:
        """Say what is written."""
        self.query_one(".dialog").border_title = self._title
        self._say("")

    def _say(self, problem: str) -> None:
        self.query_one(Pane).show([Prose(self._told), Prose(problem or "A file that already exists is never touched.",
                                                      "warning" if problem else "muted")])  # fmt: skip

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter in the field."""
        message.stop()
        self._take()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A choice was taken."""
        if message.choice.id == "order":
            self._take()
        else:
            self.action_cancel()

    def _take(self) -> None:
        text = self.query_one(Field).value.strip()
        path = Path(text).expanduser()
        if not text or self._why_not(path):
            self._say(self._why_not(path) or "Say what the file is called.")
        elif not path.parent.is_dir():
            self._say(f"There is no folder {path.parent}.")
        else:
            self.dismiss(path.absolute())

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)
