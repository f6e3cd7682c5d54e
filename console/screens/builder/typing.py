"""Where the builder is typed into: the text of the query, a value of the form, and JSON. No letter acts on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType
from textual.widgets import Input, TextArea

from console.actions import at
from console.widgets.bindings import bindings
from console.widgets.inert_input import InertInput

if TYPE_CHECKING:
    from console.screens.builder.screen import BuilderScreen


class QueryInput(InertInput):
    """The text face."""

    PLACES: ClassVar[tuple[str, ...]] = ("build-text",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-text"}))
    DEFAULT_CSS = """
    QueryInput { width: 1fr; height: 1; background: $row-cursor-blurred; }
    QueryInput:focus { background: $row-cursor; }
    """

    # The builder is called directly: a message would arrive after the keys that follow.

    @property
    def _builder(self) -> BuilderScreen:
        return cast("BuilderScreen", self.screen)

    def action_apply(self) -> None:
        """Show what matches."""
        self._builder.action_apply()

    def action_complete(self) -> None:
        """Take the likeliest word, or go on to the form."""
        self._builder.complete()

    def action_older(self) -> None:
        """The query used before."""
        self._builder.recall(1)

    def action_newer(self) -> None:
        """The query used after."""
        self._builder.recall(-1)

    def action_back(self) -> None:
        """Back to the list."""
        self._builder.action_back()


def put(field: Input, text: str) -> None:
    """Another text in a field, the cursor behind it."""
    if text != field.value:
        field.value = text
        field.cursor_position = len(text)


class ValueInput(InertInput):
    """A value of the form while it is typed, on the line of its row."""

    PLACES: ClassVar[tuple[str, ...]] = ("build-value",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-value"}))
    DEFAULT_CSS = """
    ValueInput { height: 1; background: $row-cursor; display: none; layer: above; position: absolute; }
    """

    @property
    def _builder(self) -> BuilderScreen:
        return cast("BuilderScreen", self.screen)

    def action_take(self) -> None:
        """Keep what is typed."""
        self._builder.take_value(0)

    def action_next(self) -> None:
        """Keep it, and type the next value."""
        self._builder.take_value(1)

    def action_previous(self) -> None:
        """Keep it, and type the value before."""
        self._builder.take_value(-1)

    def action_leave(self) -> None:
        """Keep what was there before."""
        self._builder.leave_value()


class JsonArea(TextArea):
    """The JSON face."""

    PLACES: ClassVar[tuple[str, ...]] = ("build-json",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-json"}))
    DEFAULT_CSS = """
    JsonArea, JsonArea:focus { background: $background; scrollbar-size: 0 0; padding: 0; }
    JsonArea > .text-area--cursor-line { background: $background; }
    JsonArea:focus > .text-area--cursor-line { background: $row-cursor; }
    """

    @property
    def _builder(self) -> BuilderScreen:
        return cast("BuilderScreen", self.screen)

    def action_back(self) -> None:
        """Drop what cannot be read, or go back to the list."""
        self._builder.leave_json()

    def action_next(self) -> None:
        """On to the text."""
        self._builder.face("text")

    def action_previous(self) -> None:
        """Back to the form."""
        self._builder.face("form")
