"""A choice of a dialog: a word and its key on one line."""

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from retriage.console.text.cells import cut
from retriage.console.widgets.ink import Inked


class Choice(Inked, can_focus=True):
    """Taken with enter or a click. The focus is shown by arrows, not by colour alone."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "take", show=False)]
    DEFAULT_CSS = """
    Choice { height: 1; width: auto; margin-right: 2; background: $row-cursor-blurred; }
    Choice:focus { background: $row-cursor; }
    """

    @dataclass
    class Pressed(Message):
        """The operator pressed enter on this choice, or clicked on it."""

        choice: "Choice"

    def __init__(self, label: str, key: str, *, id: str) -> None:
        super().__init__(id=id)
        self.label = label
        self.key = key
        self.enabled = True
        self.styles.width = len(label) + len(key) + 6

    def enable(self, enabled: bool) -> None:
        """Whether it can be taken."""
        if enabled != self.enabled:
            self.enabled = enabled
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """``❯ Cancel esc``."""
        here = "❯ " if self.has_focus else "  "
        key, word = self.ink("accent" if self.enabled else "faint"), self.ink("strong" if self.enabled else "faint")
        rest = cut(f" {self.key}", max(self.size.width - 2 - len(self.label), 0))
        return Strip([Segment(here, key), Segment(self.label, word), Segment(rest, key)], self.size.width)

    def action_take(self) -> None:
        """Enter."""
        if self.enabled:
            self.post_message(self.Pressed(self))

    def on_click(self) -> None:
        """The mouse."""
        self.action_take()
