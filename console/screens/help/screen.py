"""The help: the keys of this screen, the words of its filter, this terminal, this engine. ``/`` searches a page."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from console.screens.help.here_page import engine_page, terminal_page
from console.screens.help.keys_page import page
from console.screens.help.words_page import words_page
from console.widgets.line import Line, Span
from console.widgets.text_view import TextView

if TYPE_CHECKING:
    from console.session.session import Session

PAGES = ("keys", "filter words", "this terminal", "this engine")
ENGINE_PAGE = 3


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
            yield Input(placeholder="search this page", id="search", compact=True)

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
        lines = self._lines(view.size.width)
        words = self._sought.lower().split()
        if words:
            lines = [line for line in lines if all(word in _text(line).lower() for word in words)]
            lines = lines or [[(f'No line of this page holds "{self._sought}".', "warning")]]
        view.write(lines)
        spans: list[Span] = []
        for at, name in enumerate(PAGES):
            here = at == self._page
            spans += [
                ("[" if here else " ", "accent"),
                (name, "accent" if here else "muted"),
                ("]" if here else " ", "accent"),
            ]
        self.query_one("#pages", Line).show(spans)

    def _lines(self, width: int) -> list[list[Span]]:
        session: Session | None = getattr(self.app, "session", None)
        if self._page == 1:
            return words_page(self._view, width)
        if self._page == 2:
            return terminal_page(self.app, width)
        if self._page == 3 and session is not None:
            return engine_page(session, width)
        return page(self._places, width, readonly=session is not None and session.safety.readonly)

    def action_turn(self, step: int) -> None:
        """Another page."""
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
