"""What every screen of the console has: the chrome, and places where actions are found."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult, ScreenStackError
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from retriage.console.actions import at
from retriage.console.screens import clipboard
from retriage.console.screens.attached import Attached, places_of
from retriage.console.screens.chrome import HintLine, IdentityLine, TabLine
from retriage.console.screens.events.line import EventLine
from retriage.console.screens.navigator import Navigator, navigator_of
from retriage.console.session.freshness import Freshness
from retriage.console.session.news import News
from retriage.console.session.poller import reconsider_all
from retriage.console.session.session import Session
from retriage.console.terminal.textual_private import has_unpainted, paint
from retriage.console.widgets.line import Line

if TYPE_CHECKING:
    from retriage.console.screens.dialogs.confirm import Confirm

BASE_CSS = Path(__file__).with_name("base.tcss")

TICK = 1 / 60
"""Seconds between two paintings at least, keys or no keys."""


def looking_only(
    places: Collection[str], labels: Mapping[str, str], idle: Collection[str]
) -> tuple[dict[str, str], set[str]]:
    """Labels and idle actions where nothing may be changed: orders are idle, a preview of one can only be looked at."""
    orders = [action for action in at(places) if action.changes_engine]
    previews = {
        action.name: f"{labels.get(action.name, action.label).rstrip('.')} (preview)"
        for action in orders
        if action.previews
    }
    return {**labels, **previews}, {*idle, *(action.name for action in orders if not action.previews)}


class ConsoleScreen(Screen[None]):
    """A screen with the identity line, the views, its body, the event line and the hint line."""

    CSS_PATH = [BASE_CSS]
    AUTO_FOCUS = "LineTable"
    BINDINGS: ClassVar[list[BindingType]] = []
    PLACES: ClassVar[tuple[str, ...]] = ()
    VIEW: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (140, "-broad")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-short"), (28, "-tall")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.verbs: tuple[Attached, ...] = ()
        """Actions that are attached to this screen."""
        self._painted = 0.0

    @property
    def task_filter(self) -> str:
        """The filter of external tasks that is shown here; empty where all of them are, or other things."""
        return ""

    @property
    def navigator(self) -> Navigator:
        """The ways to other screens."""
        return navigator_of(self.app)

    def attach(self, *verbs: Attached) -> None:
        """Let these verbs carry out the actions of their places here; those attached last are asked first."""
        self.verbs = (*verbs, *self.verbs)

    def compose(self) -> ComposeResult:
        """Chrome around the body."""
        yield IdentityLine(id="identity")
        yield TabLine(id="tabs")
        yield from self.body()
        yield Line(id="event-above")
        yield EventLine(id="event")
        yield HintLine(id="hints")

    @property
    def in_front(self) -> bool:
        """Nothing is over it, no dialog either: what is under one may still be seen, but is not read."""
        try:
            return self.app.screen is self
        except ScreenStackError:
            return False

    @property
    def freshness(self) -> Freshness | None:
        """What became of this screen's last question; none where it asks nothing again and again."""
        return None

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
            self.query_one(IdentityLine).tell(self.session, self.freshness)
        if news in ("counts", "identity", "state"):
            self.query_one(TabLine).tell(self.session, self.VIEW)
        elif news == "event":
            self._tell_event()
        self.on_news(news)

    def on_news(self, news: News) -> None:
        """For screens that show more of the session."""

    def _tick(self) -> None:
        if self.is_current:
            self.session.connection.heed_time()
            self.query_one(IdentityLine).tell(self.session, self.freshness)
            self.query_one(TabLine).tell(self.session, self.VIEW)
            self._tell_event()

    def _tell_event(self) -> None:
        self.query_one(EventLine).tell(self.session.news, self.query_one("#event-above", Line), self.legend())

    def on_idle(self) -> None:
        """Paint what a key has changed at once: Textual would wait for its next tick, a sixtieth of a second away.

        Keys that come faster than that are painted together, as ever.
        """
        now = time.monotonic()
        if has_unpainted(self) and getattr(self.app, "last_key", 0.0) > self._painted and now - self._painted >= TICK:
            self._painted = now
            paint(self)

    def on_resize(self) -> None:
        """Other things fit now."""
        self.call_after_refresh(self.tell_chrome)

    def on_screen_resume(self) -> None:
        """What is shown here may be read again, and what was said meanwhile is shown."""
        reconsider_all()
        self.call_after_refresh(self.tell_chrome)

    def on_descendant_focus(self) -> None:
        """Other keys matter now."""
        self.tell_hints()

    def tell_chrome(self) -> None:
        """Bring all lines of the chrome up to date."""
        self.query_one(IdentityLine).tell(self.session, self.freshness)
        self.query_one(TabLine).tell(self.session, self.VIEW)
        self._tell_event()
        self.tell_hints()

    def tell_hints(self) -> None:
        """Bring the hint line up to date."""
        labels, idle = self.told_actions()
        self.query_one(HintLine).tell(self.places(), labels, self.focused, idle)

    def told_actions(self) -> tuple[dict[str, str], set[str]]:
        """Labels that say more than the table of actions, and names of actions that would do nothing now."""
        labels, idle = self.hint_labels(), set(self.idle())
        if self.session.connection.safety.readonly:
            labels, idle = looking_only(self.places(), labels, idle)
        return labels, idle

    async def ask_late(self, question: Confirm) -> bool:
        """Ask after something was waited for. Must run in a worker.

        A question never comes in front of another one: the key that is meant for that would answer this.
        """
        if self.left_meanwhile(f"“{question.asked}”"):
            return False
        sure: bool = await self.app.push_screen_wait(question)
        return sure

    def left_meanwhile(self, what: str) -> bool:
        """Whether this screen is not in front any more after something was waited for, so that ``what`` must not open:
        keys that were meant for another screen would go to it. That is said."""
        if self.app.screen is self:
            return False
        self.session.news.say(f"{what} came too late to be asked here: press the key again.", "warning")
        return True

    @work(group="console.copy", exit_on_error=False)
    async def hand_out(self, text: str, what: str = "") -> None:
        """Copy a text through the terminal, and into a file as the second way; say what was copied.

        Args:
            text: the text.
            what: what it is, in a word or two; empty shows its beginning.
        """
        if clipboard.fits(text):
            self.app.copy_to_clipboard(text)
        path = await clipboard.keep(text)
        self.session.news.say(clipboard.said(what, text, path), "muted")

    def legend(self) -> str:
        """What the signs of this screen mean, in one line."""
        return ""

    def hint_labels(self) -> dict[str, str]:
        """Labels that say more than the table of actions, by the name of the action."""
        return {name: label for verbs in reversed(self.verbs) for name, label in verbs.hint_labels().items()}

    def idle(self) -> Collection[str]:
        """Names of actions that would do nothing now."""
        return [name for verbs in self.verbs for name in verbs.idle()]

    def places(self) -> tuple[str, ...]:
        """Where actions are found now: the focused widget, this screen, the application."""
        focused = places_of(self.focused) if self.focused else ()
        if "typing" in focused:
            return focused
        hidden = {place for verbs in self.verbs for place in verbs.PLACES if place not in verbs.places()}
        return tuple(place for place in (*self.PLACES, *focused, *places_of(self.app)) if place not in hidden)
