"""What workers report, and the order of the checks."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands import workers
from retriage.store.contract.deployments import BpmnError, ExtendLock, LockTask, SetPriority
from retriage.store.contract.orders import CompleteTask, FailTask
from retriage.store.contract.records import LockedExternalTask
from retriage.store.contract.states import LogState
from retriage.store.database import now
from retriage.store.tables import (
    ErrorDetails,
    Execution,
    ExternalTask,
    ExternalTaskLog,
    Incident,
    ProcessInstance,
    Variable,
)
from tests.store.drawings import ONE_TASK
from tests.store.running import Engine, refused

Order = Callable[[AsyncConnection, str, Any], Awaitable[None]]
REPORTS: list[tuple[Order, Any, str]] = [
    (workers.complete, CompleteTask, "External Task {id} cannot be completed by worker '{worker}'. "),
    (workers.fail, FailTask, "Failure of External Task {id} cannot be reported by worker '{worker}'. "),
    (workers.bpmn_error, BpmnError, "Bpmn error of External Task {id} cannot be reported by worker '{worker}'. "),
    (workers.extend_lock, ExtendLock, "The lock of the External Task {id} cannot be extended by worker '{worker}''. "),
]
NEEDED = {"error_code": "E", "new_duration": 1000}


async def one(engine: Engine, **variables: Any) -> LockedExternalTask:
    """A locked task."""
    await engine.start(await engine.deploy(ONE_TASK), **variables)
    (found,) = await engine.fetch("charge")
    return found


async def say(engine: Engine, order: Order, task_id: str, body: Any) -> None:
    async with engine.database.writing() as connection:
        await order(connection, task_id, body)


async def put(engine: Engine, **values: Any) -> None:
    """Put all tasks into a state by hand."""
    async with engine.database.writing() as connection:
        await connection.execute(update(ExternalTask).values(values))


@pytest.mark.parametrize(("order", "body", "refusal"), REPORTS)
async def test_the_checks_that_all_reports_share(engine: Engine, order: Order, body: Any, refusal: str) -> None:
    found = await one(engine)
    async with refused(500, "workerId is null", "NullValueException"):
        await say(engine, order, "unknown", body(**NEEDED))
    async with refused(404, "External task with id unknown does not exist", "RestException"):
        await say(engine, order, "unknown", body(worker_id="w", **NEEDED))
    first = refusal.format(id=found.id, worker="o")
    async with refused(400, f"{first}It is locked by worker 'w'.", "RestException"):
        await say(engine, order, found.id, body(worker_id="o", **NEEDED))
    await put(engine, suspended=True)
    async with refused(400, f"ENGINE-03043 ExternalTask with id '{found.id}' is suspended.", "RestException"):
        await say(engine, order, found.id, body(worker_id="w", **NEEDED))
    await put(engine, worker_id=None, lock_expiration_time=None)
    async with refused(400, f"{first}It is locked by worker 'null'.", "RestException"):
        await say(engine, order, found.id, body(worker_id="o", **NEEDED))


async def test_complete_takes_everything_of_the_task_away(engine: Engine) -> None:
    found = await one(engine)
    await engine.fail(found, 0, error_message="boom", error_details="deep", local_variables={"own": {"value": 1}})
    await engine.complete(found, result="x")
    for table in (ExternalTask, ErrorDetails, Execution):
        assert not await engine.rows(table)
    assert [(row.name, row.deleted) for row in await engine.rows(Variable)] == [("own", True), ("result", False)]
    incident = await engine.row(Incident)
    assert (incident.state, incident.end_time is not None) == ("resolved", True)
    entries = [(row.state, row.worker_id, row.retries, row.error_message) for row in await engine.rows(ExternalTaskLog)]
    assert entries == [
        (LogState.CREATED, None, None, None),
        (LogState.FAILED, "w", None, "boom"),
        (LogState.SUCCESSFUL, "w", 0, None),
    ]
    assert (await engine.row(ProcessInstance)).state == "COMPLETED"


async def test_an_expired_lock_is_good_until_another_takes_it(engine: Engine) -> None:
    found = await one(engine)
    await put(engine, lock_expiration_time=now() - timedelta(hours=1))
    await engine.fail(found, 1)
    await put(engine, lock_expiration_time=now() - timedelta(hours=1))
    (taken,) = await engine.fetch("charge", workerId="other")
    assert taken.id == found.id
    async with refused(
        400, f"External Task {found.id} cannot be completed by worker 'w'. It is locked by worker 'other'."
    ):
        await engine.complete(found)


async def test_failure(engine: Engine) -> None:
    found = await one(engine)
    await engine.fail(found, 3, error_message="x" * 700, error_details="deep\0", retry_timeout=90_000)
    row = await engine.row(ExternalTask)
    assert (row.retries, row.error_message, row.worker_id) == (3, "x" * 666, "w")
    assert timedelta(seconds=80) < row.lock_expiration_time - now() <= timedelta(seconds=90)
    assert (await engine.row(ErrorDetails)).details == "deep\ufffd"
    await engine.fail(found, 2)
    row = await engine.row(ExternalTask)
    assert (row.retries, row.error_message) == (2, None)
    assert row.lock_expiration_time <= now()
    assert (await engine.row(ErrorDetails)).details == "deep\ufffd"
    failed = await engine.rows(ExternalTaskLog, state=LogState.FAILED)
    assert [(row.retries, row.error_details) for row in failed] == [(None, "deep\ufffd"), (3, None)]
    assert not await engine.rows(Incident)


async def test_failure_without_retries_raises_one_incident(engine: Engine) -> None:
    found = await one(engine)
    await engine.fail(found, error_message="boom")
    await engine.fail(found, error_message="boom again")
    incident = await engine.row(Incident)
    first = (await engine.rows(ExternalTaskLog, state=LogState.FAILED))[0]
    assert (incident.configuration, incident.incident_message, incident.state) == (found.id, "boom", "open")
    assert incident.history_configuration == first.id
    assert await engine.fetch("charge") == []
    await engine.fail(found, 1, error_message="better")
    assert (await engine.row(Incident)).state == "resolved"
    assert [one.error_message for one in await engine.fetch("charge")] == ["better"]


async def test_numbers_of_a_failure_are_checked_before_the_task(engine: Engine) -> None:
    async with refused(500, "retries is not greater than or equal to 0", "ProcessEngineException"):
        await say(engine, workers.fail, "unknown", FailTask(worker_id="w", retries=-1, retry_timeout=-1))
    async with refused(500, "retryDuration is not greater than or equal to 0", "ProcessEngineException"):
        await say(engine, workers.fail, "unknown", FailTask(worker_id="w", retry_timeout=-1))


async def test_variables_of_a_failure_go_where_their_name_is(engine: Engine) -> None:
    found = await one(engine)
    await engine.fail(found, 2, variables={"a": {"value": 1}}, local_variables={"a": {"value": 2}})
    await engine.fail(found, 1, variables={"a": {"value": 3}, "b": {"value": 4}})
    rows = {(row.name, row.execution_id): row.long_value for row in await engine.rows(Variable)}
    assert rows == {("a", None): 1, ("a", found.execution_id): 3, ("b", None): 4}


async def test_a_bad_variable_is_refused_first(engine: Engine) -> None:
    message = "Cannot convert value 'x' of type 'Integer' to java type java.lang.Integer"
    bad = {"a": {"value": "x", "type": "Integer"}}
    for order, body, _ in REPORTS[:3]:
        async with refused(400, message, "InvalidRequestException"):
            await say(engine, order, "unknown", body(variables=bad))


async def test_an_error_needs_its_code(engine: Engine) -> None:
    async with refused(500, "errorCode is null", "NullValueException"):
        await say(engine, workers.bpmn_error, "unknown", BpmnError(worker_id="w"))


async def test_lock(engine: Engine) -> None:
    found = await one(engine)
    async with refused(400, "lockDuration is not greater than 0", "RestException"):
        await say(engine, workers.lock, "unknown", LockTask(worker_id="w"))
    async with refused(500, "workerId is null"):
        await say(engine, workers.lock, "unknown", LockTask())
    async with refused(404, "External task with id unknown does not exist"):
        await say(engine, workers.lock, "unknown", LockTask(worker_id="w", lock_duration=1))
    message = f"External Task {found.id} cannot be locked by worker 'o'. It is locked by worker 'w'."
    async with refused(400, message, "RestException"):
        await say(engine, workers.lock, found.id, LockTask(worker_id="o", lock_duration=1))
    await put(engine, suspended=True, retries=0)
    await say(engine, workers.lock, found.id, LockTask(worker_id="w", lock_duration=3_600_000))
    assert (await engine.row(ExternalTask)).lock_expiration_time > now() + timedelta(minutes=50)
    await put(engine, lock_expiration_time=now() - timedelta(seconds=1))
    await say(engine, workers.lock, found.id, LockTask(worker_id="o", lock_duration=1000))
    assert (await engine.row(ExternalTask)).worker_id == "o"


async def test_extend_lock(engine: Engine) -> None:
    found = await one(engine)
    async with refused(400, "lockTime is not greater than 0", "RestException"):
        await say(engine, workers.extend_lock, "unknown", ExtendLock())
    await say(engine, workers.extend_lock, found.id, ExtendLock(worker_id="w", new_duration=1000))
    assert (await engine.row(ExternalTask)).lock_expiration_time < now() + timedelta(seconds=2)
    await put(engine, lock_expiration_time=now() - timedelta(seconds=1), suspended=True)
    with pytest.raises(Exception, match=r"^Cannot extend a lock that expired: lockExpirationTime is not greater than "):
        await say(engine, workers.extend_lock, found.id, ExtendLock(worker_id="w", new_duration=1000))


async def test_unlock(engine: Engine) -> None:
    found = await one(engine)
    await put(engine, suspended=True)
    for _ in range(2):
        async with engine.database.writing() as connection:
            await workers.unlock(connection, found.id)
        row = await engine.row(ExternalTask)
        assert (row.worker_id, row.lock_expiration_time) == (None, None)
    async with (
        refused(404, "External task with id unknown does not exist", "RestException"),
        engine.database.writing() as connection,
    ):
        await workers.unlock(connection, "unknown")


async def test_priority(engine: Engine) -> None:
    found = await one(engine)
    await say(engine, workers.set_priority, found.id, SetPriority(priority=2**40))
    assert (await engine.row(ExternalTask)).priority == 2**40
    async with refused(404, "External task with id unknown does not exist", "RestException"):
        await say(engine, workers.set_priority, "unknown", SetPriority(priority=1))
    async with refused(400, "The priority cannot be null."):
        await say(engine, workers.set_priority, found.id, SetPriority())


async def test_a_retry_time_begins_at_the_moment_of_the_failure_in_the_log(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Camunda 7.24.0 has both within 1 ms; a busy store takes far longer from one statement to the next."""
    found = await one(engine)
    began, calls = now(), count(1)
    monkeypatch.setattr(workers, "now", lambda: began + timedelta(milliseconds=250 * next(calls)))
    await engine.fail(found, 0, retry_timeout=60_000)
    (failed,) = [row for row in await engine.rows(ExternalTaskLog) if row.state == LogState.FAILED]
    assert (await engine.row(ExternalTask)).lock_expiration_time == failed.timestamp + timedelta(seconds=60)
