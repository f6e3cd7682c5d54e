"""View 6 and one launch of it: launches of all kinds, none at all, no journal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retriage.console.journal import journal_at
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.journal import Journal, NewLaunch
from tests.console.fake import connecting
from tests.snapshots.conftest import NARROW, Steps
from tests.snapshots.night import ENDED, RUNNING, ended, with_batches
from tests.snapshots.stage import Pictured, Stage
from tests.snapshots.stopped import StoppedClock

BPM = ConnectionIdentity("PROD", "https://bpm.example/engine-rest", "ann", profile="bpm-prod", name="bpm-prod")
QUERY = '{"retries": 1, "externalTaskQuery": {"topicName": "charge-card", "noRetriesLeft": true}}'
HOSTILE = "back\x1b[2J\x1b]0;gone\x07 \u202ereversed\u202c [bold]INC-4412[/bold]"

Compare = Callable[..., bool]


@pytest.fixture
def compare(snap_compare: Any, clock: StoppedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Compares the console with a journal in which something stands already."""
    monkeypatch.setattr("retriage.store.journal.launching.now", lambda: clock.moment)
    # No question is held back here, and the journal's own threads must have ended before the loop does.
    monkeypatch.setattr("retriage.console.engine_holder.CLOSING", 10.0)

    def compared(size: tuple[int, int], steps: Steps, written: Callable[[Journal], Any] | None = None) -> bool:
        async def run(pilot: Any) -> None:
            stage = Stage(pilot, clock)
            await stage.so(lambda: stage.app.session.memory.journal is not None)
            journal = stage.app.session.memory.journal
            assert journal is not None
            if written is not None:
                await written(journal)
                stage.app.session.news.publish("journal")
            await stage.full()
            await steps(stage)

        engine = with_batches()
        engine.ended[ENDED] = ended()
        for index in (at for at in range(60) if at % 5):
            engine.records[index] = engine.records[index].model_copy(update={"retries": 1})
        app = Pictured(connecting(engine), BPM, journal=lambda: journal_at(tmp_path / "journal.db"))
        same: bool = snap_compare(app, terminal_size=size, run_before=run)
        return same

    return compared


async def some(journal: Journal) -> None:
    """Launches of every state, the last one of this morning."""
    ids = [f"{0x5F1C1A1E + index * 7919:08x}-1f5e-11f1-9c3a-0242ac120002" for index in range(60)]
    for title, reason, request, state, batch, tasks, listed, undoes in (
        ("topic:charge-card retries:0", "PSP back, INC-4412", QUERY, "launched", RUNNING, 4740, None, None),
        ("60 marked tasks", "mail server moved", '{"retries": 1}', "launched", ENDED, 60, 60, None),
        ("undo of launch 2: 60 tasks back to 0", "undo of launch 2", '{"retries": 0}', "refused", None, 60, 60, 2),
        ("ord-88213  ·  charge-card", "", '{"retries": 1}', "unknown", None, 1, 1, None),
        (HOSTILE, HOSTILE, '{"retries": 1}', "launched", "0badc0de", 3, 3, None),
    ):
        new = NewLaunch("bpm-prod", BPM.url, "ann", 1 if not undoes else 0, request, tasks, title, reason, undoes)
        number = await journal.begin(new)
        await journal.add_tasks(number, [(id, (0, 0, None)[at % 3]) for at, id in enumerate(ids[: listed or 0])])
        await journal.sent(number, listed)
        said = "Authorization: the user with id 'ann' does not have 'CREATE' permission on 'Batch'."
        await journal.ended(number, state, batch_id=batch, jobs=tasks, said=said if state == "refused" else "")


async def listed(stage: Stage) -> None:
    await stage.view("6")
    await stage.sees("execute 44%", "refused", "ended")
    await stage.still()


async def one(stage: Stage) -> None:
    await listed(stage)
    await stage.press("j", "j", "j", "enter")
    await stage.sees("60 tasks, retries before and now", "lock or")
    await stage.still()


async def nothing(stage: Stage) -> None:
    await stage.press("6")
    await stage.sees("Nothing launched from here yet")
    await stage.still()


async def undoing(stage: Stage) -> None:
    await listed(stage)
    stage.app.session.connection.arm()
    await stage.press("j", "j", "j", "Z")
    await stage.sees("Undo launch 2?", "tasks get back 0 retries")
    await stage.still(working=True)


def test_launches(compare: Compare, size: tuple[int, int]) -> None:
    assert compare(size, listed, some)


def test_one_launch(compare: Compare, size: tuple[int, int]) -> None:
    assert compare(size, one, some)


def test_nothing_launched_yet(compare: Compare) -> None:
    assert compare(NARROW, nothing)


def test_undo_asks_first(compare: Compare, size: tuple[int, int]) -> None:
    assert compare(size, undoing, some)
