"""Waiting for moments, not for time: what the tests of the screens wait with."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from console.app import RetriageApp
from console.session.session import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting

PATIENCE = 10.0


async def until(pilot: Pilot[Any], so: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return as soon as ``so()`` holds; fail if it does not within ``patience`` seconds."""
    end = time.monotonic() + patience
    while True:
        await pilot.pause()
        try:
            if so():
                return
        except Exception as problem:  # a widget that is not there yet
            if time.monotonic() > end:
                raise AssertionError(f"never so: {problem!r}") from problem
        if time.monotonic() > end:
            raise AssertionError("never so")
        await asyncio.sleep(0.01)


@asynccontextmanager
async def console(
    engine: FakeEngine, size: tuple[int, int] = (100, 30), after: float = 0.0
) -> AsyncIterator[tuple[RetriageApp, Pilot[None]]]:
    """The console over a fake engine, its first rows loaded."""
    app = RetriageApp(connecting(engine, after), ConnectionIdentity("TEST", "in this process", "ann"))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.client is not None and loaded(app))
        yield app, pilot


def loaded(app: RetriageApp) -> bool:
    """The view in front has rows, or knows that there are none."""
    screen: Any = app.screen
    return screen.matching is not None and (screen.matching == 0 or screen.table.row is not None)


def lines(app: RetriageApp) -> list[str]:
    """What stands on the screen, line by line."""
    update = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in update]
