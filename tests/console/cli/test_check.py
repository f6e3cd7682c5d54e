"""`retriage check`: what it tells of an engine, and how it ends."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.console.cli.check import lines_of, record_of
from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.headless import SaidOnStderr
from retriage.console.engine.client import EngineClient
from retriage.console.engine.errors import LoginRefused
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.engine_check import EngineCheck, check_engine
from retriage.console.session.session import Session
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask
from retriage.store.demo_store import fill
from tests.console.fake import FakeEngine
from tests.support.fault_proxy import FaultProxy, page

AHEAD = 90


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["check", *(str(word) for word in words)])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))


def test_of_a_store_all_is_known(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    fill(str(file), 60, 7, lambda done: None, batches=False)
    result = typed("--store", file, "--json")
    assert result.exit_code == ExitCode.DONE, result.stderr
    told = json.loads(result.stdout)
    assert (told["reached"], told["kind"], told["historyLevel"], told["login"]) == (
        True, "Retriage", "full", "no login",
    )  # fmt: skip
    assert (told["lacks"], told["cannot"], told["rights"]) == ({}, [], [])
    plain = typed("--store", file, "--read-only")
    assert plain.exit_code == ExitCode.DONE
    assert "cannot      Change anything: this connection is read-only." in plain.stdout


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    result = typed("--engine", "http://127.0.0.1:9/engine-rest", "--json")
    assert result.exit_code == ExitCode.ENGINE
    told = json.loads(result.stdout)
    assert told["reached"] is False
    assert "nothing listens there" in told["problem"]
    assert "nothing listens there" in result.stderr
    assert typed("--engine", "http://127.0.0.1:9/engine-rest").stdout == ""


def test_a_page_in_the_engines_place() -> None:
    with FaultProxy(None) as proxy:
        proxy.faults.play(page(503, "Down for maintenance"))
        result = typed("--engine", proxy.root)
    assert result.exit_code == ExitCode.ENGINE
    assert "503" in result.stderr
    assert result.stdout == ""


def test_the_command_line_is_wrong() -> None:
    assert typed("--profile", "nobody").exit_code == ExitCode.COMMAND_LINE
    assert typed("-o", "read_timeout=3").exit_code == ExitCode.COMMAND_LINE


class Old:
    """An engine of the field as it answers: it ignores some filters, knows a user with few rights, and its clock is
    ahead."""

    def __init__(self, task: ExternalTask, granted: Callable[[str], bool]) -> None:
        self.granted = granted
        self.row = task.model_dump(mode="json", by_alias=True, exclude={"create_time"})

    def __call__(self, request: httpx.Request) -> httpx.Response:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=AHEAD), usegmt=True)
        return httpx.Response(200, json=self.answer(request), headers={"Date": date})

    def answer(self, request: httpx.Request) -> Any:
        path = request.url.path.removeprefix("/engine-rest")
        match path:
            case "/version":
                return {"version": "7.21.0"}
            case "/engine":
                return [{"name": "default"}]
            case "/telemetry/data":
                return {}
            case "/authorization/check":
                names = ("permissionName", "resourceName", "resourceId")
                right = " ".join(request.url.params[name] for name in names if name in request.url.params)
                return {"permissionName": "", "resourceName": "", "resourceId": None, "authorized": self.granted(right)}
        if path.endswith("/count"):
            return {"count": 0}
        body = json.loads(request.content or b"{}")
        # What is asked with a value that nothing has is answered with a row where the filter is ignored.
        known = {"sorting"} | {key for key in body if "rocess" in key}
        return [self.row] if path == "/external-task" and body.keys() <= known else []


async def check(engine: Old) -> EngineCheck:
    http = httpx.AsyncClient(transport=httpx.MockTransport(engine), base_url="http://bpm.test/engine-rest")
    session = Session(
        ConnectionIdentity("TEST", "http://bpm.test/engine-rest", "ann", warning="Plain http."), SaidOnStderr()
    )
    session.connection.open(EngineClient(http, user="ann"))
    return await check_engine(session.connection)


async def task() -> ExternalTask:
    (found,) = await FakeEngine(1).external_tasks(ExternalTaskQuery(), 0, 1)
    return found


async def test_what_an_old_engine_and_a_user_with_few_rights_keep_from_the_console() -> None:
    found = await check(Old(await task(), lambda right: right == "READ_HISTORY PROCESS_DEFINITION"))
    assert found.version == "7.21.0"
    assert abs(found.clock.total_seconds() - AHEAD) < 5
    assert found.history == "none"
    assert "ignores processDefinitionKey" in found.lacks["tasks"]
    assert "returns no createTime" in found.lacks["tasks"]
    said = "\n".join(found.cannot)
    assert found.cannot[0].startswith("This user has no right to create batches")
    for words in (
        "unlock: this user may not change process instances (no UPDATE on PROCESS_INSTANCE or UPDATE_INSTANCE on",
        "Give instances their former variables back one by one: This user may not change variables of single instances",
        "This user may not read all tasks",
        "Batches cannot be read by this user",
        "History level none",
        "Leave filters of tasks to the engine: it ignores processDefinitionKey",
    ):
        assert words in said
    assert found.warnings[0] == "Plain http."
    assert "ahead of this machine's" in found.warnings[1]
    record = json.loads(json.dumps(record_of(found)))
    assert abs(record["clockDifferenceSeconds"] - AHEAD) < 5
    assert {"permission": "CREATE", "resource": "BATCH", "authorized": False, "onlyOn": []} in record["rights"]
    told = dict(lines_of(found))
    assert told["reached"].startswith("http://bpm.test/engine-rest in ")
    assert told["clock"].startswith("+")


async def test_with_all_rights_less_is_said() -> None:
    found = await check(Old(await task(), lambda right: True))
    assert not any("user" in sentence for sentence in found.cannot)
    assert all(found.rights.granted.values())


async def test_what_a_user_may_on_one_process_only_is_not_said_to_be_impossible() -> None:
    """Such a user sets retries there: the engine answers 204 (observed on Camunda 7.24.0)."""
    few = ("READ_INSTANCE", "UPDATE_INSTANCE", "READ_HISTORY")
    found = await check(
        Old(await task(), lambda right: right in {f"{one} PROCESS_DEFINITION OrderProcess" for one in few})
    )
    said = "\n".join(found.cannot)
    assert "this user may change process instances of OrderProcess, of no other process as far as was asked" in said
    assert "this user may read the history of OrderProcess" in said
    assert "may not change" not in said
    assert "may not read the history" not in said
    record = json.loads(json.dumps(record_of(found)))
    assert {
        "permission": "UPDATE_INSTANCE", "resource": "PROCESS_DEFINITION", "authorized": False,
        "onlyOn": ["OrderProcess"],
    } in record["rights"]  # fmt: skip
    assert any(label == "in part" and "only OrderProcess" in text for label, text in lines_of(found))


async def test_a_login_that_is_refused_is_no_check() -> None:
    def refusing(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401)

    session = Session(ConnectionIdentity("TEST", "http://bpm.test"), SaidOnStderr())
    session.connection.open(
        EngineClient(httpx.AsyncClient(transport=httpx.MockTransport(refusing), base_url="http://bpm.test"))
    )
    with pytest.raises(LoginRefused):
        await check_engine(session.connection)
