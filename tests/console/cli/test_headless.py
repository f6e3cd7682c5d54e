"""How commands without a screen end: at their question, when a signal comes, and when nobody reads them any more."""

import asyncio
import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from retriage.console.cli import headless
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import carry_out, confirmed
from retriage.console.cli.output import NotWritten, print_table, write
from retriage.console.operations.retry import SetRetries
from retriage.store.demo_store import fill
from tests.support.terminal import Terminal

QUERY = "topic:charge-card retries:0 -suspended"


def ended(command: object, unread: ExitCode = ExitCode.DONE) -> int:
    """The exit code of a command."""
    with pytest.raises(typer.Exit) as end:
        carry_out(command, unread)  # type: ignore[arg-type]
    return end.value.exit_code


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits there."""
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)


@pytest.mark.parametrize("number", headless.SIGNALS)
@pytest.mark.usefixtures("terminal")
def test_a_signal_ends_the_question(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """While the terminal is read the event loop stands still, and would hear of no signal before the answer."""
    answered: list[bool] = []

    def ask(question: str, err: bool) -> bool:
        os.kill(os.getpid(), number)
        answered.append(True)
        return True

    async def command() -> int:
        return ExitCode.DONE if confirmed("Retry?", False) else ExitCode.REFUSED

    monkeypatch.setattr(typer, "confirm", ask)
    assert ended(command) == ExitCode.INTERRUPTED
    assert not answered


@pytest.mark.usefixtures("terminal")
def test_a_signal_after_the_answer_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    async def command() -> int:
        assert confirmed("Retry?", False)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)
        return ExitCode.DONE

    monkeypatch.setattr(typer, "confirm", lambda question, err: True)
    assert ended(command) == ExitCode.INTERRUPTED


@pytest.mark.usefixtures("terminal")
def test_the_end_of_what_is_typed_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(question: str, err: bool) -> bool:
        raise typer.Abort

    monkeypatch.setattr(typer, "confirm", ask)

    async def command() -> int:
        return ExitCode.DONE if confirmed("Retry?", False) else ExitCode.REFUSED

    assert ended(command) == ExitCode.REFUSED


@pytest.mark.parametrize(
    ("error", "of_a_list", "of_a_run"),
    [
        (errno.EPIPE, ExitCode.DONE, ExitCode.INTERRUPTED),
        (errno.EIO, ExitCode.DONE, ExitCode.INTERRUPTED),
        (errno.ENOSPC, ExitCode.COMMAND_LINE, ExitCode.INTERRUPTED),
    ],
)
def test_nobody_reads_it(monkeypatch: pytest.MonkeyPatch, error: int, of_a_list: int, of_a_run: int) -> None:
    monkeypatch.setattr(headless, "write_no_more", lambda: None)

    async def command() -> int:
        raise NotWritten(OSError(error, os.strerror(error)))

    assert ended(command) == of_a_list
    assert ended(command, ExitCode.INTERRUPTED) == of_a_run


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 120, 7, lambda done: None, batches=False)
    return file


def command_of(store: Path, *more: str) -> list[str]:
    words = ["run", "--store", str(store), "--query", QUERY, "--retries", "1", "--waves", "2,rest", *more]
    return [sys.executable, "-m", "retriage.console", *words]


@pytest.mark.long
def test_a_run_that_nobody_reads_does_not_end_as_one_that_passed(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    command = command_of(store, "--yes", "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(60) == ExitCode.INTERRUPTED
    assert "`retriage watch 1 --resume` goes on" in said
    assert "Traceback" not in said


@pytest.mark.long
@pytest.mark.parametrize(("key", "code"), [("\x03", ExitCode.INTERRUPTED), ("\x04", ExitCode.REFUSED)])
def test_ctrl_c_and_ctrl_d_at_the_question(store: Path, tmp_path: Path, key: str, code: int) -> None:
    with Terminal(command_of(store), 100, 30, {"RETRIAGE_HOME": str(tmp_path / "home")}) as terminal:
        terminal.wait_for("[y/N]", 60)
        terminal.type(key)
        assert terminal.wait_for_end(30) == code
        assert "Traceback" not in terminal.text


def test_a_list_cuts_its_texts_and_a_table_of_reasons_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    reason = f"left alone: {SetRetries.left_alone['changed']}"
    print_table(("what",), [(reason,)])
    assert "or set by somebody" not in capsys.readouterr().out
    print_table(("what",), [(reason,)], widest=None)
    assert reason in capsys.readouterr().out


def test_what_stdout_has_no_letter_for_is_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run must not end because its terminal is not one of UTF-8."""
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding="latin-1"))
    write("grün … \udcff\n")
    assert file.getvalue() == b"gr\xfcn \\u2026 \\udcff\n"
