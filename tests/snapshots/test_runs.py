"""A run: its page while its gate holds it, its questions, the journal that lists it, waves in the launch dialog."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retriage.console.journal import journal_at
from retriage.console.runs.run_view import RunView
from retriage.console.screens.runs.screen import RunScreen
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.journal import FrozenTask, Journal, NewLaunch, NewRun, RunCause
from tests.console.fake import connecting
from tests.snapshots.conftest import LOW, NARROW, Steps
from tests.snapshots.night import with_batches
from tests.snapshots.stage import Pictured, Stage
from tests.snapshots.stopped import StoppedClock

BPM = ConnectionIdentity("PROD", "https://bpm.example/engine-rest", "ann", profile="bpm-prod", name="bpm-prod")
TITLE = "topic:charge-card retries:0"
HOSTILE = "back\x1b[2J\x1b]0;gone\x07 \u202ereversed\u202c [bold]INC-4412[/bold]"
COUNTS: list[dict[str, int]] = [
    {"done": 10},
    {"done": 99, "again": 1},
    {"done": 281, "again": 31, "newCause": 3, "waiting": 140, "locked": 44, "cancelled": 2, "unknown": 1},
]
SIZES = (10, 100, 500, 3990)
GATE = "31 of 313 decided tasks failed again (9.9%, limit 5%, 3 with a new error)."

Compare = Callable[..., bool]


LONG = pytest.param((100, 30), marks=pytest.mark.long)
"""The size in between is looked at by `.ci/run`."""


@pytest.fixture(
    params=[LOW, NARROW, LONG, pytest.param((160, 45), marks=pytest.mark.long)],
    ids=["low", "narrow", "wide", "broad"],
)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """The windows in which the page of a run was looked at."""
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def compare(snap_compare: Any, clock: StoppedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compares the console with a journal in which a run stands."""
    for module in ("runs", "launching"):
        monkeypatch.setattr(f"retriage.store.journal.{module}.now", lambda: clock.moment)
    monkeypatch.setattr("retriage.console.engine_holder.CLOSING", 10.0)
    # The run is written beside the start of the console, which tells of runs that it finds.
    monkeypatch.setattr("retriage.console.runs.open_runs.open_runs", no_runs)
    # Its tasks are none of the engine's: they would be found to be gone.
    monkeypatch.setattr("retriage.console.runs.followed_runs.FollowedRuns.start", lambda followed: None)

    def compared(size: tuple[int, int], steps: Steps, reason: str = "PSP back, INC-4412") -> bool:
        async def run(pilot: Any) -> None:
            stage = Stage(pilot, clock)
            await stage.so(lambda: stage.app.session.memory.journal is not None)
            journal = stage.app.session.memory.journal
            assert journal is not None
            await written(journal, reason, clock)
            await stage.full()
            await steps(stage)

        app = Pictured(connecting(with_batches()), BPM, journal=lambda: journal_at(tmp_path / "journal.db"))
        same: bool = snap_compare(app, terminal_size=size, run_before=run)
        return same

    return compared


async def no_runs(session: Session) -> list[RunView]:
    """Nothing is found at the start."""
    return []


async def written(journal: Journal, reason: str, clock: StoppedClock) -> None:
    """A run of four waves; two went through, its gate holds the third."""
    new = NewRun("bpm-prod", BPM.url, "ann", TITLE, reason, 1, 0.05, False, 60.0, clock.moment)
    ids = iter(f"{0x5F1C1A1E + index * 7919:08x}-1f5e-11f1-9c3a-0242ac120002" for index in range(sum(SIZES)))
    waves = [(wave, [FrozenTask(next(ids), 0) for _ in range(size)]) for wave, size in enumerate(SIZES, 1)]
    causes = [RunCause("charge-card", "card <*> expired", 4350), RunCause("send-mail", "SMTP 421 <*>", 250)]
    runs, run = journal.runs, await journal.runs.begin(new, "me", waves, causes)
    for wave, counts in enumerate(COUNTS, 1):
        await runs.wave(run, "me", wave, "sending")
        launch = await journal.begin(
            NewLaunch("bpm-prod", BPM.url, "ann", 1, "{}", SIZES[wave - 1], run_id=run, wave=wave)
        )
        await journal.ended(
            launch, "launched", batch_id=f"b{wave}d91a07-1f5e-11f1-9c3a-0242ac120002", jobs=SIZES[wave - 1]
        )
        await runs.wave(run, "me", wave, "watching" if wave == len(COUNTS) else "passed")
        await runs.note(run, "me", wave, counts, 34.0, {})
    await runs.leave_out(run, "me", {110: "gone"})
    await runs.state(run, "me", "held", "failed-again", GATE)
    await runs.leave(run, "me")


async def page(stage: Stage) -> None:
    await stage.press("7")
    await stage.so(lambda: isinstance(stage.app.screen, RunScreen))
    await stage.sees("HELD", "Held by the gate of wave 3.", "281")
    await stage.still()


async def stopping(stage: Stage) -> None:
    await page(stage)
    stage.app.session.connection.arm()
    await stage.press("X")
    await stage.sees("Stop run 1?")
    await stage.still(working=True)


async def changing(stage: Stage) -> None:
    await page(stage)
    stage.app.session.connection.arm()
    await stage.press("C")
    await stage.sees("The rest of run 1")
    await stage.still(working=True)


async def listed(stage: Stage) -> None:
    await stage.view("6")
    await stage.sees("run held 2/4")
    await stage.still()


async def waves(stage: Stage) -> None:
    await stage.full()
    await stage.filter("retries:0")
    await stage.press("A", "R")
    await stage.sees("in the launch")
    await stage.press("W")
    await stage.sees("watch", "run 1, ")
    await stage.still()


def test_held_by_its_gate(compare: Compare, size: tuple[int, int]) -> None:
    assert compare(size, page)


def test_waves_of_the_launch_dialog(compare: Compare, size: tuple[int, int]) -> None:
    assert compare(size, waves)


def test_a_hostile_reason(compare: Compare) -> None:
    assert compare(NARROW, page, HOSTILE)


def test_stopping_asks_about_the_batch(compare: Compare) -> None:
    assert compare(NARROW, stopping)


def test_the_rest_is_changed(compare: Compare) -> None:
    assert compare(NARROW, changing)


def test_among_the_launches(compare: Compare) -> None:
    assert compare((100, 30), listed)
