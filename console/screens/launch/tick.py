"""A group of tasks that the operator takes in or leaves out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from retriage.console.operations.preview import Kind, PreviewClass
from retriage.console.screens.launch.page import effect_spans
from retriage.console.widgets.frugal import strip_of
from retriage.console.widgets.ink import Inked
from retriage.console.widgets.line import Span, fitted, width_of


class Tick(Inked, can_focus=True):
    """One line about the group, and ``[ ] include`` at its end."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "turn", show=False)]
    DEFAULT_CSS = """
    Tick { height: 1; display: none; }
    Tick:focus { background: $row-cursor; }
    """

    @dataclass
    class Turned(Message):
        """The group was taken in, or left out."""

        kind: Kind
        included: bool

    def __init__(self, kind: Kind) -> None:
        super().__init__(id=kind)
        self.kind = kind
        self.on = False
        self._effect: PreviewClass | None = None

    def tell(self, effect: PreviewClass | None, on: bool) -> None:
        """Show this group, taken in or not; none hides the line."""
        self.on = on
        self._effect = effect
        self.display = effect is not None
        self.refresh()

    def action_turn(self) -> None:
        """Take the group in, or leave it out."""
        self.post_message(self.Turned(self.kind, not self.on))

    def on_click(self) -> None:
        """The mouse."""
        self.action_turn()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        box: list[Span] = [("❯" if self.has_focus else " ", "accent"), ("[x]" if self.on else "[ ]", "accent"),
                           (" include ", "muted")]  # fmt: skip
        spans = fitted(effect_spans(self._effect), width - width_of(box)) if self._effect else []
        return strip_of([Segment(text, self.ink(ink)) for text, ink in [*spans, *box]], width)
