"""The command that does what a launch dialog shows: read by a shell and by the command line, it means the same."""

import shlex
from collections import Counter
from datetime import UTC, datetime

import pytest

from retriage.console.language import TASKS, parse
from retriage.console.launch.plan import LaunchPlan
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.counts import SelectionCounts
from retriage.console.reading.selection import Everything, Marked, Selection
from retriage.console.runs.command_text import command_of, resume_command_of
from retriage.console.runs.run_form import RunForm
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.store.contract.queries import ExternalTaskQuery

PROD = ConnectionIdentity("PROD", "https://bpm.example/engine-rest", "ann", profile="bpm-prod", name="bpm-prod")
QUERY = ExternalTaskQuery(topic_name="charge'card $(id)", no_retries_left=True)


def plan(selection: Selection) -> LaunchPlan:
    now = datetime.now(UTC)
    facts = SelectionCounts(12, 12, no_retries=12, retries_left=0, locked=0, suspended=0, retries=Counter(), at=now)
    return LaunchPlan(selection, 3, facts, included=frozenset({"never_failed", "gone"}))


def words(identity: ConnectionIdentity, selection: Selection, **how: object) -> list[str]:
    order = RunForm("10, 5%, rest", "20%", True, "90s", "200/min").order("t", SetRetries(3))
    return shlex.split(command_of(identity, plan(selection), order, " it's back\n", **how))  # type: ignore[arg-type]


def test_all_that_was_set_is_in_it_and_a_shell_reads_it_as_it_was_meant() -> None:
    found = words(PROD, Everything(QUERY), guarded=True)
    assert found[:4] == ["retriage", "run", "--profile", "bpm-prod"]
    found.remove("--gate-new-cause")
    options = dict(zip(found[4::2], found[5::2], strict=True))
    assert parse(options.pop("--query"), TASKS).query == QUERY
    assert options == {
        "--retries": "3", "--waves": "10,5%,rest", "--gate": "20%", "--watch": "90s", "--pace": "200/min",
        "--include": "never-failed", "--count": "12", "--reason": "it's back",
    }  # fmt: skip


def test_every_task_is_named_by_an_empty_query_with_its_count() -> None:
    found = words(PROD, Everything(ExternalTaskQuery()))
    assert found[found.index("--query") + 1] == ""
    assert found[found.index("--count") + 1] == "12"


@pytest.mark.parametrize("selection", [Marked(frozenset("ab")), Everything(QUERY, but=frozenset("a"))])
def test_what_no_query_names_stands_in_a_file(selection: Selection) -> None:
    found = words(PROD, selection, ids="/tmp/a b.txt")
    assert found[found.index("--ids") + 1] == "/tmp/a b.txt"
    assert "--query" not in found


def test_the_engine_is_named_as_one_came_to_it() -> None:
    at = ConnectionIdentity("PROD?", "https://e/engine-rest", "ann", name="https://e/engine-rest")
    assert words(at, Everything(QUERY), login="ann")[2:8] == [
        "--engine", "https://e/engine-rest", "--user", "ann", "--env", "PROD?"
    ]  # fmt: skip
    assert "--user" not in words(at, Everything(QUERY))
    assert words(ConnectionIdentity("LOCAL", name="/a b.db"), Everything(QUERY))[2:4] == ["--store", "/a b.db"]
    assert words(ConnectionIdentity("DEMO", name="demo"), Everything(QUERY)) == []


def test_a_run_goes_on_as_one_came_to_its_engine() -> None:
    at = ConnectionIdentity("PROD?", "https://e/engine-rest", "ann", name="https://e/engine-rest")
    assert shlex.split(resume_command_of(at, 7, login="ann")) == [
        "retriage", "watch", "7", "--resume", "--engine", "https://e/engine-rest", "--user", "ann", "--env", "PROD?",
    ]  # fmt: skip
    assert resume_command_of(PROD, 7, login="ann") == "retriage watch 7 --resume --profile bpm-prod"
    assert resume_command_of(ConnectionIdentity("LOCAL", "", "ann", name="/a b.db"), 7).endswith("--store '/a b.db'")
    assert resume_command_of(ConnectionIdentity("DEMO", "", "ann", name="demo"), 7) == ""
    rehearsal = ConnectionIdentity("REHEARSAL", "", "ann", name="/s.db", snapshot_of="e, taken 2026-11-28 09:38Z")
    assert resume_command_of(rehearsal, 7) == ""
