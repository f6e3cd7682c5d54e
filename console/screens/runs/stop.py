"""Stopping a run: what is not sent is dropped; what becomes of the batch at work is the operator's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from retriage.console.runs.driver import BatchChoice
from retriage.console.runs.next_step import at_work, waiting_waves
from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.confirm_delay import ConfirmDelay, pressed
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.text.words import things
from retriage.console.widgets.pane import Item, Pane, Prose, laid_out

if TYPE_CHECKING:
    from retriage.console.runs.run_view import RunView

WIDTH = 68
"""Cells of the sentences before the dialog is laid out."""
CHOICES: tuple[tuple[BatchChoice, str, str], ...] = (
    ("goes-on", "Goes on", "G"),
    ("suspend", "Suspend it", "S"),
    ("delete", "Delete it", "D"),
)
"""What is done with the batch at work: the choice, its words, its key."""


class StopRun(ModalScreen[BatchChoice | None]):
    """Answers what becomes of the batch at work, or nothing where the run is not stopped."""

    CSS_PATH = "screen.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("left", "app.focus_previous", show=False),
    ]

    def __init__(self, view: RunView) -> None:
        super().__init__()
        self._run = view
        self.delay = ConfirmDelay(self, self._tell)

    def compose(self) -> ComposeResult:
        """What is dropped, and four choices."""
        with Vertical(classes="dialog"):
            yield Pane(id="question")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
                for choice, label, key in CHOICES:
                    yield Choice(label, key, id=choice)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show what is asked."""
        self.query_one(".dialog").border_title = f"Stop run {self._run.run.id}?"
        self._fit()
        self.delay.shown(self._run.run.id)
        self._tell()

    def on_screen_resume(self) -> None:
        """In front again."""
        self.delay.covered()
        self._tell()

    def on_resize(self) -> None:
        """The sentences take as many lines as they need."""
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        pane, items = self.query_one(Pane), self._sentences()
        pane.styles.height = len(laid_out(items, pane.size.width or WIDTH))
        pane.show(items)

    def _sentences(self) -> list[Item]:
        wave, rest = at_work(self._run), waiting_waves(self._run)
        left = self._run.operation.units(sum(one.tasks for one in rest))
        dropped = f"{things(len(rest), 'wave')} with {left} {'is' if len(rest) == 1 else 'are'} dropped."
        items: list[Item] = [Prose(dropped if rest else "No wave is left to be dropped.", "strong")]
        if wave is not None and wave.state in ("sending", "watching"):
            items.append(Prose(f"What about the batch of wave {wave.wave}? Retries already set stay."))
        items.append(Prose("A stopped run cannot be resumed; it can be undone.", "muted"))
        return items

    def _tell(self) -> None:
        for choice, _, _ in CHOICES:
            self.query_one(f"#{choice}", Choice).enable(self.delay.over)

    def on_key(self, event: events.Key) -> None:
        """A choice by its key."""
        ordered = pressed(event, *(key for _, _, key in CHOICES))
        if ordered:
            event.stop()
            self._answer(next(choice for choice, _, key in CHOICES if key == ordered))

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A choice was taken with enter or the mouse."""
        chosen = next((choice for choice, _, _ in CHOICES if choice == message.choice.id), None)
        if chosen is None:
            self.action_cancel()
        else:
            self._answer(chosen)

    def _answer(self, choice: BatchChoice) -> None:
        if self.delay.confirms:
            self.dismiss(choice)

    def action_cancel(self) -> None:
        """Go on as it is."""
        self.dismiss(None)
