"""The plot of the demo world: an outage that ends, a cause that no retry helps, what other operators have ordered."""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from retriage.store.api.app import ROOT
from retriage.store.batch.orders import suspend_batch
from retriage.store.commands.retries import set_retries
from retriage.store.database import Database, NotFilled, open_database
from retriage.store.demo.causes import CAUSES, MAIL_REFUSED, MISSING_ADDRESS, OUTAGE, Cause, cause_of
from retriage.store.demo.operator_batches import COLLEAGUE, LEAST_TASKS
from retriage.store.demo.plot import BAD_RELEASE, OUTAGE_BEGAN, recovery
from retriage.store.demo.workers import SimulatedWorkers
from retriage.store.demo.world import build_world
from retriage.store.embedded import embedded_app
from retriage.store.runner import JobPace, Runner
from retriage.store.settings import StoreSettings
from retriage.store.tables import ExternalTask
from retriage.store.tables.types import col
from tests.store.running import STORES, store_at

NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
AT = int(NOW.timestamp() * 1000)
TASKS = 1500


@pytest.fixture(scope="module")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world, built once."""
    path = tmp_path_factory.mktemp("plot") / "world.db"

    async def build() -> None:
        database = await open_database(str(path))
        await build_world(database, TASKS, seed=7, now=NOW)
        await database.close()

    asyncio.run(build())
    return path


@pytest.fixture
async def database(world_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """A copy of the world."""
    copy = shutil.copy(world_file, tmp_path / "copy.db")
    opened = await open_database(str(copy))
    yield opened
    await opened.close()


async def rows(database: Database, sql: str, **values: Any) -> list[Any]:
    async with database.reading() as connection:
        return list(await connection.execute(text(sql), values))


async def number(database: Database, sql: str, **values: Any) -> int:
    return int((await rows(database, sql, **values))[0][0])


async def batch_of(database: Database, user: str) -> Any:
    (batch,) = await rows(database, "SELECT * FROM batch WHERE create_user_id = :user", user=user)
    return batch


async def work(workers: SimulatedWorkers, begin: int, end: int) -> None:
    for at in range(begin, end):
        workers._count_again = 0.0
        await workers.round(float(at))


async def so(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


async def failed_by(database: Database) -> dict[Cause, list[int]]:
    """When the tasks without retries were made, in seconds before the moment of the world, by their cause."""
    found: dict[Cause, list[int]] = {cause: [] for cause in CAUSES}
    for row in await rows(database, "SELECT topic_name, error_message, create_time FROM external_task WHERE retries=0"):
        cause = cause_of(row.topic_name, row.error_message)
        assert cause is not None
        found[cause].append((AT - row.create_time) // 1000)
    return found


async def test_the_outage_began_two_hours_ago_and_goes_on(database: Database) -> None:
    ages = (await failed_by(database))[OUTAGE]
    assert OUTAGE_BEGAN * 0.9 < max(ages) <= OUTAGE_BEGAN
    last = await number(
        database, "SELECT max(timestamp) FROM external_task_log WHERE state = 1 AND error_message LIKE 'HTTP 503%'"
    )
    assert AT - last < 60_000
    waiting = "SELECT count(*) FROM external_task WHERE retries > 0 AND error_message LIKE 'HTTP 503%'"
    assert await number(database, waiting) > TASKS / 40


async def test_invoices_fail_since_the_release_of_today_and_strays_of_weeks_ago_are_few(database: Database) -> None:
    by_cause = await failed_by(database)
    assert BAD_RELEASE * 0.8 < max(by_cause[MISSING_ADDRESS]) <= BAD_RELEASE
    released = await rows(database, "SELECT deployment_time FROM deployment WHERE name = 'billing 2.1'")
    assert [(AT - row.deployment_time) / 1000 for row in released] == [BAD_RELEASE]
    ages = [age for ages in by_cause.values() for age in ages]
    assert 0 < sum(age > 3 * 86400 for age in ages) < len(ages) * 0.05
    assert sum(age <= BAD_RELEASE for age in ages) > len(ages) * 0.75


async def test_a_stack_trace_comes_from_the_code_that_sent_its_message(database: Database) -> None:
    origins = {
        "HTTP 503": "example.payments.ProviderException: HTTP 503",
        "amount must not": "java.lang.IllegalArgumentException: amount must not be negative: -",
        "NullPointerException": "java.lang.NullPointerException: Cannot invoke",
        "SMTP 421": "Error: SMTP 421",
        "deadlock detected": "psycopg.errors.DeadlockDetected: deadlock detected",
        "timeout after": "screening.client.ScreeningTimeout: timeout after",
        "document ": "example.archive.SchemaViolation: document ",
    }
    seen = Counter[str]()
    logged = "SELECT error_message, error_details FROM external_task_log WHERE error_details IS NOT NULL"
    kept = "SELECT t.error_message, d.details FROM error_details d JOIN external_task t ON t.id = d.external_task_id "
    for message, details in [*await rows(database, logged), *await rows(database, kept)]:
        assert message in details
        for mark, origin in origins.items():
            if message.startswith(mark):
                assert origin in details
                seen[mark] += 1
                assert not any(other in details for other in origins.values() if other != origin)
    assert set(seen) == set(origins)


async def test_a_colleague_has_a_batch_at_work_over_other_tasks(database: Database) -> None:
    batch = await batch_of(database, COLLEAGUE)
    jobs = await rows(
        database, "SELECT * FROM job WHERE batch_id = :id AND first IS NOT NULL ORDER BY first", id=batch.id
    )
    log = "SELECT count(*) FROM job_log WHERE batch_id = :id AND job_definition_id = :work AND state = :state"
    done = await number(database, log, id=batch.id, work=batch.batch_job_definition_id, state=2)
    assert 0 < done < batch.total_jobs == batch.jobs_created == batch.seeded == done + len(jobs)
    assert await number(database, log, id=batch.id, work=batch.batch_job_definition_id, state=0) == batch.total_jobs
    assert [(job.first, job.past, job.retries, job.suspended) for job in jobs] == [
        (ordinal, ordinal + 1, 3, 0) for ordinal in range(done, batch.total_jobs)
    ]
    left = await rows(
        database,
        "SELECT t.retries, t.topic_name, t.error_message, d.deployment_id, j.deployment_id AS of_job, "
        "(SELECT count(*) FROM incident i WHERE i.configuration = t.id AND i.end_time IS NULL) AS incidents, "
        "(SELECT g.deployment_id FROM batch_group g WHERE g.batch_id = e.batch_id AND g.first <= e.ordinal "
        "AND g.past > e.ordinal) AS of_group "
        "FROM batch_element e JOIN external_task t ON t.id = e.element_id JOIN job j ON j.batch_id = e.batch_id "
        "AND j.first = e.ordinal JOIN process_definition d ON d.id = t.process_definition_id WHERE e.batch_id = :id",
        id=batch.id,
    )
    assert len(left) == len(jobs)
    assert {(row.retries, row.incidents) for row in left} == {(0, 1)}
    assert {cause_of(row.topic_name, row.error_message) for row in left} == {MAIL_REFUSED}
    assert all(row.deployment_id == row.of_job == row.of_group for row in left)
    retried = "SELECT count(*) FROM external_task WHERE retries = 3 AND error_message LIKE 'SMTP 421%'"
    assert await number(database, retried) == done
    resolved = (
        "SELECT count(*) FROM incident i JOIN external_task t ON t.id = i.configuration WHERE t.retries = 3 "
        "AND i.state = 'resolved' AND i.end_time BETWEEN :began AND :now"
    )
    assert await number(database, resolved, began=batch.start_time, now=AT) == done
    told = await rows(
        database,
        "SELECT operation_type, property, new_value, operation_id, timestamp FROM user_operation WHERE user_id = :user",
        user=COLLEAGUE,
    )
    assert {(row.operation_type, row.property, row.new_value) for row in told} == {
        ("SetExternalTaskRetries", "nrOfInstances", str(batch.total_jobs)),
        ("SetExternalTaskRetries", "async", "true"),
        ("SetExternalTaskRetries", "retries", "3"),
    }
    assert len({(row.operation_id, row.timestamp) for row in told}) == 1


async def test_the_runner_ends_what_can_end_and_leaves_what_is_stuck(database: Database) -> None:
    runner = Runner(database, StoreSettings())
    before = {row.id: row for row in await rows(database, "SELECT * FROM batch")}
    assert len(before) == 4
    async with asyncio.timeout(60):
        while await runner.turn():
            pass
    after = {row.create_user_id: row for row in await rows(database, "SELECT * FROM batch")}
    assert {user for user, batch in after.items() if batch.end_time is not None} == {COLLEAGUE, "night.shift"}
    left = (
        "SELECT count(*) FROM job j JOIN batch b ON b.id = j.batch_id WHERE b.create_user_id = :user "
        "AND j.first IS NOT NULL"
    )
    assert await number(database, left, user="j.ortiz") == 7
    assert await number(database, left, user="s.keller") > 5
    async with database.writing() as connection:
        await suspend_batch(connection, after["s.keller"].id, False)
    async with asyncio.timeout(60):
        while await runner.turn():
            pass
    assert (await batch_of(database, "s.keller")).end_time is not None
    for table in ("batch_element", "batch_group", "job_definition"):
        name = "job_configuration" if table == "job_definition" else "batch_id"
        kept = {row[0] for row in await rows(database, f"SELECT DISTINCT {name} FROM {table}")}
        assert kept == {after["j.ortiz"].id}, table


async def test_the_stuck_batch_says_why(database: Database) -> None:
    batch = await batch_of(database, "j.ortiz")
    jobs = await rows(database, "SELECT * FROM job WHERE batch_id = :id AND first IS NOT NULL", id=batch.id)
    for job in jobs:
        assert (job.retries, job.suspended) == (0, 0)
        (element,) = await rows(
            database, "SELECT element_id FROM batch_element WHERE batch_id = :id AND ordinal = :at", id=batch.id,
            at=job.first,
        )  # fmt: skip
        assert job.exception_message == f"Cannot find external task with id {element[0]}: externalTask is null"
        assert job.exception_message in job.exception_stacktrace
        assert await number(database, "SELECT count(*) FROM external_task WHERE id = :id", id=element[0]) == 0
        ended = "SELECT timestamp FROM external_task_log WHERE external_task_id = :id AND state = 2"
        assert (await rows(database, ended, id=element[0]))[0][0] < batch.start_time
        failures = "SELECT job_retries FROM job_log WHERE job_id = :job AND state = 1 ORDER BY id"
        assert [row[0] for row in await rows(database, failures, job=job.id)] == [3, 2, 1]
        (incident,) = await rows(database, "SELECT * FROM incident WHERE configuration = :job", job=job.id)
        assert (incident.incident_type, incident.end_time) == ("failedJob", None)
        assert incident.job_definition_id == batch.batch_job_definition_id
        last = "SELECT max(id) FROM job_log WHERE job_id = :job AND state = 1"
        assert [incident.history_configuration] == list((await rows(database, last, job=job.id))[0])


async def test_the_suspended_batch_is_suspended_in_all_its_parts(database: Database) -> None:
    batch = await batch_of(database, "s.keller")
    assert batch.suspended
    for table, name in (("job", "batch_id"), ("job_definition", "job_configuration")):
        found = await rows(database, f"SELECT suspended FROM {table} WHERE {name} = :id", id=batch.id)
        assert {row.suspended for row in found} == {1}, table
    (told,) = await rows(database, "SELECT * FROM user_operation WHERE operation_type = 'SuspendBatch'")
    assert (told.user_id, told.batch_id, told.new_value) == ("s.keller", batch.id, "suspended")


async def test_monitor_jobs_have_looked_every_half_minute(database: Database) -> None:
    batch = await batch_of(database, "j.ortiz")
    looks = await rows(
        database,
        "SELECT timestamp FROM job_log WHERE batch_id = :id AND job_definition_id = :monitor AND state = 2 ORDER BY id",
        id=batch.id,
        monitor=batch.monitor_job_definition_id,
    )
    times = [row.timestamp for row in looks]
    assert {second - first for first, second in pairwise(times)} == {30_000}
    (waiting,) = await rows(
        database, "SELECT due_date FROM job WHERE job_definition_id = :monitor", monitor=batch.monitor_job_definition_id
    )
    assert AT <= waiting.due_date < AT + 30_000


async def test_nothing_of_a_batch_happens_before_it_can(database: Database) -> None:
    for rows_, where in {
        "batch": "execution_start_time < start_time OR end_time < execution_start_time OR start_time > :now",
        "job_log l JOIN batch b ON b.id = l.batch_id": "l.timestamp < b.start_time OR l.timestamp > :now",
        "job": "create_time > :now",
        "job_log s JOIN job_log c ON c.job_id = s.job_id AND c.state = 0": "s.state <> 0 AND s.timestamp < c.timestamp",
        "user_operation": "timestamp > :now",
    }.items():
        assert await number(database, f"SELECT count(*) FROM {rows_} WHERE {where}", now=AT) == 0, rows_
    for table, time in {"job_log": "timestamp", "job": "create_time", "batch": "start_time"}.items():
        times = [row[0] for row in await rows(database, f'SELECT "{time}" FROM {table} ORDER BY id')]
        assert times == sorted(times), table


async def test_a_small_world_has_no_batches(tmp_path: Path) -> None:
    database = await open_database(str(tmp_path / "small.db"))
    world = await build_world(database, LEAST_TASKS - 1)
    assert (world.batches, world.at_work) == (0, None)
    assert await number(database, "SELECT count(*) FROM job") == 0
    await database.close()


@pytest.mark.long
async def test_what_is_retried_in_the_outage_fails_again_until_it_ends(database: Database) -> None:
    refused_before = text("retries = 0 AND NOT suspended AND error_message LIKE 'HTTP 503%'")
    async with database.writing() as connection:
        await set_retries(connection, select(col(ExternalTask.id)).where(refused_before), 9)
    workers = SimulatedWorkers(database, tasks_per_second=6, outage=40.0)
    since = "SELECT count(*) FROM external_task_log WHERE topic_name = 'charge-card' AND timestamp > :now AND "
    succeeded, refused = since + "state = 2", since + "state = 1 AND error_message LIKE 'HTTP 503%'"
    await work(workers, 0, 38)
    in_outage = await number(database, succeeded, now=AT), await number(database, refused, now=AT)
    assert in_outage[1] > 50
    assert in_outage[0] < in_outage[1] / 5
    await work(workers, 45, 85)
    assert await number(database, succeeded, now=AT) > in_outage[0] + 20
    assert await number(database, refused, now=AT) == in_outage[1]


def test_the_provider_comes_back_while_one_watches() -> None:
    moments = {recovery(seed) for seed in range(50)}
    assert len(moments) == 50
    assert min(moments) >= 90
    assert max(moments) <= 180
    assert recovery(7) == recovery(7)


async def test_the_indexes_are_there_again(database: Database, tmp_path: Path) -> None:
    empty = await open_database(str(tmp_path / "empty.db"))
    indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
    assert [row.name for row in await rows(database, indexes)] == [row.name for row in await rows(empty, indexes)]
    conditions = indexes.replace("type = 'index'", "type = 'index' AND sql LIKE '% WHERE %'")
    kept = [row.name for row in await rows(empty, conditions)]
    assert [row.name for row in await rows(database, conditions)] == kept
    await empty.close()


async def test_the_embedded_engine_opens_on_the_plot_and_tells_how_far_it_is(tmp_path: Path) -> None:
    told: list[int] = []
    pace = JobPace(0.001)
    app = embedded_app(str(tmp_path / "s.db"), demo_tasks=TASKS, demo_seed=7, pace=pace, progress=told.append)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://embedded{ROOT}") as client,
    ):
        assert told == sorted(told)
        assert told[-1] == TASKS
        found = {one["createUserId"]: one for one in (await client.get("/batch/statistics")).json()}
        assert set(found) == {COLLEAGUE, "j.ortiz", "s.keller"}
        assert found["j.ortiz"]["failedJobs"] == found["j.ortiz"]["remainingJobs"] == 7
        assert found["s.keller"]["suspended"]
        mine = found[COLLEAGUE]
        assert 0 < mine["completedJobs"] < mine["totalJobs"]
        assert list(pace.of_batch) == [mine["id"]]
        log = (await client.get("/history/user-operation", params={"userId": COLLEAGUE})).json()
        assert {entry["property"] for entry in log} == {"nrOfInstances", "async", "retries"}


@pytest.mark.parametrize("kind", STORES)
async def test_the_world_is_the_same_on_every_database(request: pytest.FixtureRequest, kind: str) -> None:
    async with store_at(request, kind) as place:
        database = await open_database(place)
        world = await build_world(database, TASKS, seed=7, now=NOW)
        counted = {
            "external_task": TASKS,
            "execution": await number(database, "SELECT count(*) FROM external_task WHERE topic_name IS NOT NULL"),
            "process_instance": world.process_instances,
            "incident": world.incidents,
            "variable": world.variables,
            "external_task_log": world.log_entries,
            "batch": 4,
        }
        joins = await number(database, "SELECT count(*) FROM execution WHERE activity_id LIKE 'Join%'")
        counted["execution"] += joins
        assert {table: await number(database, f"SELECT count(*) FROM {table}") for table in counted} == counted
        assert world.at_work == (await batch_of(database, COLLEAGUE)).id
        runner = Runner(database, StoreSettings(), pace=JobPace(5))
        assert await runner.turn() > 0
        await database.close()


async def test_it_is_open_with_the_first_rows_and_the_others_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retriage.store.demo.world.FIRST_SLICE", 100)
    monkeypatch.setattr("retriage.store.demo.world.SLICE", 200)
    told: list[int] = []
    sorted_: list[tuple[int, int, int]] = []
    app = embedded_app(
        str(tmp_path / "s.db"),
        demo_tasks=TASKS,
        workers=True,
        progress=told.append,
        indexed=lambda made, of: sorted_.append((made, of, told[-1])),
        open_early=True,
    )
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://embedded{ROOT}") as client,
    ):
        assert 100 <= told[-1] < TASKS
        assert (await client.get("/external-task/count")).json()["count"] >= 100
        await so(lambda: app.state.store.runner._task is not None)
        assert told[-1] == TASKS
        assert [made for made, _, _ in sorted_] == list(range(sorted_[0][1]))
        assert all(written < TASKS for _, _, written in sorted_)
        assert (await client.get("/history/batch/count")).json()["count"] == 4
        assert (await client.get("/external-task/count")).json()["count"] >= TASKS * 0.95
    assert app.state.store.runner._task is None


async def test_a_world_that_is_closed_while_it_is_written_leaves_nobody_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retriage.store.demo.world.FIRST_SLICE", 50)
    monkeypatch.setattr("retriage.store.demo.world.SLICE", 50)
    app = embedded_app(str(tmp_path / "s.db"), demo_tasks=20_000, workers=True, open_early=True)
    before = asyncio.all_tasks()
    async with app.router.lifespan_context(app):
        pass
    assert asyncio.all_tasks() == before


async def test_what_keeps_a_world_from_being_written_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("retriage.store.demo.world.InstanceRows.slice", broken)
    for early in (False, True):
        app = embedded_app(str(tmp_path / f"{early}.db"), demo_tasks=10, open_early=early)
        with pytest.raises(NotFilled, match="disk is full"):
            async with app.router.lifespan_context(app):
                pass
