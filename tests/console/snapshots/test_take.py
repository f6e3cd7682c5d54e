"""Taking a snapshot: what is not shown is said, an interruption leaves nothing, runs of the journal come along."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from retriage.console.cli.headless import opened_session
from retriage.console.connections import to_rehearsal, to_store
from retriage.console.engine.errors import Refused
from retriage.console.journal import journal_of
from retriage.console.runs.run_view import read_run
from retriage.console.session.session import Session
from retriage.console.snapshots import engine_reader
from retriage.console.snapshots.part import SnapshotPart
from retriage.console.snapshots.take import take_snapshot
from retriage.store.contract.queries import ExternalTaskQuery, IncidentQuery
from retriage.store.contract.records import Incident
from retriage.store.demo_store import fill
from retriage.store.journal import FrozenTask, Journal, NewRun, RunCause
from retriage.store.snapshot_mark import read_mark


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("world") / "world.db"
    fill(str(file), 60, 3, lambda done: None, batches=False)
    return file


@pytest.fixture
def store(world: Path, tmp_path: Path) -> Path:
    file = tmp_path / "store.db"
    shutil.copy(world, file)
    return file


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.endswith(("-wal", "-shm")))


@asynccontextmanager
async def opened(store: Path, journal: Journal | None = None) -> AsyncIterator[Session]:
    async with opened_session(to_store(str(store), None, False), journal) as session:
        yield session


async def test_what_the_user_may_not_see_is_left_out_and_said(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> Any:
        raise Refused("Not for you.", 403, "AuthorizationException")

    async with opened(store) as session:
        client = await session.connection.opened()
        for name in ("historic_process_instances", "process_definition_xml", "historic_batches", "external_task_log"):
            monkeypatch.setattr(client, name, refused)
        mark = await take_snapshot(session, SnapshotPart(), tmp_path / "s.db")
    said = " ".join(mark.left_out)
    assert "When process instances began" in said
    assert "BPMN files are not shown" in said
    assert "Batches that have ended" in said
    assert mark.rates == ()
    assert mark.numbers["external tasks"] == 60
    with pytest.raises(ValueError, match="--failure-rate"):
        to_rehearsal(tmp_path / "s.db", None)
    assert to_rehearsal(tmp_path / "s.db", 0.2).environment == "REHEARSAL"


async def test_an_interruption_leaves_nothing(store: Path, tmp_path: Path) -> None:
    begun = asyncio.Event()
    async with opened(store) as session:
        taking = asyncio.create_task(
            take_snapshot(session, SnapshotPart(), tmp_path / "s.db", lambda what, number: begun.set())
        )
        await begun.wait()
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
    assert names_in(tmp_path) == ["store.db"]


async def test_runs_come_along_as_they_were(store: Path, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        journal = await Journal.open(tmp_path / "journal.db")
        stack.push_async_callback(journal.close)
        session = await stack.enter_async_context(opened(store, journal))
        tasks = await session.connection.ask(lambda client: client.external_tasks(_all(), 0, 5))
        topic = tasks[0].topic_name
        numbers = []
        for engine in (session.memory.engine_name, "another", session.memory.engine_name):
            run = NewRun(engine, "", "ann", "some tasks", "why", 1, 0.05, False, 60.0, at)
            frozen = [FrozenTask(f"{engine}-{place}", 0, "") for place in range(8)]
            causes = [RunCause(topic, "HTTP 503", 8)]
            numbers.append(await journal.runs.begin(run, "me", [(1, frozen)], causes))
        first, _, last = numbers
        await journal.runs.wave(first, "me", 1, "passed", counts=json.dumps({"done": 6, "again": 2}))
        await journal.runs.state(first, "me", "passed", "passed", "Fine.", at=at)
        await journal.runs.state(last, "me", "held", "failed-again", "Too many.")
        await journal.runs.leave(last, "me")
        mark = await take_snapshot(session, SnapshotPart(), tmp_path / "s.db")
    assert mark.numbers["runs of the journal"] == 2
    rates = {rate.topic: rate for rate in mark.rates}
    if topic in rates:
        assert (rates[topic].done, rates[topic].failed, rates[topic].source) == (6, 2, "runs")
    connection = to_store(str(tmp_path / "s.db"), None, False)
    async with journal_of(connection) as kept:
        runs = await kept.runs.runs(connection.name)
        assert [run.id for run in runs] == [last, first]
        views = [await read_run(kept.runs, run.id) for run in runs]
        assert [view and view.word for view in views] == ["held", "passed"]
        assert runs[0].said == "Too many."
        counts = views[1].counts if views[1] is not None else None
        assert counts is not None
        assert (counts.done, counts.again) == (6, 2)


def _all() -> ExternalTaskQuery:
    return ExternalTaskQuery(no_retries_left=True)


async def test_how_often_tasks_failed_is_in_the_log_of_the_engine(store: Path, tmp_path: Path) -> None:
    async with opened(store) as session:
        await take_snapshot(session, SnapshotPart(), tmp_path / "s.db")
    rates = read_mark(str(tmp_path / "s.db")).rates
    assert {rate.source for rate in rates} == {"log"}
    assert any(rate.failed > rate.done for rate in rates)


@pytest.mark.parametrize("one_by_one", [True, False])
async def test_incidents_of_a_part_are_found_either_way(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_by_one: bool
) -> None:
    """By task where that costs fewer seconds, else all of them are read through."""
    monkeypatch.setattr(engine_reader, "SMALL_EVERY", 0.0 if one_by_one else 1000.0)
    asked: list[str | None] = []
    async with opened(store) as session:
        client = await session.connection.opened()
        incidents = client.incidents

        async def noted(query: IncidentQuery, first: int, size: int) -> list[Incident]:
            asked.append(query.configuration)
            return await incidents(query, first, size)

        monkeypatch.setattr(client, "incidents", noted)
        mark = await take_snapshot(session, SnapshotPart("topic:charge-card retries:0"), tmp_path / "s.db")
    assert (None not in asked) == one_by_one
    assert mark.numbers["incidents"] == mark.numbers["external tasks"] > 1
