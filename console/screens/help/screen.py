"""The help page: drawn from the table of actions, the keys of this screen first."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.actions import Action, at
from console.widgets.text_view import TextView

TOPICS = ("Move", "Choose", "Look", "Live", "Change (asks first)", "Anywhere")
SIGNS = """State letters
  X  no retries left: an incident is open      r  has failed, will be tried again
  L  locked by a worker                        ·  ready for a worker
  S  suspended
  try -  never failed;  try 0  no retries left

Every key that changes the engine is a capital letter and opens a dialog; the key
that opens it never confirms it, and Cancel has the focus.
Everything is also listed by name under  :  where enter runs it."""


class HelpScreen(ModalScreen[None]):
    """The keys that act here."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "TextView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "close", show=False),
    ]

    def __init__(self, places: Collection[str], view: str = "") -> None:
        super().__init__()
        self._places = tuple(places)
        self._view = view

    def compose(self) -> ComposeResult:
        """A framed text."""
        with Vertical(classes="dialog"):
            yield TextView(id="page")

    def on_mount(self) -> None:
        """Write the page."""
        frame = self.query_one(".dialog")
        frame.border_title = f"Help: {self._view}" if self._view else "Help"
        frame.border_subtitle = "esc close   j k scroll"

        self.query_one(TextView).show(page(self._places))

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()


def page(places: Collection[str]) -> str:
    """The help text for these places."""
    actions = at(places)
    blocks = [_block(topic, [action for action in actions if action.topic == topic]) for topic in TOPICS]
    lines: list[str] = []
    for block in blocks:
        lines += [*block, ""] if block else []
    return "\n".join([*lines, SIGNS])


def _block(topic: str, actions: list[Action]) -> list[str]:
    if not actions:
        return []
    return [topic, *(f"  {action.shown_keys:<18} {action.help}" for action in actions)]
