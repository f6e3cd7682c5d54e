"""A launch is on its way and the engine takes its time: how long already, and what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from retriage.console.actions import at, named
from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.text.inert import inert
from retriage.console.widgets.pane import Item, Pane, Prose, Spans, laid_out

if TYPE_CHECKING:
    from textual.app import App

    from retriage.console.session.news import News
    from retriage.console.session.session import Session

PATIENCE = 1.0
"""Seconds without an answer after which it is shown."""
BATCHES = "app.view-batches"
"""Where what was launched will be seen."""
WIDTH = 66
"""Cells of the sentences before the dialog is laid out."""


class Waiting(ModalScreen[None]):
    """Counts the seconds. Closing it changes nothing for the launch.

    Args:
        session: whose engine is waited for.
        what: what was launched, in words.
        since: when it was sent, by the monotonic clock.
    """

    CSS_PATH = "../dialogs/dialogs.tcss"
    AUTO_FOCUS = "#leave"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, session: Session, what: str, since: float) -> None:
        super().__init__()
        self._session = session
        self._what = what
        self._since = since
        self.over = False
        """It is to be shown no more."""
        self._left = False

    def compose(self) -> ComposeResult:
        """How long, what will happen, two ways to go on."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            with Horizontal(classes="choices"):
                yield Choice("Work on", "esc", id="leave")
                yield Choice("Batches", named(BATCHES).shown_keys, id="batches")
        yield KeyLine()

    def on_mount(self) -> None:
        """Count from now on."""
        self.query_one(".dialog").border_title = f"Launching: {inert(self._what)}"
        self._session.news.subscribe(self, self._heed)
        self.set_interval(1.0, self._tell)
        self._tell()

    def _heed(self, news: News) -> None:
        if news == "event":
            self._tell()

    def on_resize(self) -> None:
        """The sentences take as many lines as they need."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        event = self._session.news.newest
        seconds = int(time.monotonic() - self._since)
        items: list[Item] = [
            Spans(((f"waiting for the engine … {seconds} s", "strong"),)),
            Prose(inert(event.sentence) if event is not None else "", "muted"),
            Spans(),
            Prose("It was sent once and is not sent again by itself. If no answer comes, its batch is looked for among "
                  "those of the engine; the last line says what became of it, and the journal keeps it."),
            Prose("No other launch can begin until that is known.", "muted"),
        ]  # fmt: skip
        pane = self.query_one(Pane)
        pane.styles.height = len(laid_out(items, pane.size.width or WIDTH)) + 1
        pane.show(items)

    def on_key(self, event: events.Key) -> None:
        """The keys of the views work here too."""
        view = next(
            (one for one in at(("app",)) if one.method.startswith("view_") and event.key in one.present_keys), None
        )
        if view is not None:
            event.stop()
            self._go_to(view.method)

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A choice was taken with enter or the mouse."""
        if message.choice.id == "batches":
            self._go_to(named(BATCHES).method)
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Work on; the launch goes its way."""
        self.close()

    def _go_to(self, view: str) -> None:
        self.close()
        self.app.call_later(self.app.run_action, view)

    def close(self) -> None:
        """Show it no more; where something else is in front, as soon as that is gone."""
        self.over = True
        self._leave_if_over()

    def on_screen_resume(self) -> None:
        """In front again."""
        self._leave_if_over()

    def _leave_if_over(self) -> None:
        if self.over and self.is_attached and self.is_active and not self._left:
            self._left = True
            self.dismiss()


@contextmanager
def shown_while(app: App[Any], session: Session, what: str) -> Iterator[Waiting]:
    """Show it while the block runs, from :data:`PATIENCE` on; never in front of something that was opened meanwhile."""
    waiting, behind = Waiting(session, what, time.monotonic()), app.screen

    def show() -> None:
        # Not asked of the application, which has no screen any more while it ends.
        if behind.is_active and not behind.is_modal and not waiting.over:
            app.push_screen(waiting)

    timer = app.set_timer(PATIENCE, show)
    try:
        yield waiting
    finally:
        timer.stop()
        waiting.close()
