"""The help: the keys of this screen, the words of its filter, this terminal, this engine, the operator's files.

``/`` searches all pages at once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from retriage.console.screens.help.files_page import files_page
from retriage.console.screens.help.here_page import engine_page, terminal_page
from retriage.console.screens.help.keys_page import page
from retriage.console.screens.help.words_page import words_page
from retriage.console.text.inert import inert
from retriage.console.widgets.line import Line, Span
from retriage.console.widgets.text_view import TextView

if TYPE_CHECKING:
    from retriage.console.session.session import Session

PAGES = ("keys", "filter words", "this terminal", "this engine", "your files")
ENGINE_PAGE, FILES_PAGE = 3, 4
ONE_COLUMN = 96
"""Cells of a page in one column."""


class HelpScreen(ModalScreen[None]):
    """Pages to read."""

    CSS_PATH = "help.tcss"
    AUTO_FOCUS = "TextView"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("question_mark,q", "close", show=False),
        Binding("tab", "turn(1)", show=False, priority=True),
        Binding("shift+tab", "turn(-1)", show=False, priority=True),
        Binding("slash", "search", show=False),
        Binding("enter", "found", show=False, priority=True),
    ]

    def __init__(self, places: Collection[str], view: str = "", page: int = 0) -> None:
        super().__init__()
        self._places = tuple(places)
        self._view = view
        self._page = page
        self._sought = ""

    def compose(self) -> ComposeResult:
        """A framed text under the names of the pages."""
        with Vertical(classes="dialog"):
            yield Line(id="pages")
            yield TextView(id="page")
            yield Input(placeholder="search all pages", id="search", compact=True)

    def on_mount(self) -> None:
        """Write the first page."""
        frame = self.query_one(".dialog")
        frame.border_title = f"Help: {self._view}" if self._view else "Help"
        frame.border_subtitle = "tab page   / search   j k scroll   esc close"
        search = self.query_one(Input)
        search.cursor_blink = search.display = False

    def on_resize(self) -> None:
        """Two columns where there is room."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        view = self.query_one(TextView)
        words = self._sought.lower().split()
        view.write(self._found(words, view.size.width) if words else self._lines(self._page, view.size.width))
        spans: list[Span] = []
        for at, name in enumerate(PAGES):
            here = at == self._page and not words
            spans += [
                ("[" if here else " ", "accent"),
                (name, "accent" if here else "muted"),
                ("]" if here else " ", "accent"),
            ]
        self.query_one("#pages", Line).show(spans)

    def _found(self, words: list[str], width: int) -> list[list[Span]]:
        """The lines that hold all words, under the names of their pages; the page that is open comes first."""
        found: list[list[Span]] = []
        for number in sorted(range(len(PAGES)), key=lambda number: (number != self._page, number)):
            # In one column: a line of two would bring along what stands beside.
            lines = self._lines(number, min(width, ONE_COLUMN))
            hits = [line for line in lines if all(word in _text(line).lower() for word in words)]
            if hits:
                found += [[], [(f"In {PAGES[number]}", "strong")], *hits]
        return found[1:] or [[(f'No page holds "{inert(self._sought)}".', "warning")]]

    def _lines(self, number: int, width: int) -> list[list[Span]]:
        session: Session | None = getattr(self.app, "session", None)
        if number == 1:
            return words_page(self._view, width)
        if number == 2:
            return terminal_page(self.app, width)
        if number == ENGINE_PAGE and session is not None:
            return engine_page(session, width)
        if number == FILES_PAGE:
            return files_page(width)
        return page(
            self._places, width, self._view, readonly=session is not None and session.connection.safety.readonly
        )

    def action_turn(self, step: int) -> None:
        """Another page; a search has all of them."""
        if self._sought:
            self.action_close()
        self._page = (self._page + step) % len(PAGES)
        self.query_one(TextView).action_first()
        self._write()

    def action_search(self) -> None:
        """Type what the lines must hold."""
        search = self.query_one(Input)
        search.display = True
        self.set_focus(search)

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        self._sought = message.value
        self.query_one(TextView).action_first()
        self._write()

    def action_found(self) -> None:
        """Read what was found."""
        self.set_focus(self.query_one(TextView))

    def action_close(self) -> None:
        """End the search, or back to the screen."""
        search = self.query_one(Input)
        if search.display:
            search.value = ""
            self.action_found()
            search.display = False
        else:
            self.dismiss()


def _text(line: list[Span]) -> str:
    return "".join(text for text, _ in line)
