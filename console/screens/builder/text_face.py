"""The text face of the builder: the query in words, completed, and the queries used before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from retriage.console.actions import at
from retriage.console.language import completed
from retriage.console.launch.draft import without_all
from retriage.console.screens.builder.edited_draft import Builder, EditedDraft
from retriage.console.screens.filter_advice import advised
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.filter_line import Advice
from retriage.console.widgets.inert_input import InertInput


def put(field: Input, text: str) -> None:
    """Another text in a field, the cursor behind it."""
    if text != field.value:
        field.value = text
        field.cursor_position = len(text)


class QueryInput(InertInput):
    """The query of the source in sight, as text.

    Args:
        edited: whose text is shown and changed.
        builder: the screen.
        values: values that are known to exist, by the name of a word, for a subject.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("build-text",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-text"}))
    DEFAULT_CSS = """
    QueryInput { width: 1fr; height: 1; background: $row-cursor-blurred; }
    QueryInput:focus { background: $row-cursor; }
    """

    def __init__(
        self, edited: EditedDraft, builder: Builder, values: Callable[[str], Mapping[str, Sequence[str]]]
    ) -> None:
        super().__init__(id="text", select_on_focus=False, compact=True)
        self._edited = edited
        self._builder = builder
        self._values = values
        self._recalled = 0

    def show_text(self) -> None:
        """Show the text of the draft."""
        put(self, self._edited.text)

    def forget_recalled(self) -> None:
        """Begin again with the query used last."""
        self._recalled = 0

    def advice(self) -> Advice:
        """What the language says about the text."""
        source = self._edited.source
        words = self._edited.draft.words(source)
        return advised(without_all(self.value), self.cursor_position, words, self._values(source.subject))

    def watch_value(self, value: str) -> None:
        """The draft follows what is typed."""
        if not self.is_mounted:
            return
        edited = self._edited
        if value != edited.text:
            edited.change(edited.draft.with_text(edited.source, value), "text")
        elif self.has_focus:
            edited.changed("advice")

    def action_apply(self) -> None:
        """Show what matches."""
        self._builder.apply()

    def action_complete(self) -> None:
        """Take the likeliest word if one is begun, else go on to the form."""
        text, cursor = self.value, self.cursor_position
        begun = bool(without_all(text)[:cursor].strip()) and not without_all(text)[cursor - 1].isspace()
        words = self.advice().words if self._edited.source.subject and begun else ()
        done, place = completed(text, cursor, words[0]) if words else (text, cursor)
        if done == text:
            self._builder.face("form")
        else:
            self.value, self.cursor_position = done, place

    def action_older(self) -> None:
        """The query used before."""
        self._recall(1)

    def action_newer(self) -> None:
        """The query used after."""
        self._recall(-1)

    def _recall(self, step: int) -> None:
        edited = self._edited
        history = [text for text in edited.origin.history if text != edited.text]
        if history and edited.source == edited.draft.sources[0]:
            self._recalled = max(1, min(self._recalled + step, len(history)))
            put(self, history[self._recalled - 1])

    def action_back(self) -> None:
        """Back to the list."""
        self._builder.back()
