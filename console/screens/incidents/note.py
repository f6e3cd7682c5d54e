"""A note on many incidents is typed."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen

from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.keys import KeyLine
from retriage.console.text.cells import wrap
from retriage.console.text.inert import inert
from retriage.console.text.words import things
from retriage.console.widgets.pane import Item, Pane, Prose, Spans

LONGEST = 400
"""Characters of a note; the engine keeps 4,000, but nobody reads them in a list."""


class Answer(NamedTuple):
    """What was typed, and whether it is to be written; an empty note takes the one that is there away."""

    note: str
    to_be_written: bool


class NoteDialog(ModalScreen[Answer]):
    """Asks for a note. Letters go to the note, none acts.

    Args:
        note: the one that is there.
        incidents: how many it is for.
        draft: what was typed before and not written; may be empty.
    """

    CSS_PATH = "note.tcss"
    AUTO_FOCUS = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("enter", "go_on", show=False, priority=True),
        Binding("backspace", "erase", show=False),
    ]

    def __init__(self, note: str, incidents: int, draft: str = "") -> None:
        super().__init__()
        self._note = draft or note
        self._before = note
        self._draft = draft
        self._incidents = incidents

    def compose(self) -> ComposeResult:
        """What is asked, what is typed, the way out."""
        with Vertical(classes="dialog"):
            yield Pane(id="page")
            with Horizontal(classes="choices"):
                yield Choice("Cancel", "esc", id="cancel")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the note that is there."""
        self.query_one(".dialog").border_title = f"Note on {things(self._incidents, 'incident')}"
        self.query_one(".dialog").border_subtitle = "a draft, not written yet" if self._draft else ""
        self.call_after_refresh(self._write)

    def on_resize(self) -> None:
        """The note takes the room it needs."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        pane = self.query_one(Pane)
        lines = wrap(inert(self._note), (pane.size.width or 60) - 2, 8) or [""]
        items: list[Item] = [Spans(((f" {line}", "strong"),)) for line in lines[:-1]]
        items.append(Spans(((f" {lines[-1]}▏", "strong"),)))
        said = "enter goes on to a last question, esc keeps it as a draft; an empty note removes it"
        items += [Spans(), Prose(said, "muted", lines=3)]
        pane.styles.height = len(lines) + 4
        pane.show(items)

    def on_key(self, event: events.Key) -> None:
        """What can be printed is typed."""
        if event.character is not None and event.is_printable:
            event.stop()
            self._put(event.character)

    def on_paste(self, event: events.Paste) -> None:
        """A pasted text is one line of the note."""
        event.stop()
        self._put(" ".join(event.text.split()))

    def _put(self, text: str) -> None:
        self._note = (self._note + text)[:LONGEST]
        self._write()

    def action_erase(self) -> None:
        """Take the last character away."""
        self._note = self._note[:-1]
        self._write()

    def action_go_on(self) -> None:
        """The note is what it should be; one that was not changed is not written again."""
        note = self._note.strip()
        self.dismiss(Answer(note, note != self._before.strip()))

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(Answer(self._note.strip(), False))

    def on_choice_pressed(self, message: Choice.Pressed) -> None:
        """A click on the way out."""
        self.action_cancel()
