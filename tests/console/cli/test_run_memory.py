"""A run without a screen is told how the last one over the same cause ended, and its proposed waves heed it."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from retriage.console.causes.fold import fold
from retriage.console.cli import app
from retriage.store.database.clock import now
from retriage.store.demo_store import fill
from retriage.store.journal import FrozenTask, Journal, NewRun, RunCause

QUERY = "topic:charge-card retries:0"


def test_after_a_bad_run_the_first_wave_is_smaller_and_it_is_said_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, home = tmp_path / "store.db", tmp_path / "home"
    fill(str(store), 150, 7, lambda done: None, batches=False)
    home.mkdir()
    monkeypatch.setenv("RETRIAGE_HOME", str(home))
    order = ["run", "--store", str(store), "--query", QUERY, "--retries", "1", "--dry-run", "--json"]
    before = CliRunner().invoke(app, order)
    assert (before.exit_code, before.stderr) == (0, "")
    asyncio.run(remember(home / "journal.db", str(store.resolve()), cause_in(store)))
    after = CliRunner().invoke(app, order)
    assert after.exit_code == 0
    assert "by bob (hoped so): 50 to 1 in 1 wave: 10 done, 40 failed again (80%) in" in after.stderr
    first, second = (json.loads(result.stdout)["waves"] for result in (before, after))
    assert sum(first) == sum(second)
    assert second[0] < first[0]


def cause_in(store: Path) -> str:
    file = sqlite3.connect(store)
    try:
        question = "SELECT error_message FROM external_task WHERE topic_name = 'charge-card' AND retries = 0 LIMIT 1"
        return fold(file.execute(question).fetchone()[0])
    finally:
        file.close()


async def remember(path: Path, engine: str, cause: str) -> None:
    """A run over this cause went badly."""
    journal = await Journal.open(path)
    new = NewRun(engine, "", "bob", "all", "hoped so", 1, 0.05, False, 60.0, now())
    tasks = [FrozenTask(str(at), 0) for at in range(50)]
    run = await journal.runs.begin(new, "me", [(1, tasks)], [RunCause("charge-card", cause, 50)])
    await journal.runs.note(run, "me", 1, {"done": 10, "again": 40}, 9.0, {})
    await journal.runs.state(run, "me", "stopped", "stopped", "why", at=now())
    await journal.close()


def test_commands_forget_what_is_older_than_the_operator_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("RETRIAGE_HOME", str(home))
    asyncio.run(remember(home / "journal.db", "e", "why"))
    file = sqlite3.connect(home / "journal.db", isolation_level=None)
    file.execute(f"UPDATE run SET began_at = began_at - {3 * 86_400_000}")
    file.close()
    assert len(CliRunner().invoke(app, ["runs", "--json"]).stdout.splitlines()) == 1
    (home / "settings.toml").write_text("[journal]\nkeep_days = 2\n")
    told = CliRunner().invoke(app, ["runs", "--json"])
    assert (told.exit_code, told.stdout) == (0, "")
    assert told.stderr == "The journal has forgotten 1 launch or run older than 2 days.\n"
