"""What production looks like: line 1, the safety, the launch dialog with all its warnings."""

from typing import Any

import pytest

from retriage.console.reading.selection import Marked
from retriage.console.screens.launch.flow import open_launch
from retriage.console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting
from tests.snapshots.conftest import NARROW, Steps
from tests.snapshots.night import Night, uuid, with_batches
from tests.snapshots.stage import Pictured, Stage
from tests.snapshots.stopped import StoppedClock

BPM = ConnectionIdentity("PROD", "https://bpm.example/engine-rest", "ann", profile="bpm-prod")


@pytest.fixture
def compare(snap_compare: Any, clock: StoppedClock) -> Any:
    """Compares the console of an engine with a name."""

    def compared(
        size: tuple[int, int], steps: Steps, identity: ConnectionIdentity = BPM, engine: FakeEngine | None = None
    ) -> bool:
        app = Pictured(connecting(engine or with_batches()), identity)
        same: bool = snap_compare(app, terminal_size=size, run_before=lambda pilot: steps(Stage(pilot, clock)))
        return same

    return compared


def without_workers() -> Night:
    """A night in which no worker was seen."""
    engine = with_batches()
    counted = engine.count_external_tasks

    async def nobody(query: Any) -> int:
        return 0 if query.lock_expiration_after is not None else await counted(query)

    async def no_log(query: Any, first: int, size: int) -> list[Any]:
        return []

    engine.count_external_tasks = nobody  # type: ignore[method-assign]
    engine.external_task_log = no_log  # type: ignore[method-assign]
    return engine


async def ask(stage: Stage) -> None:
    await stage.full()
    ids = frozenset([*(uuid(index) for index in range(40)), "11111111-1f5e-11f1-9c3a-0242ac120002"])
    open_launch(stage.app, stage.app.session, Marked(ids, "HTTP 503 from psp"))
    await stage.sees("in the launch", "no worker seen", "SAFE: this is PROD", "ann's batch")
    await stage.still()


async def armed(stage: Stage) -> None:
    await ask(stage)
    stage.app.session.connection.arm()
    await stage.press("L")
    await stage.sees("Type a reason", "ARMED")
    for letter in "INC-4412":
        await stage.press("minus" if letter == "-" else letter)
    await stage.press("enter")
    await stage.sees("INC-4412")
    await stage.still()


async def arming(stage: Stage) -> None:
    await stage.full()
    await stage.press("exclamation_mark")
    await stage.sees("Take the safety off?")
    await stage.press("x", "enter")
    await stage.sees("That is not its name")
    await stage.still(working=True)


async def refused(stage: Stage) -> None:
    await stage.full()
    await stage.view("4")
    await stage.press("S")
    await stage.sees("! takes the safety off")
    await stage.still()


async def too_many(stage: Stage) -> None:
    await stage.full()
    await stage.press("R")
    await stage.sees("in the launch")
    await stage.press(*"99999999999")
    await stage.sees("at most 2,147,483,647")
    await stage.still()


async def nothing(stage: Stage) -> None:
    await stage.so(lambda: len(stage.app.session.watch.counts) == 5 and "made-up world" in stage.text)
    await stage.press("A", "R")
    await stage.sees("There is nothing to launch")
    await stage.still()


async def empty(stage: Stage) -> None:
    await stage.so(lambda: len(stage.app.session.watch.counts) == 5 and "made-up world" in stage.text)
    await stage.still()


def test_a_launch_with_every_warning(compare: Any, size: tuple[int, int]) -> None:
    assert compare(size, ask, engine=without_workers())


def test_a_launch_armed(compare: Any, size: tuple[int, int]) -> None:
    assert compare(size, armed, engine=without_workers())


def test_arming(compare: Any, size: tuple[int, int]) -> None:
    assert compare(size, arming)


def test_an_order_refused_while_safe(compare: Any, size: tuple[int, int]) -> None:
    assert compare(size, refused)


def test_read_only(compare: Any) -> None:
    identity = ConnectionIdentity("TEST", "https://bpm.example/engine-rest", "ann", profile="bpm-test", readonly=True)
    assert compare(NARROW, Stage.full, identity)


def test_too_many_retries(compare: Any) -> None:
    assert compare(NARROW, too_many)


def test_an_empty_store(compare: Any, size: tuple[int, int]) -> None:
    assert compare(size, empty, ConnectionIdentity("LOCAL"), FakeEngine(0))


def test_nothing_to_launch(compare: Any) -> None:
    assert compare(NARROW, nothing, ConnectionIdentity("LOCAL"), FakeEngine(0))
