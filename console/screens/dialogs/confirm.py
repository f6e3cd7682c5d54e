"""A question before something changes: Cancel has the focus, and the key that opened it does nothing."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from console.screens.dialogs.choice import Choice
from console.widgets.pane import Item, Pane, Prose, laid_out

WIDTH = 66
"""Cells of the question before the dialog is laid out."""


class Confirm(ModalScreen[bool]):
    """Asks; answers true only when the key of the order is pressed, or its button chosen."""

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("left,right,tab,shift+tab", "other", show=False),
    ]

    def __init__(self, title: str, sentences: Sequence[str | Item], label: str, key: str) -> None:
        super().__init__()
        self._title = title
        self._items: list[Item] = [Prose(entry) if isinstance(entry, str) else entry for entry in sentences]
        self._label = label
        self._key = key

    def compose(self) -> ComposeResult:
        """Title, sentences, two choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice(self._label, self._key, id="order")

    def on_mount(self) -> None:
        """Show what is asked."""
        self.query_one(".dialog").border_title = self._title
        self.query_one(Pane).show(self._items)

    def on_resize(self) -> None:
        """The question takes as many lines as it needs, and a blank one."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        pane = self.query_one(Pane)
        pane.styles.height = len(laid_out(self._items, pane.size.width or WIDTH)) + 1

    def on_key(self, event: events.Key) -> None:
        """Only the key of the order orders, and not together with another."""
        if event.key.startswith(("alt+", "ctrl+")):
            return
        if event.key == self._key or (event.character == self._key):
            event.stop()
            self.dismiss(True)

    def on_choice_taken(self, message: Choice.Taken) -> None:
        """A choice was taken with enter or the mouse."""
        self.dismiss(message.choice.id == "order")

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(False)

    def action_other(self) -> None:
        """To the other choice."""
        self.focus_next()
