"""A run goes to a colleague's machine as a file: at home it is over then, there it is held and knows what was sent."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.store.database.clock import now
from retriage.store.journal import FrozenTask, Journal, NewRun

NEW = NewRun("https://e/engine-rest", "https://e/engine-rest", "ann", "all", "why", 1, 0.05, False, 60.0, now())


def typed(monkeypatch: pytest.MonkeyPatch, home: Path, *words: object) -> Result:
    monkeypatch.setenv("RETRIAGE_HOME", str(home))
    return CliRunner().invoke(app, [str(word) for word in words])


def held(home: Path, *, driver: str = "") -> None:
    """A run of two waves that waits, or is driven."""

    home.mkdir()

    async def write() -> None:
        journal = await Journal.open(home / "journal.db")
        run = await journal.runs.begin(NEW, "me", [(1, [FrozenTask("a", 0)]), (2, [FrozenTask("b", 0)])])
        await journal.runs.state(run, "me", "held", "failed-again", "1 of 1")
        await journal.runs.leave(run, "me")
        if driver:
            await journal.runs.take(run, driver)
        await journal.close()

    asyncio.run(write())


def runs(home: Path) -> list[Any]:
    file = sqlite3.connect(home / "journal.db")
    try:
        return file.execute("SELECT id, engine, state, cause, listed FROM run ORDER BY id").fetchall()
    finally:
        file.close()


def test_it_is_over_here_and_held_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob, file = tmp_path / "ann", tmp_path / "bob", tmp_path / "run-1.jsonl"
    held(ann)
    bob.mkdir()
    (bob / "profiles.toml").write_text('[bpm]\nurl = "https://e/engine-rest"\nenvironment = "prod"\n')
    assert typed(monkeypatch, ann, "hand-over", 1, file).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0, "others may read it"
    assert runs(ann) == [(1, "https://e/engine-rest", "stopped", "handed-over", 2)]
    taken = typed(monkeypatch, bob, "take-over", file, "--profile", "bpm")
    assert (taken.exit_code, "`retriage watch 1 --resume`" in taken.stdout) == (0, True)
    assert runs(bob) == [(1, "bpm", "held", "take-over", 2)]
    again = typed(monkeypatch, bob, "take-over", file)
    assert (again.exit_code, "taken over already" in again.stderr) == (2, True)
    assert typed(monkeypatch, ann, "watch", 1, "--resume", "--yes").exit_code == 6, "it goes on in two places"
    assert len(runs(bob)) == 1


def test_a_run_that_is_driven_is_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held(tmp_path / "ann", driver="elsewhere:1:x")
    file = tmp_path / "run.jsonl"
    refused = typed(monkeypatch, tmp_path / "ann", "hand-over", 1, file)
    assert (refused.exit_code, "is driven now" in refused.stderr) == (4, True)
    assert not file.exists()
    assert runs(tmp_path / "ann")[0][2] == "held"


def test_what_cannot_be_written_or_read_is_said_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, file = tmp_path / "ann", tmp_path / "there.jsonl"
    held(home)
    file.write_text("mine")
    assert "cannot be written" in typed(monkeypatch, home, "hand-over", 1, file).stderr
    assert file.read_text() == "mine"
    assert runs(home)[0][2] == "held"
    assert "there is no run 9" in typed(monkeypatch, home, "hand-over", 9, tmp_path / "x").stderr
    assert "cannot be taken over" in typed(monkeypatch, home, "take-over", file).stderr
    assert "cannot be read" in typed(monkeypatch, home, "take-over", tmp_path / "nowhere").stderr
    assert len(runs(home)) == 1


def test_what_a_file_says_cannot_act_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, file = tmp_path / "ann", tmp_path / "run.jsonl"
    held(home)
    file.write_text(json.dumps({"format": "retriage run", "version": "\x1b]0;mine\x07\x1b[2J", "name": "x"}) + "\n")
    refused = typed(monkeypatch, home, "take-over", file)
    assert "was written by another version" in refused.stderr
    assert refused.stderr.rstrip("\n").isprintable()


def test_counts_that_a_file_makes_up_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob, file = tmp_path / "ann", tmp_path / "bob", tmp_path / "run.jsonl"
    held(ann)
    bob.mkdir()
    assert typed(monkeypatch, ann, "hand-over", 1, file).exit_code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line.get("table") == "run_wave":
            line["row"]["counts"] = json.dumps({"done": 3, "again": "many", "bogus": 1, "notSet": [2]})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert typed(monkeypatch, bob, "take-over", file).exit_code == 0
    listed = typed(monkeypatch, bob, "runs", "--json")
    assert listed.exit_code == 0
    (run,) = map(json.loads, listed.stdout.splitlines())
    assert (run["done"], run["again"], run["notSet"]) == (6, 0, 0)
