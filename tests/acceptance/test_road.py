"""The whole road with the keys of the issue: find what failed, retry it as a batch, watch what becomes of it."""

import re
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.acceptance.launch_key import press_launch
from tests.support.terminal import Terminal

SUCCESSFUL = 2
TOPIC = "charge-card"


def written(store: sqlite3.Connection) -> bool:
    """The world is there to its end: what other operators have ordered comes last."""
    return bool(store.execute("SELECT count(*) FROM batch").fetchone()[0])


def hold_the_others(store: sqlite3.Connection) -> None:
    """Nothing fails or comes meanwhile but what the operator retries: workers hold all other tasks of the topic."""
    with store:
        store.execute("BEGIN IMMEDIATE")
        store.execute(
            "UPDATE external_task SET lock_expiration_time = 4102444800000 "
            "WHERE topic_name = ? AND (retries IS NULL OR retries > 0)",
            [TOPIC],
        )
        store.execute("UPDATE process_definition SET suspended = 1")


@pytest.mark.parametrize(
    ("columns", "rows", "tasks"),
    [
        (100, 30, 1500),
        pytest.param(100, 30, 5000, marks=pytest.mark.long),
        pytest.param(80, 24, 5000, marks=pytest.mark.long),
    ],
)
def test_the_keys_do_the_job(tmp_path: Path, columns: int, rows: int, tasks: int) -> None:
    command = [sys.executable, "-m", "retriage.console", "demo", "--tasks", str(tasks), "--seed", "7", "--outage", "0"]
    with Terminal(command, columns, rows, {"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for("charge-card")
        (file,) = tmp_path.glob("retriage-*/demo.db")
        store = sqlite3.connect(file, timeout=30)
        terminal.wait(lambda: written(store), "the world is not written to its end")
        hold_the_others(store)
        failed = {
            row[0]
            for row in store.execute("SELECT id FROM external_task WHERE retries = 0 AND topic_name = ?", [TOPIC])
        }
        raised = dict(store.execute("SELECT id, configuration FROM incident WHERE end_time IS NULL").fetchall())
        incidents = {incident for incident, task in raised.items() if task in failed}
        assert len(failed) > tasks / 5
        assert len(incidents) == len(failed)

        terminal.press("/")
        terminal.type(f"topic:{TOPIC} retries:0")
        terminal.press("\r")
        terminal.wait(lambda: re.search(r"([\d,]+) match|([\d,]+) of [\d,]+", terminal.text), "nothing was narrowed")
        terminal.wait_for(f"{len(failed):,}")

        terminal.press("A")
        terminal.wait(lambda: re.search(rf"all {len(failed):,}", terminal.text), "not all were taken")

        terminal.press("R")
        terminal.wait_for(f"Retry {len(failed):,} tasks")
        terminal.press("3")
        terminal.wait_for('"retries": 3')
        assert "Cancel" in terminal.text
        assert "noRetriesLeft" in terminal.text

        press_launch(terminal)
        terminal.wait_for("launched: ")
        terminal.press("4")
        terminal.wait_for("100%")
        terminal.wait_for("has ended")

        def still_open() -> int:
            now_open = store.execute("SELECT id FROM incident WHERE end_time IS NULL")
            return len(incidents & {row[0] for row in now_open})

        def shown() -> int:
            found = re.search(r"Incid\w* ([\d,]+)\b", terminal.text)
            return int(found[1].replace(",", "")) if found else len(raised)

        terminal.wait(lambda: still_open() == 0, "incidents of the retried tasks are left")
        others = len(raised) - len(failed)
        terminal.wait(lambda: shown() < others + len(failed) / 10, "the incidents did not go from the screen")

        def gone_on() -> int:
            taken = store.execute(
                "SELECT DISTINCT external_task_id FROM external_task_log WHERE state = ? "
                "AND timestamp > (SELECT max(start_time) FROM batch)",
                [SUCCESSFUL],
            )
            return len(failed & {row[0] for row in taken})

        terminal.wait(lambda: gone_on() >= 5, "the workers do not take the retried tasks")
        store.close()
        terminal.press("q")
        assert terminal.wait_for_end() == 0
        assert b"\x1b[?1049l" in terminal.raw, "the terminal was not given back"


@pytest.mark.long
def test_an_escape_and_the_order_key_in_one_burst_cancel(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "retriage.console", "demo", "--tasks", "300", "--seed", "7"]
    with Terminal(command, 100, 30, {"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for("charge-card")
        terminal.press("A", "R")
        terminal.wait_for("tasks in the launch")
        terminal.press(b"\x1bL")
        terminal.wait(lambda: "tasks in the launch" not in terminal.text, "escape did not close the dialog")
        terminal.press("3")
        terminal.wait_for("[3 Instances")
        (file,) = tmp_path.glob("retriage-*/demo.db")
        store = sqlite3.connect(file, timeout=30)
        assert store.execute("SELECT count(*) FROM batch").fetchone() == (0,)
        store.close()
        terminal.press("q")
        assert terminal.wait_for_end() == 0


@pytest.mark.long
def test_a_filter_typed_while_the_engine_opens_is_applied_when_it_is_open(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "retriage.console", "demo", "--tasks", "3000", "--seed", "7"]
    with Terminal(command, 100, 30, {"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for("opening")
        terminal.press(b"/retries:0\r")
        terminal.wait(lambda: re.search(r"/ retries:0 .* match of (2,9|3,0)", terminal.text), "the filter was lost")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
