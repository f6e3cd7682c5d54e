"""The application: draws a frame, imports the rest, opens the engine, carries keys and news, closes everything."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from textual import events, work
from textual.actions import ActionParseResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Input

from retriage.console.actions import OWN_KEYS, at, named
from retriage.console.keymap import Keymap
from retriage.console.keys import KeyQueue
from retriage.console.screens.attached import method_of
from retriage.console.screens.chrome import SMALLEST
from retriage.console.screens.first_frame import FirstFrame
from retriage.console.screens.gate import why_not
from retriage.console.session.news import News, NewsFeed
from retriage.console.session.poller import close_all
from retriage.console.session.preferences import Preferences
from retriage.console.settings import Settings
from retriage.console.terminal.textual_private import AppWithUpdateHook, CompositorUpdate, driver_of
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.stylesheet import KeptStylesheet
from retriage.console.widgets.themes import DEFAULTS, PLAIN, THEMES

if sys.platform != "win32":
    from retriage.console.driver import SteadyDriver

if TYPE_CHECKING:
    from retriage.console.engine.target import Demo
    from retriage.console.engine_holder import Connect, EngineHolder, OpenJournal
    from retriage.console.runs.service import RunService
    from retriage.console.screens.app_verbs import AppVerbs
    from retriage.console.screens.dialogs.engines import ChosenEngine
    from retriage.console.screens.navigator import Navigator
    from retriage.console.session.connection_identity import ConnectionIdentity
    from retriage.console.session.session import Session

ENDED_BY = 128
"""Added to the number of the signal that ended the console, it is the exit status."""
SWITCH = 0.0005
"""Seconds that a thread of an engine in this process may hold on to the interpreter while a key waits."""
SMALL_ACTIONS = ("app.quit", "app.help", "list.back")
"""Actions whose keys work in a window that is too small."""
FIRST_VIEW = "tasks"


class RetriageApp(AppWithUpdateHook[None]):
    """The console.

    Args:
        connect: opens the engine when it is called and entered, and closes it when it is left. It is called when
            the first list is drawn. What it raises is shown in one sentence.
        identity: what is known about the engine before it has answered.
        theme: name of a theme of ``retriage.console.widgets.themes``; that of the preferences, or the first one, if it
        is empty.
        keymap: the operator's own keys.
        settings: what the operator has set.
        journal: opens the operator's journal, after the engine; without it nothing is remembered.
        demo: the made-up world that the engine is, if it is one: the pace of its batches can be changed.
        tour: say on each screen what to press next, and why.
        preferences: what was chosen before; what is chosen now is written there.
    """

    TITLE = "Retriage"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(at({"app", "demo"})),
        # Not among the actions: as in every program of a terminal, and not to be given to another key.
        Binding("ctrl+z", "suspend_process", show=False),
    ]
    CSS = """
    * { transition: none; }
    .-tour #event { margin-bottom: 2; }
    .-tour #event-above { margin-bottom: 3; }
    .-tour.-short #event-above, .-tour.-low #event-above { margin-bottom: 4; }
    """

    def __init__(
        self,
        connect: Connect,
        identity: ConnectionIdentity,
        *,
        theme: str = "",
        journal: OpenJournal | None = None,
        keymap: Keymap | None = None,
        demo: Demo | None = None,
        tour: bool = False,
        settings: Settings | None = None,
        preferences: Preferences | None = None,
        notice: str = "",
    ) -> None:
        super().__init__()
        self.chosen_engine: ChosenEngine | None = None
        """The engine that is to be opened in place of this one, once the console has been left for it."""
        self._notice = notice
        self.stylesheet = KeptStylesheet(self.get_css_variables())
        self._own_keys = keymap or Keymap()
        self.settings = settings or Settings()
        OWN_KEYS.clear()
        OWN_KEYS.update(self._own_keys.keys)
        self.set_keymap({name: ",".join(keys) for name, keys in OWN_KEYS.items()})
        self._keys = KeyQueue(self, super().on_event)
        for known in (*THEMES, PLAIN):
            self.register_theme(known)
        preferences = preferences or Preferences()
        liked = next((known.name for known in THEMES if known.name == preferences.theme), THEMES[0].name)
        self.theme = PLAIN.name if self.no_color else theme or liked
        self.animation_level = "none"
        self._preferences = preferences
        self._identity = identity
        self._demo = demo
        self._tour = tour
        self.last_key = 0.0
        """When a key was pressed last, by the monotonic clock."""
        self._connect = connect
        self._journal = journal
        self.verbs: tuple[AppVerbs, ...] = ()
        """What carries out most of its actions, once that is imported."""
        self._engine: EngineHolder | None = None
        """Who holds the engine, once it is being opened."""
        self._views: list[str] = []

    @property
    def PLACES(self) -> tuple[str, ...]:
        """The places of its actions: those of the demo only where one is open whose batches have a pace."""
        paced = self._demo is not None and self._demo.handle.pace is not None
        return ("app", "demo") if paced else ("app",)

    # -- start and end ----------------------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of the inks, for themes that do not name them."""
        return DEFAULTS

    def get_driver_class(self) -> type[Driver]:
        """A driver that survives stray bytes, where there is one."""
        if sys.platform == "win32" or "TEXTUAL_DRIVER" in os.environ:
            return super().get_driver_class()
        return SteadyDriver

    def get_default_screen(self) -> Screen[None]:
        """What is drawn before anything that takes longer."""
        return FirstFrame(self._identity, FIRST_VIEW, self.PLACES)

    def show_update(self, update: CompositorUpdate) -> bool:
        """Show an update: through our own driver, which sends only what differs, where that is in use."""
        show = getattr(driver_of(self), "show", None)
        cursor = tuple(self.cursor_position) if isinstance(self.focused, Input) else None
        return bool(show and show(update, cursor))

    def on_load(self) -> None:
        """Heed signals before the terminal is touched: whoever ends the console leaves a clean one."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT) if os.name == "posix" else ():
            with suppress(ValueError, RuntimeError):
                # The exit status that a shell gives a program which a signal has ended.
                loop.add_signal_handler(number, partial(self.exit, None, ENDED_BY + number))

    def on_mount(self) -> None:
        """Draw first; go on when something is to be seen."""
        self.call_after_refresh(self._begin)

    @work(group="app.begin")
    async def _begin(self) -> None:
        """Import the rest, which takes as long as the first frame did, in a thread: the loop stays free. Then show the
        first list, open the engine, and let the keys act that were pressed meanwhile."""
        verbs, holder = await asyncio.to_thread(_import_rest)
        if not self.is_running:
            return  # the console was left meanwhile
        self.verbs = (verbs(self, self.session, self.settings.notify, self._leave_for),)
        self._engine = holder(self, self.session, self._connect, self._journal, self.settings.keep_days)
        self.verbs[0].add_views()
        self.view(FIRST_VIEW)
        if not self._identity.url:
            # The engine works in this process: a key must not wait until one of its threads lets go.
            sys.setswitchinterval(SWITCH)
        self._say_first()
        if self._tour:
            self.verbs[0].begin_tour()
        self._cover()
        self.call_after_refresh(self._engine.open)
        self.call_after_refresh(self._keys.release)

    def _say_first(self) -> None:
        """What is to be said before the engine has answered."""
        if self._notice:
            self.session.news.say(self._notice, "failed")
        if sentence := self._identity.about_snapshot:
            self.session.news.say(sentence, "warning")
        for problem in (*self._own_keys.problems, *self.settings.problems):
            self.session.news.say(problem, "warning")

    @cached_property
    def session(self) -> Session:
        """What the screens share."""
        from retriage.console.session.session import Session  # 110 ms

        session = Session(self._identity, _SignalNews(self), self._preferences, self._demo)
        if self._journal is not None:
            session.memory.await_journal()
        return session

    @property
    def navigator(self) -> Navigator:
        """The ways between screens."""
        return self.verbs[0].navigator

    @property
    def runs(self) -> RunService:
        """The runs that are driven here."""
        return self.verbs[0].runs

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave. Nothing is read any more: what would be shown has no screen soon."""
        if self._engine is not None:
            close_all()
        super().exit(result, return_code, message)

    async def on_unmount(self) -> None:
        """Close the engine before the process ends."""
        for verbs in self.verbs:
            await verbs.close()
        if self._engine is not None:
            await self._engine.close()

    # -- views ------------------------------------------------------------------------------------------------------

    def view(self, name: str) -> None:
        """Go to a view."""
        if not self._views or self._views[-1] != name:
            self._views = [*self._views[-1:], name]
            self.switch_mode(name)

    def _show_view(self, name: str) -> None:
        """Go to a view by its key: a page of another view that was opened from there is closed, it is not meant."""
        self.view(name)
        pages = enumerate(getattr(screen, "VIEW", "") for screen in self.screen_stack)
        foreign = next((depth for depth, of in pages if depth and of not in ("", name)), None)
        while foreign is not None and len(self.screen_stack) > foreign:
            self.pop_screen()

    def action_view_tasks(self) -> None:
        """External tasks."""
        self._show_view("tasks")

    def action_view_incidents(self) -> None:
        """Open incidents."""
        self._show_view("incidents")

    def action_view_instances(self) -> None:
        """Process instances."""
        self._show_view("instances")

    def action_view_batches(self) -> None:
        """Batches."""
        self._show_view("batches")

    def action_view_jobs(self) -> None:
        """Jobs."""
        self._show_view("jobs")

    def action_view_journal(self) -> None:
        """Launches made from here."""
        self._show_view("journal")

    def action_last_view(self) -> None:
        """The view before this one."""
        if len(self._views) > 1:
            self.view(self._views[-2])

    # -- keys and actions -------------------------------------------------------------------------------------------

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """The one way from a key or a list to an action; what changes the engine has to pass the safety."""
        node = self if default_namespace is None else default_namespace
        view = getattr(self.screen, "freshness", None)
        why = why_not(self.session.connection, node, action, view) if isinstance(action, str) else ""
        if why:
            self.session.news.say(why, "warning")
            return True
        if action == "refresh":
            self.session.connection.ask_again()
        attached = method_of(node, action) if isinstance(action, str) else None
        if attached is not None:
            done = attached()
            if done is not None:
                await done
            return True
        return await super().run_action(action, default_namespace, namespaces)

    async def on_event(self, event: events.Event) -> None:
        """In a window that is too small no key acts, except the ones for help and leaving."""
        if self._small and isinstance(event, events.Key) and not self._in_small(event.key):
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.last_key = time.monotonic()
            if self._keys.untouched and event.key in named("app.quit").present_keys:
                self.exit()  # before anything is there nothing needs to be asked, or waited for
                return
            if event.key == "ctrl+c" and self.screen.is_modal:
                event = events.Key("escape", None)  # the keys of the application do not reach into a dialog
            await self._keys.put(event)
        else:
            if isinstance(event, events.MouseEvent):
                self._keys.pressed_at = event.time
            await super().on_event(event)

    @property
    def input_time(self) -> float:
        """When the key, or the mouse button, that is being handled was pressed, by the monotonic clock."""
        return self._keys.pressed_at

    @property
    def frame_written(self) -> bool:
        """The terminal has taken all that was written; a driver that cannot tell writes at once."""
        return bool(getattr(driver_of(self), "written", True))

    def on_key(self, event: events.Key) -> None:
        """Keys that nothing below has used; the one that asks for news asks everywhere where nothing may be asked."""
        if event.key in named("list.refresh").present_keys:
            self.session.connection.ask_again()
        if self._keys.came_back(event):
            event.prevent_default()

    def _in_small(self, key: str) -> bool:
        return any(key in named(name).present_keys for name in SMALL_ACTIONS)

    @property
    def _small(self) -> bool:
        return self.size.width < SMALLEST[0] or self.size.height < SMALLEST[1]

    def on_resize(self, event: events.Resize) -> None:
        """Cover everything while the window is too small."""
        self.call_later(self._cover)

    def _cover(self) -> None:
        for verbs in self.verbs:
            verbs.cover(self._small)

    def action_theme(self) -> None:
        """The next theme."""
        if self.no_color:
            self.session.news.say("NO_COLOR is set: there are no colours to choose.", "muted")
            return
        names = [theme.name for theme in THEMES]
        at_ = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at_ + 1) % len(names)]
        self.session.memory.preferences.theme = self.theme
        self.keep_preferences()
        self.session.news.say(f"Theme {self.theme}.", "muted")

    def keep_preferences(self) -> None:
        """Write down what was chosen, beside the event loop."""
        writing = asyncio.to_thread(self.session.memory.preferences.write)
        self.run_worker(writing, group="app.preferences", exit_on_error=False)

    @property
    def left_running(self) -> dict[int, list[str]]:
        """Runs that are to go on in the background now that the console was left, with the options that lead there."""
        return self.verbs[0].left_running if self.verbs else {}

    def _leave_for(self, chosen: ChosenEngine) -> None:
        self.chosen_engine = chosen
        self.exit()


class _SignalNews(NewsFeed):
    """Carries news to the screens that have subscribed."""

    def __init__(self, app: RetriageApp) -> None:
        super().__init__()
        self._signal: Signal[News] = Signal(app, "news")

    def publish(self, news: News) -> None:
        """Hand this to every subscriber."""
        self._signal.publish(news)

    def subscribe(self, node: DOMNode, callback: Callable[[News], None]) -> None:
        """Call ``callback`` with each piece of news for as long as the node is mounted."""
        self._signal.subscribe(node, callback)


def _import_rest() -> tuple[type[AppVerbs], type[EngineHolder]]:
    """What the console needs after its first frame: the session, the contract, the first list, the dialogs."""
    from retriage.console.engine_holder import EngineHolder  # 150 ms
    from retriage.console.screens.app_verbs import AppVerbs  # 180 ms

    return AppVerbs, EngineHolder
