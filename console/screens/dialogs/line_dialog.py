"""Asks for one line of text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.widgets.pane import Item, Pane

Answer = TypeVar("Answer")


class LineDialog(ModalScreen[Answer | None]):
    """Answers what the line means, or nothing. What it cannot be is said, and it stays.

    Args:
        title: of the dialog; inert.
        value: what stands in the field at first.
        most: most characters.
    """

    CSS_PATH = Path(__file__).with_name("dialogs.tcss")
    AUTO_FOCUS = "Typed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]
    LINES: ClassVar[int]
    """Lines above the field."""
    FIELD: ClassVar[str]
    """The word before the field, and its id."""
    ORDER: ClassVar[str]
    """The choice that answers, in a word."""

    def __init__(self, title: str, value: str = "", most: int = 400) -> None:
        super().__init__()
        self._title = title
        self._field = Field(self.FIELD, id=self.FIELD, value=value, most=most)

    @abstractmethod
    def above(self, problem: str) -> Sequence[Item]:
        """What stands above the field; ``problem`` says why the line cannot be taken, and is empty before."""

    @abstractmethod
    def answer(self, text: str) -> Answer:
        """What the line means.

        Raises:
            ValueError: it cannot be taken; the text is a sentence that says why.
        """

    def compose(self) -> ComposeResult:
        """What is asked, the field, two choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            yield self._field
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice(self.ORDER, "enter", id="order")
        yield KeyLine()

    def on_mount(self) -> None:
        """Nothing is wrong yet."""
        self.query_one(".dialog").border_title = self._title
        self.query_one(Pane).styles.height = self.LINES
        self._say("")

    def _say(self, problem: str) -> None:
        self.query_one(Pane).show(list(self.above(problem)))

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
        try:
            self.dismiss(self.answer(self._field.value))
        except ValueError as mistake:
            self._say(str(mistake))

    def action_cancel(self) -> None:
        """Answer nothing."""
        self.dismiss(None)
