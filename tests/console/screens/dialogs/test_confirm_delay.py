"""A key confirms from half a second after the frame on: before that it does nothing, and is not kept."""

import asyncio
from collections.abc import Callable

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from retriage.console.keys import KeyQueue
from retriage.console.screens.dialogs import confirm_delay
from retriage.console.screens.dialogs.arm import ArmDialog
from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.widgets.themes import DEFAULTS


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Asking(App[None]):
    """Asks one question; its terminal has taken a frame, or not."""

    def __init__(self, question: Callable[[Clock], Screen[bool]]) -> None:
        super().__init__()
        self.clock = Clock()
        self.asked = question(self.clock)
        self.answers: list[bool | None] = []
        self.frame_written = True

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    @property
    def input_time(self) -> float:
        return self.clock.now

    def on_mount(self) -> None:
        self.push_screen(self.asked, self.answers.append)


@pytest.fixture(autouse=True)
def half_a_second(monkeypatch: pytest.MonkeyPatch, read_at_once: None) -> None:
    monkeypatch.setattr(confirm_delay, "DELAY", 0.5)


def sure(clock: Clock, typed: str = "") -> Confirm:
    return Confirm("Delete?", ["It goes."], "delete", "L", typed=typed, clock=clock)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    for _ in range(3000):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come to that")


async def frame_seen(pilot: Pilot[None], delay: confirm_delay.ConfirmDelay) -> None:
    await until(pilot, lambda: delay._written_at is not None)


@pytest.mark.parametrize("key", ["L", "enter"])
async def test_a_key_before_its_time_does_nothing_and_a_later_one_confirms(key: str) -> None:
    app = Asking(sure)
    async with app.run_test() as pilot:
        assert isinstance(app.asked, Confirm)
        await frame_seen(pilot, app.asked.delay)
        if key == "enter":
            app.asked.query_one("#order", Choice).focus()
        for _ in range(3):
            await pilot.press(key)
        app.clock.now += 0.49
        await pilot.press(key)
        assert app.answers == []
        app.clock.now += 0.02
        await until(pilot, lambda: app.asked.query_one("#order", Choice).enabled)
        assert app.answers == [], "an early key was kept"
        await pilot.press(key)
        await until(pilot, lambda: app.answers == [True])


async def test_cancel_needs_no_time() -> None:
    app = Asking(sure)
    async with app.run_test() as pilot:
        await pilot.press("escape")
        await until(pilot, lambda: app.answers == [False])


async def test_the_time_does_not_begin_before_the_terminal_has_taken_the_frame() -> None:
    app = Asking(sure)
    app.frame_written = False
    async with app.run_test() as pilot:
        assert isinstance(app.asked, Confirm)
        await pilot.pause(0.1)
        app.clock.now += 10
        await pilot.press("L")
        assert app.asked.delay._written_at is None
        app.frame_written = True
        await frame_seen(pilot, app.asked.delay)
        await pilot.press("L")
        assert app.answers == []
        app.clock.now += 0.5
        await pilot.press("L")
        await until(pilot, lambda: app.answers == [True])


async def test_what_has_changed_and_what_was_covered_is_read_again() -> None:
    app = Asking(sure)
    async with app.run_test() as pilot:
        assert isinstance(app.asked, Confirm)
        delay = app.asked.delay
        await frame_seen(pilot, delay)
        app.clock.now += 1
        assert delay.over
        delay.shown("Delete?")
        assert delay.over, "nothing has changed"
        delay.shown("Delete two?")
        assert not delay.over
        await frame_seen(pilot, delay)
        app.clock.now += 1
        assert delay.over
        delay.shown(None)
        assert not delay.over
        delay.shown("Delete two?")
        await frame_seen(pilot, delay)
        app.clock.now += 1
        app.push_screen(Screen[None]())
        await pilot.pause()
        app.pop_screen()
        await until(pilot, lambda: not delay.over)
        await pilot.press("L")
        assert app.answers == []


async def test_a_typed_number_is_kept_but_enter_behind_it_came_too_early() -> None:
    app = Asking(lambda clock: sure(clock, "34"))
    async with app.run_test() as pilot:
        assert isinstance(app.asked, Confirm)
        await frame_seen(pilot, app.asked.delay)
        await pilot.press("3", "4", "enter", "L")
        assert app.answers == []
        app.clock.now += 0.5
        await pilot.press("enter")
        await until(pilot, lambda: app.answers == [True])


async def test_the_safety_is_not_taken_off_by_a_name_that_was_typed_ahead() -> None:
    app = Asking(lambda clock: ArmDialog("bpm", "PROD", clock))
    async with app.run_test() as pilot:
        assert isinstance(app.asked, ArmDialog)
        await frame_seen(pilot, app.asked.delay)
        await pilot.press(*"bpm", "enter")
        assert app.answers == []
        app.clock.now += 0.5
        await pilot.press("enter")
        await until(pilot, lambda: app.answers == [True])


async def test_a_key_that_waited_in_the_queue_counts_from_when_it_was_pressed() -> None:
    from textual import events

    app: App[None] = App()
    async with app.run_test():
        moments: list[float] = []

        async def send(key: events.Key) -> None:
            moments.append(queue.pressed_at)

        queue = KeyQueue(app, send)
        await queue.release()
        keys = [events.Key("R", "R"), events.Key("L", "L")]
        keys[0].time, keys[1].time = 5.0, 5.001
        for key in keys:
            await queue.put(key)
        for _ in range(3000):
            if len(moments) == 2:
                break
            await asyncio.sleep(0.01)
        assert moments == [5.0, 5.001]
