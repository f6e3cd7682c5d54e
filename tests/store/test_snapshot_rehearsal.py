"""The copy of a snapshot that is set going: its times, how often its workers fail, what they leave alone."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from retriage.store.contract.records import ExternalTask, Incident
from retriage.store.embedded import Rehearsal, embedded_app
from retriage.store.snapshot import new_snapshot
from retriage.store.snapshot.rehearsal_workers import chance
from retriage.store.snapshot_mark import NoRate, NoSnapshot, ObservedRate, SnapshotMark, is_snapshot, read_mark
from tests.store.running import client_of

TAKEN = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
TASKS = 120
RATE = 0.5
PATIENCE = 60.0
TOO_FAR = 4.0
"""Standard deviations; one in fifteen thousand."""


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, what: bytes) -> Path:
    path.write_bytes(what)
    return path


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def task(number: int, **more: object) -> ExternalTask:
    told = {
        "activity_id": "Charge", "activity_instance_id": f"Charge:{number}", "error_message": "HTTP 503",
        "execution_id": f"e{number}", "id": f"t{number:04}", "lock_expiration_time": None,
        "create_time": TAKEN - timedelta(hours=1), "process_definition_id": "order:3:abc",
        "process_definition_key": "order", "process_definition_version_tag": "1.1",
        "process_instance_id": f"p{number}", "retries": 0, "suspended": False, "worker_id": None,
        "topic_name": "charge", "tenant_id": None, "priority": 0, "business_key": f"ord-{number}",
    }  # fmt: skip
    return ExternalTask.model_validate(told | more)


def incident(of: ExternalTask) -> Incident:
    id = f"i{of.id}"
    told = dict.fromkeys(Incident.model_fields) | {
        "id": id, "incident_timestamp": TAKEN - timedelta(minutes=5), "incident_type": "failedExternalTask",
        "cause_incident_id": id, "root_cause_incident_id": id, "configuration": of.id,
        "incident_message": of.error_message, "process_instance_id": of.process_instance_id,
    }  # fmt: skip
    return Incident.model_validate(told)


def mark(*rates: ObservedRate) -> SnapshotMark:
    return SnapshotMark("prod", "https://prod/engine-rest", "Camunda 7 7.24.0", TAKEN, "ann", "", {}, (), rates)


async def written(path: Path, *tasks: ExternalTask, rates: tuple[ObservedRate, ...] = ()) -> Path:
    async with new_snapshot(path, TAKEN) as writer:
        await writer.tasks(tasks)
        await writer.incidents([incident(one) for one in tasks if one.retries == 0])
        await writer.complete(mark(*rates))
    return path


@pytest.fixture
async def snapshot(tmp_path: Path) -> Path:
    fresh = task(TASKS, retries=None, error_message=None)
    left = task(TASKS + 1, retries=2)
    locked = task(TASKS + 2, worker_id="w1", lock_expiration_time=TAKEN + timedelta(minutes=10))
    return await written(tmp_path / "s.db", *map(task, range(TASKS)), fresh, left, locked)


@pytest.fixture
async def http(snapshot: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A rehearsal; the file of the snapshot stays as it is."""
    before = content(snapshot)
    async with client_of(embedded_app(str(snapshot), rehearsal=Rehearsal(RATE))) as client:
        yield client
    assert content(snapshot) == before


async def tasks_of(http: httpx.AsyncClient, **filters: str) -> list[dict[str, object]]:
    answer = await http.get("/external-task", params=filters)
    return list(answer.json())


async def test_a_share_of_what_is_retried_fails_again(http: httpx.AsyncClient) -> None:
    chosen = [f"t{number:04}" for number in range(TASKS)]
    answer = await http.post("/external-task/retries-async", json={"retries": 1, "externalTaskIds": chosen})
    assert answer.status_code == 200
    async with asyncio.timeout(PATIENCE):
        while True:
            told = {one["id"]: one for one in await tasks_of(http)}
            open_ones = [told[id] for id in chosen if id in told]
            if all(one["retries"] == 0 and one["workerId"] == "rehearsal" for one in open_ones):
                break
            await asyncio.sleep(0.1)
    # Which fail is the same each time; how many is near the rate.
    assert len(open_ones) / TASKS == pytest.approx(RATE, abs=0.1)
    assert {one["errorMessage"] for one in open_ones} == {"HTTP 503"}
    incidents = {one["configuration"] for one in (await http.get("/incident")).json()}
    assert incidents == {one["id"] for one in open_ones} | {f"t{TASKS + 2:04}"}
    # Nobody has touched what was not retried.
    assert told[f"t{TASKS:04}"]["retries"] is None
    assert told[f"t{TASKS + 1:04}"]["retries"] == 2
    # A task that is done ends its instance: what comes after it is not rehearsed.
    done = [number for number in range(TASKS) if chosen[number] not in told]
    past = (await http.get(f"/history/process-instance/p{done[0]}")).json()
    assert past["state"] == "COMPLETED"


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("attempt", [1, 2])
def test_chance_is_even_over_tasks(rate: float, attempt: int) -> None:
    number = 20_000
    share = sum(chance(7, f"t{one}", attempt) < rate for one in range(number)) / number
    assert share == pytest.approx(rate, abs=TOO_FAR * (rate * (1 - rate) / number) ** 0.5)


def test_another_attempt_has_another_chance() -> None:
    first, second, other = chance(1, "t", 1), chance(1, "t", 2), chance(2, "t", 1)
    assert len({first, second, other}) == 3
    assert chance(1, "t", 1) == first


