"""The real program in a pseudo terminal: how little it sends, in which characters and colours, and how it ends."""

import random
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.terminal import of_table
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[3]
TABLE = 78
"""Cells of the table at 120x40."""
FAKE = """
import sys
from retriage.console.app import RetriageApp
from retriage.console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting
app = RetriageApp(connecting(FakeEngine(200)), ConnectionIdentity("TEST"), theme=sys.argv[1])
app.run(mouse=False)
sys.exit(app.return_code)
"""
SGR = re.compile(rb"\x1b\[([\d;]*)m")


def fake(theme: str = "retriage-dark", size: tuple[int, int] = (100, 30), **environment: str) -> Terminal:
    variables = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **environment}
    return Terminal([sys.executable, "-c", FAKE, theme], *size, variables)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Terminal]:
    """The demo world, nothing read any more, so that only keys make the console write."""
    command = [sys.executable, "-m", "retriage.console", "demo", "--tasks", "800", "--no-mouse"]
    variables = {"PYTHONPATH": str(ROOT), "RETRIAGE_HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    with Terminal(command, 120, 40, variables) as terminal:
        terminal.wait_for("LIVE")
        terminal.wait_for("❯")
        terminal.wait_for("ncidents by cause ")
        terminal.wait(lambda: "as far as written" not in terminal.text, "the world is not written to its end")
        terminal.press("p")
        terminal.wait_for("PAUSED")
        terminal.quiet(0.6)
        yield terminal


@pytest.mark.long
def test_steps_scrolls_and_idle_seconds_stay_within_their_budgets(demo: Terminal) -> None:
    steps = [demo.sent_by("j") for _ in range(12)]
    assert all(steps)
    assert max(of_table(sent, TABLE) for sent in steps) <= 300
    assert max(map(len, steps)) <= 1000
    for _ in range(40):
        demo.press("j")
    demo.quiet()
    assert max(len(demo.sent_by("j")) for _ in range(8)) <= 6000
    before = demo.received
    demo.read_for(4.0)
    assert demo.received - before <= 4 * 50


def test_without_colours_no_colour_is_sent_and_the_cursor_is_still_seen() -> None:
    with fake(NO_COLOR="") as terminal:
        terminal.wait_for("ord-88005")
        terminal.quiet()
        codes = {code for found in SGR.findall(terminal.raw) for code in found.split(b";") if code}
        assert codes <= {b"0", b"1", b"4", b"7", b"22", b"24", b"27"}
        assert b"7" in codes
        assert [line[4] for line in terminal.lines if "ord-8800" in line][:7] == list("XXX·wXS")


def test_the_terminal_theme_uses_the_sixteen_colours_of_the_terminal_only() -> None:
    with fake("ansi") as terminal:
        terminal.wait_for("ord-88005")
        terminal.press("/")
        terminal.quiet()
        codes = {code for found in SGR.findall(terminal.raw) for code in found.split(b";")}
        assert not codes & {b"38", b"48"}
        assert any(code.startswith((b"3", b"9")) for code in codes)


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=["locale", "stream"])
def test_a_terminal_without_unicode_gets_ascii_only(environment: dict[str, str]) -> None:
    with fake(**environment) as terminal:
        terminal.wait_for("ord-88005")
        terminal.wait_for("+- External tasks -")
        terminal.press("j")
        terminal.wait(lambda: any(line.startswith("|>") for line in terminal.lines), "no cursor")
        assert terminal.raw.isascii()


def test_a_terminal_of_latin_letters_keeps_them() -> None:
    with fake(PYTHONIOENCODING="latin-1", LC_ALL="en_US.ISO-8859-1") as terminal:
        terminal.wait_for("+- External tasks -")
        terminal.quiet()
        assert b"\xb7" in terminal.raw
        assert b"\\u" not in terminal.raw


