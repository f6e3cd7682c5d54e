"""What every screen of the console has: the chrome, and places where actions are found."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from console.screens.chrome import EventLine, HintLine, IdentityLine, TabLine
from console.screens.session import News, Session

BASE_CSS = Path(__file__).with_name("base.tcss")

SMALLEST = (80, 24)
"""Columns and lines below which the console shows one sentence and takes no keys."""


def places_of(node: object) -> tuple[str, ...]:
    """The places of actions that a widget, a screen or the application is."""
    return tuple(getattr(node, "PLACES", ()))


class ConsoleScreen(Screen[None]):
    """A screen with the identity line, the views, its body, the event line and the hint line."""

    CSS_PATH = [BASE_CSS]
    AUTO_FOCUS = "LineTable"
    BINDINGS: ClassVar[list[BindingType]] = []
    PLACES: ClassVar[tuple[str, ...]] = ()
    VIEW: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (140, "-broad")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """Chrome around the body."""
        yield IdentityLine(id="identity")
        yield TabLine(id="tabs")
        yield from self.body()
        yield EventLine(id="event")
        yield HintLine(id="hints")

    def body(self) -> Iterable[Widget]:
        """The widgets between the chrome."""
        return ()

    def on_mount(self) -> None:
        """Follow the news."""
        self.session.news.subscribe(self, self._news)
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self.tell_chrome)

    def _news(self, news: News) -> None:
        if news in ("state", "identity"):
            self.query_one(IdentityLine).tell(self.session)
        elif news == "counts":
            self.query_one(TabLine).tell(self.session, self.VIEW)
        elif news == "event":
            self.query_one(EventLine).tell(self.session, self.legend())
        self.on_news(news)

    def on_news(self, news: News) -> None:
        """For screens that show more of the session."""

    def _tick(self) -> None:
        if self.is_current:
            self.query_one(IdentityLine).tell(self.session)

    def on_resize(self) -> None:
        """Other things fit now."""
        self.call_after_refresh(self.tell_chrome)

    def on_screen_resume(self) -> None:
        """What was said meanwhile is shown."""
        self.call_after_refresh(self.tell_chrome)

    def on_descendant_focus(self) -> None:
        """Other keys matter now."""
        self.tell_hints()

    def tell_chrome(self) -> None:
        """Bring all lines of the chrome up to date."""
        self.query_one(IdentityLine).tell(self.session)
        self.query_one(TabLine).tell(self.session, self.VIEW)
        self.query_one(EventLine).tell(self.session, self.legend())
        self.tell_hints()

    def tell_hints(self) -> None:
        """Bring the hint line up to date."""
        self.query_one(HintLine).tell(self.places(), self.hint_labels())

    def legend(self) -> str:
        """What the signs of this screen mean, in one line."""
        return ""

    def hint_labels(self) -> dict[str, str]:
        """Labels that say more than the table of actions, by the name of the action."""
        return {}

    def places(self) -> tuple[str, ...]:
        """Where actions are found now: the focused widget, this screen, the application."""
        focused = places_of(self.focused) if self.focused else ()
        if "typing" in focused:
            return focused
        return (*self.PLACES, *focused, *places_of(self.app))
