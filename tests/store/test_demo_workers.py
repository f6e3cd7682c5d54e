"""Simulated workers: a retried task really goes on or fails again, and what is not theirs they leave alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text

from retriage.store.commands.instances import set_suspended
from retriage.store.commands.retries import set_retries
from retriage.store.commands.variables import set_variables
from retriage.store.contract.orders import CompleteTask, FailTask
from retriage.store.contract.records import VariableValue
from retriage.store.database import Database, open_database
from retriage.store.demo.causes import CARD_EXPIRED, CAUSES, OUTAGE, cause_of
from retriage.store.demo.worker_fetch import WINDOW, Sweep
from retriage.store.demo.worker_names import WORKERS
from retriage.store.demo.worker_pace import Pace, rate_for
from retriage.store.demo.worker_reports import decide
from retriage.store.demo.workers import SimulatedWorkers
from retriage.store.demo.world import build_world
from retriage.store.tables import ExternalTask, ProcessInstance
from retriage.store.tables.types import col

TASKS = 300


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(str(tmp_path / "world.db"))
    yield opened
    await opened.close()


async def rows(database: Database, sql: str, **values: Any) -> list[Any]:
    async with database.reading() as connection:
        return list(await connection.execute(text(sql), values))


async def number(database: Database, sql: str, **values: Any) -> int:
    return int((await rows(database, sql, **values))[0][0])


async def work(workers: SimulatedWorkers, seconds: int, begin: int = 0) -> None:
    """Let so many seconds pass for the workers; the clock on the wall does not matter."""
    for at in range(begin, begin + seconds):
        workers._count_again = 0.0
        await workers.round(float(at))


async def retry(database: Database, where: str, retries: int) -> set[str]:
    """What an operator does; answers the ids of the tasks."""
    tasks = select(col(ExternalTask.id)).where(text(where))
    ids = {row.id for row in await rows(database, f"SELECT id FROM external_task WHERE {where}")}
    async with database.writing() as connection:
        assert await set_retries(connection, tasks, retries) == len(ids)
    return ids


async def test_retried_tasks_are_completed_and_their_processes_go_on(database: Database) -> None:
    await build_world(database, TASKS, seed=7)
    instances = {
        row.id: row.process_instance_id
        for row in await rows(database, "SELECT id, process_instance_id FROM external_task WHERE retries = 0")
    }
    outage = await retry(database, "retries = 0 AND NOT suspended AND error_message LIKE 'HTTP 503%'", 3)
    workers = SimulatedWorkers(database)
    await work(workers, 60)
    left = {row.id: row for row in await rows(database, "SELECT * FROM external_task")}
    completed = outage - left.keys()
    assert len(completed) > len(outage) * 0.8
    for task in completed:
        log = await rows(
            database,
            "SELECT worker_id, topic_name FROM external_task_log WHERE external_task_id = :id AND state = 2",
            id=task,
        )
        assert [row.worker_id in WORKERS[row.topic_name] for row in log] == [True]
        assert await number(database, "SELECT count(*) FROM error_details WHERE external_task_id = :id", id=task) == 0
        (instance,) = await rows(database, "SELECT * FROM process_instance WHERE id = :id", id=instances[task])
        waiting = await number(
            database, "SELECT count(*) FROM execution WHERE process_instance_id = :id", id=instance.id
        )
        assert (waiting > 0) == (instance.state == "ACTIVE") == (instance.end_time is None)
    for task in outage - completed:
        assert left[task].retries == 2
        assert "expired" in left[task].error_message


async def test_a_lasting_cause_fails_again_with_one_retry_less_each_time(database: Database) -> None:
    await build_world(database, 4 * TASKS, seed=7)
    cards = await retry(database, "retries = 0 AND NOT suspended AND error_message LIKE 'card %'", 2)
    failures = "SELECT count(*) FROM external_task_log WHERE state = 1 AND external_task_id IN (SELECT id FROM kept)"
    async with database.writing() as connection:
        await connection.execute(text("CREATE TABLE kept (id TEXT)"))
        await connection.execute(text("INSERT INTO kept VALUES (:id)"), [{"id": task} for task in cards])
    before = await number(database, failures)
    workers = SimulatedWorkers(database)
    again = "SELECT id, retries, lock_expiration_time FROM external_task WHERE id IN (SELECT id FROM kept)"
    await work(workers, 60)
    first = await rows(database, again)
    assert len(first) > len(cards) / 2
    assert {row.retries for row in first} == {1}
    assert await number(database, failures) == before + len(first)
    async with database.writing() as connection:
        await connection.execute(text("UPDATE external_task SET lock_expiration_time = 1 WHERE retries = 1"))
    await work(workers, 60, begin=60)
    second = [row for row in await rows(database, again) if row.retries == 0]
    assert second
    raised = "SELECT count(*) FROM incident WHERE end_time IS NULL AND configuration IN (SELECT id FROM kept)"
    assert await number(database, raised) == len(second)


REFUSED = "error_message LIKE 'amount must not be negative:%'"


async def test_a_negative_amount_is_refused_until_the_variable_is_right(database: Database) -> None:
    """An instance's variable decides, or that of the task where it hides the instance's."""
    await build_world(database, 4 * TASKS, seed=7)
    tasks = await retry(database, f"retries = 0 AND {REFUSED}", 1)
    assert len(tasks) > 10
    before = await rows(database, f"SELECT id, error_message FROM external_task WHERE {REFUSED} ORDER BY id")
    workers = SimulatedWorkers(database)
    await work(workers, 60)
    again = await rows(database, f"SELECT id, error_message FROM external_task WHERE retries = 0 AND {REFUSED}")
    assert {row.id for row in again} == tasks
    assert set(again) <= set(before)
    places = await rows(
        database, f"SELECT process_instance_id, execution_id FROM external_task WHERE retries = 0 AND {REFUSED}"
    )
    hidden = places[0]
    async with database.writing() as connection:
        for place in places:
            await set_variables(connection, place[0], {"amount": VariableValue(type="Double", value=130.0)})
        own = {"amount": VariableValue(type="Integer", value=-7)}
        await set_variables(connection, hidden[0], own, hidden[1], local=True)
    await retry(database, f"retries = 0 AND {REFUSED}", 1)
    await work(workers, 60, begin=60)
    left = await rows(
        database, f"SELECT execution_id, error_message FROM external_task WHERE retries = 0 AND {REFUSED}"
    )
    assert [tuple(row) for row in left] == [(hidden[1], "amount must not be negative: -7.00")]


async def test_what_was_just_retried_does_not_wait_behind_what_workers_gave_back(database: Database) -> None:
    """The oldest ones are the last of those that wait among them, by the hundred."""
    await build_world(database, 40 * TASKS, seed=4)
    oldest = "id IN (SELECT id FROM external_task WHERE retries = 0 AND NOT suspended ORDER BY id LIMIT 10)"
    chosen = await retry(database, oldest, 1)
    windows = 40 * TASKS // WINDOW
    sweep = Sweep()
    for _ in range(windows + 1):
        async with database.reading() as connection:
            ids, given_back = await sweep.look(connection)
        if chosen & set(ids):
            break
        sweep.move()
    assert set(ids[: len(chosen)]) == chosen
    assert len(ids) + len(given_back) > 10 * len(chosen)


async def test_workers_come_back_to_what_they_gave_back_while_the_outage_lasts(database: Database) -> None:
    await build_world(database, TASKS, seed=7)
    given_back = "FROM external_task WHERE retries > 0"
    async with database.writing() as connection:
        await connection.execute(text("UPDATE external_task SET lock_expiration_time = 1 WHERE retries > 0"))
    before = await number(database, f"SELECT sum(retries) {given_back}")
    later = SimulatedWorkers(database)
    await work(later, 20)
    assert before - await number(database, f"SELECT sum(retries) {given_back}") < 5
    outage = SimulatedWorkers(database, outage=60.0)
    await work(outage, 20)
    assert outage.tally.failed > 10


async def test_tasks_that_are_locked_suspended_or_without_retries_stay_as_they_are(database: Database) -> None:
    await build_world(database, TASKS, seed=7)
    others = (
        "SELECT * FROM external_task WHERE suspended OR retries = 0 "
        "OR lock_expiration_time > CAST(strftime('%s', 'now') AS INTEGER) * 1000 + 300000 ORDER BY id"
    )
    before = await rows(database, others)
    assert len(before) > TASKS / 2
    workers = SimulatedWorkers(database)
    await work(workers, 60)
    assert workers.tally.completed > 0
    after = {row.id: row for row in await rows(database, "SELECT * FROM external_task")}
    assert [after[row.id] for row in before] == before


async def test_an_instance_suspended_while_a_worker_holds_its_task_is_left_alone(database: Database) -> None:
    await build_world(database, TASKS, seed=7)
    workers = SimulatedWorkers(database, tasks_per_second=1500)
    await work(workers, 2)
    assert workers.tally.taken > 0
    assert workers.tally.completed == 0
    held = workers.tally.taken
    async with database.writing() as connection:
        await set_suspended(connection, select(col(ProcessInstance.id)), True)
    before = await rows(database, "SELECT * FROM external_task ORDER BY id")
    await work(workers, 20, begin=10)
    assert workers.tally.lost == held
    ours = {row.id for row in before}
    after = [row for row in await rows(database, "SELECT * FROM external_task ORDER BY id") if row.id in ours]
    assert after == before


async def test_the_world_is_alive_but_keeps_its_size(database: Database) -> None:
    await build_world(database, TASKS, seed=7)
    running = "SELECT count(*) FROM process_instance WHERE end_time IS NULL"
    ready = "SELECT count(*) FROM external_task WHERE (retries IS NULL OR retries > 0) AND NOT suspended"
    instances, tasks = await number(database, running), await number(database, ready)
    workers = SimulatedWorkers(database, tasks_per_second=1500)
    await work(workers, 150)
    assert workers.tally.completed > TASKS * 0.7
    assert workers.tally.started > TASKS / 10
    assert abs(await number(database, ready) - tasks) < tasks * 0.15
    assert abs(await number(database, running) - instances) < instances * 0.15
    keys = [row[0] for row in await rows(database, "SELECT business_key FROM process_instance")]
    assert len(keys) == len(set(keys))


async def test_news_of_tasks_is_told(database: Database) -> None:
    await build_world(database, 60, seed=7)
    rings: list[int] = []
    workers = SimulatedWorkers(database, tasks_per_second=1500, tasks_changed=lambda: rings.append(1))
    await work(workers, 20)
    assert rings


async def test_a_store_without_demo_processes_is_left_alone(database: Database) -> None:
    workers = SimulatedWorkers(database)
    await work(workers, 5)
    assert (workers.tally.taken, workers.tally.started) == (0, 0)


async def test_starting_and_stopping_twice_is_harmless(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retriage.store.demo.workers._HOLD_SECONDS", (0.0, 0.0))
    await build_world(database, 60, seed=7)
    news = asyncio.Event()
    workers = SimulatedWorkers(database, tasks_per_second=1500, tasks_changed=news.set)
    await workers.stop()
    for _ in range(2):
        await workers.start()
        await workers.start()
        news.clear()
        async with asyncio.timeout(60):
            await news.wait()
        await workers.stop()
        await workers.stop()
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "simulated workers"]
    assert workers.tally.completed + workers.tally.started > 1


def reports(topic: str, retries: int | None, message: str | None) -> list[CompleteTask | FailTask]:
    random = Random(5)
    return [decide(topic, retries, message, "someone", random) for _ in range(400)]


def test_behind_the_outage_a_few_cards_turn_out_to_have_expired() -> None:
    random = Random(1)
    made = reports("charge-card", 3, OUTAGE.error(random))
    failed = [report for report in made if isinstance(report, FailTask)]
    assert 0 < len(failed) < 40
    assert {cause_of("charge-card", report.error_message) for report in failed} == {CARD_EXPIRED}


def test_a_lasting_cause_keeps_its_message_and_counts_down() -> None:
    message = CARD_EXPIRED.error(Random(1))
    for before, after in ((3, 2), (2, 1), (1, 0)):
        failed = [report for report in reports("charge-card", before, message) if isinstance(report, FailTask)]
        assert len(failed) > 300
        assert {(report.retries, report.error_message) for report in failed} == {(after, message)}
        assert all(((report.retry_timeout or 0) > 0) == (after > 0) for report in failed)


def test_few_first_attempts_fail() -> None:
    for topic in WORKERS:
        failed = [report for report in reports(topic, None, None) if isinstance(report, FailTask)]
        assert len(failed) < 60
        assert {report.retries for report in failed} <= {2}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_a_cause_knows_its_own_messages(cause: Any) -> None:
    random = Random(3)
    messages = [cause.error(random) for _ in range(50)]
    for topic in cause.topics:
        assert {cause_of(topic, message) for message in messages} == {cause}
    assert cause_of("no-such-topic", messages[0]) is None
    assert len(set(messages)) > 1 or messages[0] is None


def test_the_pace_follows_what_waits() -> None:
    pace = Pace(rate=25, level=100)
    assert sum(pace.retried(0.25, 3000) for _ in range(40)) == pytest.approx(250, abs=1)
    slow = sum(pace.retried(0.25, 60) for _ in range(40))
    assert slow == pytest.approx(30, abs=1)
    assert pace.retried(10.0, 0) == 0
    assert pace.retried(0.0, 5) == 0
    usual = sum(pace.other(0.25, 100, outage=True) for _ in range(400))
    assert usual == pytest.approx(30, abs=1)
    assert sum(pace.other(0.25, 100) for _ in range(1600)) == pytest.approx(20, abs=1)
    assert sum(pace.other(0.25, 1000) for _ in range(40)) > 4 * usual
    assert pace.other(1000.0, 100) <= 25


def test_what_ends_is_replaced_unless_there_is_too_much() -> None:
    pace = Pace(rate=25, level=100)
    assert pace.newcomers(1.0, 7, 100) == 7
    assert pace.newcomers(1.0, 7, 120) == 0
    assert sum(pace.newcomers(1.0, 1, 80) for _ in range(25)) == 27


def test_larger_worlds_go_mildly_faster() -> None:
    rates = [rate_for(tasks) for tasks in (0, 3000, 30_000, 100_000, 1_000_000)]
    assert rates == sorted(rates)
    assert rates[0] == rates[1] == 25
    assert rates[-1] == 50
