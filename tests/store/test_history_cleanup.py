"""History whose time to live is over is removed, all of it, and nothing else."""

import asyncio
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands import history_cleanup
from retriage.store.commands.history_cleanup import clean_up
from retriage.store.contract.values import parse_moment
from retriage.store.database import engine, now, open_database
from retriage.store.embedded import embedded_app
from retriage.store.runner import HistoryCleanup, cleanup
from retriage.store.settings import StoreSettings
from retriage.store.tables import (
    Batch,
    ExternalTaskLog,
    Incident,
    JobLog,
    ProcessDefinition,
    ProcessInstance,
    UserOperation,
    Variable,
)
from tests.store.drawings import ONE_TASK
from tests.store.running import STORES, Engine, client_of, opened, store_at
from tests.store.test_workers_routes import start

DAYS = 30
TABLES = (ProcessInstance, ExternalTaskLog, Incident, Variable, Batch, JobLog, UserOperation)


async def counts(engine: Engine) -> dict[str, int]:
    """Rows of each table that keeps history."""
    found = {}
    async with engine.database.reading() as connection:
        for table in TABLES:
            number = select(func.count()).select_from(table)
            found[table.__name__] = (await connection.execute(number)).scalar_one()
    return {name: number for name, number in found.items() if number}


async def end_some(engine: Engine, definition: str, number: int) -> None:
    """Instances that fail once and end."""
    for _ in range(number):
        await engine.start(definition, colour="red")
    for again in (True, False):
        for task in await engine.fetch("charge", most=number):
            if again:
                await engine.fail(task, retries=1, error_message="boom", retry_timeout=0)
            else:
                await engine.complete(task)


@pytest.mark.parametrize("kind", STORES)
async def test_ended_instances_go_with_all_that_belongs_to_them(
    request: pytest.FixtureRequest, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_cleanup, "INSTANCES", 2)
    async with store_at(request, kind) as place, opened(place) as engine:
        definition = await engine.deploy(ONE_TASK)
        await end_some(engine, definition, 5)
        running = await engine.start(definition, colour="blue")
        async with engine.database.writing() as connection:
            await connection.execute(update(ProcessDefinition).values(history_time_to_live=DAYS))
        before = await counts(engine)
        assert before["ProcessInstance"] == 6
        assert await slices(engine, timedelta(days=DAYS, seconds=-60)) == []
        assert await counts(engine) == before
        assert await slices(engine, timedelta(days=DAYS, seconds=1)) == [2, 2, 1]
        after = await counts(engine)
        assert after == {"ProcessInstance": 1, "ExternalTaskLog": 1, "Variable": 1}
        assert [row.id for row in await engine.rows(ProcessInstance)] == [running.id]


async def test_without_a_time_to_live_instances_stay(tmp_path: Path) -> None:
    async with opened(str(tmp_path / "store.db")) as engine:
        definition = await engine.deploy(ONE_TASK)
        await end_some(engine, definition, 1)
        async with engine.database.writing() as connection:
            await connection.execute(update(ProcessDefinition).values(history_time_to_live=None))
        assert await slices(engine, timedelta(days=10_000)) == []


async def slices(engine: Engine, later: timedelta, batch_days: int = DAYS) -> list[int]:
    """What each slice removes, until nothing is left."""
    found = []
    while removed := await engine.database.write(lambda connection: clean_up(connection, now() + later, batch_days)):
        found.append(removed)
    return found


async def _batch(connection: AsyncConnection, name: str, entries: int, ended: bool) -> None:
    at = now()
    kinds = {f"{kind}_job_definition_id": f"{name} {kind}" for kind in ("seed", "monitor", "batch")}
    made = Batch(
        id=name,
        type="set-external-task-retries",
        elements=entries,
        total_jobs=entries,
        batch_jobs_per_seed=1,
        invocations_per_batch_job=1,
        start_time=at,
        end_time=at if ended else None,
        **kinds,
    )
    await connection.execute(insert(Batch).values(**made.model_dump()))
    logged = {"timestamp": at, "state": 0, "job_type": "x", "job_definition_id": f"{name} batch", "job_retries": 3}
    rows = [{"id": f"{name} {n}", "job_id": f"{name} {n}", "batch_id": name} | logged for n in range(entries)]
    await connection.execute(insert(JobLog), rows)
    incident = Incident(
        id=name, incident_type="failedJob", create_time=at, end_time=at, job_definition_id=f"{name} batch"
    )
    await connection.execute(insert(Incident).values(**incident.model_dump()))
    note = {"operation_id": name, "timestamp": at, "user_id": "ann", "operation_type": "Delete", "entity_type": "Batch"}
    await connection.execute(insert(UserOperation).values(id=name, batch_id=name, **note))


