"""The first frame, while what the screens need is still being imported."""

import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retriage.console import app as app_module
from retriage.console.app import RetriageApp
from retriage.console.screens.first_frame import FirstFrame
from retriage.console.screens.help.screen import HelpScreen
from retriage.console.screens.small import TooSmall
from retriage.console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import lines, loaded, screen, text, until
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
PROD = ConnectionIdentity("PROD", "https://bpm.payments.example/engine-rest/engine/payments", "ann", profile="bpm")


class SlowImport:
    """Importing what the screens need takes until it is let go on."""

    def __init__(self) -> None:
        self._may_go_on = threading.Event()
        self._import = app_module._import_rest

    def __call__(self) -> Any:
        assert self._may_go_on.wait(60)
        return self._import()

    def go_on(self) -> None:
        """The disk is fast again."""
        self._may_go_on.set()


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowImport]:
    slow = SlowImport()
    monkeypatch.setattr(app_module, "_import_rest", slow)
    yield slow
    slow.go_on()


async def test_keys_pressed_before_the_first_list_stands_act_in_their_order_when_it_does(importing: SlowImport) -> None:
    app = RetriageApp(connecting(FakeEngine(100)), PROD)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "opening the engine …" in text(app))
        assert isinstance(app.screen, FirstFrame)
        assert lines(app)[0].startswith(" PROD   bpm  ann ")
        assert "SAFE  opening" in lines(app)[0]
        assert lines(app)[1].startswith(" [1 Tasks]   2 Incidents ")
        assert lines(app)[-1].startswith(" ? help ")
        for key in ("slash", *"retries:0", "enter", "2", "question_mark"):
            await pilot.press(key)
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: lines(app)[0].startswith(" PROD   bpm.payments.example/engine-rest/engine"))
        assert isinstance(app.screen, FirstFrame)
        importing.go_on()
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and "Help: incidents" in text(app))
        await pilot.press("escape", "1")
        await until(pilot, lambda: loaded(app) and screen(app).filter_text == "retries:0")


async def test_whoever_leaves_before_anything_else_waits_for_nothing(importing: SlowImport) -> None:
    opened: list[None] = []

    def connect() -> Any:
        opened.append(None)
        return connecting(FakeEngine(10))()

    app = RetriageApp(connect, PROD)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "opening the engine …" in text(app))
        await pilot.press("q")
        assert not app.is_running
        importing.go_on()
    assert opened == []


async def test_what_is_imported_while_the_console_is_left_is_not_shown(
    importing: SlowImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = RetriageApp._close_all

    async def close_late(app: RetriageApp) -> None:
        importing.go_on()
        await app.workers.wait_for_complete()
        await close(app)

    monkeypatch.setattr(RetriageApp, "_close_all", close_late)
    app = RetriageApp(connecting(FakeEngine(10)), PROD)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "opening the engine …" in text(app))
    assert app.verbs == ()


async def test_the_key_for_leaving_is_a_letter_where_a_text_was_begun_before(importing: SlowImport) -> None:
    app = RetriageApp(connecting(FakeEngine(10)), PROD)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "q")
        assert app.is_running
        importing.go_on()
        await until(pilot, lambda: "/ q" in text(app))


async def test_a_window_that_is_too_small_from_the_beginning(importing: SlowImport) -> None:
    app = RetriageApp(connecting(FakeEngine(10)), PROD)
    async with app.run_test(size=(60, 14)) as pilot:
        await until(pilot, lambda: "opening the engine …" in text(app))
        await pilot.press("slash", "4")
        importing.go_on()
        await until(pilot, lambda: isinstance(app.screen, TooSmall) and "60x14" in text(app))
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: not isinstance(app.screen, TooSmall) and loaded(app))
        assert "[1 Tasks" in lines(app)[1]
        await pilot.press("4")
        await until(pilot, lambda: "[4 Batches" in lines(app)[1])


PROGRAM = """
import sys, time
from retriage.console import app as app_module
from retriage.console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting

rest = app_module._import_rest

def slowly():
    time.sleep(1)
    return rest()

app_module._import_rest = slowly
app = app_module.RetriageApp(connecting(FakeEngine(10)), ConnectionIdentity("TEST"))
app.run(mouse=False)
sys.exit(app.return_code)
"""


def test_a_signal_before_the_first_list_leaves_a_clean_terminal() -> None:
    with Terminal([sys.executable, "-c", PROGRAM], 80, 24, {"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for("opening the engine …")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_for_end() == 128 + signal.SIGTERM
        assert b"\x1b[?1049l" in terminal.raw
        assert b"Traceback" not in terminal.raw
