"""Commands without a screen: what they refuse, their exit codes, what stands on stdout and what on stderr.

The store is a file; what was changed in it is read with SQL.
"""

import csv
import io
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from retriage.console.causes.fold import NO_MESSAGE
from retriage.console.causes.groups import CALLED
from retriage.console.cli import app
from retriage.console.cli.exit_codes import EPILOG, MEANING, ExitCode
from retriage.console.engine.capabilities import Capabilities
from retriage.store.contract.records import Incident
from retriage.store.demo_store import fill
from tests.console.incidents_of import incident
from tests.support.terminal import Terminal

QUERY = "topic:charge-card retries:0 -suspended"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 120, 7, lambda done: None, batches=False)
    return file


@pytest.fixture
def store(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "store.db"
    shutil.copy(world, file)
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    return file


def asked(file: Path, question: str) -> list[Any]:
    connection = sqlite3.connect(file, timeout=30)
    try:
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def typed(*words: object, put_in: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=put_in)


def matching(store: Path) -> list[str]:
    rows = asked(store, "SELECT id FROM external_task WHERE topic_name = 'charge-card' AND retries = 0"
                        " AND NOT suspended ORDER BY create_time, id")  # fmt: skip
    return [row[0] for row in rows]


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def nothing_changed(store: Path) -> bool:
    return asked(store, "SELECT count(*) FROM batch") == [(0,)]


# -- lists


def test_lists_as_json_are_the_records_of_the_engine(store: Path) -> None:
    result = typed("tasks", "--store", store, "--query", QUERY, "--limit", 0, "--json")
    assert result.exit_code == ExitCode.DONE
    assert {one["id"] for one in lines(result)} == set(matching(store))
    assert {"topicName", "retries", "errorMessage", "lockExpirationTime"} <= lines(result)[0].keys()


def test_a_limit_is_told_on_stderr_alone(store: Path) -> None:
    result = typed("tasks", "--store", store, "--limit", 3, "--json")
    assert len(lines(result)) == 3
    assert "The first 3 tasks" in result.stderr


def test_what_the_console_filters_itself_is_filtered_here_too(store: Path) -> None:
    result = typed("tasks", "--store", store, "--query", 'error~"503 from psp"', "--limit", 0, "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    expected = asked(store, "SELECT id FROM external_task WHERE error_message LIKE '%503 from psp%'")
    assert {row["id"] for row in rows} == {row[0] for row in expected}


@pytest.mark.parametrize("subject", ["incidents", "causes"])
def test_incidents_are_filtered_by_the_topic_of_their_tasks(store: Path, subject: str) -> None:
    topic, expected = asked(
        store,
        "SELECT t.topic_name, count(*) FROM incident i JOIN external_task t ON t.id = i.configuration"
        " WHERE i.end_time IS NULL GROUP BY 1 ORDER BY 2 DESC",
    )[0]
    result = typed(subject, "--store", store, "--query", f"topic:{topic}", "--limit", 0, "--json")
    number = sum(one["incidents"] for one in lines(result)) if subject == "causes" else len(lines(result))
    assert 0 < number == expected
    none = typed(subject, "--store", store, "--query", "topic:nothing", "--json")
    assert none.exit_code == ExitCode.NOTHING


def test_causes_tell_incidents_that_are_passed_up_from_those_without_a_message(
    monkeypatch: pytest.MonkeyPatch, store: Path
) -> None:
    """As the screen does: an incident of a called process has one in each caller, without a message of its own."""
    some = [incident(1, None), incident(2, None, cause="i-1", configuration=None), incident(3)]

    async def incidents(client: object, query: object, first: int, size: int) -> list[Incident]:
        return some[first : first + size]

    monkeypatch.setattr("retriage.console.engine.client.EngineClient.incidents", incidents)
    result = typed("causes", "--store", store, "--json")
    told = {one["cause"]: one["incidents"] for one in lines(result)}
    assert told == {NO_MESSAGE: 1, CALLED: 1, "HTTP 503 from psp": 1}


@pytest.mark.parametrize("subject", ["incidents", "instances", "jobs", "causes"])
def test_the_other_lists(store: Path, subject: str) -> None:
    tables = {"incidents": "incident WHERE end_time IS NULL", "instances": "process_instance WHERE end_time IS NULL",
              "jobs": "job", "causes": "incident WHERE end_time IS NULL"}  # fmt: skip
    expected = asked(store, f"SELECT count(*) FROM {tables[subject]}")[0][0]
    result = typed(subject, "--store", store, "--limit", 0, "--json")
    number = sum(one["incidents"] for one in lines(result)) if subject == "causes" else len(lines(result))
    assert number == expected
    assert result.exit_code == (ExitCode.DONE if expected else ExitCode.NOTHING)


def test_what_an_engine_has_is_listed_without_a_journal(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full or read-only disk at home does not keep the operator from seeing what failed."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "file"))
    result = typed("tasks", "--store", store, "--query", QUERY, "--limit", 0, "--json")
    assert result.exit_code == ExitCode.DONE
    assert {one["id"] for one in lines(result)} == set(matching(store))
    assert "The journal cannot be opened" in result.stderr
    assert typed("causes", "--store", store).exit_code == ExitCode.DONE
    remembered = typed("incidents", "--store", store, "--query", "again")
    assert (remembered.exit_code, "the journal alone" in remembered.stderr) == (ExitCode.ENGINE, True)


def test_an_engine_that_is_not_there_is_told_once(store: Path) -> None:
    result = typed("tasks", "--engine", "http://127.0.0.1:9")
    (said,) = result.stderr.splitlines()
    assert "cannot be reached" in said


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tasks", "--query", "bogus:1"], ExitCode.COMMAND_LINE, "bogus is not a filter"),
        (["tasks", "--query", "topic:nothing"], ExitCode.NOTHING, "No tasks match"),
        (["tasks", "--json", "--csv"], ExitCode.COMMAND_LINE, "exclude each other"),
        (["tasks", "--engine", "http://127.0.0.1:9"], ExitCode.COMMAND_LINE, "name different engines"),
        (["run", "--retries", "1"], ExitCode.COMMAND_LINE, "name the tasks: give either --query or --ids"),
        (["run", "--retries", "1", "--query", "x:"], ExitCode.COMMAND_LINE, "not a filter"),
        (["run", "--retries", "1", "--query", QUERY, "--waves", "ten"], ExitCode.COMMAND_LINE, "ten is not a wave"),
        (["run", "--retries", "1", "--query", QUERY, "--waves", "1"], ExitCode.COMMAND_LINE, "end them with rest"),
        (["run", "--retries", "1", "--query", QUERY, "--gate", "lots"], ExitCode.COMMAND_LINE, "is not a share"),
        (["run", "--retries", "1", "--query", QUERY, "--watch", "long"], ExitCode.COMMAND_LINE, "is not a time"),
        (["run", "--retries", "1", "--query", QUERY, "--pace", "fast"], ExitCode.COMMAND_LINE, "is not a pace"),
        (["run", "--retries", "1", "--query", QUERY, "--include", "all"], ExitCode.COMMAND_LINE, "--include takes"),
        (["run", "--retries", "1", "--query", QUERY, "--reason", "St\udcf6rung"], ExitCode.COMMAND_LINE, "not UTF-8"),
        (["run", "--retries", "1", "--query", "topic:nothing", "--yes"], ExitCode.NOTHING, "nothing to retry"),
        (["run", "--retries", "0", "--query", QUERY, "--yes"], ExitCode.NOTHING, "retry, left out: 24 unchanged"),
        (["run", "--retries", "1", "--query", QUERY], ExitCode.REFUSED, "give --yes"),
        (["run", "--retries", "1", "--query", QUERY, "--yes", "--count", "1"], ExitCode.REFUSED, "--count says 1"),
        (["run", "--retries", "1", "--query", QUERY, "--yes", "--env", "PROD"], ExitCode.REFUSED, "give --count"),
        (["run", "--retries", "1", "--query", QUERY, "--yes", "--read-only"], ExitCode.REFUSED, "read-only"),
        (["run", "--retries", "1", "--query", "", "--yes", "--include", "never-failed"], ExitCode.REFUSED, "every"),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence_and_a_code(store: Path, words: list[str], code: int, said: str) -> None:
    result = typed(words[0], "--store", store, *words[1:])
    assert (result.exit_code, said in result.stderr) == (code, True), result.output
    assert nothing_changed(store)


def test_an_engine_that_is_not_there(store: Path) -> None:
    result = typed("tasks", "--engine", "http://127.0.0.1:9/engine-rest")
    assert result.exit_code == ExitCode.ENGINE
    assert "cannot be reached" in result.stderr


@pytest.mark.parametrize("words", [["watch", "7"], ["undo", "7"], ["watch", "7", "--resume", "--yes"]])
def test_a_run_that_is_not_there(store: Path, words: list[str]) -> None:
    result = typed(*words)
    assert (result.exit_code, "there is no run 7" in result.stderr) == (ExitCode.COMMAND_LINE, True)


# -- runs


def test_production_wants_a_reason_beside_the_count(store: Path) -> None:
    number = len(matching(store))
    words = ["run", "--store", store, "--env", "PROD", "--query", QUERY, "--retries", 1, "--yes", "--count", number]
    result = typed(*words)
    assert (result.exit_code, "--reason" in result.stderr) == (ExitCode.REFUSED, True)
    assert nothing_changed(store)


def test_a_dry_run_tells_the_plan_and_writes_nothing_down(store: Path) -> None:
    result = typed(
        "run", "--store", store, "--query", QUERY, "--retries", 1, "--waves", "50%,rest", "--dry-run", "--json"
    )
    number = len(matching(store))
    (plan,) = lines(result)
    assert (result.exit_code, plan["tasks"], sum(plan["waves"])) == (ExitCode.DONE, number, number)
    assert nothing_changed(store)
    assert typed("runs").stdout.split()[:2] == ["run", "state"]


def test_where_no_task_tells_its_age_a_limit_does_not_promise_the_oldest(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", "--store", store, "--query", QUERY, "--retries", 1, "--dry-run"]
    said = "need not be the oldest"
    assert said not in typed(*words, "--limit", 2).stderr
    monkeypatch.setattr(Capabilities, "absent", lambda self, subject: frozenset({"create_time"}))
    assert said in typed(*words, "--limit", 2).stderr
    assert said not in typed(*words).stderr


def test_held_resumed_stopped_undone(store: Path) -> None:
    """Nobody works on the store: the first wave holds at the end of its watch, and is put back."""
    ids = matching(store)
    text = "\n".join(ids)
    words = [
        "run",
        "--store",
        store,
        "--ids",
        "-",
        "--retries",
        2,
        "--waves",
        "2,rest",
        "--watch",
        "2s",
        "--yes",
        "--json",
    ]
    result = typed(*words, put_in=text)
    events = lines(result)
    assert result.exit_code == ExitCode.HELD
    assert events[0]["event"] == "plan"
    assert (events[-1]["event"], events[-1]["cause"], events[-1]["waiting"]) == ("held", "nobody-works", 2)
    assert {one["run"] for one in events} == {1}
    followed = lines(typed("watch", 1, "--json"))
    assert (followed[-1]["event"], followed[-1]["wave"]) == ("held", 1)
    set_now = asked(store, "SELECT id FROM external_task WHERE retries = 2")
    assert {row[0] for row in set_now} >= set(ids[:2])
    assert not {row[0] for row in set_now} & set(ids[2:])
    skipped = typed("watch", 1, "--skip-watch", "--yes")
    assert (skipped.exit_code, "held by its gate" in skipped.stderr) == (ExitCode.REFUSED, True)
    # The engine is known from the journal; the rest is cut anew and gets other retries.
    cut = typed("watch", 1, "--resume", "--yes", "--waves", "1,rest", "--retries", 1, "--json")
    assert cut.exit_code == ExitCode.HELD
    assert lines(cut)[-1]["wave"] == 2
    shown = json.loads(typed("runs", "--json").stdout)
    assert [wave["tasks"] for wave in shown["waves"]] == [2, 1, len(ids) - 3]
    assert typed("watch", 1).exit_code == ExitCode.HELD
    assert typed("watch", 1, "--stop").exit_code == ExitCode.REFUSED, "without --yes and a terminal"
    assert typed("watch", 1, "--stop", "--yes").exit_code == ExitCode.DONE
    assert json.loads(typed("runs", "--json").stdout)["state"] == "stopped"
    undo = typed("undo", 1, "--yes", "--json")
    assert undo.exit_code == ExitCode.DONE, undo.output
    assert lines(undo)[0]["back"] == {"0": 3}
    assert set(matching(store)) == set(ids)


@pytest.mark.parametrize("state", ["held", "running"])
def test_the_undo_of_a_held_run_ends_it(store: Path, state: str) -> None:
    """Resumed after its undo it sends nothing; ``running`` without a driver, it was interrupted."""
    ids = matching(store)
    words = ["run", "--store", store, "--query", QUERY, "--retries", 2, "--waves", "2,rest", "--watch", "1s", "--yes"]
    assert typed(*words).exit_code == ExitCode.HELD
    assert matching(store) == ids[2:]
    with closing(sqlite3.connect(store.parent / "home" / "journal.db")) as journal, journal:
        journal.execute("UPDATE run SET state = ?", [state])
    undo = typed("undo", 1, "--yes")
    assert undo.exit_code == ExitCode.DONE, undo.output
    assert matching(store) == ids
    assert typed("watch", 1, "--resume", "--yes").exit_code == ExitCode.HELD
    assert (matching(store), asked(store, "SELECT count(*) FROM batch")) == (ids, [(2,)])
    (shown,) = lines(typed("runs", "--json"))
    assert [wave["state"] for wave in shown["waves"]] == ["stopped", "dropped"]
    assert "run 1 stopped: " in undo.stdout


def test_a_run_is_of_its_engine(store: Path, tmp_path: Path) -> None:
    typed("run", "--store", store, "--query", QUERY, "--retries", 1, "--limit", 1, "--watch", "1s", "--yes")
    shutil.copy(store, tmp_path / "other.db")
    result = typed("watch", 1, "--store", tmp_path / "other.db", "--resume", "--yes")
    assert (result.exit_code, "run 1 belongs to" in result.stderr) == (ExitCode.COMMAND_LINE, True)


def test_every_code_has_one_meaning_and_help_tells_it() -> None:
    assert set(MEANING) == set(ExitCode)
    told = " ".join(typed("run", "--help").stdout.split())
    assert all(str(code.value) in told for code in ExitCode)
    assert "Exit codes" in EPILOG
    page = (Path(__file__).parents[3] / "console" / "RUNS.md").read_text().replace("`", "")
    assert all(f"| {code.value} | {said} |" in page for code, said in MEANING.items())


@pytest.mark.long
def test_interrupted_it_is_held_and_goes_on(store: Path) -> None:
    """ctrl+c while a wave is watched: exit code 130, and the next command goes on where it was."""
    words = [
        "run",
        "--store",
        store,
        "--query",
        QUERY,
        "--retries",
        1,
        "--waves",
        "2,rest",
        "--yes",
        "--json",
        "--watch",
        "4s",
    ]
    command = [sys.executable, "-m", "retriage.console", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("state") == "watching":
                break
        process.send_signal(signal.SIGINT)
        out, said = process.communicate(timeout=60)
    assert (process.returncode, "Interrupted" in said) == (ExitCode.INTERRUPTED, True)
    assert json.loads(out.splitlines()[-1])["cause"] == "interrupted"
    (shown,) = lines(typed("runs", "--json"))
    assert (shown["state"], shown["cause"], shown["driven"]) == ("held", "interrupted", False)
    assert typed("watch", 1).exit_code == ExitCode.INTERRUPTED
    skipped = typed("watch", 1, "--skip-watch", "--yes", "--json")
    assert ("skipped", 1) in [(one.get("state"), one.get("wave")) for one in lines(skipped)[:6]]


# -- a demo world


@pytest.mark.long
def test_how_far_a_demo_world_is_written_is_told_on_a_terminal(tmp_path: Path) -> None:
    fill = ["demo-data", "--store", str(tmp_path / "world.db"), "--tasks", "600"]
    with Terminal([sys.executable, "-m", "retriage.console", *fill], 80, 24) as terminal:
        assert terminal.wait_for_end(60) == 0
        told = terminal.raw.decode()
    assert "\r500 of 600 external tasks" in told
    assert "\r600 external tasks; sorting index 1 of " in told
    assert "600 external tasks written in " in terminal.text
