"""The demo world: the same for a seed, believable in its shares, and consistent in every row."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import parse
from retriage.store.database import Database, filling, open_database
from retriage.store.demo.bpmn_xml import draw
from retriage.store.demo.causes import CARD_EXPIRED, CAUSES, MESSAGE_LIMIT, OUTAGE, cause_of
from retriage.store.demo.processes import RELEASES
from retriage.store.demo.task_states import TASK_STATES
from retriage.store.demo.world import build_world
from retriage.store.tables import ExternalTask, ExternalTaskLog, Incident, Variable, metadata

NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
TASKS = 3000


@asynccontextmanager
async def empty_store(path: Path) -> AsyncIterator[Database]:
    database = await open_database(str(path))
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture(scope="module")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 3,000 tasks, built once."""
    path = tmp_path_factory.mktemp("demo") / "world.db"

    async def build() -> None:
        async with empty_store(path) as database:
            await build_world(database, TASKS, seed=7, now=NOW)

    asyncio.run(build())
    return path


@pytest.fixture
async def world(world_file: Path) -> AsyncIterator[AsyncConnection]:
    """A connection to the world of 3,000 tasks."""
    async with empty_store(world_file) as database, database.reading() as connection:
        yield connection


async def content(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, in the order of the primary key."""
    async with database.reading() as connection:
        return {
            table.name: list(await connection.execute(select(table).order_by(*table.primary_key)))
            for table in metadata.sorted_tables
        }


async def number(connection: AsyncConnection, sql: str, **values: Any) -> int:
    return int((await connection.execute(text(sql), values)).scalar_one())


async def contents_of_seed(path: Path, seed: int) -> dict[str, list[Any]]:
    async with empty_store(path) as database:
        await build_world(database, 400, seed, now=NOW)
        return await content(database)


async def test_the_same_seed_makes_the_same_world_to_the_last_id(tmp_path: Path) -> None:
    one = await contents_of_seed(tmp_path / "one.db", 7)
    two = await contents_of_seed(tmp_path / "two.db", 7)
    other = await contents_of_seed(tmp_path / "other.db", 8)
    assert one == two
    assert {row.id for row in one["external_task"]}.isdisjoint(row.id for row in other["external_task"])


@pytest.mark.parametrize("tasks", [0, 1, 2, 17, 333])
async def test_a_world_has_exactly_the_tasks_asked_for(tmp_path: Path, tasks: int) -> None:
    async with empty_store(tmp_path / "world.db") as database:
        told: list[int] = []
        world = await build_world(database, tasks, seed=3, progress=told.append)
        rows = await content(database)
    assert len(rows["external_task"]) == world.external_tasks == tasks
    assert told == ([tasks] if tasks else [])
    counts = {
        "process_instance": world.process_instances,
        "incident": world.incidents,
        "variable": world.variables,
        "external_task_log": world.log_entries,
        "deployment": world.deployments,
        "process_definition": world.process_definitions,
    }
    assert {name: len(rows[name]) for name in counts} == counts


async def test_a_world_of_several_slices_is_exact_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retriage.store.demo.world.SLICE", 40)
    async with empty_store(tmp_path / "world.db") as database:
        told: list[int] = []
        await build_world(database, 101, progress=told.append)
        rows = await content(database)
    assert len(rows["external_task"]) == told[-1] == 101
    assert len(told) == 3
    assert told == sorted(told)


async def test_a_world_is_the_same_however_it_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await contents_of_seed(tmp_path / "whole.db", 7)
    monkeypatch.setattr("retriage.store.demo.world.SLICE", 60)
    monkeypatch.setattr("retriage.store.demo.rows.TOGETHER", 7)
    assert await contents_of_seed(tmp_path / "cut.db", 7) == whole


async def test_who_leaves_half_way_does_not_wait_for_indexes_and_the_next_world_has_them(tmp_path: Path) -> None:
    def leave(_made: int) -> None:
        raise KeyError

    async def indexes(database: Database) -> set[str]:
        async with database.reading() as connection:
            rows = await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql <> ''"))
            return set(rows.scalars())

    async with empty_store(tmp_path / "world.db") as database:
        usual = await indexes(database)
        with pytest.raises(KeyError):
            async with filling(database):
                await build_world(database, 600, progress=leave)
        assert len(await indexes(database)) < len(usual) - 20
        async with filling(database):
            await build_world(database, 100)
        assert await indexes(database) == usual


async def test_all_tasks_are_told_when_the_world_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that a question reads whole tables, and an order would come before the batches of other operators."""

    def look(made: int) -> None:
        with closing(sqlite3.connect(path)) as file:
            (indexes,) = file.execute(
                "SELECT count(*) FROM sqlite_master WHERE name LIKE 'external_task%' AND type = 'index'"
            )
            (batches,) = file.execute("SELECT count(*) FROM batch")
            seen.append((made, indexes[0] > 0, batches[0] > 0))

    def indexed(made: int, of: int) -> None:
        told.append((made, of, len(seen)))

    told = list[tuple[int, int, int]]()
    monkeypatch.setattr("retriage.store.demo.world.SLICE", 500)
    path, seen = tmp_path / "world.db", list[tuple[int, bool, bool]]()
    async with empty_store(path) as database:
        await build_world(database, 1500, progress=look, indexed=indexed)
    assert seen[-1] == (1500, True, True)
    assert len(seen) > 2
    assert not any(indexes or batches for _, indexes, batches in seen[:-1])
    assert told == [(made, told[0][1], len(seen) - 1) for made in range(told[0][1])]


async def test_only_an_empty_store_is_filled(tmp_path: Path) -> None:
    async with empty_store(tmp_path / "world.db") as database:
        await build_world(database, 5)
        before = await content(database)
        with pytest.raises(ValueError, match="needs an empty store"):
            await build_world(database, 5)
        assert await content(database) == before
        with pytest.raises(ValueError, match="-1 tasks"):
            await build_world(database, -1)


async def test_the_shares_are_believable(world: AsyncConnection) -> None:
    async def share(where: str) -> float:
        return await number(world, f"SELECT count(*) FROM external_task WHERE {where}", now=now) / TASKS

    now = int(NOW.timestamp() * 1000)
    assert 0.34 < await share("retries = 0") < 0.42
    assert 0.07 < await share("retries > 0") < 0.13
    assert 0.05 < await share("retries > 0 AND lock_expiration_time > :now") < await share("retries > 0")
    assert 0.05 < await share("retries IS NULL AND lock_expiration_time > :now") < 0.11
    assert 0.025 < await share("suspended") < 0.06
    assert 0.005 < await share("suspended AND retries = 0") < await share("suspended")
    assert 0.35 < await share("retries IS NULL AND worker_id IS NULL AND NOT suspended") < 0.5
    assert 0.05 < await share("tenant_id IS NOT NULL") < 0.2
    finished = await number(world, "SELECT count(*) FROM process_instance WHERE end_time IS NOT NULL")
    assert 0.02 < finished / TASKS < 0.08


async def test_the_outage_is_the_largest_cause_and_lies_in_the_last_hours(world: AsyncConnection) -> None:
    outage = "FROM external_task WHERE retries = 0 AND error_message LIKE 'HTTP 503 from psp.example%'"
    failed = await number(world, "SELECT count(*) FROM external_task WHERE retries = 0")
    assert 0.45 < await number(world, f"SELECT count(*) {outage}") / failed < 0.65
    oldest = await number(world, f"SELECT min(create_time) {outage}")
    assert NOW - timedelta(hours=3.3) < datetime.fromtimestamp(oldest / 1000, UTC)
    topics = (await world.execute(text(f"SELECT DISTINCT topic_name {outage}"))).scalars().all()
    assert topics == ["charge-card"]
    texts = await number(world, f"SELECT count(DISTINCT error_message) {outage}")
    assert texts == await number(world, f"SELECT count(*) {outage}")
    assert await number(world, "SELECT min(create_time) FROM external_task") < (NOW.timestamp() - 5 * 86400) * 1000


async def test_every_failed_task_shows_a_known_cause(world: AsyncConnection) -> None:
    task = ExternalTask.__table__  # type: ignore[attr-defined]
    failed = await world.execute(select(task.c.topic_name, task.c.error_message).where(task.c.retries.is_not(None)))
    seen = {cause_of(topic, message) for topic, message in failed}
    assert seen == set(CAUSES)


async def test_a_refused_amount_is_the_one_of_its_instance(world: AsyncConnection) -> None:
    refused = (
        "external_task t JOIN variable v ON v.process_instance_id = t.process_instance_id AND v.name = 'amount' "
        "WHERE t.error_message LIKE 'amount must not be negative:%'"
    )
    named = f"{refused} AND v.double_value < 0 AND t.error_message LIKE printf('%%: %.2f', v.double_value)"
    tasks = await number(world, f"SELECT count(*) FROM {refused}")
    assert TASKS / 100 < tasks == await number(world, f"SELECT count(*) FROM {named}")
    negative = "SELECT count(*) FROM variable WHERE name = 'amount' AND double_value < 0"
    assert await number(world, negative) == tasks
    logged = "SELECT count(DISTINCT external_task_id) FROM external_task_log WHERE error_message LIKE 'amount must%'"
    assert await number(world, logged) == tasks


async def test_open_incidents_are_those_of_tasks_without_retries(world: AsyncConnection) -> None:
    open_ = (
        "SELECT count(*) FROM incident WHERE end_time IS NULL AND state = 'open' "
        "AND incident_type = 'failedExternalTask'"
    )
    failed = await number(world, "SELECT count(*) FROM external_task WHERE retries = 0")
    assert await number(world, open_) == failed
    agreeing = await number(
        world,
        "SELECT count(*) FROM incident i JOIN external_task t ON t.id = i.configuration WHERE i.end_time IS NULL "
        "AND t.retries = 0 AND t.process_instance_id = i.process_instance_id AND t.execution_id = i.execution_id "
        "AND t.process_definition_id = i.process_definition_id AND t.activity_id = i.activity_id "
        "AND coalesce(t.error_message, '-') = coalesce(i.incident_message, '-') "
        "AND coalesce(t.tenant_id, '-') = coalesce(i.tenant_id, '-')",
    )
    assert agreeing == failed
    assert await number(world, "SELECT count(*) FROM incident WHERE state = 'resolved'") > 0
    assert await number(world, "SELECT count(*) FROM incident WHERE (state = 'open') <> (end_time IS NULL)") == 0


async def test_an_incident_names_the_last_failure_before_it(world: AsyncConnection) -> None:
    log, incident = ExternalTaskLog.__table__, Incident.__table__  # type: ignore[attr-defined]
    last = (
        select(func.max(log.c.id))
        .where(log.c.external_task_id == incident.c.configuration, log.c.state == 1)
        .scalar_subquery()
    )
    open_ = incident.c.end_time.is_(None)
    wrong = select(func.count()).where(open_, incident.c.history_configuration != last)
    assert (await world.execute(wrong)).scalar_one() == 0
    told = select(func.count()).where(log.c.id == incident.c.history_configuration, log.c.error_message.is_not(None))
    assert (await world.execute(told.where(log.c.error_message == incident.c.incident_message))).scalar_one() > 0


async def test_every_failed_task_has_its_failures_in_the_log(world: AsyncConnection) -> None:
    failures = (
        "(SELECT count(*) FROM external_task_log l WHERE l.external_task_id = t.id AND l.state = 1 AND l.worker_id "
        "= t.worker_id)"
    )
    assert await number(world, f"SELECT count(*) FROM external_task t WHERE retries = 0 AND {failures} < 3") == 0
    assert await number(world, f"SELECT count(*) FROM external_task t WHERE retries = 2 AND {failures} <> 1") == 0
    assert await number(world, f"SELECT count(*) FROM external_task t WHERE retries = 1 AND {failures} <> 2") == 0
    created = "(SELECT count(*) FROM external_task_log l WHERE l.external_task_id = t.id AND l.state = 0)"
    assert await number(world, f"SELECT count(*) FROM external_task t WHERE {created} <> 1") == 0
    detailed = await number(world, "SELECT count(*) FROM error_details")
    assert detailed == await number(
        world,
        "SELECT count(*) FROM error_details d JOIN external_task t ON t.id = d.external_task_id "
        "WHERE t.retries IS NOT NULL AND d.details LIKE '%' || t.error_message || '%'",
    )
    assert detailed > TASKS * 0.2


async def test_every_task_has_its_instance_execution_and_definition(world: AsyncConnection) -> None:
    whole = await number(
        world,
        "SELECT count(*) FROM external_task t "
        "JOIN process_instance p ON p.id = t.process_instance_id AND p.end_time IS NULL "
        "AND p.process_definition_id = t.process_definition_id AND p.state = CASE WHEN t.suspended "
        "THEN 'SUSPENDED' ELSE 'ACTIVE' END "
        "JOIN execution e ON e.id = t.execution_id AND e.process_instance_id = p.id AND e.activity_id = t.activity_id "
        "AND e.activity_instance_id = t.activity_instance_id "
        "JOIN process_definition d ON d.id = p.process_definition_id "
        "AND coalesce(d.tenant_id, '-') = coalesce(t.tenant_id, '-') "
        "AND coalesce(p.tenant_id, '-') = coalesce(t.tenant_id, '-') "
        "JOIN deployment y ON y.id = d.deployment_id AND y.deployment_time <= p.start_time",
    )
    assert whole == TASKS
    lonely = "NOT EXISTS (SELECT 1 FROM external_task t WHERE t.process_instance_id = p.id)"
    assert await number(world, f"SELECT count(*) FROM process_instance p WHERE end_time IS NULL AND {lonely}") == 0
    ended = "(SELECT id FROM process_instance WHERE end_time IS NOT NULL)"
    assert await number(world, f"SELECT count(*) FROM execution WHERE process_instance_id IN {ended}") == 0


async def test_a_waiting_token_without_a_task_is_at_a_join(world: AsyncConnection) -> None:
    rows = await world.execute(
        text(
            "SELECT DISTINCT e.activity_id FROM execution e WHERE NOT EXISTS "
            "(SELECT 1 FROM external_task t WHERE t.execution_id = e.id)"
        )
    )
    assert set(rows.scalars()) == {"Join1", "Join2"}


async def test_nothing_happens_before_it_can(world: AsyncConnection) -> None:
    now = int(NOW.timestamp() * 1000)
    wrong = {
        "external_task t JOIN process_instance p ON p.id = t.process_instance_id": "t.create_time < p.start_time",
        "external_task": "create_time >= :now",
        "process_instance": "end_time < start_time OR end_time > :now OR start_time > :now",
        "incident": "create_time > :now OR end_time < create_time OR end_time > :now",
        "external_task_log": "timestamp > :now",
        "external_task_log l JOIN process_instance p ON p.id = l.process_instance_id": (
            "l.timestamp < p.start_time OR l.timestamp > p.end_time"
        ),
        "incident i JOIN external_task t ON t.id = i.configuration": "i.create_time < t.create_time",
    }
    for rows, where in wrong.items():
        assert await number(world, f"SELECT count(*) FROM {rows} WHERE {where}", now=now) == 0, rows


@pytest.mark.parametrize(
    ("table", "time"),
    [
        ("external_task", "create_time"),
        ("process_instance", "start_time"),
        ("incident", "create_time"),
        ("external_task_log", "timestamp"),
    ],
)
async def test_ids_ascend_with_creation(world: AsyncConnection, table: str, time: str) -> None:
    times = (await world.execute(text(f'SELECT "{time}" FROM {table} ORDER BY id'))).scalars().all()
    assert times == sorted(times)


async def test_variables_have_the_types_of_the_contract(world: AsyncConnection) -> None:
    table = Variable.__table__  # type: ignore[attr-defined]
    kinds = set((await world.execute(select(table.c.type).distinct())).scalars())
    assert kinds == {"String", "Integer", "Short", "Long", "Double", "Boolean", "Date", "Json", "Null"}
    filled = {
        "String": "text_value IS NOT NULL AND long_value IS NULL AND double_value IS NULL",
        "Double": "double_value IS NOT NULL AND text_value IS NULL",
        "Boolean": "long_value IN (0, 1)",
        "Long": "long_value > 4000000000",
        "Date": "text_value LIKE '%+0000' AND long_value IS NOT NULL",
        "Null": "text_value IS NULL AND long_value IS NULL AND double_value IS NULL",
    }
    for kind, where in filled.items():
        wrong = await number(world, f"SELECT count(*) FROM variable WHERE type = :kind AND NOT ({where})", kind=kind)
        assert wrong == 0, kind


async def test_some_texts_would_speak_to_a_careless_screen(world: AsyncConnection) -> None:
    for fragment in ("\x1b", "[/]", "\u202e"):
        found = "SELECT count(*) FROM external_task WHERE instr(error_message, :fragment) > 0"
        assert await number(world, found, fragment=fragment) > 0, fragment
    longest = await number(world, "SELECT max(length(error_message)) FROM external_task")
    assert longest == MESSAGE_LIMIT
    assert await number(world, "SELECT count(*) FROM external_task WHERE retries = 0 AND error_message IS NULL") > 0


def test_the_store_runs_every_drawing() -> None:
    for release in RELEASES:
        for process in release.processes:
            (parsed,) = parse(draw(process), f"{process.key}.bpmn")
            assert (parsed.key, parsed.version_tag) == (process.key, process.tag)
            tasks = {node.id: node.topic for node in parsed.nodes.values() if node.topic}
            for _, activity in process.places:
                assert tasks.pop(activity.id) == activity.topic
                if activity.error_code:
                    assert parsed.catcher(activity.id, activity.error_code) is not None
            assert set(tasks) <= {"AskForCard"}


def test_the_states_are_shares_of_one_whole() -> None:
    assert sum(state.share for state in TASK_STATES) == pytest.approx(1)
    assert sum(cause.share for cause in CAUSES) == pytest.approx(1)
    assert OUTAGE.again < 0.1 < CARD_EXPIRED.again
