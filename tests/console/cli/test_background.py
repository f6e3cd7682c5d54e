"""A run that goes on in the background: what a terminal, a signal and another console do to it. Who drives is read from
the journal and from the table of processes, what was sent from the store."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from retriage import console
from retriage.console.cli import app
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.runs.driver_name import driver_name, who_drives
from retriage.store.demo_store import fill
from tests.support.terminal import Terminal

PATIENCE = 90.0
QUERY = "topic:charge-card retries:0"
RUN = ["run", "--query", QUERY, "--limit", "20", "--retries", "1", "--waves", "5,rest", "--watch", "10m", "--yes"]


class Night:
    """A store, a journal, and the driver of its first run."""

    def __init__(self, home: Path) -> None:
        self.home, self.store = home, home / "store.db"

    def rows(self, file: Path, question: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(question).fetchall()

    @property
    def driver(self) -> str:
        with suppress(sqlite3.OperationalError):
            for (driver,) in self.rows(self.home / "journal.db", "SELECT driver FROM run WHERE id = 1"):
                return str(driver)
        return ""

    @property
    def pid(self) -> int:
        """Of the process that drives, if one does."""
        pid = [*self.driver.split(":"), ""][1]
        return int(pid) if pid.isdigit() else 0

    @property
    def batches(self) -> int:
        return len(self.rows(self.store, "SELECT id FROM batch"))

    def until(self, so: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < deadline, f"{what}: {self.log}"
            time.sleep(0.1)

    @property
    def log(self) -> list[dict[str, object]]:
        file = self.home / "run-1.log"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def typed(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))


def lives(pid: int) -> bool:
    """Not one either that has ended and is waited for by nobody yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path))
    fill(str(tmp_path / "store.db"), 200, 7, lambda done: None, batches=False)
    night = Night(tmp_path)
    yield night
    if pid := night.pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the table of processes")
def test_a_closed_terminal_and_a_hang_up_do_not_touch_it_and_a_stop_does(night: Night) -> None:
    with Terminal([sys.executable, "-m", "retriage.console", *RUN, "--detach"], 100, 30) as terminal:
        terminal.wait_for("goes on in the background")
        night.until(lambda: night.pid, "nobody drives")
        first = night.pid
        assert f"process {first}" in terminal.text
    # The terminal is closed.
    os.kill(first, signal.SIGHUP)
    night.until(lambda: any(step.get("state") == "watching" for step in night.log), "no wave was sent")
    assert (night.pid, lives(first), night.batches) == (first, True, 1)
    assert os.getsid(first) == first
    assert who_drives(night.driver).startswith("a process in the background: ")
    assert not any(step["event"] == "outcome" for step in night.log), "figures would fill the log"
    assert (night.home / "run-1.log").stat().st_mode & 0o077 == 0
    again = night.typed("watch", "1", "--detach", "--yes")
    assert again.exit_code == ExitCode.REFUSED
    assert "only one drives" in again.stderr
    # A killed one leaves a run that goes on in the next one, and sends nothing twice.
    os.kill(first, signal.SIGKILL)
    taken: list[Result] = []

    def taken_over() -> bool:
        """At once where the process is gone from the table, else when its lease is over."""
        taken.append(night.typed("watch", "1", "--detach", "--yes", "--json"))
        return taken[-1].exit_code == ExitCode.DONE

    night.until(taken_over, "nobody takes over")
    (event,) = [json.loads(line) for line in taken[-1].stdout.splitlines()]
    assert (event["event"], event["run"], event["pid"]) == ("detached", 1, night.pid)
    assert night.pid != first
    assert night.batches == 1
    second = night.pid
    assert night.typed("watch", "1", "--stop", "--yes").exit_code == ExitCode.DONE
    night.until(lambda: not lives(second), "it goes on after its end")
    assert night.log[-1]["event"] == "end"
    assert night.rows(night.home / "journal.db", "SELECT state FROM run WHERE id = 1") == [("stopped",)]


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the table of processes")
def test_the_screen_is_left_and_its_run_goes_on_in_the_background(night: Night) -> None:
    assert night.typed(*RUN, "--detach").exit_code == ExitCode.DONE
    night.until(lambda: night.batches, "no wave was sent")
    first = night.pid
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)  # gone from the table: nobody waits for the end of its lease
    with Terminal([sys.executable, "-m", "retriage.console"], 80, 24) as terminal:
        terminal.wait_for("run 1 held")
        terminal.press("7")
        terminal.wait_for("R resume")
        terminal.press("R")
        terminal.wait(lambda: terminal.bold("Resume L"), "it cannot be resumed")
        terminal.press("L")
        terminal.wait_for("RUNNING")
        here = night.pid
        assert here not in (0, first)
        terminal.press("q")
        terminal.wait(lambda: terminal.bold("Let it go on b"), "it cannot be left to itself")
        terminal.press("b")
        assert terminal.wait_for_end(PATIENCE) == 0
        night.until(lambda: night.pid not in (0, here), "nobody drives")
        assert f"process {night.pid}" in terminal.text
    assert not lives(here)
    assert who_drives(night.driver).startswith("a process in the background: ")
    assert night.rows(night.home / "journal.db", "SELECT state FROM run WHERE id = 1") == [("running",)]
    assert night.batches == 1