async def test_everything_is_as_old_as_it_was(http: httpx.AsyncClient) -> None:
    """What was an hour old when the snapshot was taken is so when the rehearsal begins, some moments ago."""
    (one,) = await tasks_of(http, externalTaskId="t0000")
    age = datetime.now(UTC) - datetime.fromisoformat(str(one["createTime"]))
    assert timedelta(hours=1) <= age < timedelta(hours=1, minutes=5)
    (locked,) = await tasks_of(http, locked="true")
    assert locked["id"] == f"t{TASKS + 2:04}"


async def test_looked_at_it_is_as_it_was(snapshot: Path) -> None:
    async with client_of(embedded_app(str(snapshot))) as http:
        (one,) = await tasks_of(http, externalTaskId="t0000")
        assert one == task(0).model_dump(mode="json", by_alias=True)
        assert [one["id"] for one in await tasks_of(http, locked="true")] == [f"t{TASKS + 2:04}"]


async def test_what_tasks_tell_stands_for_what_could_not_be_read(tmp_path: Path) -> None:
    """Neither the instance nor the definition was read."""
    path = await written(tmp_path / "one.db", task(7, tenant_id="north", suspended=True))
    async with client_of(embedded_app(str(path))) as http:
        (instance,) = (await http.get("/process-instance")).json()
        assert (instance["id"], instance["businessKey"], instance["suspended"]) == ("p7", "ord-7", True)
        (definition,) = (await http.get("/process-definition")).json()
        assert (definition["key"], definition["version"], definition["versionTag"]) == ("order", 3, "1.1")


@pytest.mark.parametrize(
    ("rates", "chosen", "expected"),
    [
        ([("a", 90, 10), ("b", 0, 20), ("c", 1, 1)], None, {"a": 0.1, "b": 1.0, "c": 31 / 122, "d": 31 / 122}),
        ([("a", 90, 10)], 0.5, {"a": 0.5, "b": 0.5}),
        ([], 0.0, {"a": 0.0}),
    ],
)
def test_rates(rates: list[tuple[str, int, int]], chosen: float | None, expected: dict[str, float]) -> None:
    told = mark(*(ObservedRate(topic, done, failed, "log") for topic, done, failed in rates)).failure_rates(chosen)
    assert {topic: told.of(topic) for topic in expected} == pytest.approx(expected)


@pytest.mark.parametrize("rates", [(), (ObservedRate("a", 3, 1, "runs"),)])
def test_without_a_rate_there_is_no_rehearsal(rates: tuple[ObservedRate, ...]) -> None:
    with pytest.raises(NoRate, match="--failure-rate"):
        mark(*rates).failure_rates()


async def test_what_it_says_about_itself_is_read_again(tmp_path: Path) -> None:
    path = await written(tmp_path / "s.db", task(1), rates=(ObservedRate("a", 5, 6, "log"),))
    assert read_mark(str(path)) == mark(ObservedRate("a", 5, 6, "log"))


@pytest.mark.parametrize("content", [b"", b"text", b"SQLite format 3\0" + bytes(200)])
def test_anything_else_is_no_snapshot(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert not is_snapshot(str(path))
    with pytest.raises(NoSnapshot, match="is not a snapshot"):
        read_mark(str(path))
    assert not is_snapshot(str(tmp_path / "missing"))


async def test_a_broken_one_is_a_sentence(tmp_path: Path) -> None:
    path = await written(tmp_path / "s.db", task(1))
    whole = content(path)
    put(path, whole[:200] + b"\xff" * (len(whole) - 200))
    with pytest.raises(NoSnapshot, match="is broken"):
        read_mark(str(path))


def rewritten(path: Path, *changes: tuple[str, str]) -> None:
    file = sqlite3.connect(path, isolation_level=None)
    for old, new in changes:
        file.execute("UPDATE snapshot SET facts = replace(facts, ?, ?)", (old, new))
    file.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"format": 1', '"format": 2'), "another version"),
        (('+00:00"', '"'), "is broken"),
        (('"ann"', "7"), "is broken"),
        (('"failed": 6', '"failed": -6'), "is broken"),
        (('"rates"', '"rats"'), "is broken"),
    ],
)
async def test_what_another_program_has_written_is_a_sentence(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    path = await written(tmp_path / "s.db", task(1), rates=(ObservedRate("a", 5, 6, "log"),))
    rewritten(path, change)
    with pytest.raises(NoSnapshot, match=said):
        read_mark(f"sqlite:///{path}")


async def interrupted(path: Path) -> None:
    async with new_snapshot(path, TAKEN) as writer:
        await writer.tasks([task(1)])
        raise RuntimeError


async def outrun(path: Path) -> None:
    async with new_snapshot(path, TAKEN) as writer:
        await writer.complete(mark())
        put(path, b"mine too")


async def test_nothing_is_left_where_it_is_not_completed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        await interrupted(tmp_path / "s.db")
    assert entries(tmp_path) == []


async def test_nothing_is_written_over(tmp_path: Path) -> None:
    path = put(tmp_path / "s.db", b"mine")
    with pytest.raises(FileExistsError):
        await written(path, task(1))
    assert content(path) == b"mine"
    with pytest.raises(FileExistsError):
        await outrun(tmp_path / "t.db")
    assert content(tmp_path / "t.db") == b"mine too"
    assert sorted(entries(tmp_path)) == [path, tmp_path / "t.db"]
