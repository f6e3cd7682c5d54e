"""Completion in real shells: bash and zsh in a pseudo terminal, the real program behind TAB."""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from retriage.console.cli import app
from retriage.console.cli.runs import DOES, SKIPPED
from retriage.console.journal import journal_at
from retriage.console.operations.cancel import Cancel
from retriage.console.operations.known import OPERATIONS
from retriage.console.operations.local_variables import SetLocal
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.seen_values import MOST_ENGINES, MOST_VALUES, keep_seen, read_seen
from retriage.console.session.session import Session
from retriage.store.demo_store import fill
from retriage.store.journal import FrozenTask, NewRun
from tests.console.tasks_of import task
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[3]
HOSTILE = [
    "charge;touch pwned",
    "$(touch pwned)",
    "charge`id`",
    "charge'x",
    'charge"x',
    "charge\x1b[2J",
    "charge x",
    "-rf",
]
PROFILES = """
[bpm-prod]
url = "https://bpm.example/engine-rest"
environment = "prod"
[bpm-test]
url = "https://test.example/engine-rest"
"""
SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
START = {
    "bash": "PS1='% '; bind 'set show-all-if-ambiguous on'",
    "zsh": "autoload -Uz compinit && compinit -D; setopt NO_LIST_AMBIGUOUS; PS1='%% '",
}


async def _begin_run(journal_file: Path) -> None:
    new = NewRun("bpm-prod", "", "ann", "topic:charge-card $(id)", "", 1, 0.05, False, 60, datetime.now(UTC))
    async with journal_at(journal_file) as journal:
        for _ in range(2):
            await journal.runs.begin(new, "me", [(1, [FrozenTask("a", 0)])])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "profiles.toml").write_text(PROFILES)
    keep_seen(
        folder / "seen.json", "bpm-prod", {"topic": [*HOSTILE, "charge-card", "check-stock"], "process": ["order"]}
    )
    keep_seen(folder / "seen.json", "https://other.example/engine-rest", {"topic": ["charge-nobody"]})
    asyncio.run(_begin_run(folder / "journal.db"))
    program = folder / "bin" / "retriage"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m console "$@"\n')
    program.chmod(0o755)
    return folder


