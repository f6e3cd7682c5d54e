"""A question before something changes: Cancel has the focus, and the key that opened it does nothing."""

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.confirm_delay import ConfirmDelay, pressed
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.widgets.pane import Item, Pane, Prose, laid_out

WIDTH = 66
"""Cells of the question before the dialog is laid out."""


class Confirm(ModalScreen[bool]):
    """Asks; answers true only when the key of the order is pressed, or its button chosen, and it could be read before.

    Args:
        title: the question.
        sentences: what it means.
        label: the order in a word.
        key: the key of the order.
        typed: what has to be typed first, a number; nothing has to where it is empty.
        instead: another order that can be given in its place, in a few words, and its key.
        clock: seconds that only go forward.

    Attributes:
        took_instead: the other order was given.
    """

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        title: str,
        sentences: Sequence[str | Item],
        label: str,
        key: str,
        *,
        typed: str = "",
        instead: tuple[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.delay = ConfirmDelay(self, self._tell, clock)
        self._typed = typed
        self._instead = instead
        self.took_instead = False
        self._title = title
        self._items: list[Item] = [Prose(entry) if isinstance(entry, str) else entry for entry in sentences]
        self._label = label
        self._key = key

    @property
    def asked(self) -> str:
        """The question in a line."""
        return self._title

    def compose(self) -> ComposeResult:
        """Title, sentences, two choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            if self._typed:
                yield Field("type", id="typed", hint=f"{self._typed} to do it", pattern=r"[\d,. ]*", most=14, width=20)
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice(self._label, self._key, id="order")
                if self._instead is not None:
                    yield Choice(*self._instead, id="instead")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show what is asked."""
        self.query_one(".dialog").border_title = self._title
        self.query_one(Pane).show(self._items)
        self.delay.shown(self._title)
        self._tell()

    def on_screen_resume(self) -> None:
        """In front again."""
        self.delay.covered()
        self._tell()

    def _tell(self) -> None:
        for choice in self.query(Choice):
            choice.enable(choice.id == "cancel" or (self._said and self.delay.over))

    def on_resize(self) -> None:
        """The question takes as many lines as it needs, and a blank one."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        pane = self.query_one(Pane)
        pane.styles.height = len(laid_out(self._items, pane.size.width or WIDTH)) + 1

    def on_key(self, event: events.Key) -> None:
        """Only the key of the order orders, and not together with another."""
        if pressed(event, self._key):
            event.stop()
            self._order()
        elif self._instead is not None and pressed(event, self._instead[1]):
            event.stop()
            self._order(instead=True)
        elif self._typed and event.character is not None and event.character.isdigit():
            event.stop()
            self.query_one(Field).type(event.character)

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A choice was taken with enter or the mouse."""
        if message.choice.id == "cancel":
            self.dismiss(False)
        else:
            self._order(instead=message.choice.id == "instead")

    def on_input_changed(self) -> None:
        """The number is there, or not."""
        self._tell()

    def on_input_submitted(self) -> None:
        """Enter behind the number."""
        self._order()

    @property
    def _said(self) -> bool:
        """What has to be typed is typed."""
        return not self._typed or "".join(filter(str.isdigit, self.query_one(Field).value)) == self._typed

    def _order(self, instead: bool = False) -> None:
        if not self._said:
            self.query_one(Field).enter()
        elif self.delay.confirms:
            self.took_instead = instead
            self.dismiss(True)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(False)
