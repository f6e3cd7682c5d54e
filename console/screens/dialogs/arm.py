"""Takes the safety off: the operator types the name of the engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.confirm_delay import ConfirmDelay
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.text.inert import inert
from retriage.console.widgets.pane import Item, Pane, Prose, laid_out

if TYPE_CHECKING:
    from textual.app import App

    from retriage.console.session.session import Session

WIDTH = 66
"""Cells of the sentences before the dialog is laid out."""


class ArmDialog(ModalScreen[bool]):
    """Answers whether the name was typed.

    Args:
        name: the engine, as it has to be typed.
        environment: its word.
        clock: seconds that only go forward.
    """

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "Typed"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]

    def __init__(self, name: str, environment: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.delay = ConfirmDelay(self, self._tell, clock)
        self._wanted = name
        self._items: list[Item] = [
            Prose(f"For ten minutes capital keys may change {inert(environment)}. It locks again by itself, when the "
                  "connection is lost, and when you leave."),
            Prose(""),
            Prose(f"Type the engine's name: {inert(name)}", "strong"),
        ]  # fmt: skip
        self._shown = self._items

    def compose(self) -> ComposeResult:
        """What it means, the field, two choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            yield Field("name", id="typed")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                yield Choice("Take it off", "enter", id="order")
        yield KeyLine()

    def on_mount(self) -> None:
        """Nothing is typed yet."""
        self.query_one(".dialog").border_title = "Take the safety off?"
        self.query_one(Pane).show(self._items)
        self.delay.shown(self._wanted)
        self._tell()

    def on_screen_resume(self) -> None:
        """In front again."""
        self.delay.covered()
        self._tell()

    def _tell(self) -> None:
        self.query_one("#order", Choice).enable(self._matches and self.delay.over)

    def on_resize(self) -> None:
        """The sentences take as many lines as they need."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        pane = self.query_one(Pane)
        pane.styles.height = len(laid_out(self._shown, pane.size.width or WIDTH))

    @property
    def _matches(self) -> bool:
        return self.query_one(Field).value.strip() == self._wanted

    def on_input_changed(self, message: Input.Changed) -> None:
        """The name is there, or not."""
        self._tell()
        self._say("")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter in the field."""
        self._take()

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A choice was taken with enter or the mouse."""
        if message.choice.id == "order":
            self._take()
        else:
            self.dismiss(False)

    def _take(self) -> None:
        if self._matches and self.delay.confirms:
            self.dismiss(True)
        elif not self._matches:
            self._say(f"That is not its name: type {inert(self._wanted)} or press esc.")

    def _say(self, sentence: str) -> None:
        said: list[Item] = [Prose(sentence, "warning")] if sentence else []
        self._shown = [*self._items, *said]
        self.query_one(Pane).show(self._shown)
        self._fit()

    def action_cancel(self) -> None:
        """The safety stays on."""
        self.dismiss(False)


async def take_safety_off_or_put_it_back(app: App[Any], session: Session) -> None:
    """Ask for the engine's name and arm, or lock what is armed. Must run in a worker."""
    safety = session.connection.safety
    if safety.readonly:
        session.news.say(safety.why_not(), "warning")
    elif not safety.guarded:
        session.news.say(f"{session.connection.identity.environment} has no safety: orders are always on.", "muted")
    elif safety.armed:
        session.connection.disarm()
    elif session.connection.why_unheard():
        session.news.say(session.connection.why_unheard(), "warning")
    elif await app.push_screen_wait(
        ArmDialog(session.connection.identity.called, session.connection.identity.environment)
    ):
        session.connection.arm()