def environment(home: Path) -> dict[str, str]:
    return {
        "RETRIAGE_HOME": str(home), "HOME": str(home), "PYTHONPATH": str(ROOT),
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip


@pytest.fixture(params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Terminal]:
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    with Terminal(SHELLS[name], 200, 60, environment(home)) as terminal:
        terminal.type(
            f"cd {home}; {START[name]}; eval \"$(_RETRIAGE_COMPLETE=source_{name} retriage)\"; echo read''y\r"
        )
        terminal.wait_for("\nready")
        yield terminal


def tab(terminal: Terminal, line: str, expected: str) -> None:
    """Type a line on an empty screen, press TAB, and wait for what the shell makes of it or shows below."""
    terminal.press("\x15", "\x0c")
    terminal.wait(lambda: terminal.text.strip() == "%", "the screen was not cleared")
    terminal.press(f"{line}\t")
    terminal.wait_for(expected)


@pytest.mark.long
def test_a_shell_completes_names_and_values(shell: Terminal) -> None:
    for line, expected in (
        ("retriage hand-", "retriage hand-over"),
        ("retriage run --fail", "run --failure-rate"),
        ("retriage --profile bpm-", "bpm-test"),
        ("retriage tasks --profile bpm-prod --query 'topic:ch", "topic:check-stock"),
        ("retriage tasks --profile bpm-prod --query 'retries:0 process:o", "'retries:0 process:order"),
        ("retriage tasks --profile bpm-prod --query topic:cha", "--query topic:charge-card"),
        ("retriage tasks --query 'retries:0 prior", "retries:0 priority>="),
        ("retriage run --do retry --query 'retries:", "retries:>0"),
        ("retriage incidents --query 'type:failedE", "'type:failedExternalTask"),
        ("retriage run --do sus", "--do suspend"),
        ("retriage run --include never-failed,unch", "--include never-failed,unchanged"),
        ("retriage run --do cancel --skip listeners,ma", "--skip listeners,mappings"),
        ("retriage watch 2 --batch goe", "--batch goes-on"),
        ("retriage watch ", "1"),
        ("retriage --engine https:", "https://other.example/engine-rest"),
        ("retriage run --ids profi", "--ids profiles.toml"),
        ("retriage --rehearse profi", "--rehearse profiles.toml"),
    ):  # fmt: skip
        tab(shell, line, expected)


def test_no_value_acts_in_a_shell(shell: Terminal, home: Path) -> None:
    for line in (
        "retriage tasks --profile bpm-prod --query topic:",
        "retriage tasks --profile bpm-prod --query 'topic:",
    ):
        tab(shell, line, "check-stock")
        assert "charge-card" in shell.text
        assert not any(text in shell.text for text in ("touch", "charge`", "charge'", 'charge"', "-rf", "nobody"))
    tab(shell, "retriage watch ", "2")
    assert "$" not in shell.text
    shell.type("\x15\r")
    assert not (home / "pwned").exists()


def test_nothing_heavy_is_imported_and_nobody_is_asked(home: Path) -> None:
    program = (
        "import sys, atexit, socket\n"
        "def connect(*words): raise AssertionError('a question')\n"
        "socket.socket.connect = connect\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        "from retriage.console.cli import main\nmain()\n"
    )
    words = ["retriage", "tasks", "--profile", "bpm-prod", "--query", "'topic:charge-c"]
    variables = {"_RETRIAGE_COMPLETE": "complete_bash", "COMP_WORDS": "\n".join(words), "COMP_CWORD": "5"}
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **environment(home), **variables},
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.split() == ["topic:charge-card"]
    loaded = set(done.stderr.split())
    assert "retriage.console.cli.completion" in loaded
    heavy = {"textual", "pydantic", "httpx", "sqlalchemy", "sqlmodel", "retriage.store.contract.queries",
             "retriage.store.journal", "retriage.console.language", "rich.console"}  # fmt: skip
    assert loaded.isdisjoint(heavy), loaded & heavy


def test_what_is_offered_is_what_the_operations_know() -> None:
    assert {*DOES, SetLocal.name} == set(OPERATIONS), "set-local is a part of set, and of retry with --set"
    assert Cancel.skips == SKIPPED


def test_a_list_is_remembered_for_the_next_tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path))
    store = tmp_path / "store.db"
    fill(str(store), 60, 7, lambda done: None, batches=False)
    assert CliRunner().invoke(app, ["tasks", "--store", str(store)]).exit_code == 0
    with closing(sqlite3.connect(store)) as connection:
        topics = {row[0] for row in connection.execute("SELECT DISTINCT topic_name FROM external_task")}
    assert set(read_seen(tmp_path / "seen.json")[str(store)]["topic"]) == topics
    assert (tmp_path / "seen.json").stat().st_mode & 0o077 == 0


def test_what_is_seen_is_bounded_and_the_newest_comes_first(tmp_path: Path) -> None:
    file, session = tmp_path / "seen.json", Session(ConnectionIdentity("TEST"))
    known = session.watch.known_values
    known.note([task("1", topic="old"), task("2", topic="new")])
    for number in range(MOST_ENGINES + 3):
        keep_seen(file, f"engine {number}", known.lasting())
    keep_seen(file, "engine 9", {"topic": [f"topic {number}" for number in range(MOST_VALUES + 50)]})
    seen = read_seen(file)
    assert len(seen) == MOST_ENGINES
    assert next(iter(seen)) == "engine 9"
    assert len(seen["engine 9"]["topic"]) == MOST_VALUES
    assert seen["engine 20"]["topic"] == ["new", "old"]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": 1}', '{"a": {"topic": "x"}}', "[" * 100_000, json.dumps({"a": {"topic": [1]}})]
)
def test_a_file_of_values_that_is_something_else_is_passed_over(text: str, tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    file.write_text(text)
    assert not any(values for words in read_seen(file).values() for values in words.values())
