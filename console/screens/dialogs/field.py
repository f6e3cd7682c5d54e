"""A field of a dialog: a word, and what is typed beside it, on one line."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from retriage.console.actions import at
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Line

LABEL = 10
"""Cells of the word."""


class Typed(Input):
    """What is typed. Letters typed here are no keys.

    Attributes:
        replaces: the first character typed after coming here takes the place of what stands there.
        untouched: no key has changed anything since coming here.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("field",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"field"}))
    DEFAULT_CSS = """
    Typed { width: 1fr; height: 1; background: $row-cursor-blurred; }
    Typed:focus { background: $row-cursor; }
    """

    replaces = False
    untouched = True

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """What may not stand in the field is a key: it goes on to the dialog."""
        return super().check_consume_key(key, character) and self._may_stand(character or "")

    async def _on_key(self, event: events.Key) -> None:
        """The same, when the key arrives. A key that moves or deletes makes what stands there the operator's own."""
        if event.is_printable and not self._may_stand(event.character or ""):
            event.prevent_default()
            return
        if event.is_printable and self.replaces and self.untouched:
            self.clear()
        self.untouched = False

    def on_blur(self) -> None:
        """Whoever comes here again begins anew."""
        self.untouched = True

    def _may_stand(self, character: str) -> bool:
        return self.restrict is None or re.fullmatch(self.restrict, character) is not None


class Field(Horizontal):
    """A word and a place to type.

    Args:
        label: the word before it.
        hint: what stands there while nothing is typed.
        pattern: regular expression of what may be typed; anything where it is none.
        most: most characters.
        width: cells to type in, with room for a remark behind; none takes all there are.
        replaces: the first character typed after coming here takes the place of what stands there.
    """

    DEFAULT_CSS = """
    Field { height: 1; }
    Field > .label { width: 12; }
    Field > .after { width: 1fr; }
    """

    def __init__(
        self,
        label: str,
        *,
        id: str,
        value: str = "",
        hint: str = "",
        pattern: str | None = None,
        most: int = 400,
        width: int | None = None,
        replaces: bool = False,
    ) -> None:
        super().__init__(id=id)
        self._label = label
        self._most = most
        self._input = Typed(value, hint, restrict=pattern, max_length=most, compact=True, select_on_focus=False)
        self._input.replaces = replaces
        self._remarks = width is not None
        if width is not None:
            self._input.styles.width = width

    def compose(self) -> ComposeResult:
        """The word and the place."""
        yield Line(classes="label")
        yield self._input
        if self._remarks:
            yield Line(classes="after")

    def on_mount(self) -> None:
        """No blinking: it would be sent to the terminal twice a second."""
        self._input.cursor_blink = False
        self.query_one(".label", Line).show([(f"  {self._label:<{LABEL}}", "muted")])

    @property
    def value(self) -> str:
        """What is typed."""
        return self._input.value

    @value.setter
    def value(self, value: str) -> None:
        self._input.value = value
        self._input.cursor_position = len(value)

    @property
    def active(self) -> bool:
        """Keys go here."""
        return self._input.has_focus

    def type(self, character: str) -> None:
        """A character typed elsewhere in the dialog belongs here, and so do the keys after it."""
        self.value = ("" if self._input.replaces and self._input.untouched else self.value) + character
        self._input.untouched = False
        self.enter()

    def enter(self) -> None:
        """Keys go here from now on, also those that are already on their way."""
        self.screen.set_focus(self._input)

    def remark(self, text: str, warning: bool = False) -> None:
        """A few words behind the place."""
        self.query_one(".after", Line).show([(f"  {text}", "warning" if warning else "muted")])
