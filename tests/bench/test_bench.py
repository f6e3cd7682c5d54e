"""A part that fails takes no other with it, and a batch is told by itself, not by how many there are."""

import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as bench
from tests.bench import terminal
from tests.bench.programs import ENDED, RUNS, batch_file
from tests.bench.result import Line
from tests.support.terminal import Terminal


def test_a_part_that_fails_is_a_line_and_the_others_stand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any) -> list[Line]:
        raise AssertionError("no batch\nat all")

    def program(*_: Any) -> list[Line]:
        raise subprocess.CalledProcessError(1, "x", stderr="Traceback\n  somewhere\nValueError: too few tasks\n")

    parts = {"one": lambda *_: [Line("a", "1")], "two": fails, "three": program, "four": lambda *_: [Line("b", "2")]}
    monkeypatch.setattr(bench, "PARTS", parts)
    monkeypatch.setattr(sys, "argv", ["bench"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == "failed: two, three"
    rows = [
        [cell.strip() for cell in line.split("|")[1:3]] for line in capsys.readouterr().out.splitlines() if "|" in line
    ]
    assert rows[2:] == [
        ["a", "1"],
        ["two", "failed: AssertionError: no batch"],
        ["three", "failed: CalledProcessError: ValueError: too few tasks"],
        ["b", "2"],
    ]  # fmt: skip


class Screen:
    """A terminal whose console carries out batches that end, or do not, while the keys are pressed."""

    def __init__(self, home: Path, lasts: list[bool]) -> None:
        self._file, self._lasts = batch_file(str(home)), lasts
        self.text = "4 Batches 3"

    def signal(self, _number: int) -> None:
        self._file.write_text(RUNS if self._lasts.pop(0) else ENDED)

    def wait(self, condition: Callable[[], bool], said: str, _seconds: float) -> None:
        if said == "the batch does not end":
            self._file.write_text(ENDED)
        assert condition(), said


@pytest.mark.parametrize(("lasts", "keys"), [([True] * 8, 48), ([True, False], 6)])
def test_the_batches_of_the_demo_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasts: list[bool], keys: int
) -> None:
    """One of the demo's own ends for each that is launched: their number stays."""
    monkeypatch.setattr(terminal, "answers", lambda bare, console, number: ([0.1] * number, [0.2] * number))
    screen: Any = Screen(tmp_path, lasts)
    bare, busy = terminal.answers_beside_batches(screen, screen, str(tmp_path))
    assert (len(bare), len(busy)) == (keys, keys)


def test_keys_that_no_batch_outlived_are_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "answers", lambda bare, console, number: ([0.1] * number, [0.2] * number))
    screen: Any = Screen(tmp_path, [False])
    with pytest.raises(RuntimeError, match="take more tasks"):
        terminal.answers_beside_batches(screen, screen, str(tmp_path))


ANSWERS_LATE = (
    "import os, sys, time, tty; tty.setraw(0); os.write(1, b'before')\n"
    "while key := os.read(0, 1): time.sleep(0.3); os.write(1, b'ANSWER')"
)


def test_what_was_written_before_a_key_is_not_its_answer() -> None:
    with Terminal([sys.executable, "-c", ANSWERS_LATE], 80, 24, {}) as program:
        select.select([program._fd], [], [], 30)
        program.answer("j")
        assert "ANSWER" in program.text