@pytest.mark.long
def test_one_that_cannot_begin_says_why_and_leaves_the_run_resumable(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    begun = night.typed(*RUN, "--detach")
    assert begun.exit_code == 1
    assert "ended with status 1: resume run 1." in begun.stderr
    assert night.batches == 0
    assert (night.pid, night.rows(night.home / "journal.db", "SELECT count(*) FROM run_wave")) == (0, [(2,)])


def test_what_does_not_go_with_it_is_refused(night: Night, tmp_path: Path) -> None:
    report = night.typed(*RUN, "--detach", "--report", str(tmp_path / "r.md"))
    assert (report.exit_code, "--report does not go with --detach" in report.stderr) == (2, True)
    stop = night.typed("watch", "1", "--stop", "--detach")
    assert (stop.exit_code, "--stop does not go with --detach" in stop.stderr) == (2, True)
    assert night.batches == 0
    assert not (tmp_path / "r.md").exists()


def test_a_driver_is_named_by_its_kind_and_place() -> None:
    assert who_drives(driver_name()) == f"another console: {os.uname().nodename}:{os.getpid()}"
    assert who_drives(driver_name(background=True)).startswith("a process in the background: ")


class Unit:
    """What systemd reads of the unit file, and does with it.

    Args:
        home: of the journal.
    """

    def __init__(self, home: Path) -> None:
        self._file = Path(console.__file__).parent / "retriage-run@.service"
        lines = [line.partition("=") for line in self._file.read_text().splitlines() if line[:1].isalpha()]
        self.keys = {key: value for key, _, value in lines}
        self._home = home
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Carry out its command for run 1."""
        words = self.keys["ExecStart"].replace("%i", "1").replace("$RUN_OPTIONS", f"--store {self._home / 'store.db'}")
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self._process = subprocess.Popen(
            words.split(), env={**os.environ, "PATH": path}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def stop(self, number: int) -> tuple[int, str]:
        """Send a signal; its status, and what it wrote to the log."""
        assert self._process is not None
        with self._process as process:
            process.send_signal(number)
            out, said = process.communicate(timeout=PATIENCE)
            return process.returncode, out + said


@pytest.mark.long
@pytest.mark.timeout(400)
def test_systemd_starts_it_stops_it_and_starts_it_again_after_a_kill(night: Night) -> None:
    """What the unit file says is carried out by hand: a machine of tests has no systemd at work."""
    assert night.typed(*RUN, "--detach").exit_code == ExitCode.DONE
    night.until(lambda: night.batches, "no wave was sent")
    first = night.pid
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    unit = Unit(night.home)
    unit.start()
    night.until(lambda: night.pid not in (0, first), "the unit drives nothing")
    second = night.pid
    # `systemctl stop` ends it in order: held, and that is no failure of the unit.
    status, log = unit.stop(signal.SIGTERM)
    assert str(status) in unit.keys["SuccessExitStatus"].split(), log
    state = "SELECT state, cause FROM run WHERE id = 1"
    assert night.rows(night.home / "journal.db", state) == [("held", "interrupted")]
    steps = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert steps
    assert not any(step["event"] == "outcome" for step in steps), "figures would fill the log"
    # A kill is what it is started again after; a held run ends with a status, which is not.
    assert unit.keys["Restart"] == "on-abnormal"
    unit.start()

    def driven() -> bool:
        return night.rows(night.home / "journal.db", "SELECT state FROM run WHERE id = 1") == [("running",)]

    night.until(lambda: night.pid not in (0, second) and driven(), "it is not taken up again")
    third = night.pid
    assert unit.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    unit.start()
    night.until(lambda: night.pid not in (0, third), "it does not go on after a kill")
    assert driven()
    assert night.batches == 1, "a wave was sent twice"
    assert unit.stop(signal.SIGTERM)[0] == ExitCode.INTERRUPTED
