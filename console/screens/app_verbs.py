"""What the keys do that act on every screen: help, all actions, the safety, snapshots, other engines, leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING

from retriage.console.folders import profiles_file
from retriage.console.profiles import ProfileProblem, list_profiles
from retriage.console.runs.command_text import engine_words
from retriage.console.runs.event_text import text_of
from retriage.console.runs.events import RunEnded, RunHeld, WaveStep
from retriage.console.runs.notify import notify
from retriage.console.runs.open_runs import open_runs
from retriage.console.screens.attached import places_of
from retriage.console.screens.base import ConsoleScreen
from retriage.console.screens.chrome import SMALLEST
from retriage.console.screens.dialogs.arm import take_safety_off_or_put_it_back
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.dialogs.engines import EngineDialog
from retriage.console.screens.events.screen import EventsScreen
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.screens.help.palette import Palette
from retriage.console.screens.help.screen import ENGINE_PAGE, HelpScreen
from retriage.console.screens.navigator import Navigator
from retriage.console.screens.nouns import DETAILS, LISTS
from retriage.console.screens.small import TooSmall
from retriage.console.screens.tour import TourGuide
from retriage.console.session.tour import Tour
from retriage.console.snapshots.part import SnapshotPart
from retriage.console.text.words import times

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import WorkType

    from retriage.console.engine.target import Pace
    from retriage.console.runs.events import RunEvent
    from retriage.console.runs.service import RunService
    from retriage.console.screens.dialogs.engines import ChosenEngine
    from retriage.console.screens.exporting.snapshot import SnapshotFile
    from retriage.console.session.session import Session
    from retriage.console.settings import Notify

TOUR_EVERY = 0.3
"""Seconds between two looks at how far the guided walk is."""


class AppVerbs:
    """The actions of the application but those that only switch its views and themes.

    Args:
        app: what they are attached to.
        session: what its screens share.
        wanted: what tells of a run that is held or over.
        leave_for: leaves the console for another engine.
    """

    def __init__(
        self, app: App[None], session: Session, wanted: Notify, leave_for: Callable[[ChosenEngine], None]
    ) -> None:
        self.app = app
        self.session = session
        self._wanted = wanted
        self._leave_for = leave_for
        self._snapshot: SnapshotFile | None = None
        self.navigator = Navigator(app, session, DETAILS)
        """The ways between screens."""
        self.left_running: dict[int, list[str]] = {}
        """Runs that are to go on in the background once the console was left, with the options that lead there."""

    async def close(self) -> None:
        """Hold the runs that are driven here, and end a snapshot that is being written."""
        if "runs" in self.__dict__:
            await self.runs.close()
        if self._snapshot is not None and self._snapshot.running:
            await self._snapshot.stop()

    def _work(self, work: WorkType[None], group: str) -> None:
        self.app.run_worker(work, group=group, exclusive=True, exit_on_error=False)

    # -- what is in front -------------------------------------------------------------------------------------------

    def add_views(self) -> None:
        """Let the application switch to the lists by their names."""
        for name, list_of in LISTS.items():
            self.app.add_mode(name, partial(list_of, self.session))

    def cover(self, small: bool) -> None:
        """Cover everything while the window is too small, and nothing when it is not."""
        covers = [screen for screen in self.app.screen_stack if isinstance(screen, TooSmall)]
        if small and not covers:
            self.app.push_screen(TooSmall(self.session, SMALLEST))
        while covers and not small and any(isinstance(screen, TooSmall) for screen in self.app.screen_stack):
            self.app.pop_screen()

    def begin_tour(self) -> None:
        """Say on each screen what to press next, and why."""
        guide = TourGuide(self.app, self.session, Tour())
        self.app.set_interval(TOUR_EVERY, guide.look)

    # -- runs -------------------------------------------------------------------------------------------------------

    @cached_property
    def runs(self) -> RunService:
        """The runs that are driven here."""
        from retriage.console.runs.service import RunService  # 455 ms, if the journal was not opened before

        return RunService(self.session, self._tell_of_run)

    def _tell_of_run(self, event: RunEvent) -> None:
        """Say what happens in a run, and call the operator to one that is held."""
        session = self.session
        match event:
            case RunHeld():
                session.watch.tell_run(f"run {event.run} held", "failed")
                session.news.say(text_of(event), "warning")
                self.app.bell()
                self._notify(event)
            case RunEnded():
                session.watch.tell_run("")
                session.news.say(text_of(event), "good" if event.state == "passed" else "warning")
                self._notify(event)
            case WaveStep(state="sending"):
                session.watch.tell_run(f"run {event.run} wave {event.wave}")
            case WaveStep(state="sent" | "passed" | "released" | "skipped"):
                session.news.say(f"Run {event.run}: {text_of(event)}")
        session.news.publish("runs")

    def _notify(self, event: RunHeld | RunEnded) -> None:
        """Tell those who are not looking, while the screen goes on."""
        self.app.run_worker(self._run_notify(event), group="app.notify", exit_on_error=False)

    async def _run_notify(self, event: RunHeld | RunEnded) -> None:
        for problem in await notify(self.session, event, self._wanted):
            self.session.news.say(problem, "failed")

    def action_run(self) -> None:
        """The run that is at work, or held."""
        self._work(self._show_run, "app.run")

    async def _show_run(self) -> None:
        here = self.runs.at_work
        if here:
            self.navigator.show("run", here[-1].run_id or here[-1])
            return
        found = await open_runs(self.session.memory)
        if found:
            self.navigator.show("run", found[0].run.id)
        else:
            self.session.news.say("No run is at work or held; the journal (6) lists those that are over.", "muted")

    # -- the demo ---------------------------------------------------------------------------------------------------

    @property
    def _pace(self) -> Pace | None:
        """How fast the batches of the demo go; nothing where none is open, and at full speed."""
        return self.session.connection.demo.handle.pace if self.session.connection.demo is not None else None

    def action_batches_faster(self) -> None:
        """Twice the pace."""
        if self._pace is not None:
            self._tell_pace(self._pace.faster())

    def action_batches_slower(self) -> None:
        """Half the pace."""
        if self._pace is not None:
            self._tell_pace(self._pace.slower())

    def _tell_pace(self, factor: float) -> None:
        self.session.news.say(f"Batches and workers of the demo run at {times(factor)} their usual pace.", "muted")
        self.session.news.publish("state")

    # -- anywhere ---------------------------------------------------------------------------------------------------

    def action_arm(self) -> None:
        """Take the safety off for ten minutes, or put it back."""
        self._work(self._arm, "app.arm")

    async def _arm(self) -> None:
        await take_safety_off_or_put_it_back(self.app, self.session)

    def action_snapshot(self) -> None:
        """Ask for a file, and write a snapshot to it; or stop the one that is being written."""
        self._work(self._write_snapshot, "app.snapshot")

    async def _write_snapshot(self) -> None:
        if self._snapshot is not None and self._snapshot.running:
            await self._snapshot.stop()
            return
        if why := self.session.connection.why_unheard():
            self.session.news.say(why, "warning")
            return
        # With an engine on the network nothing of this was needed before: a thread imports it.
        await asyncio.to_thread(import_module, "retriage.console.screens.exporting.snapshot")
        from retriage.console.screens.exporting.snapshot import SnapshotFile, proposed_file, told_of  # 60 ms

        screen = self.app.screen
        part = SnapshotPart(screen.task_filter if isinstance(screen, ConsoleScreen) else "")
        dialog = ExportDialog(proposed_file(), told_of(part), "Write a snapshot", lambda path: "")
        path = await self.app.push_screen_wait(dialog)
        if path is not None:
            self._snapshot = SnapshotFile(self.session, part, path)

    def action_events(self) -> None:
        """All that was said."""
        if not isinstance(self.app.screen, EventsScreen):
            self.app.push_screen(EventsScreen(self.session))

    def action_help(self) -> None:
        """The keys of this screen."""
        self._show_help(of_engine=False)

    def action_engine(self) -> None:
        """What the engine can, what its user may do, and what it keeps."""
        self._show_help(of_engine=True)

    def _show_help(self, *, of_engine: bool) -> None:
        screen = self.app.screen
        if not isinstance(screen, HelpScreen):
            page = ENGINE_PAGE if of_engine else 0
            self.app.push_screen(HelpScreen(self._places(), getattr(screen, "VIEW", ""), page))

    def action_palette(self) -> None:
        """Any action by name."""
        self._work(self._choose_action, "app.palette")

    async def _choose_action(self) -> None:
        screen, focused = self.app.screen, self.app.focused
        labels, idle = screen.told_actions() if isinstance(screen, ConsoleScreen) else ({}, set())
        action = await self.app.push_screen_wait(Palette(self._places(), labels, idle))
        for node in (focused, screen, self.app):
            if action is not None and action.place in places_of(node):
                await self.app.run_action(action.method, node)
                return

    def _places(self) -> tuple[str, ...]:
        places = getattr(self.app.screen, "places", None)
        return places() if places else places_of(self.app)

    # -- leaving ----------------------------------------------------------------------------------------------------

    def action_quit(self) -> None:
        """Leave; ask first while a batch launched here still runs."""
        self._work(self._quit, "app.quit")

    async def _quit(self) -> None:
        if not isinstance(self.app.screen, Confirm) and await self._may_leave("Leave Retriage?", "Leave", "l"):
            self.app.exit()

    def action_other_engine(self) -> None:
        """Open another engine in place of this one: the console begins anew there, with its safety on."""
        self._work(self._choose_engine, "app.quit")

    async def _choose_engine(self) -> None:
        problem = ""
        try:
            profiles = await asyncio.to_thread(list_profiles, profiles_file())
        except ProfileProblem as broken:
            profiles, problem = [], str(broken)
        chosen = await self.app.push_screen_wait(
            EngineDialog(profiles, self.session.connection.identity.profile, problem)
        )
        if chosen is not None and await self._may_leave("Leave this engine?", "Leave", "l"):
            self._leave_for(chosen)

    async def _may_leave(self, asked: str, label: str, key: str) -> bool:
        """Whether nothing launched here still runs, or the operator leaves all the same. Must run in a worker."""
        launched = [self.session.watch.known_batches.get(id) for id in self.session.watch.launched]
        number = sum(view is None or not view.ended for view in launched)
        runs = self.runs.at_work if "runs" in self.__dict__ else []
        numbers: list[int] = []
        if runs:
            run = runs[0].run_id
            which = f"{len(runs)} runs are" if len(runs) > 1 else "A run is" if run is None else f"Run {run} is"
            goes_on = f"`retriage watch {run or 'RUN'} --resume` goes on without a screen."
            if self.session.connection.identity.stays:
                numbers = [one.run_id for one in runs if one.run_id is not None]
                goes_on = f"{goes_on[:-1]}; b lets {'it' if len(runs) == 1 else 'them'} go on in the background now."
            else:
                goes_on = "The engine ends with this console: all of it is gone when you leave."
            said = [f"{which} at work, and held when you leave.", goes_on]
        elif number:
            one = number == 1
            which = "A batch launched here is" if one else f"{number} batches launched here are"
            goes_on = f"{'It goes' if one else 'They go'} on in the engine when you leave."
            stops = f"{'It stops' if one else 'They stop'} when you leave: the engine ends with this console."
            said = [f"{which} still running.", goes_on if self.session.connection.identity.url else stops]
        else:
            return True
        # A run whose tasks are still being read is not written down: no other process can go on with it.
        instead = ("Let it go on", "b") if numbers and len(numbers) == len(runs) else None
        question = Confirm(asked, said, label, key, instead=instead)
        sure: bool = await self.app.push_screen_wait(question)
        if question.took_instead:
            connection = self.session.connection
            self.left_running = dict.fromkeys(numbers, engine_words(connection.identity, connection.login))
        return sure
