"""The draft while it is edited: one value that the three faces of the builder show and change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from retriage.console.launch.draft import Draft, Source
from retriage.console.screens.builder.faces import from_saved

Change = Literal["text", "form", "json", "source", "loaded", "advice"]
"""What has changed: the draft, in one of its faces; the source in sight; all of it; or only what is said about it."""


class List(Protocol):
    """The list that the builder was opened from."""

    @property
    def history(self) -> list[str]:
        """Queries used before, the newest first."""
        ...

    def built(self, text: str) -> None:
        """Show what this query matches."""
        ...

    def keep_draft(self, draft: Draft) -> None:
        """Remember what was built, to go on with it later."""
        ...


class Builder(Protocol):
    """What a face asks of the screen that it is on.

    It is called directly: a message would arrive after the keys that follow.
    """

    def face(self, name: str) -> None:
        """Go to a face."""
        ...

    def apply(self) -> None:
        """Show in the list what matches."""
        ...

    def back(self) -> None:
        """Back to the list as it was."""
        ...


class EditedDraft:
    """A draft, the source of it that is in sight, and what of it cannot be read.

    The texts of the draft are the truth. A face that holds something that cannot be read keeps it and says so in one
    sentence; the other faces show the last query that could be read.

    Args:
        draft: what is edited.
        origin: the list whose query it is; it remembers every change.
    """

    def __init__(self, draft: Draft, origin: List) -> None:
        self.draft = draft
        self.source: Source = draft.sources[0]
        self.origin = origin
        self.json_wrong = ""
        """Why the JSON cannot be read, in one sentence; empty while it can."""
        self._told: list[Callable[[Change], None]] = []

    def tell(self, listener: Callable[[Change], None]) -> None:
        """Call ``listener`` after every change."""
        self._told.append(listener)

    @property
    def text(self) -> str:
        """The text of the source in sight."""
        return self.draft.text(self.source)

    def changed(self, what: Change) -> None:
        """Tell whoever shows it."""
        for listener in self._told:
            listener(what)

    def change(self, draft: Draft, face: Change) -> None:
        """Another draft, made in this face; the others follow."""
        self.draft = draft
        self.origin.keep_draft(draft)
        self.changed(face)

    def to_source(self, step: int) -> None:
        """Another source of the request."""
        sources = self.draft.sources
        self.source = sources[(sources.index(self.source) + step) % len(sources)]
        self.changed("source")

    def load(self, text: str) -> None:
        """Go on with a query that was saved."""
        self.json_wrong = ""
        self.draft = from_saved(text, self.draft)
        self.source = self.draft.sources[0]
        self.changed("loaded")

    def not_taken_over(self) -> str:
        """One sentence while the JSON says something else than the query; empty otherwise."""
        return f"The JSON was not taken over: {self.json_wrong}" if self.json_wrong else ""
