"""One night on the screen: an outage is retried in waves by keys alone, killed, resumed, held, released, undone.

Every number is checked at the engine by REST, or in the journal's file by SQL, by nothing of the console.
"""

import signal
import sys
from pathlib import Path

import pytest

from retriage.store.demo_store import fill
from tests.acceptance.launch_key import press_launch
from tests.acceptance.night_engine import EXPIRED, OUTAGE, PASSWORD, TOPIC, NightEngine
from tests.acceptance.test_run_night import PROFILE, Payments, Shell, wait_for
from tests.support.terminal import Terminal

WAVES = [5, 20, 30]
"""Sizes of the waves before the rest."""
IDLE = 4
"""So many tasks of the rest nobody works on."""
QUERY = f"topic:{TOPIC} retries:0 -suspended"


class Screen(Terminal):
    """The console on the operator's profile.

    Args:
        home: the operator's own folder.
    """

    def __init__(self, home: Path) -> None:
        environment = {"RETRIAGE_HOME": str(home), "BPM_PASSWORD": PASSWORD, "TMPDIR": str(home)}
        super().__init__([sys.executable, "-m", "retriage.console", "--profile", PROFILE], 100, 30, environment)

    def arm(self) -> None:
        """Take the safety off."""
        self.press("!")
        self.wait_for("Take the safety off")
        self.press(PROFILE)
        self.wait(lambda: self.bold("Take it off enter"), "it cannot be taken off")
        self.press("\r")
        self.wait_for("ARMED")

    def order(self, key: str, question: str, number: int, order: str) -> None:
        """Press a key that asks, type the number of tasks that is asked for, and confirm when it can be."""
        self.press(key)
        self.wait_for(question)
        self.press(f"{number}")
        self.wait(lambda: self.bold(order), "the key of the order never counts")
        self.press("\r")
        self.wait(lambda: question not in self.text, f"{question} stays")


@pytest.mark.timeout(500)
def test_a_night_of_waves_on_the_screen(tmp_path: Path) -> None:
    fill(str(tmp_path / "store.db"), 900, 7, lambda done: None, batches=False)
    home = tmp_path / "home"
    home.mkdir()
    with NightEngine(tmp_path / "store.db", {"RETRIAGE_RUNNER_IDLE_SECONDS": "1"}) as engine:
        shell, payments = Shell(home, engine.root), Payments(engine)
        payments.paused = True
        try:
            night(engine, shell, payments, home)
        finally:
            payments.stop()


def sizes(engine: NightEngine) -> list[int]:
    """Jobs of all batches that ever were."""
    return sorted(one["totalJobs"] for one in engine.batches())


def night(engine: NightEngine, shell: Shell, payments: Payments, home: Path) -> None:
    which = {
        id for id, one in engine.tasks().items()
        if one["topicName"] == TOPIC and one["retries"] == 0 and not one["suspended"]
    }  # fmt: skip
    number = len(which)
    assert number > sum(WAVES) + 20
    with Screen(home) as screen:
        screen.wait_for("SAFE")
        # Jobs of the world that are due come to further tasks meanwhile.
        screen.wait(lambda: f"[1 Tasks {len(engine.tasks())}" in screen.text, "the tasks are not counted")
        screen.press(f"/{QUERY}\r")
        screen.wait(lambda: f" {number} " in screen.lines[2], "the tasks are not counted")
        screen.press("AR")
        screen.wait_for("tasks in the launch")
        screen.press("W")
        screen.wait_for("waves")
        screen.wait_for("hold on a new cause too")
        screen.press("\x15" + ",".join(map(str, WAVES)) + ",rest")
        screen.wait_for(f"4 waves: 5 + 20 + 30 + {number - sum(WAVES)}")
        # On production a launch wants the safety off, a reason and the number.
        screen.press("L")
        screen.wait_for("SAFE: this is PROD")
        assert engine.batches() == []
        screen.arm()
        screen.press("\x1b[A")
        screen.type("INC-4412")
        screen.wait_for("reason    INC-4412")
        screen.press("\r\r")
        screen.press(f"{number}\r")
        payments.paused = False
        press_launch(screen)
        screen.wait_for("RUN 1")
        screen.wait_for("passed")
        payments.paused = True
        screen.wait_for("Wave 2 is watched")
        screen.signal(signal.SIGKILL)
    wait_for(lambda: sizes(engine) == WAVES[:2], "not two batches")
    assert not shell.wave(1) & set(engine.tasks())

    # At the next start the run is told; it goes on by choice. The provider is down again for the third wave.
    with Screen(home) as screen:
        screen.wait_for("Run 1 is held after an interruption")
        assert sizes(engine) == WAVES[:2]
        third = shell.wave(3)
        rest = shell.wave(4)
        payments.expired = set(sorted(third)[:2])
        screen.press("7")
        screen.wait_for("Held after an interruption.")
        screen.arm()
        screen.order("R", "Resume run 1?", number - sum(WAVES[:2]), "Resume L")
        payments.paused = False
        wait_for(lambda: not shell.wave(2) & set(engine.tasks()), "the second wave is not done")
        payments.back = False
        screen.wait_for("Held by the gate of wave 3.")
        assert sizes(engine) == WAVES
        retries = engine.retries()
        assert {retries[id] for id in rest} == {0}, "a task of the held wave was touched"
        wait_for(lambda: {engine.retries().get(id) for id in third} == {0}, "not all of the third wave have failed")
        messages = {id: engine.tasks()[id]["errorMessage"] for id in third}
        assert {id for id, said in messages.items() if said == EXPIRED} == payments.expired
        assert all(said.startswith((EXPIRED, OUTAGE)) for said in messages.values())

        # The rest is released; a few of its tasks nobody takes, and they can be put back.
        payments.back, payments.idle = True, set(sorted(rest)[:IDLE])
        screen.order("R", "Release run 1?", len(rest), "Release L")
        screen.wait_for("FINISHED", 150)  # the last wave is watched for as long as it may be: some of it stays open
        assert sizes(engine) == sorted([*WAVES, len(rest)])
        wait_for(lambda: set(engine.tasks()) & rest == payments.idle, "not all of the rest were done")
        payments.paused = True
        wait_for(lambda: not any(engine.tasks()[id]["lockExpirationTime"] for id in payments.idle), "still locked")
        wait_for(lambda: all(one["endTime"] for one in engine.batches()), "a batch does not end")
        screen.order("Z", "Undo run 1?", IDLE, "Restore L")
        wait_for(lambda: {engine.retries()[id] for id in payments.idle} == {0}, "they were not put back")
        assert sizes(engine) == sorted([*WAVES, len(rest), IDLE])
    assert shell.asked("SELECT count(*), count(DISTINCT task_id) FROM launch_task JOIN launch ON id = launch_id"
                       " WHERE run_id = 1") == [(number, number)]  # fmt: skip
