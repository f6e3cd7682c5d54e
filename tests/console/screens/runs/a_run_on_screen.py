"""A run on the screen of a console, over an engine in this process whose worker works when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.engine.client import EngineClient
from retriage.console.journal import journal_at
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.operations.dialog import OperationDialog
from retriage.console.screens.runs.screen import RunScreen
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.settings import Settings
from tests.console.runs.a_run import ROOT, Scene
from tests.console.settle import lines, loaded, until

HERE = ConnectionIdentity("TEST", ROOT, "ann", name="e")
PROD = ConnectionIdentity("PROD", ROOT, "ann", profile="bpm-prod", name="bpm-prod")


class OnScreen:
    """A console over the engine of a scene, and whoever looks at it."""

    def __init__(self, scene: Scene, app: RetriageApp, pilot: Pilot[Any]) -> None:
        self.scene = scene
        self.app = app
        self.pilot = pilot
        self.bells = 0
        app.bell = self._ring  # type: ignore[method-assign]

    def _ring(self) -> None:
        self.bells += 1

    @property
    def text(self) -> str:
        return "\n".join(lines(self.app))

    async def so(self, condition: Callable[[], object]) -> None:
        """Wait until it is so, while the engine goes on."""
        try:
            await until(self.pilot, condition, 30.0)
        except AssertionError as problem:
            raise AssertionError(f"{problem}\n{self.text}") from problem

    async def sees(self, *words: str) -> None:
        await self.so(lambda: all(word in self.text for word in words))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def operation(self, key: str) -> OperationDialog:
        """Press a key that opens the dialog of an operation, and wait until it could be read."""
        await self.press(key)
        await self.so(lambda: isinstance(self.app.screen, OperationDialog))
        found = self.app.screen
        assert isinstance(found, OperationDialog)
        await self.so(lambda: found.preparation.to_be_read is not None and found.delay.over)
        return found

    async def order(self, key: str, *see: str, then: str = "L") -> None:
        """Press a key that asks, read the question, and confirm."""
        await self.press(key)
        await self.sees(*see)
        await self.press(then)
        await self.so(lambda: not self.app.screen.is_modal)

    async def dialog(self, waves: str) -> LaunchDialog:
        """The launch dialog over all tasks that have failed, with these waves."""
        await self.press("A", "R")
        await self.so(lambda: isinstance(self.app.screen, LaunchDialog) and self.app.screen.preparation.complete)
        found = self.app.screen
        assert isinstance(found, LaunchDialog)
        await self.press("W")
        await self.so(lambda: found.query_one("#waves").query_one("Input").has_focus)
        await self.press("ctrl+u")
        await self.press(*(KEYS.get(letter, letter) for letter in waves))
        await self.press("E")
        await self.so(lambda: found.waves.form.waves == waves and found.preparation.every_task_meant)
        return found

    async def begin(self, waves: str) -> None:
        """Launch them in waves, and wait for the page of the run."""
        await self.dialog(waves)
        await self.press("L")
        await self.so(lambda: isinstance(self.app.screen, RunScreen) and self.app.screen.view() is not None)


KEYS = {" ": "space", ",": "comma", "%": "percent_sign"}


@asynccontextmanager
async def on_screen(
    scene: Scene,
    identity: ConnectionIdentity = HERE,
    size: tuple[int, int] = (110, 36),
    settings: Settings | None = None,
) -> AsyncIterator[OnScreen]:
    """A console; the engine carries out its batches, and its worker works, as long as it is open."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[EngineClient]:
        yield EngineClient(httpx.AsyncClient(transport=scene.transport, base_url=ROOT))

    async def go_on() -> None:
        while True:
            await scene.turn()
            await asyncio.sleep(0.02)

    app = RetriageApp(connect, identity, journal=lambda: journal_at(scene.folder / "journal.db"), settings=settings)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.memory.journal is not None and loaded(app))
        engine = asyncio.create_task(go_on())
        try:
            yield OnScreen(scene, app, pilot)
        finally:
            engine.cancel()
            await asyncio.gather(engine, return_exceptions=True)
