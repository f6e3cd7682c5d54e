"""The whole road with the keys of the issue: find what failed, retry it as a batch, watch what becomes of it."""

import re
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

TASKS = 3000
SUCCESSFUL, FAILED = 2, 1


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (80, 24)])
def test_the_keys_do_the_job(tmp_path: Path, columns: int, rows: int) -> None:
    command = [sys.executable, "-m", "console", "demo", "--tasks", str(TASKS), "--seed", "7"]
    with Terminal(command, columns, rows, {"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait_for("charge-card")
        (file,) = tmp_path.glob("retriage-*/demo.db")
        store = sqlite3.connect(file, timeout=30)
        failed = {row[0] for row in store.execute("SELECT id FROM external_task WHERE retries = 0")}
        assert len(failed) > 1000

        terminal.press("/")
        terminal.type("retries:0")
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

        terminal.press("L")
        terminal.wait_for("launched")
        terminal.press("4")
        terminal.wait_for("100%")

        terminal.wait(
            lambda: not store.execute("SELECT 1 FROM external_task WHERE retries = 0 LIMIT 1").fetchone(),
            "tasks without retries are left",
        )
        terminal.wait(lambda: re.search(r"Incid\w* 0\b", terminal.text), "the incidents did not go")
        open_incidents = "SELECT count(*) FROM incident WHERE end_time IS NULL AND configuration IN (SELECT id FROM "
        assert store.execute(f"{open_incidents} external_task WHERE retries > 0)").fetchone() == (0,)

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
