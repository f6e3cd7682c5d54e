"""The application: draws a frame, opens the engine, carries the news, closes everything."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from rich.console import RenderableType
from textual import events, work
from textual.actions import ActionParseResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.signal import Signal
from textual.widgets import Input

from console.actions import OWN_KEYS, at, named
from console.engine.errors import EngineProblem
from console.engine.identity import RETRIAGE
from console.folders import profiles_file
from console.journal import NoJournal, forget_old
from console.keymap import Keymap
from console.keys import KeyQueue
from console.profiles import ProfileProblem, list_profiles
from console.runs.operator_call import call_operator, facts_of
from console.screens.base import SMALLEST, ConsoleScreen
from console.screens.chrome import VIEWS
from console.screens.dialogs.confirm import Confirm
from console.screens.dialogs.engines import EngineDialog
from console.screens.events.screen import EventsScreen
from console.screens.exporting.dialog import ExportDialog
from console.screens.gate import take_safety_off_or_put_it_back, why_not
from console.screens.help.palette import Palette
from console.screens.navigator import Navigator
from console.screens.nouns import DETAILS, LISTS
from console.screens.small import TooSmall
from console.screens.verbs import method_of
from console.session.journal_answers import journal_problem
from console.session.poller import close_all
from console.session.preferences import Preferences
from console.session.session import ConnectionIdentity, Session
from console.session.tour import Tour
from console.settings import Settings
from console.snapshots.part import SnapshotPart
from console.terminal.textual_private import AppWithUpdateHook, CompositorUpdate, driver_of
from console.text.inert import inert
from console.text.words import things, times
from console.widgets.bindings import bindings
from console.widgets.stylesheet import KeptStylesheet
from console.widgets.themes import DEFAULTS, PLAIN, THEMES

if sys.platform != "win32":
    from console.driver import SteadyDriver

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.engine.target import Demo, Pace
    from console.runs.driven_runs import DrivenRuns
    from console.runs.events import RunHeld
    from console.runs.run_view import RunView
    from console.screens.dialogs.engines import ChosenEngine
    from console.screens.exporting.snapshot import SnapshotFile
    from store.journal import Journal

CLOSING = 10.0
"""Seconds that the engine has to close in an orderly way."""
GIVING_UP = 1.0
"""Seconds that an engine which is still opening has to stop doing so."""
ENDED_BY = 128
"""Added to the number of the signal that ended the console, it is the exit status."""
SWITCH = 0.0005
"""Seconds that a thread of an engine in this process may hold on to the interpreter while a key waits."""
TOUR_EVERY = 0.3
"""Seconds between two looks at how far the guided walk is."""
SMALL_ACTIONS = ("app.quit", "app.help", "list.back")
"""Actions whose keys work in a window that is too small."""

Connect = Callable[[], "AbstractAsyncContextManager[EngineClient]"]
OpenJournal = Callable[[], "AbstractAsyncContextManager[Journal]"]


class RetriageApp(AppWithUpdateHook[None]):
    """The console.

    Args:
        connect: opens the engine when it is called and entered, and closes it when it is left. It is called after
            the first frame is drawn. What it raises is shown in one sentence.
        identity: what is known about the engine before it has answered.
        theme: name of a theme of ``console.widgets.themes``; that of the preferences, or the first one, if it is empty.
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
    .-tour.-short #event-above { margin-bottom: 4; }
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
        self.session = Session(identity)
        self.session.preferences = preferences
        self.session.demo = demo
        self._tour = tour
        self.session.news = Signal(self, "news")
        self.navigator = Navigator(self, self.session, DETAILS)
        """The ways between screens."""
        self.last_key = 0.0
        """When a key was pressed last, by the monotonic clock."""
        self._connect = connect
        self._open_journal = journal
        if journal is not None:
            self.session.await_journal()
        self._engine: asyncio.Task[None] | None = None
        self._snapshot: SnapshotFile | None = None
        self._leaving = asyncio.Event()
        self._views: list[str] = []

    @property
    def PLACES(self) -> tuple[str, ...]:
        """The places of its actions: those of the demo only where one is open whose batches have a pace."""
        return ("app", "demo") if self._pace is not None else ("app",)

    @property
    def _pace(self) -> Pace | None:
        """How fast the batches of the demo go; nothing where none is open, and at full speed."""
        return self.session.demo.handle.pace if self.session.demo is not None else None

    # -- start and end ----------------------------------------------------------------------------------------------

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of the inks, for themes that do not name them."""
        return DEFAULTS

    def get_driver_class(self) -> type[Driver]:
        """A driver that survives stray bytes, where there is one."""
        if sys.platform == "win32" or "TEXTUAL_DRIVER" in os.environ:
            return super().get_driver_class()
        return SteadyDriver

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
        """Draw first; open the engine when something is to be seen."""
        self._add_modes()
        self.view("tasks")
        if not self.session.identity.url:
            # The engine works in this process: a key must not wait until one of its threads lets go.
            sys.setswitchinterval(SWITCH)
        if self._notice:
            self.session.say(self._notice, "failed")
        if sentence := self.session.identity.about_snapshot:
            self.session.say(sentence, "warning")
        for problem in (*self._own_keys.problems, *self.settings.problems):
            self.session.say(problem, "warning")
        if self._tour:
            self._begin_tour()
        self.call_after_refresh(self._open)

    def _begin_tour(self) -> None:
        from console.screens.tour import TourGuide  # 4 ms

        guide = TourGuide(self, self.session, Tour())
        self.set_interval(TOUR_EVERY, guide.look)

    def _open(self) -> None:
        self._engine = asyncio.create_task(self._hold_engine(), name="engine")

    async def _hold_engine(self) -> None:
        """Keep the engine open until the application leaves. One task enters and leaves it."""
        try:
            async with self._connect() as client, AsyncExitStack() as beside:
                self.session.open(client)
                self._follow()
                await self._keep_journal(beside)
                await self._leaving.wait()
        except Exception as problem:
            if not self._leaving.is_set():
                sentence = getattr(problem, "sentence", "") or f"The engine could not be opened: {problem}"
                self.session.failed_to_open = inert(sentence)
                self.session.say(sentence, "failed")
                self.session.news.publish("state")

    async def _keep_journal(self, beside: AsyncExitStack) -> None:
        """Open the journal; where that cannot be done the console works without."""
        if self._open_journal is None:
            return
        try:
            journal = await beside.enter_async_context(self._open_journal())
        except NoJournal as problem:
            self.session.do_without_journal()
            self.session.say(f"{problem} Nothing is remembered.", "warning")
        else:
            self.session.keep_journal(journal)
            await self._tell_open_runs()
            await self._forget(journal)

    async def _forget(self, journal: Journal) -> None:
        """What is over and older than the operator wants to keep."""
        days = self.settings.keep_days
        try:
            number = await forget_old(journal, days)
        except journal_problem():
            return  # whoever writes next is told
        if number:
            over = things(number, "launch or run", "launches and runs")
            self.session.say(f"The journal has forgotten {over} older than {days} days.", "muted")
            self.session.news.publish("journal")

    async def _tell_open_runs(self) -> None:
        """Runs that wait are told at once: nothing of them is sent before the operator says so."""
        waiting, sentence = await self._open_runs()
        if sentence:
            first = next(view for view in waiting if not view.driven)
            self.session.tell_run(f"run {first.run.id} held", "failed")
            self.session.say(sentence, "warning")

    async def _open_runs(self) -> tuple[list[RunView], str]:
        """Runs on this engine that are at work or held, and a sentence about those that wait."""
        from console.runs.open_runs import open_runs, said_of  # 6 ms

        found = await open_runs(self.session)
        return found, said_of(found)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Leave. Nothing is read any more: what would be shown has no screen soon."""
        if self.session.client is not None:
            close_all()
        super().exit(result, return_code, message)

    async def on_unmount(self) -> None:
        """Close the engine before the process ends. One that is still opening has nothing to close."""
        if "runs" in self.__dict__:
            await self.runs.close()
        if self._snapshot is not None and self._snapshot.running:
            await self._snapshot.stop()
        self._leaving.set()
        if self.session.follower is not None:
            await self.session.follower.stop()
        if self.session.unanswered is not None:
            await self.session.unanswered.stop()
        if self._engine is not None:
            if self.session.client is None:
                self._engine.cancel()
            _, late = await asyncio.wait({self._engine}, timeout=CLOSING if self.session.client else GIVING_UP)
            for task in late:
                task.cancel()

    # -- news of the engine -----------------------------------------------------------------------------------------

    def _follow(self) -> None:
        from console.launch.launch_events import sentence_of  # 7 ms
        from console.launch.unanswered import UnansweredLaunches  # 36 ms
        from console.session.background import BackgroundReading  # 27 ms

        follower = self.session.follower = BackgroundReading(self.session)
        follower.start()
        unanswered = self.session.unanswered = UnansweredLaunches(
            self.session, lambda event: self.session.say(*sentence_of(event))
        )
        unanswered.start()
        self.session.news.subscribe(self, self._heed_state)
        self._identify()

    def _heed_state(self, news: str) -> None:
        """Rest while paused; ask who the engine is as soon as it answers, if it has not told yet."""
        if news != "state" or self.session.follower is None:
            return
        self.session.follower.heed_pause()
        if self.session.unanswered is not None:
            self.session.unanswered.heed_pause()
        if not self.session.identity.kind and not self.session.stale:
            self._identify()

    @work(group="app.identify", exclusive=True, exit_on_error=False)
    async def _identify(self) -> None:
        with suppress(EngineProblem):
            await self.session.learn_capabilities()
        with suppress(EngineProblem):
            await self.session.learn_rights()
        with suppress(EngineProblem):
            known = await self.session.ask(lambda client: client.identity())
            # The engine's version begins with the 7 that its name ends with.
            name = known.kind.removesuffix(" 7") if known.version else known.kind
            kind = f"{name} {known.version or ''}".strip()
            if self.session.identity.snapshot_of:
                kind = self.session.identity.kind
            elif known.kind == RETRIAGE and (known.version or "").startswith("7."):
                # The version that it tells is the contract's, not its own, which --version tells.
                kind = f"{RETRIAGE} store, contract {known.version}"
            url = self.session.identity.url
            self.session.identify(replace(self.session.identity, engine=known.name, kind=kind, url=url))

    @cached_property
    def runs(self) -> DrivenRuns:
        """The runs that are driven here."""
        from console.runs.driven_runs import DrivenRuns  # 614 ms, if the journal was not opened before

        return DrivenRuns(self.session, self._call_operator)

    def _call_operator(self, held: RunHeld) -> None:
        """A run does not go on by itself: the bell, and the command of the settings."""
        self.bell()
        if self.settings.call and not self.session.identity.snapshot_of:
            self.run_worker(self._run_call(held), group="app.call", exit_on_error=False)

    async def _run_call(self, held: RunHeld) -> None:
        if problem := await call_operator(self.settings.call, facts_of(self.session, held)):
            self.session.say(problem, "failed")

    # -- views ------------------------------------------------------------------------------------------------------

    def _add_modes(self) -> None:
        for name, _ in VIEWS:
            self.add_mode(name, lambda name=name: LISTS[name](self.session))  # type: ignore[misc]

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

    @work(group="app.run", exclusive=True, exit_on_error=False)
    async def action_run(self) -> None:
        """The run that is at work, or held."""
        here = self.runs.at_work
        if here:
            self.navigator.show("run", here[-1].run_id or here[-1])
            return
        found, _ = await self._open_runs()
        if found:
            self.navigator.show("run", found[0].run.id)
        else:
            self.session.say("No run is at work or held; the journal (6) lists those that are over.", "muted")

    def action_last_view(self) -> None:
        """The view before this one."""
        if len(self._views) > 1:
            self.view(self._views[-2])

    # -- the demo ---------------------------------------------------------------------------------------------------

    def action_batches_faster(self) -> None:
        """Twice the pace."""
        if self._pace is not None:
            self._tell_pace(self._pace.faster())

    def action_batches_slower(self) -> None:
        """Half the pace."""
        if self._pace is not None:
            self._tell_pace(self._pace.slower())

    def _tell_pace(self, factor: float) -> None:
        self.session.say(f"Batches and workers of the demo run at {times(factor)} their usual pace.", "muted")
        self.session.news.publish("state")

    # -- safety -----------------------------------------------------------------------------------------------------

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """The one way from a key or a list to an action; what changes the engine has to pass the safety."""
        view = getattr(self.screen, "freshness", None)
        why = why_not(self.session, default_namespace or self, action, view) if isinstance(action, str) else ""
        if why:
            self.session.say(why, "warning")
            return True
        if action == "refresh":
            self.session.ask_again()
        attached = method_of(default_namespace, action) if isinstance(action, str) else None
        if attached is not None:
            done = attached()
            if done is not None:
                await done
            return True
        return await super().run_action(action, default_namespace, namespaces)

    @work(group="app.arm", exclusive=True, exit_on_error=False)
    async def action_arm(self) -> None:
        """Take the safety off for ten minutes, or put it back."""
        await take_safety_off_or_put_it_back(self, self.session)

    # -- anywhere ---------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """In a window that is too small no key acts, except the ones for help and leaving."""
        if self._small and isinstance(event, events.Key) and not self._in_small(event.key):
            return
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.last_key = time.monotonic()
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
            self.session.ask_again()
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
        covers = [screen for screen in self.screen_stack if isinstance(screen, TooSmall)]
        if self._small and not covers:
            self.push_screen(TooSmall(self.session, SMALLEST))
        while covers and not self._small and any(isinstance(screen, TooSmall) for screen in self.screen_stack):
            self.pop_screen()

    def action_theme(self) -> None:
        """The next theme."""
        if self.no_color:
            self.session.say("NO_COLOR is set: there are no colours to choose.", "muted")
            return
        names = [theme.name for theme in THEMES]
        at_ = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at_ + 1) % len(names)]
        self.session.preferences.theme = self.theme
        self.keep_preferences()
        self.session.say(f"Theme {self.theme}.", "muted")

    def keep_preferences(self) -> None:
        """Write down what was chosen, beside the event loop."""
        writing = asyncio.to_thread(self.session.preferences.write)
        self.run_worker(writing, group="app.preferences", exit_on_error=False)

    @work(group="app.snapshot", exclusive=True, exit_on_error=False)
    async def action_snapshot(self) -> None:
        """Ask for a file, and write a snapshot to it; or stop the one that is being written."""
        if self._snapshot is not None and self._snapshot.running:
            await self._snapshot.stop()
            return
        if why := self.session.why_unheard():
            self.session.say(why, "warning")
            return
        # With an engine on the network nothing of this was needed before: a thread imports it.
        await asyncio.to_thread(import_module, "console.screens.exporting.snapshot")
        from console.screens.exporting.snapshot import SnapshotFile, proposed_file, told_of  # 60 ms

        part = SnapshotPart(self.screen.task_filter if isinstance(self.screen, ConsoleScreen) else "")
        dialog = ExportDialog(proposed_file(), told_of(part), "Write a snapshot", lambda path: "")
        path = await self.push_screen_wait(dialog)
        if path is not None:
            self._snapshot = SnapshotFile(self.session, part, path)

    def action_events(self) -> None:
        """All that was said."""
        if not isinstance(self.screen, EventsScreen):
            self.push_screen(EventsScreen(self.session))

    def action_help(self) -> None:
        """The keys of this screen."""
        self._show_help(of_engine=False)

    def action_engine(self) -> None:
        """What the engine can, what its user may do, and what it keeps."""
        self._show_help(of_engine=True)

    def _show_help(self, *, of_engine: bool) -> None:
        from console.screens.help.screen import ENGINE_PAGE, HelpScreen  # 7 ms

        if not isinstance(self.screen, HelpScreen):
            page = ENGINE_PAGE if of_engine else 0
            self.push_screen(HelpScreen(self._places(), getattr(self.screen, "VIEW", ""), page))

    @work(group="app.palette", exclusive=True, exit_on_error=False)
    async def action_palette(self) -> None:
        """Any action by name."""
        screen, focused = self.screen, self.focused
        labels, idle = self.screen.told_actions() if isinstance(self.screen, ConsoleScreen) else ({}, set())
        action = await self.push_screen_wait(Palette(self._places(), labels, idle))
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
        if not isinstance(self.screen, Confirm) and await self._may_leave("Leave Retriage?", "Leave", "l"):
            self.exit()

    @work(group="app.quit", exclusive=True, exit_on_error=False)
    async def action_other_engine(self) -> None:
        """Open another engine in place of this one: the console begins anew there, with its safety on."""
        problem = ""
        try:
            profiles = await asyncio.to_thread(list_profiles, profiles_file())
        except ProfileProblem as broken:
            profiles, problem = [], str(broken)
        chosen = await self.push_screen_wait(EngineDialog(profiles, self.session.identity.profile, problem))
        if chosen is not None and await self._may_leave("Leave this engine?", "Leave", "l"):
            self.chosen_engine = chosen
            self.exit()

    async def _may_leave(self, asked: str, label: str, key: str) -> bool:
        """Whether nothing launched here still runs, or the operator leaves all the same. Must run in a worker."""
        launched = [self.session.known_batches.get(id) for id in self.session.launched]
        number = sum(view is None or not view.ended for view in launched)
        runs = self.runs.at_work if "runs" in self.__dict__ else []
        if runs:
            run = runs[0].run_id
            which = f"{len(runs)} runs are" if len(runs) > 1 else "A run is" if run is None else f"Run {run} is"
            goes_on = f"`retriage watch {run or 'RUN'} --resume` goes on without a screen."
            if self.session.identity.snapshot_of:
                goes_on = "It is a rehearsal: all of it is gone when you leave."
            said = [f"{which} at work, and held when you leave.", goes_on]
        elif number:
            one = number == 1
            which = "A batch launched here is" if one else f"{number} batches launched here are"
            goes_on = f"{'It goes' if one else 'They go'} on in the engine when you leave."
            stops = f"{'It stops' if one else 'They stop'} when you leave: the engine ends with this console."
            said = [f"{which} still running.", goes_on if self.session.identity.url else stops]
        else:
            return True
        sure: bool = await self.push_screen_wait(Confirm(asked, said, label, key))
        return sure