@pytest.mark.parametrize("seed", range(6))
def test_a_signal_at_any_early_moment_leaves_a_clean_terminal_and_no_traceback(seed: int) -> None:
    chance = random.Random(seed)
    with fake() as terminal:
        terminal.wait(lambda: b"\x1b[?1049h" in terminal.raw, "it does not start")
        terminal.read_for(chance.uniform(0, 0.6))
        number = chance.choice([signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
        terminal.signal(number)
        assert terminal.wait_for_end() == 128 + number
        after = terminal.raw.partition(b"\x1b[?1049l")[2]
        assert b"\x1b[?25h" in after
        assert b"Traceback" not in terminal.raw
        assert b"rror" not in after
        last = terminal.raw.partition(b"\x1b[?2004l")[0]
        assert last.endswith(b"\x1b[m")


def test_q_leaves_at_once_while_the_engine_is_still_opening() -> None:
    hanging = FAKE.replace("connecting(FakeEngine(200))", "connecting(FakeEngine(200), 3600.0)")
    with Terminal([sys.executable, "-c", hanging, "retriage-dark"], 80, 24, {"PYTHONPATH": str(ROOT)}) as terminal:
        terminal.wait_for("opening")
        terminal.press("q")
        assert terminal.wait_for_end() == 0


def test_below_the_smallest_window_one_sentence_and_no_blind_keys() -> None:
    with fake(size=(58, 18)) as terminal:
        terminal.wait_for("Too small: this is 58x18, 60x15 is needed.")
        terminal.wait_for("TEST")
        terminal.wait_for("incidents open")
        for key in "jR/z5":
            terminal.press(key)
        terminal.quiet()
        assert "Too small" in terminal.text
        terminal.press("q")
        assert terminal.wait_for_end() == 0


@pytest.mark.long
def test_a_pasted_word_of_2500_characters_leaves_no_remnants() -> None:
    with fake() as terminal:
        terminal.wait_for("❯")
        terminal.press("p")
        terminal.wait_for("PAUSED")
        terminal.quiet(0.5)
        before = terminal.lines
        for word in ("abcdefghi" * 278, "x:cdefghi" * 278, '"' + "語" * 1250):
            terminal.press("/")
            terminal.quiet(0.5)
            terminal.press(f"\x1b[200~{word}\x1b[201~")
            terminal.quiet(0.5)
            assert terminal.lines[2] != before[2]
            terminal.press("\x1b")
            terminal.quiet(0.5)
            # The first line holds a clock, the one before the last an event that goes after a while.
            assert terminal.lines[1:-2] == before[1:-2]
            assert terminal.lines[0].startswith(before[0].partition("PAUSED")[0].rstrip())


def _stopped(terminal: Terminal) -> bool:
    """The program is stopped, as a shell would be told."""
    stat = Path(f"/proc/{terminal._pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("by", ["ctrl+z", "outside"])
def test_after_a_stop_all_of_it_is_drawn_again_and_keys_act(by: str) -> None:
    with fake() as terminal:
        terminal.wait_for("❯")
        terminal.press("p")
        terminal.wait_for("PAUSED")
        terminal.quiet(0.5)
        before = terminal.lines
        if by == "ctrl+z":
            terminal.press("\x1a")
        else:
            terminal.signal(signal.SIGSTOP)
        terminal.wait(lambda: _stopped(terminal), "it does not stop")
        if by == "ctrl+z":
            terminal.quiet(0.3)
            assert b"\x1b[?25h" in terminal.raw.rpartition(b"\x1b[?1049l")[2]
        terminal._screen.reset()
        terminal._stream.feed(b"$ make love\r\n$ fg\r\n")
        terminal.signal(signal.SIGCONT)
        terminal.wait(lambda: terminal.lines[1:-2] == before[1:-2], "it is not drawn again")
        terminal.press("j")
        terminal.wait(lambda: "❯" in terminal.lines[6], "the key does not act")
        assert "❯" not in terminal.lines[5]
        terminal.press("q")
        assert terminal.wait_for_end() == 0
