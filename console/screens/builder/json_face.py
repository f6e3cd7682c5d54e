"""The JSON face of the builder: what cannot be read is kept, and not taken over."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from retriage.console.actions import at
from retriage.console.launch.draft import Unusable
from retriage.console.screens.builder.edited_draft import Builder, EditedDraft
from retriage.console.screens.builder.faces import filtered_here, json_of
from retriage.console.text.inert import inert
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.pane import Pane, Prose


class JsonArea(TextArea):
    """The JSON while it is edited."""

    PLACES: ClassVar[tuple[str, ...]] = ("build-json",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"build-json"}))
    DEFAULT_CSS = """
    JsonArea, JsonArea:focus { background: $background; scrollbar-size: 0 0; padding: 0; }
    JsonArea > .text-area--cursor-line { background: $background; }
    JsonArea:focus > .text-area--cursor-line { background: $row-cursor; }
    """

    def __init__(self, face: JsonFace, builder: Builder) -> None:
        super().__init__(id="json", compact=True, highlight_cursor_line=False)
        self._face = face
        self._builder = builder

    def action_back(self) -> None:
        """Drop what cannot be read, or go back to the list."""
        if not self._face.drop_unreadable():
            self._builder.back()

    def action_next(self) -> None:
        """On to the text."""
        self._builder.face("text")

    def action_previous(self) -> None:
        """Back to the form."""
        self._builder.face("form")


class JsonFace(Vertical):
    """Shows the draft as JSON, and reads it there.

    Args:
        edited: whose JSON it is.
        builder: the screen.
    """

    def __init__(self, edited: EditedDraft, builder: Builder) -> None:
        super().__init__(id="sent", classes="framed")
        self._edited = edited
        self._shown = ""
        self.area = JsonArea(self, builder)

    def compose(self) -> ComposeResult:
        """The JSON, and what the console does to the rows afterwards."""
        yield self.area
        yield Pane(id="then")

    def show_json(self) -> None:
        """Show the draft, unless something is typed here that cannot be read."""
        if self._edited.json_wrong:
            return
        self._shown = json_of(self._edited.draft)
        if self.area.text != self._shown:
            self.area.load_text(self._shown)
        self._entitle()
        self._show_then()

    def drop_unreadable(self) -> bool:
        """Show the draft in place of JSON that cannot be read; whether there was any."""
        if not self._edited.json_wrong:
            return False
        self._edited.json_wrong = ""
        self.show_json()
        self._edited.changed("advice")
        return True

    def _show_then(self) -> None:
        pane, draft = self.query_one("#then", Pane), self._edited.draft
        pane.styles.display = "none" if draft.plain else "block"
        if draft.plain:
            pane.show([])
            return
        pane.styles.height = 3
        pane.show([Prose(f"then in the console: {inert('  '.join(filtered_here(draft)))}", "warning", lines=3)])

    def _entitle(self) -> None:
        title = "JSON   POST external-task/retries-async" if self._edited.draft.request else "JSON"
        self.border_title = "JSON: not taken over, esc drops it" if self._edited.json_wrong else title

    @on(TextArea.Changed, "#json")
    def _edited_here(self, message: TextArea.Changed) -> None:
        text, edited = message.text_area.text, self._edited
        if text == self._shown:
            edited.json_wrong = ""
            return
        self._shown = text
        try:
            draft = edited.draft.read_body(text)
        except Unusable as problem:
            edited.json_wrong = str(problem)
        else:
            edited.json_wrong = ""
            edited.change(draft, "json")
        self._entitle()
        edited.changed("advice")
