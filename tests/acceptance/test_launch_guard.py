"""Keys that come before the dialog could be read, and tasks that have no need of a retry: seen at the terminal.

What a launch has done is read from the store's file, with nothing of the console.
"""

import re
import sqlite3
import sys
from pathlib import Path

import pytest

from retriage.store.demo_store import fill
from tests.acceptance.launch_key import press_launch
from tests.support.terminal import Terminal

TOPIC = "charge-card"
TOO_EARLY = "Review, then press again"

Retries = dict[str, int | None]


def retries_in(file: Path) -> Retries:
    """Retries of the topic's tasks."""
    store = sqlite3.connect(file, timeout=30)
    try:
        return dict(store.execute("SELECT id, retries FROM external_task WHERE topic_name = ?", [TOPIC]).fetchall())
    finally:
        store.close()


def batches_in(file: Path) -> list[tuple[int, int]]:
    """Retries that each batch sets, and its jobs."""
    store = sqlite3.connect(file, timeout=30)
    try:
        retries = "json_extract(configuration, '$.retries')"
        return store.execute(f"SELECT {retries}, total_jobs FROM batch ORDER BY start_time").fetchall()
    finally:
        store.close()


def launches(terminal: Terminal) -> bool:
    """The key of the order counts: it is lit."""
    return terminal.bold("Launch L")


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (80, 24)])
@pytest.mark.parametrize("burst", [b"L", b"\r"], ids=["L", "enter"])
def test_a_burst_does_not_launch_and_a_later_key_does(tmp_path: Path, columns: int, rows: int, burst: bytes) -> None:
    command = [sys.executable, "-m", "retriage.console", "demo", "--tasks", "300", "--seed", "7"]
    with Terminal(command, columns, rows, {"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for(TOPIC)
        (file,) = tmp_path.glob("retriage-*/demo.db")
        terminal.press(b"/retries:0\rAR3" + burst)
        terminal.wait_for('"retries": 3')
        assert '"noRetriesLeft": true' in terminal.text, "the filter did not get its letters"
        terminal.wait_for(TOO_EARLY)
        terminal.wait(lambda: launches(terminal), "the key never counts")
        assert batches_in(file) == []
        assert "tasks in the launch" in terminal.text
        terminal.press("\r", "\r", "\r")
        terminal.read_for(0.5)
        assert launches(terminal), "enter closed the dialog"
        assert batches_in(file) == [], "enter launched"
        press_launch(terminal)
        terminal.wait(lambda: batches_in(file), "the later key did not launch")
        assert [retries for retries, _ in batches_in(file)] == [3]
        terminal.press("4")
        terminal.wait_for("has ended")
        terminal.press("6")
        terminal.wait_for("retries:0")
        terminal.press(b"ZL")
        terminal.wait_for("Restore L")
        terminal.wait(lambda: terminal.bold("Restore L"), "the key never counts")
        assert len(batches_in(file)) == 1, "the undo did not wait either"
        terminal.press(b"\x1b")
        terminal.wait(lambda: "Restore L" not in terminal.text, "escape did not close the question")
        terminal.press("q")
        assert terminal.wait_for_end() == 0


@pytest.mark.parametrize("unmarked", [0, 1])
@pytest.mark.parametrize("value", [1, 2])
def test_unmarking_a_row_does_not_widen_the_launch(tmp_path: Path, unmarked: int, value: int) -> None:
    file = tmp_path / "store.db"
    fill(str(file), 900, 7, lambda done: None)
    before = retries_in(file)
    command = [sys.executable, "-m", "retriage.console", "--store", str(file), "--env", "test"]
    with Terminal(command, 100, 30, {"RETRIAGE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for(TOPIC)
        terminal.type(f"/topic:{TOPIC}")
        terminal.press("\r")
        terminal.wait_for(f"{len(before):,} match")
        terminal.press("A")
        terminal.wait_for(f"all {len(before):,}")
        if unmarked:
            terminal.press("g", " ")
            terminal.wait_for(f"all {len(before):,} but 1 marked")
        terminal.press("R")
        terminal.wait_for("tasks in the launch")
        terminal.press(str(value))
        terminal.wait_for(f'"retries": {value}')
        terminal.wait(lambda: launches(terminal), "the key never counts")
        # What only needs it: no retries left, or fewer than it gets.
        meant = {id for id, has in before.items() if has is not None and has < value}
        healthy = len(before) - len(meant)
        assert healthy > 50, "the world has nothing to leave out"
        found = re.search(r"([\d,]+)  tasks in the launch", terminal.text)
        assert found is not None
        told = int(found[1].replace(",", ""))
        assert told in {len(meant), len(meant) - unmarked}
        assert "never failed (-)" in terminal.text
        assert "[ ] include" in terminal.text
        if unmarked or value > 1:
            assert "by ids: exactly these tasks" in terminal.text
        terminal.press("L")
        terminal.wait(lambda: batches_in(file), "nothing was launched")
        terminal.press("4")
        terminal.wait_for("has ended")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    after = retries_in(file)
    changed = {id for id, has in before.items() if after[id] != has}
    assert changed <= meant
    assert len(changed) == told
    assert {after[id] for id in changed} == {value}
    assert batches_in(file) == [(value, told)]
