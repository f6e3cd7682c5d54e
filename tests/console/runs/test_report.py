"""The report of a run: its numbers against the store's books, hostile texts against a Markdown parser."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.journal import journal_at
from retriage.console.runs.report import MOST_LINES, code, report, without_values
from retriage.console.runs.run_view import RunRecords, read_records
from retriage.store.demo_store import fill
from retriage.store.journal import FrozenTask, NewRun
from retriage.store.journal.run_records import RunCause, RunStep

QUERY = 'topic:charge-card retries:0 -suspended var.customer!="nobody we know"'
HOSTILE = "x`` ` \x1b[2J <img src=x onerror=alert(1)> | [a](http://evil) ![b](c) @ops #1 **b** \n# Head\n- item \\`"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    file = tmp_path / "store.db"
    fill(str(file), 120, 7, lambda done: None, batches=False)
    return file


def test_a_run_that_has_ended_is_reported(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    words = ["run", "--store", store, "--query", QUERY, "--retries", 1, "--waves", "1,rest", "--watch", "1s"]
    result = typed(*words, "--limit", 3, "--yes", "--json", "--reason", "INC-1", "--report", file)
    assert result.exit_code == ExitCode.HELD, result.output  # nobody works
    for line in result.stdout.splitlines():
        json.loads(line)
    text = file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert text.startswith("# Run 1: retry of 3 tasks\n")
    assert "- Reason: `INC-1`" in text
    with sqlite3.connect(store) as connection:
        (batch,) = connection.execute("SELECT id FROM batch").fetchone()
    connection.close()
    assert f"wave 1, 1 task `to 1 retry`: launched, batch `{batch}`" in text
    assert "| 1 |" in text
    assert "| 2 | planned | 2 |" in text
    assert "var.customer!=…" in text
    assert "nobody we know" not in text
    assert "## What was undone\n\n- nothing" in text
    assert typed("watch", 1, "--stop", "--yes").exit_code == ExitCode.DONE
    assert typed("undo", 1, "--yes").exit_code == ExitCode.DONE
    later = tmp_path / "later.md"
    assert typed("report", 1, later).exit_code == ExitCode.DONE
    assert "- State: stopped" in later.read_text()
    assert "## What was undone\n\n- nothing" not in later.read_text()


def test_variables_that_are_set_are_named_without_their_values(store: Path, tmp_path: Path) -> None:
    file, name = tmp_path / "report.md", "[card](evil)"
    words = ["run", "--store", store, "--do", "set", "--query", "retries:0", "--limit", 2, "--watch", "1s", "--new"]
    result = typed(*words, "--set", f"{name}=4111 1111", "--yes", "--report", file)
    assert file.exists(), result.output
    text = file.read_text()
    assert f"`to get {name}`" in text
    assert "4111" not in text


def test_nothing_is_overwritten_and_no_run_is_begun_for_it(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    file.write_text("mine")
    result = typed("run", "--store", store, "--query", QUERY, "--retries", 1, "--yes", "--report", file)
    assert result.exit_code == ExitCode.COMMAND_LINE
    assert file.read_text() == "mine"
    with sqlite3.connect(store) as connection:
        assert connection.execute("SELECT count(*) FROM batch").fetchone() == (0,)
    connection.close()
    assert typed("report", 1, tmp_path / "none.md").exit_code == ExitCode.COMMAND_LINE
    assert not (tmp_path / "none.md").exists()


async def hostile_records(folder: Path) -> RunRecords:
    new = NewRun(HOSTILE, f"http://{HOSTILE}", HOSTILE, HOSTILE, HOSTILE, 1, 0.05, True, 60, NOW)
    async with journal_at(folder / "journal.db") as journal:
        number = await journal.runs.begin(new, HOSTILE, [(1, [FrozenTask("a", 0)])], [RunCause(HOSTILE, HOSTILE, 1)])
        records = await read_records(journal.runs, number)
        assert records is not None
        return records


async def test_hostile_texts_are_text(tmp_path: Path) -> None:
    records = await hostile_records(tmp_path)
    records.view.waves[0].left_out[HOSTILE] = 1  # type: ignore[index]
    steps = [RunStep(1, None, NOW, HOSTILE, HOSTILE)]
    wave = replace(records.view.waves[0], state=f"planned{HOSTILE}")
    text = report(replace(records, steps=steps, view=replace(records.view, waves=[wave], said=HOSTILE)), NOW)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in inline} <= {"text", "code_inline", "softbreak"}
    assert not [token for token in tokens if token.type.startswith("html")]
    assert next(token.content for token in tokens if token.type == "inline").startswith("Run 1: retry of 1 task")
    assert sum(token.type == "heading_open" for token in tokens) == 7
    plain = " ".join(token.content for token in inline if token.type == "text")
    assert not any(sign in plain for sign in ("evil", "@ops", "img", "onerror"))
    assert "\x1b" not in text
    assert len([token for token in inline if token.type == "code_inline" and "onerror" in token.content]) >= 8


@pytest.mark.parametrize("text", ["plain", "`", "``", "a`b``c", " blank ", "`x`", "", "a\nb", "x" * 5_000])
def test_a_code_span_holds_its_text(text: str) -> None:
    (token,) = MarkdownIt("commonmark").parse(code(text))[1].children or ()
    assert token.type == "code_inline"
    assert token.content.strip()[:600] == (text.replace("\n", " ").strip() or "-")[:600]


def test_variables_are_named_without_what_they_were_compared_with() -> None:
    line = 'topic:x var.amount>100 var."card number"="4111 1111" key:ord-1 var.note~"a \\"b\\" c" retries:0'
    assert without_values(line) == 'topic:x var.amount>… var."card number"=… key:ord-1 var.note~… retries:0'


async def test_long_lists_are_counted(tmp_path: Path) -> None:
    records = await hostile_records(tmp_path)
    steps = [RunStep(number, 1, NOW, "look", "") for number in range(MOST_LINES + 7)]
    assert "- and 7 more" in report(replace(records, steps=steps), NOW)