@pytest.mark.parametrize("kind", STORES)
async def test_an_ended_batch_goes_after_its_log(
    request: pytest.FixtureRequest, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_cleanup, "ENTRIES", 100)
    async with store_at(request, kind) as place, opened(place) as engine:
        async with engine.database.writing() as connection:
            await _batch(connection, "ended", 250, ended=True)
            await _batch(connection, "running", 7, ended=False)
        kept = {"Batch": 1, "JobLog": 7, "Incident": 1, "UserOperation": 1}
        assert await slices(engine, timedelta(days=DAYS, seconds=-60)) == []
        assert await slices(engine, timedelta(days=10_000), batch_days=0) == [], "they may be kept for ever"
        assert await slices(engine, timedelta(days=DAYS, seconds=1)) == [100, 100, 50, 1]
        assert await counts(engine) == kept


async def test_operations_on_what_is_removed_go_when_their_time_comes(tmp_path: Path) -> None:
    async with opened(str(tmp_path / "store.db")) as engine:
        at = now()
        async with engine.database.writing() as connection:
            note = {"timestamp": at, "user_id": "ann", "operation_type": "Delete", "entity_type": "ProcessInstance"}
            for name, due in (("due", at + timedelta(days=1)), ("later", at + timedelta(days=3)), ("open", None)):
                values = note | {"id": name, "operation_id": name, "removal_time": due}
                await connection.execute(insert(UserOperation).values(**values))
        assert await slices(engine, timedelta(days=2)) == [1]
        assert [row.id for row in await engine.rows(UserOperation)] == ["later", "open"]


async def test_the_space_is_given_back_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SPARE_PAGES", 20)
    monkeypatch.setattr(engine, "PAGES_AT_ONCE", 10)
    monkeypatch.setattr(cleanup, "REST", 0.0)  # how long others are let in does not matter here
    place = tmp_path / "store.db"
    async with opened(str(place)) as store:
        async with store.database.writing() as connection:
            await _batch(connection, "ended", 5000, ended=True)
            await connection.execute(update(Batch).values(start_time=now() - timedelta(days=400)))
            await connection.execute(update(Batch).values(end_time=now() - timedelta(days=400)))
        assert await HistoryCleanup(store.database, StoreSettings()).run() == 6
        assert await counts(store) == {}
        assert not await store.database.give_space_back()
    file = sqlite3.connect(place)
    (spare,) = file.execute("PRAGMA freelist_count").fetchone()
    (pages,) = file.execute("PRAGMA page_count").fetchone()
    file.close()
    assert spare <= 20
    assert pages < 200, "the log took more"


async def test_an_open_store_cleans_up_by_itself(tmp_path: Path) -> None:
    place = str(tmp_path / "store.db")
    settings = StoreSettings(history_cleanup_seconds=0.01)
    async with client_of(embedded_app(place, settings=settings)) as http:
        await start(http)
        (task,) = (await http.get("/external-task")).json()
        assert (await http.delete(f"/process-instance/{task['processInstanceId']}")).status_code == 204
        database = await open_database(place)
        async with database.writing() as connection:
            await connection.execute(update(ProcessInstance).values(end_time=now() - timedelta(days=10_000)))
        async with asyncio.timeout(60):
            while (await http.get("/history/process-instance/count")).json()["count"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await database.close()


@pytest.mark.parametrize("days", [DAYS, 0])
async def test_an_ended_batch_shows_when_its_history_goes_and_a_running_one_does_not(tmp_path: Path, days: int) -> None:
    app = embedded_app(str(tmp_path / "store.db"), settings=StoreSettings(batch_history_days=days))
    async with client_of(app) as http:
        database = app.state.store.database
        async with database.writing() as connection:
            await _batch(connection, "ended", 1, True)
            await _batch(connection, "running", 1, False)
        listed = {one["id"]: one for one in (await http.get("/history/batch")).json()}
        assert (await http.get("/history/batch/ended")).json() == listed["ended"]
        assert listed["running"]["removalTime"] is None
        if not days:
            assert listed["ended"]["removalTime"] is None
            return
        end, removal = (parse_moment(listed["ended"][name]) for name in ("endTime", "removalTime"))
        assert removal - end == timedelta(days=DAYS)

        async def removed(at: datetime) -> int:
            gone: int = await database.write(lambda connection: clean_up(connection, at, DAYS))
            return gone

        assert await removed(removal - timedelta(seconds=1)) == 0
        assert await removed(removal + timedelta(seconds=1)) > 0
