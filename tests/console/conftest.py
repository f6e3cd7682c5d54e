"""What all tests of the console need."""

from pathlib import Path

import pytest

from retriage.console.screens.dialogs import confirm_delay
from retriage.console.screens.dialogs.confirm_delay import ConfirmDelay
from tests.console.settle import draw_when_looked_at, wait_for_the_busy, wait_until_nothing_is_ready


@pytest.fixture(scope="session")
def some_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what tests leave in the operator's folder without looking at it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def not_at_home(monkeypatch: pytest.MonkeyPatch, some_home: Path) -> None:
    """Nothing is read from, or written into, the folder of whoever runs the tests."""
    monkeypatch.setenv("RETRIAGE_HOME", str(some_home))


@pytest.fixture(autouse=True)
def soon_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long Textual's pilot looks, after each key, whether the process rests; what a test needs it waits for."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.005)
    wait_for_the_busy(monkeypatch)
    wait_until_nothing_is_ready(monkeypatch)


@pytest.fixture(autouse=True)
def few_frames(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What draws is tested frame by frame in its own rooms."""
    if request.path.parent.name not in ("terminal", "widgets"):
        draw_when_looked_at(monkeypatch)


@pytest.fixture(autouse=True)
def read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses the keys has read what is shown as soon as it is known; a test that is about the time to read sets
    it itself."""
    confirms = ConfirmDelay._confirms

    def at_once(delay: ConfirmDelay, moment: float) -> bool:
        return confirms(delay, moment) if confirm_delay.DELAY else delay._content is not None

    monkeypatch.setattr(confirm_delay, "DELAY", 0.0)
    monkeypatch.setattr(ConfirmDelay, "_confirms", at_once)
