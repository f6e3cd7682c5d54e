"""Driving the console up to the moment of the picture. Nothing waits for time, only for what must have happened."""

import re
from collections.abc import Callable
from typing import Any

from rich.cells import cell_len
from textual.events import Paste
from textual.pilot import Pilot
from textual.worker import WorkerState

from retriage.console.app import RetriageApp
from retriage.console.screens.tasks.screen import TasksScreen
from retriage.console.widgets.filter_line import FilterInput
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Pane
from tests.console.settle import lines, loaded, until
from tests.snapshots.stopped import StoppedClock

PATIENCE = 30.0
_FONT_FACE = re.compile(r"\s*@font-face\s*\{.*?\}", re.DOTALL)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)


class Pictured(RetriageApp):
    """The console, whose pictures name no other place: the reader's own font is used."""

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """The picture without fonts to fetch and without advertisement."""
        picture = super().export_screenshot(title="retriage", simplify=simplify)
        return _COMMENT.sub("", _FONT_FACE.sub("", picture)).replace("Fira Code, monospace", "monospace").replace(
            "font-family: Fira Code", "font-family: monospace"
        )  # fmt: skip


class Stage:
    """One console while it is driven."""

    def __init__(self, pilot: Pilot[Any], clock: StoppedClock) -> None:
        assert isinstance(pilot.app, RetriageApp)
        self.app: RetriageApp = pilot.app
        self.pilot = pilot
        self.clock = clock

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(lines(self.app))

    async def so(self, condition: Callable[[], object]) -> None:
        """Wait until it is so; where it never is, say what stands on the screen instead."""
        try:
            await until(self.pilot, condition, PATIENCE)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.text}") from problem

    async def sees(self, *words: str) -> None:
        """Wait until all of this stands on the screen."""
        await self.so(lambda: all(word in self.text for word in words))

    async def press(self, *keys: str) -> None:
        """Press keys, each one when the one before has been dealt with."""
        for key in keys:
            await self.pilot.press(key)

    async def type(self, text: str) -> None:
        """Open the filter line and paste this into it (key by key takes seconds)."""
        await self.press("slash")
        await self.so(lambda: isinstance(self.app.focused, FilterInput))
        self.app.post_message(Paste(text))
        await self.so(lambda: self._screen.query_one(FilterInput).value == text)

    async def filter(self, text: str) -> None:
        """Apply a filter."""
        await self.type(text)
        await self.press("enter")
        await self.so(lambda: self._screen.filter_text == text)
        await self.full()

    async def view(self, digit: str) -> None:
        """Go to a view, and wait for its rows."""
        await self.press(digit)
        await self.so(lambda: f"[{digit} " in lines(self.app)[1])
        await self.full()

    async def full(self) -> None:
        """Every row in sight is there, the panes say something, the count is known."""
        await self.so(self._full)
        await self.still()

    async def still(self, *, working: bool = False) -> None:
        """Nothing moves any more: no timer runs that rings once, nobody works, and the picture stays the same.

        Args:
            working: somebody works on, since a question is never answered.
        """
        await self.so(lambda: not self._timers() and (working or not self._workers()))
        before = ""
        while before != (before := self.text) or self._timers():
            await self.pilot.pause()
        width = self.app.size.width
        assert {cell_len(line) for line in lines(self.app)} == {width}, "a line is not as wide as the window"

    def _full(self) -> bool:
        session, screen = self.app.session, self._screen
        known = (
            session.connection.client is not None
            and session.connection.identity.engine
            and len(session.watch.counts) == 5
        )
        if not known or not loaded(self.app) or not self._all_in_sight():
            return False
        if screen.VIEW == "tasks" and not (self._pane("live") and (screen.narrow or self._causes_told())):
            return False
        return self.app.screen.query_one(LineTable).total == 0 or self._pane("detail") not in ("", "…")

    @property
    def _screen(self) -> Any:
        return self.app.screen

    def _pane(self, id: str) -> str:
        return self.app.screen.query_one(f"#{id}", Pane).text

    def _causes_told(self) -> bool:
        causes = self._screen.query_one("#causes", LineTable)
        return causes.total > 0 or causes.empty != "reading …"

    def _all_in_sight(self) -> bool:
        table: LineTable = self._screen.table
        return len(table.in_sight()) == min(table.lines, table.total)

    def _timers(self) -> bool:
        nodes = [self.app, *self.app.screen_stack, *(node for top in self.app.screen_stack for node in top.query("*"))]
        return any(
            timer._repeat is not None and timer._task is not None and not timer._task.done()
            for node in nodes
            for timer in node._timers
        )

    def _workers(self) -> bool:
        # Who groups the causes waits while they are hidden: on a narrow screen, or behind another one.
        shown = isinstance(self._screen, TasksScreen) and not self._screen.narrow
        hidden = set() if shown else {"tasks.grouping"}
        return any(
            worker.state in (WorkerState.PENDING, WorkerState.RUNNING) and worker.group not in hidden
            for worker in self.app.workers
        )
