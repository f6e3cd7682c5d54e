"""What the pictures need: a stopped clock, an environment that says nothing, and the comparison itself."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from retriage.console import engine_holder
from retriage.console.screens.dialogs import confirm_delay
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.themes import DARK
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import draw_when_looked_at, wait_for_the_busy, wait_until_nothing_is_ready
from tests.snapshots.stage import Pictured, Stage
from tests.snapshots.stopped import StoppedClock

Steps = Callable[[Stage], Awaitable[None]]
Picture = Callable[..., bool]

WIDE, NARROW, LOW = (120, 36), (80, 24), (60, 15)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """The time of all pictures, the same on every machine."""
    stopped = StoppedClock()
    stopped.stop(monkeypatch)
    draw_when_looked_at(monkeypatch)
    wait_for_the_busy(monkeypatch)
    wait_until_nothing_is_ready(monkeypatch)
    monkeypatch.setattr(engine_holder, "CLOSING", 0.1)
    monkeypatch.setattr(confirm_delay, "DELAY", 0.0)
    # How long Textual's pilot looks whether the process rests. What a picture needs is waited for by name in `Stage`.
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.005)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    return stopped


@pytest.fixture(params=[pytest.param(WIDE, marks=pytest.mark.long), NARROW], ids=["wide", "narrow"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Columns and lines: a window of today, in `.ci/run`, and that of an old terminal."""
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def picture(snap_compare: Any, clock: StoppedClock) -> Picture:
    """Compares the console, driven by ``steps``, with the picture that was accepted."""

    def compare(
        engine: FakeEngine | Callable[[], Any],
        size: tuple[int, int],
        steps: Steps = Stage.full,
        *,
        theme: str = DARK.name,
    ) -> bool:
        connect = connecting(engine) if isinstance(engine, FakeEngine) else engine
        app = Pictured(connect, ConnectionIdentity("PROD", "bpm.example/engine-rest", "ann"), theme=theme)
        same: bool = snap_compare(app, terminal_size=size, run_before=lambda pilot: steps(Stage(pilot, clock)))
        return same

    return compare
