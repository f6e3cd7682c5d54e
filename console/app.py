"""The application: draws a frame, opens the engine, carries the news, closes everything."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.signal import Signal

from console.actions import at
from console.keys import KeyQueue
from console.screens.base import SMALLEST
from console.screens.chrome import VIEWS
from console.screens.session import Identity, Session
from console.widgets.bindings import bindings
from console.widgets.inert import inert
from console.widgets.themes import DEFAULTS, THEMES

if TYPE_CHECKING:
    from console.engine.client import EngineClient

CLOSING = 10.0
"""Seconds that the engine has to close in an orderly way."""
SMALL_KEYS = frozenset({"q", "question_mark", "ctrl+q", "ctrl+c", "escape"})
"""Keys that work in a window that is too small."""

Connect = Callable[[], "AbstractAsyncContextManager[EngineClient]"]


class RetriageApp(App[None]):
    """The console.

    Args:
        connect: opens the engine when it is called and entered, and closes it when it is left. It is called after
            the first frame is drawn. What it raises is shown in one sentence.
        identity: what is known about the engine before it has answered.
        theme: name of a theme of ``console.widgets.themes``.
    """

    TITLE = "Retriage"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"app"}))
    PLACES: ClassVar[tuple[str, ...]] = ("app",)
    CSS = "* { transition: none; }"

    def __init__(self, connect: Connect, identity: Identity, *, theme: str = THEMES[0].name) -> None:
        super().__init__()
        self._keys = KeyQueue(self, super().on_event)
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme
        self.animation_level = "none"
        self.session = Session(identity)
        self.session.news = Signal(self, "news")
        self._connect = connect
        self._engine: asyncio.Task[None] | None = None
        self._leaving = asyncio.Event()
        self._views: list[str] = []

    # -- start and end ----------------------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of the inks, for themes that do not name them."""
        return DEFAULTS

    def get_driver_class(self) -> type[Driver]:
        """A driver that survives stray bytes, where there is one."""
        if os.name != "posix" or "TEXTUAL_DRIVER" in os.environ:
            return super().get_driver_class()
        from console.driver import SteadyDriver

        return SteadyDriver

    def on_mount(self) -> None:
        """Draw first; open the engine when something is to be seen."""
        self._add_modes()
        self.view("tasks")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP) if os.name == "posix" else ():
            with suppress(ValueError, RuntimeError):
                loop.add_signal_handler(number, self.exit)
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        self._engine = asyncio.create_task(self._hold_engine(), name="engine")

    async def _hold_engine(self) -> None:
        """Keep the engine open until the application leaves. One task enters and leaves it."""
        try:
            async with self._connect() as client:
                self.session.open(client)
                self._follow()
                await self._leaving.wait()
        except Exception as problem:
            if not self._leaving.is_set():
                sentence = getattr(problem, "sentence", "") or f"The engine could not be opened: {problem}"
                self.session.failed_to_open = inert(sentence)
                self.session.say(sentence, "failed")
                self.session.news.publish("state")

    async def on_unmount(self) -> None:
        """Close the engine before the process ends."""
        self._leaving.set()
        if self.session.follower is not None:
            await self.session.follower.stop()
        if self._engine is not None:
            _, late = await asyncio.wait({self._engine}, timeout=CLOSING)
            for task in late:
                task.cancel()

    # -- news of the engine -----------------------------------------------------------------------------------------

    def _follow(self) -> None:
        from console.screens.follow import Follower

        follower = self.session.follower = Follower(self.session)
        follower.start()
        self.session.news.subscribe(self, lambda news: follower.heed_pause() if news == "state" else None)
        self._identify()

    @work(group="app.identify", exclusive=True, exit_on_error=False)
    async def _identify(self) -> None:
        from console.engine.errors import EngineProblem

        with suppress(EngineProblem):
            known = await self.session.ask(lambda client: client.identity())
            # The engine's version begins with the 7 that its name ends with.
            name = known.kind.removesuffix(" 7") if known.version else known.kind
            kind = f"{name} {known.version or ''}".strip()
            url = self.session.identity.url
            self.session.identify(replace(self.session.identity, engine=known.name, kind=kind, url=url))

    # -- views ------------------------------------------------------------------------------------------------------

    def _add_modes(self) -> None:
        for name, _ in VIEWS:
            self.add_mode(name, lambda name=name: self._screen(name))  # type: ignore[misc]

    def _screen(self, view: str) -> Screen[None]:
        """The screen of a view, imported when it is first shown."""
        if view == "tasks":
            from console.screens.tasks.screen import TasksScreen

            return TasksScreen(self.session)
        if view == "incidents":
            from console.screens.incidents.screen import IncidentsScreen

            return IncidentsScreen(self.session)
        if view == "instances":
            from console.screens.instances.screen import InstancesScreen

            return InstancesScreen(self.session)
        if view == "batches":
            from console.screens.batches.screen import BatchesScreen

            return BatchesScreen(self.session)
        from console.screens.jobs.screen import JobsScreen

        return JobsScreen(self.session)

    def view(self, name: str) -> None:
        """Go to a view."""
        if not self._views or self._views[-1] != name:
            self._views = [*self._views[-1:], name]
            self.switch_mode(name)

    def action_view_tasks(self) -> None:
        """External tasks."""
        self.view("tasks")

    def action_view_incidents(self) -> None:
        """Open incidents."""
        self.view("incidents")

    def action_view_instances(self) -> None:
        """Process instances."""
        self.view("instances")

    def action_view_batches(self) -> None:
        """Batches."""
        self.view("batches")

    def action_view_jobs(self) -> None:
        """Jobs."""
        self.view("jobs")

    def action_last_view(self) -> None:
        """The view before this one."""
        if len(self._views) > 1:
            self.view(self._views[-2])

    # -- anywhere ---------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """In a window that is too small no key acts, except the ones for help and leaving."""
        if self._small and isinstance(event, events.Key) and event.key not in SMALL_KEYS:
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._keys.put(event)
        else:
            await super().on_event(event)

    def on_key(self, event: events.Key) -> None:
        """Keys that nothing below has used."""
        if self._keys.came_back(event):
            event.prevent_default()

    @property
    def _small(self) -> bool:
        return self.size.width < SMALLEST[0] or self.size.height < SMALLEST[1]

    def on_resize(self, event: events.Resize) -> None:
        """Cover everything while the window is too small."""
        self.call_later(self._cover)

    def _cover(self) -> None:
        from console.screens.small import TooSmall

        covers = [screen for screen in self.screen_stack if isinstance(screen, TooSmall)]
        if self._small and not covers:
            self.push_screen(TooSmall(self.session, SMALLEST))
        while covers and not self._small and any(isinstance(screen, TooSmall) for screen in self.screen_stack):
            self.pop_screen()

    def action_theme(self) -> None:
        """The next theme."""
        names = [theme.name for theme in THEMES]
        at_ = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at_ + 1) % len(names)]
        self.session.say(f"Theme {self.theme}.", "muted")

    def action_help(self) -> None:
        """The keys of this screen."""
        from console.screens.help.screen import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self._places(), getattr(self.screen, "VIEW", "")))

    @work(group="app.palette", exclusive=True, exit_on_error=False)
    async def action_palette(self) -> None:
        """Any action by name."""
        from console.screens.help.palette import Palette

        screen, focused = self.screen, self.focused
        action = await self.push_screen_wait(Palette(self._places()))
        for node in (focused, screen, self):
            if action is not None and action.place in getattr(node, "PLACES", ()):
                await self.run_action(action.method, node)
                return

    def _places(self) -> tuple[str, ...]:
        places = getattr(self.screen, "places", None)
        return places() if places else self.PLACES

    @work(group="app.quit", exclusive=True, exit_on_error=False)
    async def action_quit(self) -> None:  # type: ignore[override]
        """Leave; ask first while a batch launched here still runs."""
        from console.screens.dialogs.confirm import Confirm

        if isinstance(self.screen, Confirm):
            return
        number = len(self.session.launched)
        if number:
            which = "a batch" if number == 1 else f"{number} batches"
            goes_on = "It goes on without the console" if self.session.identity.url else "It stops with the console"
            question = Confirm(
                "Leave Retriage?", [f"There is {which} launched here that still runs.", f"{goes_on}."], "leave", "l"
            )
            if not await self.push_screen_wait(question):
                return
        self.exit()
