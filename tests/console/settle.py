"""Waiting for moments, not for time: what the tests of the screens wait with."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import _wait
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.app import App
from textual.events import Paste
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from retriage.console.app import RetriageApp
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.filter_line import FilterInput
from tests.console.fake import FakeEngine, connecting

PATIENCE = 30.0


def draw_when_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are drawn whenever a test pauses to look and something has changed, whole, and not in between: without a
    terminal nobody sees those, how many there are is chance, and they take a third of a test's time."""
    render, pause = Compositor.render_update, Pilot.pause
    changed = False

    def rendered(compositor: Compositor, full: bool = False, **how: Any) -> Any:
        nonlocal changed
        changed = True
        if full:
            return render(compositor, full, **how)
        compositor._dirty_regions.clear()
        return None

    async def paused(pilot: Pilot[Any], delay: float | None = None) -> None:
        nonlocal changed
        await pause(pilot, delay)
        if pilot.app._running and changed:
            changed = False
            draw(pilot.app)

    monkeypatch.setattr(Compositor, "render_update", rendered)
    monkeypatch.setattr(Pilot, "pause", paused)


_drawn: list[tuple[App[Any], Screen[Any], list[Strip]]] = []
"""What has just been drawn: the same until anything else gets its turn."""


def draw(app: App[Any]) -> list[Strip]:
    """The lines of the screen in front, over those that show through it."""
    for drawn_of, screen, strips in _drawn:
        if drawn_of is app and screen is app.screen:
            return strips
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    _drawn[:] = [(app, app.screen, strips)]
    asyncio.get_running_loop().call_soon(_drawn.clear)
    return strips


def wait_for_the_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot sends each widget a message and waits until it has come; where every widget waits for its next
    one already, nobody needs to be asked."""
    wait = Pilot._wait_for_screen

    async def waited(pilot: Pilot[Any], *patience: float) -> bool:
        nodes = [pilot.app, *pilot.app.screen.walk_children(with_self=True)] if pilot.app._running else []
        return (bool(nodes) and all(map(_waits, nodes))) or await wait(pilot, *patience)

    monkeypatch.setattr(Pilot, "_wait_for_screen", waited)


def wait_until_nothing_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's pilot takes a process that gets no processor for one that has nothing to do, as on a busy machine; so
    the loop itself is looked at before, until nobody in it could go on."""
    idle = _wait.wait_for_idle

    async def waited(*how: float) -> None:
        loop: Any = asyncio.get_running_loop()
        end, quiet = time.monotonic() + 1, 0
        while quiet < 2 and time.monotonic() < end:
            await asyncio.sleep(0)
            quiet = 0 if loop._ready else quiet + 1
        await idle(*how)

    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", waited)


def _waits(node: MessagePump) -> bool:
    """It has dealt with all that came and waits for the next message."""
    queue = node._message_queue
    return queue.empty() and any(not waiter.done() for waiter in getattr(queue.ready_event, "_waiters", ()))


async def until(pilot: Pilot[Any], so: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return as soon as ``so()`` holds; fail if it does not within ``patience`` seconds."""
    end = time.monotonic() + patience
    looks = 0
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
        looks += 1
        await asyncio.sleep(0.01 if looks < 10 else 0.05)


class BegunIn(RetriageApp):
    """The console, in another view than its first one from the beginning.

    Args:
        first: name of the view.
    """

    def __init__(self, first: str, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._first = first

    def view(self, name: str) -> None:
        """Go to a view; the first time to the one that was asked for."""
        first, self._first = self._first, ""
        super().view(first or name)


@asynccontextmanager
async def console(
    engine: FakeEngine, size: tuple[int, int] = (100, 30), after: float = 0.0, *, view: str = "tasks"
) -> AsyncIterator[tuple[RetriageApp, Pilot[None]]]:
    """The console over a fake engine, the first rows of a view loaded."""
    app = BegunIn(view, connecting(engine, after), ConnectionIdentity("TEST", "in this process", "ann"))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.connection.client is not None and loaded(app))
        yield app, pilot


async def filter_by(app: RetriageApp, pilot: Pilot[Any], text: str) -> None:
    """Apply a filter to the list in front: pasted, since each key costs as much as the whole text."""
    await pilot.press("slash")
    await until(pilot, lambda: isinstance(app.focused, FilterInput))
    app.post_message(Paste(text))
    await until(pilot, lambda: isinstance(app.focused, FilterInput) and app.focused.value == text)
    await pilot.press("enter")


def loaded(app: RetriageApp) -> bool:
    """The view in front has rows, or knows that there are none."""
    screen: Any = app.screen
    return screen.matching is not None and (screen.matching == 0 or screen.table.row is not None)


def lines(app: RetriageApp) -> list[str]:
    """What stands on the screen, line by line."""
    return ["".join(segment.text for segment in strip) for strip in draw(app)]


def text(app: RetriageApp) -> str:
    """What stands on the screen."""
    return "\n".join(lines(app))


def screen(app: RetriageApp) -> Any:
    """The screen in front; its class is known to who asks."""
    return app.screen


def said(app: RetriageApp) -> str:
    """Everything that was said, a sentence a line: what comes after the one that is waited for does not hide it."""
    return "\n".join(event.sentence for event in app.session.news)


def said_last(app: RetriageApp) -> str:
    """What was said last."""
    return app.session.news.newest.sentence if app.session.news.newest else ""
