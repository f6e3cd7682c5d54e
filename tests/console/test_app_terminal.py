"""The console in a pseudo terminal: bytes, stray input, signals, a terminal that goes away."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

MILLION = 1_000_000
ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from retriage.console.app import RetriageApp
from retriage.console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting
app = RetriageApp(connecting(FakeEngine(int(sys.argv[1]))), ConnectionIdentity("TEST"))
app.run(mouse=False)
sys.exit(app.return_code)
"""


def start(tasks: int, columns: int = 80, rows: int = 24, **environment: str) -> Terminal:
    command = [sys.executable, "-c", PROGRAM, str(tasks)]
    return Terminal(command, columns, rows, {"PYTHONPATH": str(ROOT), **environment})


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with start(MILLION) as opened:
        opened.wait_for("ord-88005")
        opened.wait_for("1,000,000")
        listen(opened, 1.0)
        yield opened


def listen(terminal: Terminal, seconds: float) -> None:
    """Take in what the program writes in this time."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.read(left)


def cost(terminal: Terminal, keys: str) -> int:
    before = terminal.received
    terminal.press(keys)
    listen(terminal, 0.5)
    return terminal.received - before


def idle(terminal: Terminal) -> int:
    before = terminal.received
    listen(terminal, 2.0)
    return terminal.received - before


def test_a_million_rows_on_a_thin_line(terminal: Terminal) -> None:
    assert terminal.received < 40_000
    assert min(idle(terminal) for _ in range(3)) < 100
    assert min(cost(terminal, "j") for _ in range(3)) < 1300
    assert min(cost(terminal, "jjjjjjjj") for _ in range(2)) < 8 * 800 + 600
    assert cost(terminal, "G") < 10_000
    terminal.wait_for("ord-1087999")


def test_stray_bytes_end_nothing(terminal: Terminal) -> None:
    for noise in (b"\x1b[M \xc8\xff", b"\xff\xfe\x80", b"\xe2\x28\xa1", bytes(range(0x80, 0x100))):
        terminal.press(noise)
        listen(terminal, 0.4)
        terminal.press("/")
        terminal.type("retries:0")
        terminal.wait(lambda: "retries:0" in terminal.text, f"after {noise!r} no filter is typed")
        terminal.press("\x1b")
        terminal.wait(lambda: "retries:0" not in terminal.text, f"after {noise!r} the filter line does not close")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_clean_terminal(terminal: Terminal, number: signal.Signals) -> None:
    terminal.signal(number)
    assert terminal.wait_for_end() == 128 + number
    assert b"\x1b[?1049l" in terminal.raw
    assert b"\x1b[?25h" in terminal.raw
    assert b"Traceback" not in terminal.raw


def stopped(terminal: Terminal) -> None:
    """Press keys that redraw the screen while nobody reads what is written, until no more can be written."""
    for _ in range(30):
        for key in (b"G", b"g"):
            os.write(terminal._fd, key)
            time.sleep(0.03)


def ageless(terminal: Terminal) -> list[str]:
    """The rows of tasks without their ages, which go on by themselves."""
    until = next(number for number, line in enumerate(terminal.lines) if "─Task─" in line)
    return [re.sub(r"\dh\d\dm", "age", line) for line in terminal.lines[3:until]]


def test_a_terminal_that_takes_nothing_for_a_while_shows_how_things_stand_then(terminal: Terminal) -> None:
    terminal.press("g")
    terminal.quiet()
    before = ageless(terminal)
    received = terminal.received
    stopped(terminal)
    terminal.press("j", "g")
    terminal.quiet()
    terminal.wait(lambda: ageless(terminal) == before, "what is shown is not how things stand")
    assert terminal.received - received < 60 * 10_000 / 2, "what was old by then was not sent"


def test_a_signal_ends_it_beside_a_terminal_that_takes_nothing(terminal: Terminal) -> None:
    stopped(terminal)
    terminal.signal(signal.SIGTERM)
    ends(terminal, "it waits for the terminal for ever")


def test_the_mouse_is_off_and_no_colour_still_tells_the_states() -> None:
    with start(100, NO_COLOR="1") as opened:
        opened.wait_for("ord-88005")
        assert b"\x1b[?1000h" not in opened.raw
        assert any(" X  " in line for line in opened.lines)


def test_a_terminal_that_goes_away_ends_the_program() -> None:
    with start(100) as opened:
        opened.wait_for("ord-88005")
        goes_away(opened)


def test_a_terminal_that_goes_away_ends_the_engine_in_the_same_process_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "retriage.console", "demo", "--tasks", "300"]
    with Terminal(command, 100, 30, {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}) as opened:
        opened.wait_for("LIVE", 60)
        goes_away(opened)


def goes_away(opened: Terminal) -> None:
    """Take the terminal from a program, and see it end."""
    gone = os.open(os.devnull, os.O_RDWR)
    os.dup2(gone, opened._fd)
    os.close(gone)
    ends(opened, "it lives on without a terminal")


def ends(opened: Terminal, otherwise: str) -> None:
    """See a program end without reading what it writes."""
    end = time.monotonic() + 30
    while os.waitpid(opened._pid, os.WNOHANG)[0] == 0:
        assert time.monotonic() < end, otherwise
        time.sleep(0.1)
    opened.status = 0
