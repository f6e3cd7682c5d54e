"""``run --do``: what is done beside retries, and which options mean nothing to it. The truth is read with SQL."""

import asyncio
import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless_undo import code_of
from retriage.console.launch.launch_events import GivenBack
from retriage.store.commands.deployments import deploy
from retriage.store.commands.instances import start
from retriage.store.contract.records import VariableValue
from retriage.store.database import open_database
from retriage.store.demo_store import fill
from tests.store.drawings import JUDGED
from tests.support.listener import Listener


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 60, 7, lambda done: None, batches=False)
    return file


class Desk:
    """A store, a journal, and an operator at a shell."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def sql(self, question: str) -> set[str]:
        store = sqlite3.connect(self.file, timeout=30)
        try:
            return {str(row[0]) for row in store.execute(question)}
        finally:
            store.close()

    @property
    def suspended(self) -> set[str]:
        return self.sql("SELECT id FROM process_instance WHERE state = 'SUSPENDED'")

    def run(self, command: str, *words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, [command, *words, "--store", str(self.file)], input=typed)


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def desk(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    return Desk(Path(shutil.copy(world, tmp_path / "world.db")))


def test_instances_of_tasks_are_suspended_and_undo_activates_those(desk: Desk) -> None:
    before = desk.suspended
    meant = desk.sql(
        "SELECT process_instance_id FROM external_task WHERE topic_name = 'charge-card'"
        " AND process_instance_id IN (SELECT id FROM process_instance WHERE state = 'ACTIVE')"
    )
    assert meant
    result = desk.run("run", "--do", "suspend", "--query", "topic:charge-card", "--waves", "2,rest", "--yes", "--json")
    told = events(result)
    assert (result.exit_code, told[0]["do"], told[0]["instances"]) == (0, "suspend", len(meant)), result.output
    assert told[-1]["done"] == len(meant)
    assert desk.suspended == before | meant
    result = desk.run("undo", "1", "--yes")
    assert result.exit_code == 0, result.output
    assert f"{len(meant)} instances activated again" in result.stdout
    assert desk.suspended == before


def test_every_running_instance_wants_its_number(desk: Desk) -> None:
    active = len(desk.sql("SELECT id FROM process_instance WHERE state = 'ACTIVE'"))
    result = desk.run("run", "--do", "suspend", "--instances", "", "--yes")
    assert result.exit_code == ExitCode.REFUSED
    assert f"this is every running process instance of the engine: give --count {active}" in result.stderr
    result = desk.run("run", "--do", "suspend", "--instances", "", "--yes", "--count", str(active + 1))
    assert (result.exit_code, len(desk.suspended)) == (ExitCode.REFUSED, len(desk.suspended))
    assert "nothing was changed" in result.stderr


def test_by_ids_and_nothing_left_to_do(desk: Desk, tmp_path: Path) -> None:
    one = min(desk.sql("SELECT id FROM process_instance WHERE state = 'ACTIVE'"))
    file = tmp_path / "ids.txt"
    file.write_text(one)
    assert desk.run("run", "--do", "suspend", "--ids", str(file), "--yes").exit_code == 0
    assert one in desk.suspended
    again = desk.run("run", "--do", "suspend", "--ids", str(file), "--yes")
    assert (again.exit_code, "nothing to suspend, left out: 1 suspended already" in again.stderr) == (3, True)


def test_cancelling_wants_its_number_everywhere_and_has_no_undo(desk: Desk) -> None:
    states = "SELECT id FROM process_instance WHERE state = "
    meant = desk.sql(
        "SELECT process_instance_id FROM external_task WHERE topic_name = 'charge-card' AND retries = 0"
        " AND process_instance_id IN (SELECT id FROM process_instance WHERE end_time IS NULL)"
    )
    others = desk.sql("SELECT id FROM process_instance WHERE end_time IS NULL") - meant
    order = ["--do", "cancel", "--query", "topic:charge-card retries:0", "--waves", "1,rest", "--json"]
    result = desk.run("run", *order, "--dry-run")
    (plan,) = events(result)
    assert (plan["do"], plan["instances"], plan["also"]["tasks"]) == ("cancel", len(meant), len(meant)), result.output
    result = desk.run("run", *order, "--yes")
    assert (result.exit_code, f"Give --count {len(meant)} to mean" in result.stderr) == (ExitCode.REFUSED, True)
    assert desk.sql(f"{states}'EXTERNALLY_TERMINATED'") & meant == set()
    result = desk.run(
        "run", *order, "--yes", "--count", str(len(meant)), "--reason", "INC-7", "--skip", "called,mappings"
    )
    told = events(result)
    assert (result.exit_code, told[-1]["state"], told[-1]["done"]) == (0, "passed", len(meant)), result.output
    assert desk.sql(f"{states}'EXTERNALLY_TERMINATED' AND delete_reason = 'INC-7'") == meant
    assert desk.sql("SELECT id FROM process_instance WHERE end_time IS NULL") == others
    (run,) = events(CliRunner().invoke(app, ["runs", "--json"]))
    assert (run["state"], run["reason"], run["tasks"], run["done"]) == ("passed", "INC-7", len(meant), len(meant))
    result = desk.run("undo", "1", "--yes")
    assert (result.exit_code, "There is no way back" in result.stderr) == (3, True), result.stderr


def test_an_activity_is_skipped_only_with_its_number(desk: Desk) -> None:
    (activity,) = desk.sql(
        "SELECT activity_id FROM external_task WHERE topic_name = 'charge-card' AND retries = 0"
        " GROUP BY activity_id ORDER BY count(*) DESC LIMIT 1"
    )
    at = f"SELECT process_instance_id FROM external_task WHERE activity_id = '{activity}'"
    stuck = desk.sql(
        f"{at} AND retries = 0 AND process_instance_id IN (SELECT id FROM process_instance WHERE state = 'ACTIVE')"
    )
    before = desk.sql(at)
    order = ["--do", "skip", "--query", "topic:charge-card retries:0", "--json"]
    result = desk.run("run", *order, "--yes", "--count", "1")
    assert (result.exit_code, "give --activity" in result.stderr) == (ExitCode.COMMAND_LINE, True), result.output
    order += ["--activity", activity]
    result = desk.run("run", *order, "--dry-run")
    (plan,) = events(result)
    assert (plan["do"], plan["instances"]) == ("skip", len(stuck)), result.output
    result = desk.run("run", *order, "--yes")
    assert (result.exit_code, f"Give --count {len(stuck)} to mean" in result.stderr) == (ExitCode.REFUSED, True)
    assert desk.sql(at) == before
    result = desk.run("run", *order, "--yes", "--count", str(len(stuck)), "--reason", "INC-7")
    assert (result.exit_code, events(result)[-1]["done"]) == (0, len(stuck)), result.output
    assert desk.sql(at) == before - stuck
    result = desk.run("undo", "1", "--yes")
    assert (result.exit_code, "There is no way back" in result.stderr) == (3, True), result.stderr


def test_variables_are_set_and_what_was_there_comes_back(desk: Desk, tmp_path: Path) -> None:
    """The demo world's orders have amounts; values are compared by the store's file."""
    values = (
        "SELECT process_instance_id || ' ' || coalesce(text_value, long_value, double_value, '') FROM variable"
        " WHERE name = 'amount' AND batch_id IS NULL AND execution_id IS NULL AND process_instance_id IN"
        " (SELECT id FROM process_instance WHERE end_time IS NULL)"
    )
    before = desk.sql(values)
    ids = tmp_path / "ids.txt"
    chosen = sorted(one.split()[0] for one in before)[:6]
    ids.write_text("\n".join(chosen))
    order = ["run", "--do", "set", "--ids", str(ids), "--waves", "2,rest", "--json"]
    result = desk.run(*order, "--set", "amount=471108153", "--dry-run")
    (plan,) = events(result)
    assert (plan["do"], plan["instances"], plan["variables"]) == ("set", 6, ["amount"]), result.output
    assert "471108153" not in result.stdout
    assert "amount: 6 " in result.stderr
    file = tmp_path / "values.txt"
    file.write_text("amount=471108153\n")
    result = desk.run(*order, "--set-file", str(file), "--yes")
    told = events(result)
    assert (result.exit_code, told[-1]["state"], told[-1]["done"]) == (0, "passed", 6), result.output
    assert "471108153" not in result.output
    now = {one.split()[0]: one.split()[1] for one in desk.sql(values)}
    assert {id for id, value in now.items() if float(value) == 471108153} == set(chosen)
    again = desk.run(*order, "--set-file", str(file), "--yes")
    assert (again.exit_code, "left out: 6 with these values already" in again.stderr) == (3, True), again.output
    result = desk.run("undo", "1", "--yes")
    assert result.exit_code == 0, result.output
    assert desk.sql(values) == before


def test_a_variable_that_was_absent_is_taken_away_one_by_one(desk: Desk, tmp_path: Path) -> None:
    tickets = "SELECT process_instance_id FROM variable WHERE name = 'ticket' AND NOT deleted AND batch_id IS NULL"
    chosen = sorted(desk.sql("SELECT id FROM process_instance WHERE state = 'ACTIVE'"))[:6]
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(chosen))
    result = desk.run("run", "--do", "set", "--ids", str(ids), "--set", "ticket=471108153", "--new", "--yes")
    assert (result.exit_code, desk.sql(tickets)) == (0, set(chosen)), result.output
    assert "An undo needs a request each for 6 instances: no batch can do it." in result.stderr
    store = sqlite3.connect(desk.file)
    store.execute(
        "UPDATE variable SET text_value = '4712' WHERE name = 'ticket' AND process_instance_id = ?", chosen[:1]
    )
    store.commit()
    store.close()
    result = desk.run("undo", "1", "--yes", "--json")
    plan, came = events(result)
    assert (result.exit_code, plan["back"], plan["oneByOne"], plan["leftAlone"]) == (0, {"set": 5}, 5, {"changed": 1})
    assert came == {
        "event": "oneByOne", "run": 1, "instances": 5, "came": {"done": 5}, "stopped": "",
    }  # fmt: skip
    assert desk.sql(tickets) == {chosen[0]}
    again = desk.run("undo", "1", "--yes")
    assert (again.exit_code, "Nothing can be restored: 5 set back already" in again.stderr) == (3, True), again.output


@pytest.mark.parametrize(
    ("state", "told", "code"),
    [
        ({"done": 4}, "", ExitCode.DONE),
        ({"done": 3, "changed": 1}, "", ExitCode.DONE),
        ({"done": 3, "refused": 1}, "", ExitCode.ENGINE),
        ({"done": 1, "unsent": 3}, "SAFE.", ExitCode.ENGINE),
        ({"done": 1, "unknown": 1}, "no answer", ExitCode.UNANSWERED),
    ],
)
def test_what_was_not_given_back_shows_in_the_exit_code(state: dict[str, int], told: str, code: ExitCode) -> None:
    assert GivenBack(4, Counter(state), told, over=True).rest == 4 - state["done"]
    assert code_of(GivenBack(4, Counter(state), told, over=True)) == code


def test_a_fix_before_retries_is_previewed_carried_out_and_undone(desk: Desk) -> None:
    """Nobody works in this world: the wave is held by its gate, with variables and retries set."""
    failed = "SELECT process_instance_id FROM external_task WHERE topic_name = 'charge-card' AND retries = 0"
    meant = desk.sql(f"{failed} AND process_instance_id IN (SELECT id FROM process_instance WHERE state = 'ACTIVE')")
    values = (
        "SELECT process_instance_id || ' ' || coalesce(text_value, long_value, double_value, '') FROM variable"
        " WHERE name = 'amount' AND batch_id IS NULL AND execution_id IS NULL AND process_instance_id IN"
        " (SELECT id FROM process_instance WHERE end_time IS NULL)"
    )
    before = desk.sql(values)
    assert len(meant) > 3
    order = ["run", "--query", "topic:charge-card retries:0", "--retries", "2", "--set", "amount=471108153", "--json"]
    order += ["--waves", "3,rest", "--watch", "2s"]
    result = desk.run(*order, "--dry-run")
    (plan,) = events(result)
    assert (plan["do"], plan["retries"], plan["variables"]) == ("retry", 2, ["amount"]), result.output
    assert plan["instances"] >= len(meant)
    assert desk.sql(values) == before
    result = desk.run(*order, "--yes")
    told = events(result)
    assert (result.exit_code, told[-1]["event"], told[-1]["wave"]) == (ExitCode.HELD, "held", 1), result.output
    assert [one["state"] for one in told if one["event"] == "wave"] == ["sending", "setting", "sent", "watching"]
    assert "471108153" not in result.stdout
    changed = {one.split()[0] for one in desk.sql(values) - before}
    given = desk.sql("SELECT process_instance_id FROM external_task WHERE retries = 2")
    assert (len(changed), changed <= given) == (3, True)
    result = desk.run("undo", "1", "--yes", "--json")
    plan = events(result)[0]
    assert (result.exit_code, plan["back"], plan["leftAlone"]) == (0, {"0": 3, "set": 3}, {}), result.output
    assert desk.sql(values) == before
    assert not changed - desk.sql(failed)


def test_failed_jobs_are_retried_in_waves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six instances wait at a gateway; of one the variable that it asks for is still missing."""
    desk = Desk(tmp_path / "jobs.db")
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))

    async def build() -> None:
        database = await open_database(str(desk.file))
        async with database.writing() as connection:
            made = await deploy(connection, "judged", {"judged.bpmn": JUDGED})
            for number in range(6):
                given = {"ok": VariableValue(type="Integer", value=1)} if number else {}
                await start(connection, made.definitions[0].id, variables=given, business_key=str(number))
        await database.close()

    asyncio.run(build())
    store = sqlite3.connect(desk.file)
    with store:
        store.execute("UPDATE job SET retries = 0, exception_message = 'no such variable'")
        first = "SELECT id FROM process_instance WHERE business_key = '0'"
        store.execute(f"UPDATE job SET create_time = 0 WHERE process_instance_id = ({first})")
    store.close()
    left = "SELECT id FROM job WHERE process_instance_id IS NOT NULL"
    everyone = desk.sql(left)
    assert desk.run("run", "--jobs", "", "--retries", "1", "--yes").exit_code == ExitCode.REFUSED
    assert desk.run("run", "--jobs", "process:other", "--retries", "1", "--yes").exit_code == ExitCode.NOTHING
    order = ["run", "--jobs", "process:judged", "--retries", "1", "--waves", "2,rest", "--gate", "20%", "--json"]
    result = desk.run(*order, "--dry-run")
    (plan,) = events(result)
    assert (plan["do"], plan["tasks"], plan["waves"], plan["lost"]) == ("retry-jobs", 6, [2, 4], ""), result.output
    first = desk.sql(f"{left} AND process_instance_id IN (SELECT id FROM process_instance WHERE business_key = '1')")
    assert len(first) == 1
    by_ids = ["run", "--do", "retry-jobs", "--ids", "-", "--retries", "1", "--waves", "rest", "--yes"]
    result = desk.run(*by_ids, "--json", typed="\n".join([*first, "no-such-job"]))
    assert (result.exit_code, desk.sql(left)) == (ExitCode.DONE, everyone - first), result.output
    everyone -= first
    result = desk.run(*order, "--yes", "--count", "4")
    assert (result.exit_code, "5 jobs match" in result.stderr) == (ExitCode.REFUSED, True)
    result = desk.run(*order, "--yes", "--count", "5")
    told = events(result)
    assert (result.exit_code, told[-1]["event"], told[-1]["cause"]) == (ExitCode.HELD, "held", "failed-again")
    assert (told[-1]["done"], told[-1]["again"], told[-1]["newCause"]) == (1, 1, 1), result.output
    assert len(desk.sql(left)) == 4
    result = desk.run("watch", "2", "--resume", "--yes", "--json")
    assert (result.exit_code, events(result)[-1]["done"]) == (ExitCode.RELEASED, 4), result.output
    assert len(desk.sql(left) & everyone) == 1
    result = desk.run("undo", "2", "--yes")
    assert (result.exit_code, "4     left alone: gone by now" in result.stdout) == (ExitCode.NOTHING, True), (
        result.output
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--do", "explode", "--query", "x"], "--do takes retry, retry-jobs, suspend, activate"),
        (["--query", "topic:a"], "give --retries"),
        (["--do", "suspend", "--query", "topic:a", "--retries", "1"], "--retries does not go with --do suspend"),
        (["--do", "activate", "--query", "topic:a", "--gate", "5%"], "--gate does not go with --do activate"),
        (["--do", "suspend", "--query", "topic:a", "--include", "lowered"], "--include does not go with"),
        (["--retries", "1", "--instances", "process:a"], "--instances does not go with --do retry"),
        (["--do", "cancel", "--query", "topic:a", "--retries", "1"], "--retries does not go with --do cancel"),
        (["--do", "cancel", "--query", "topic:a", "--gate", "5%"], "--gate does not go with --do cancel"),
        (["--do", "cancel", "--query", "topic:a", "--activity", "a"], "--activity does not go with --do cancel"),
        (["--retries", "1", "--query", "topic:a", "--locked"], "--locked does not go with --do retry"),
        (["--do", "retry-jobs", "--jobs", "", "--retries", "1", "--all-tokens"], "--all-tokens does not go with"),
        (["--do", "skip", "--query", "topic:a", "--activity", " "], "give --activity: the id"),
        (["--do", "repeat", "--query", "topic:a", "--activity", "a", "--set", "b=1"], "--set does not go with"),
        (["--do", "skip", "--query", "topic:a", "--activity", "a", "--skip", "called"], "called cannot be skipped"),
        (["--do", "cancel", "--query", "topic:a", "--skip", "tasks"], "tasks cannot be skipped; these can: listeners,"),
        (["--do", "suspend", "--query", "topic:a", "--skip", "called"], "called cannot be skipped; these can: none."),
        (["--do", "set", "--query", "topic:a"], "give --set or --set-file"),
        (["--do", "set", "--query", "topic:a", "--set", "a"], "--set: write it like NAME=TEXT"),
        (["--do", "set", "--query", "topic:a", "--set", "a=1", "--set", "a=2"], "--set names a twice"),
        (["--do", "set", "--query", "topic:a", "--set", "a=1", "--only-if", "a:=x"], "--only-if: a is not JSON"),
        (["--do", "set", "--ids", "-", "--set-file", "-"], "cannot both be stdin"),
        (["--do", "set", "--query", "topic:a", "--set-file", "/no/such"], "--set-file: /no/such cannot be read"),
        (["--do", "suspend", "--query", "topic:a", "--set", "a=1"], "--set does not go with --do suspend"),
        (["--retries", "1", "--query", "topic:a", "--new"], "--new does not go with --do retry"),
        (["--retries", "1", "--query", "topic:a", "--only-if", "a=1"], "--only-if does not go with --do retry"),
        (["--query", "topic:a", "--set", "a=1"], "give --retries"),
        (["--retries", "1", "--query", "topic:a", "--set", "a"], "--set: write it like NAME=TEXT"),
        (["--retries", "1", "--instances", "process:a", "--set", "a=1"], "--instances does not go with --do retry"),
        (["--retries", "1", "--ids", "-", "--set-file", "-"], "cannot both be stdin"),
        (["--retries", "1", "--query", "topic:a", "--set-file", "/dev/null"], "--set-file: /dev/null holds nothing"),
        (["--do", "suspend", "--jobs", ""], "--jobs does not go with --do suspend"),
        (["--jobs", "process:a"], "give --retries 1 or more"),
        (["--jobs", "process:a", "--retries", "0"], "give --retries 1 or more"),
        (
            ["--jobs", "process:a", "--retries", "1", "--include", "lowered"],
            "--include does not go with --do retry-jobs",
        ),
        (["--jobs", "process:a", "--retries", "1", "--set", "a=1"], "--set does not go with --do retry-jobs"),
        (["--jobs", "process:a", "--retries", "1", "--skip", "called"], "--skip does not go with --do retry-jobs"),
        (["--jobs", "process:a", "--retries", "1", "--query", "topic:a"], "--query does not go with --do retry-jobs"),
        (["--do", "retry-jobs", "--retries", "1", "--query", "topic:a"], "--query does not go with --do retry-jobs"),
        (["--do", "retry-jobs", "--retries", "1"], "name the jobs: give either --jobs or --ids"),
        (["--jobs", "", "--ids", "-", "--retries", "1"], "name the jobs: give either --jobs or --ids"),
        (["--do", "retry-jobs", "--ids", "-"], "give --retries 1 or more"),
        (["--jobs", "bogus:1", "--retries", "1"], "--jobs: "),
        (["--do", "suspend"], "either --query, --instances or --ids"),
        (["--do", "suspend", "--instances", "bogus:1"], "--instances: "),
    ],
)
def test_what_means_nothing_is_refused(desk: Desk, words: list[str], said: str) -> None:
    result = desk.run("run", *words)
    assert (result.exit_code, said in result.stderr) == (ExitCode.COMMAND_LINE, True), result.stderr
    assert not (desk.file.parent / "home" / "journal.db").exists()


def test_those_who_are_asleep_are_told_once_of_each_end(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.toml").write_text('[notify]\nwebhook = { env = "OPS_HOOK" }\n')
    some = ("--limit", "2", "--yes", "--query")
    with Listener() as listener:
        monkeypatch.setenv("OPS_HOOK", f"{listener.address}/s3cret")
        ended = desk.run("run", "--do", "suspend", *some, "topic:charge-card retries:0")
        assert ended.exit_code == ExitCode.DONE
        held = desk.run("run", "--retries", "1", "--watch", "1s", *some, "topic:create-invoice retries:0")
        assert held.exit_code == ExitCode.HELD  # nobody works
        assert desk.run("watch", "1", "--resume", "--yes").exit_code == ExitCode.DONE  # it is over
    assert [(body["run"], body["event"]) for _, body in listener.received] == [(1, "ended"), (2, "held")]
    assert "s3cret" not in held.output
