"""The JSON face of the builder: what cannot be read is kept, and not taken over."""

from __future__ import annotations

from textual import on
from textual.widgets import TextArea

from console.launch.draft import Unusable
from console.screens.builder.faces import json_of, sifted_here
from console.screens.builder.form_face import FormFace
from console.screens.builder.typing import JsonArea
from console.text.inert import inert
from console.widgets.pane import Pane, Prose


class JsonFace(FormFace):
    """Shows the draft as JSON, and reads it there."""

    json_wrong = ""
    """Why the JSON cannot be read, in one sentence; empty while it can."""
    _json_shown = ""

    def show_json(self) -> None:
        if self.json_wrong:
            return
        area = self.query_one("#json", JsonArea)
        self._json_shown = json_of(self.draft)
        if area.text != self._json_shown:
            area.load_text(self._json_shown)
        self._entitle_json()
        self.query_one("#then", Pane).show(self._then())

    def _then(self) -> list[Prose]:
        if self.draft.plain:
            self.query_one("#then").styles.display = "none"
            return []
        pane = self.query_one("#then")
        pane.styles.display = "block"
        pane.styles.height = 3
        return [Prose(f"then in the console: {inert('  '.join(sifted_here(self.draft)))}", "warning", lines=3)]

    def _entitle_json(self) -> None:
        frame = self.query_one("#sent")
        frame.border_title = "JSON: not taken over, esc drops it" if self.json_wrong else self._json_title()

    def _json_title(self) -> str:
        return "JSON   POST external-task/retries-async" if self.draft.request else "JSON"

    @on(TextArea.Changed, "#json")
    def _json_changed(self, message: TextArea.Changed) -> None:
        text = message.text_area.text
        if text == self._json_shown:
            self.json_wrong = ""
            return
        self._json_shown = text
        try:
            draft = self.draft.read_body(text)
        except Unusable as problem:
            self.json_wrong = str(problem)
        else:
            self.json_wrong = ""
            self.change(draft, "json")
        self._entitle_json()
        self.advise()

    def leave_json(self) -> None:
        """Drop JSON that cannot be read; otherwise back to the list."""
        if self.json_wrong:
            self.json_wrong = ""
            self.show_json()
            self.advise()
        else:
            self.action_back()
