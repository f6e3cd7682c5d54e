"""`retriage snapshot` and what is done with its file: the records are those of the engine, and the file stays as it is.

Both are compared through the contract, by a client that is none of the console's.
"""

import asyncio
import json
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from retriage.console.cli import app
from retriage.console.cli.exit_codes import ExitCode
from retriage.store.demo_store import fill
from retriage.store.embedded import embedded_app
from retriage.store.snapshot_mark import read_mark
from tests.store.running import client_of

PATIENCE = 60.0
LISTS = {
    "/external-task": ("POST", ()),
    "/process-instance": ("POST", ()),
    "/incident": ("GET", ()),
    "/process-definition": ("GET", ()),
    "/batch/statistics": ("GET", ()),
    "/batch": ("GET", ()),
    "/history/batch": ("GET", ()),
    "/job": ("POST", ()),
    "/job-definition": ("POST", ()),
    # The entry of the log that an incident names is not in a snapshot.
    "/history/incident?open=true": ("GET", ("historyConfiguration",)),
    "/history/process-instance?unfinished=true": ("GET", ()),
}
"""List -> how it is asked for, and fields of its records that a snapshot does not keep."""


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with batches whose jobs have failed, are suspended, have ended; nothing in it moves any more."""
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 1000, 7, lambda done: None)
    asyncio.run(_until_still(file))
    return file


async def _until_still(file: Path) -> None:
    async with client_of(embedded_app(str(file))) as engine, asyncio.timeout(PATIENCE):
        while True:
            running = (await engine.get("/batch/statistics")).json()
            if all(one["suspended"] or one["failedJobs"] == one["remainingJobs"] > 0 for one in running):
                break
            await asyncio.sleep(0.1)
        # Jobs that have failed keep their batch open: its monitor job looks again and again.
        for one in running:
            if not one["suspended"]:
                path = f"/batch/{one['id']}/suspended"
                assert (await engine.put(path, json={"suspended": True})).status_code == 204


@pytest.fixture
def store(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "store.db"
    shutil.copy(world, file)
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    return file


@pytest.fixture(scope="module")
def snapshot(world: Path) -> Path:
    """Of the whole world; no test changes it."""
    file = world.with_name("snapshot.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETRIAGE_HOME", str(world.with_name("home")))
        result = typed("snapshot", "--store", world, "--out", file, "--details", 3)
    assert result.exit_code == ExitCode.DONE, result.output
    return file


@pytest.fixture
def unchanged(snapshot: Path) -> Iterator[None]:
    """The file of the snapshot is the same when the test has ended."""
    before = snapshot.read_bytes()
    yield
    assert snapshot.read_bytes() == before


@asynccontextmanager
async def both(store: Path, snapshot: Path) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    async with client_of(embedded_app(str(store))) as engine, client_of(embedded_app(str(snapshot))) as kept:
        yield engine, kept


async def records(client: httpx.AsyncClient, path: str, method: str, but: tuple[str, ...]) -> dict[str, Any]:
    answer = await client.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == 200, answer.text
    return {one["id"]: {name: value for name, value in one.items() if name not in but} for one in answer.json()}


async def test_each_record_is_the_engines(world: Path, snapshot: Path) -> None:
    async with both(world, snapshot) as (engine, kept):
        for path, (method, but) in LISTS.items():
            expected, found = await records(engine, path, method, but), await records(kept, path, method, but)
            assert expected, path
            assert found == expected, path
        instances = (await engine.get("/process-instance")).json()
        for definition in {one["definitionId"] for one in instances}:
            where = f"/process-definition/{definition}/xml"
            assert (await kept.get(where)).json() == (await engine.get(where)).json()
        tasks = (await engine.get("/external-task?noRetriesLeft=true")).json()
        asked = 0
        for task in tasks[:40]:
            where = f"/external-task/{task['id']}/errorDetails"
            told = await kept.get(where)
            if told.status_code == 200:
                asked += 1
                assert told.text == (await engine.get(where)).text
        assert asked


def test_the_file_is_for_its_owner_alone_and_says_what_it_is(world: Path, snapshot: Path) -> None:
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600
    mark = read_mark(str(snapshot))
    tasks = sqlite3.connect(f"file:{world}?mode=ro", uri=True)
    try:
        (number,) = tasks.execute("SELECT count(*) FROM external_task").fetchone()
    finally:
        tasks.close()
    assert (mark.engine, mark.kind, mark.numbers["external tasks"]) == (str(world), "Retriage 7.24.0", number)
    assert "variables" not in mark.numbers
    assert any("Variables" in sentence for sentence in mark.left_out)
    assert [entry.name for entry in snapshot.parent.iterdir() if ".part" in entry.name] == []


async def test_its_clock_stands_and_nothing_is_ordered(snapshot: Path, unchanged: None) -> None:
    taken = read_mark(str(snapshot)).taken_at
    async with client_of(embedded_app(str(snapshot))) as kept:
        tasks = (await kept.get("/external-task")).json()
        locked = {one["id"] for one in (await kept.get("/external-task?locked=true")).json()}
        at = f"{taken:%Y-%m-%dT%H:%M:%S}.{taken.microsecond // 1000:03d}+0000"
        assert locked == {one["id"] for one in tasks if (one["lockExpirationTime"] or "") > at}
        ids = [tasks[0]["id"]]
        refused = await kept.post("/external-task/retries-async", json={"retries": 1, "externalTaskIds": ids})
        assert (refused.status_code, refused.json()["type"]) == (403, "AuthorizationException")
        fetch = {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "charge-card", "lockDuration": 1000}]}
        assert (await kept.post("/external-task/fetchAndLock", json=fetch)).status_code == 403


def test_lists_tell_it_and_nothing_opens_it_as_a_store(snapshot: Path, unchanged: None) -> None:
    listed = typed("tasks", "--store", snapshot, "--query", "topic:charge-card", "--limit", 0, "--json")
    assert listed.exit_code == ExitCode.DONE
    assert {json.loads(line)["topicName"] for line in listed.stdout.splitlines()} == {"charge-card"}
    served = typed("serve", "--store", snapshot, "--port", 0)
    assert (served.exit_code, "it is a snapshot" in served.stderr) == (ExitCode.COMMAND_LINE, True)
    filled = typed("demo-data", "--store", snapshot, "--tasks", 5)
    assert (filled.exit_code, "it is a snapshot" in filled.stderr) == (ExitCode.COMMAND_LINE, True)
    run = typed("run", "--store", snapshot, "--query", "topic:charge-card retries:0", "--retries", 1, "--yes")
    assert (run.exit_code, "read-only" in run.stderr) == (ExitCode.REFUSED, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--query", "topic:no-such-topic"], ExitCode.NOTHING, "no external task matches; nothing was written"),
        (["--query", "bogus:1"], ExitCode.COMMAND_LINE, "bogus is not a filter"),
        (["--out", "{there}"], ExitCode.COMMAND_LINE, "exists already"),
        (["--out", "{folder}/none/s.db"], ExitCode.DONE, "external tasks"),
        (["--out", "{there}/s.db"], ExitCode.COMMAND_LINE, "cannot be written"),
    ],
)
def test_a_refusal_is_one_sentence_and_leaves_nothing(
    store: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    named = [word.format(there=there, folder=tmp_path) for word in words]
    given = named if "--out" in named else [*named, "--out", str(tmp_path / "s.db")]
    result = typed("snapshot", "--store", store, *given)
    assert (result.exit_code, said in result.output) == (code, True), result.output
    assert there.read_text() == "mine"
    assert not [entry.name for entry in tmp_path.rglob("*.part*")]
    assert not (tmp_path / "s.db").exists()


def test_of_a_filter_only_what_belongs_to_it(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "part.db"
    words = ["--query", "topic:create-invoice retries:0", "--variables", "amount,cust*", "--mask", "CUSTOMER", "--json"]
    result = typed("snapshot", "--store", store, "--out", file, *words)
    assert result.exit_code == ExitCode.DONE, result.output
    told = json.loads(result.stdout)

    async def compared() -> None:
        async with both(store, file) as (engine, kept):
            expected = (await engine.get("/external-task?topicName=create-invoice&noRetriesLeft=true")).json()
            assert (await kept.get("/external-task")).json() == expected
            ids = {task["id"] for task in expected}
            incidents = [one for one in (await engine.get("/incident")).json() if one["configuration"] in ids]
            found = [one for one in (await kept.get("/incident")).json() if one["jobDefinitionId"] is None]
            assert found == incidents
            assert incidents
            instances = {task["processInstanceId"] for task in expected}
            assert {one["id"] for one in (await kept.get("/process-instance")).json()} == instances
            seen: dict[str, Any] = {}
            for instance in instances:
                values = (await kept.get(f"/process-instance/{instance}/variables")).json()
                assert set(values) <= {"amount", "customer"}
                if "amount" in values:
                    real = (await engine.get(f"/process-instance/{instance}/variables/amount")).json()
                    assert values["amount"] == real
                seen |= values
            assert seen["customer"] == {"type": "String", "value": "***", "valueInfo": {}}
            assert "amount" in seen

    asyncio.run(compared())
    assert told["numbers"]["external tasks"] > 0
    assert told["query"] == "topic:create-invoice retries:0"


ENDLESS = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT max(x) FROM t"
HOSTILE: dict[str, list[str]] = {
    "a trigger that does not end": [
        f"CREATE TRIGGER work AFTER UPDATE ON external_task BEGIN UPDATE external_task SET retries = ({ENDLESS}); END",
    ],
    "a view in the place of its facts": ["DROP TABLE snapshot", f"CREATE VIEW snapshot(facts) AS {ENDLESS}"],
    "a trigger that is called a table": [
        f"CREATE TRIGGER work AFTER INSERT ON external_task BEGIN {ENDLESS}; END",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET type = 'table' WHERE type = 'trigger'",
    ],
    "a column that is computed": ["ALTER TABLE snapshot ADD COLUMN more AS (hex(zeroblob(900000000)))"],
    "facts that are nested too deeply": [f"UPDATE snapshot SET facts = '{'[' * 100_000}'"],
    "facts of another kind": ["UPDATE snapshot SET facts = '7'"],
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_a_snapshot_that_somebody_else_has_made_opens_nothing_and_ends(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    file = tmp_path / "hostile.db"
    shutil.copy(snapshot, file)
    with closing(sqlite3.connect(file)) as database, database:
        for statement in HOSTILE[what]:
            database.execute(statement)
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    for words in (
        ["tasks", "--store", file],
        ["run", "--rehearse", file, "--query", "retries:0", "--retries", 1, "--yes"],
    ):
        refused = typed(*words)
        assert refused.exit_code == ExitCode.COMMAND_LINE, refused.output
        assert len(refused.stderr.splitlines()) == 1
        assert "hostile.db" in refused.stderr


def test_an_address_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path / "home"))
    refused = typed("tasks", "--store", "http://ann:s3cret@127.0.0.1:1/engine-rest")
    assert (refused.exit_code, "is named by --engine" in refused.stderr) == (ExitCode.COMMAND_LINE, True)
    assert "s3cret" not in refused.stderr
