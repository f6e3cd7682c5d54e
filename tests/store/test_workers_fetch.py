"""Fetch and lock: who gets what, in which order, and who does not."""

import asyncio
import sqlite3
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from retriage.store.commands.fetch_and_lock import any_candidate, candidates
from retriage.store.commands.fetch_request import checked
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import FetchAndLock
from retriage.store.contract.records import VariableValue
from retriage.store.contract.states import LogState
from retriage.store.database import now, open_database
from retriage.store.tables import ExternalTask, ExternalTaskLog, ProcessDefinition
from retriage.store.tables.types import col
from tests.store.drawings import CHOOSING, ONE_TASK, START, file, flows, process, task
from tests.store.running import Engine

EXTENSIONS = (
    '<extensionElements><camunda:properties><camunda:property name="team" value="red"/></camunda:properties>'
    "</extensionElements>"
)


async def change(engine: Engine, task_id: str, **values: Any) -> None:
    """Put a task into a state by hand."""
    async with engine.database.writing() as connection:
        await connection.execute(update(ExternalTask).where(col(ExternalTask.id) == task_id).values(values))


async def tasks(engine: Engine, number: int, drawing: bytes = ONE_TASK) -> list[str]:
    """Ids of the tasks of so many new instances, the oldest first."""
    definition = await engine.deploy(drawing)
    for index in range(number):
        await engine.start(definition, f"key-{index}")
    return [row.id for row in await engine.rows(ExternalTask)]


async def test_a_fetched_task_is_locked_and_whole(engine: Engine) -> None:
    drawn = file(
        process(START, task("charge", inside=EXTENSIONS), flows("begin>charge"), more='camunda:versionTag="2"')
    )
    started = await engine.start(await engine.deploy(drawn, tenant_id="blue"), "A-1", amount=5)
    before = now()
    (found,) = await engine.fetch({"topicName": "charge", "includeExtensionProperties": True})
    row = await engine.row(ExternalTask)
    assert found.lock_expiration_time is not None
    assert timedelta(seconds=60) <= found.lock_expiration_time - before < timedelta(seconds=70)
    assert (row.worker_id, row.lock_expiration_time) == ("w", found.lock_expiration_time)
    assert found.model_dump(by_alias=True) == {
        "activityId": "charge",
        "activityInstanceId": row.activity_instance_id,
        "errorMessage": None,
        "errorDetails": None,
        "executionId": row.execution_id,
        "id": row.id,
        "lockExpirationTime": found.lock_expiration_time,
        "createTime": row.create_time,
        "processDefinitionId": started.definition_id,
        "processDefinitionKey": "order",
        "processDefinitionVersionTag": "2",
        "processInstanceId": started.id,
        "retries": None,
        "suspended": False,
        "workerId": "w",
        "topicName": "charge",
        "tenantId": "blue",
        "variables": {"amount": {"type": "Integer", "value": 5, "valueInfo": {}}},
        "priority": 0,
        "businessKey": "A-1",
        "extensionProperties": {"team": "red"},
    }
    assert [entry.state for entry in await engine.rows(ExternalTaskLog)] == [LogState.CREATED]


async def test_who_can_be_fetched(engine: Engine) -> None:
    past, future = now() - timedelta(seconds=1), now() + timedelta(hours=1)
    states: list[tuple[dict[str, Any], bool]] = [
        ({}, True),
        ({"retries": 1}, True),
        ({"retries": 0}, False),
        ({"suspended": True}, False),
        ({"worker_id": "other", "lock_expiration_time": future}, False),
        ({"worker_id": "other", "lock_expiration_time": past}, True),
        ({"worker_id": "w", "lock_expiration_time": future}, False),
    ]
    ids = await tasks(engine, len(states))
    for task_id, (values, _) in zip(ids, states, strict=True):
        if values:
            await change(engine, task_id, **values)
    found = {one.id for one in await engine.fetch("charge")}
    assert found == {task_id for task_id, (_, wanted) in zip(ids, states, strict=True) if wanted}


async def test_the_most_over_all_topics(engine: Engine) -> None:
    await tasks(engine, 3)
    await tasks(engine, 3, file(process(START, task("bill"), flows("begin>bill"), key="other")))
    found = await engine.fetch("charge", "bill", most=4)
    assert len(found) == 4
    assert len(await engine.fetch("charge", "bill")) == 2
    assert await engine.fetch("charge", "bill") == []
    assert await engine.fetch("charge", most=0) == []
    assert await engine.fetch() == []


async def test_each_topic_has_its_own_lock_duration(engine: Engine) -> None:
    await tasks(engine, 1)
    await tasks(engine, 1, file(process(START, task("bill"), flows("begin>bill"), key="other")))
    found = await engine.fetch(
        {"topicName": "charge", "lockDuration": 1000}, {"topicName": "bill", "lockDuration": 2**62}
    )
    expiry = {one.topic_name: one.lock_expiration_time for one in found}
    assert expiry["charge"] is not None
    assert expiry["bill"] is not None
    assert expiry["charge"] < now() + timedelta(seconds=2)
    assert expiry["bill"].year == 9999


async def test_the_later_of_equal_topics_counts(engine: Engine) -> None:
    await tasks(engine, 1)
    impossible = {"topicName": "charge", "processDefinitionKey": "nothing"}
    assert await engine.fetch("charge", impossible) == []
    assert len(await engine.fetch(impossible, "charge")) == 1


@pytest.mark.parametrize(
    ("sorting", "order"),
    [
        ({"usePriority": True}, [1, 3]),
        ({"sorting": [{"sortBy": "createTime", "sortOrder": "asc"}]}, [2, 3]),
        ({"sorting": [{"sortBy": "createTime", "sortOrder": "desc"}]}, [0, 1]),
        ({"usePriority": True, "sorting": [{"sortBy": "createTime", "sortOrder": "asc"}]}, [3, 1]),
        ({"usePriority": True, "sorting": [{"sortBy": "createTime", "sortOrder": "desc"}]}, [1, 3]),
    ],
)
@pytest.mark.parametrize("topics", [["charge"], ["charge", "none"]])
async def test_order(engine: Engine, sorting: dict[str, Any], order: list[int], topics: list[str]) -> None:
    ids = await tasks(engine, 4)
    start = now()
    for index, (priority, age) in enumerate([(1, 1), (9, 2), (0, 4), (9, 3)]):
        await change(engine, ids[index], priority=priority, create_time=start - timedelta(minutes=age))
    found = [ids.index(one.id) for one in await engine.fetch(*topics, most=2, **sorting)]
    assert found == order


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({"businessKey": "key-1"}, ["key-1"]),
        ({"processDefinitionKey": "order"}, ["key-0", "key-1"]),
        ({"processDefinitionKey": "nothing"}, []),
        ({"processDefinitionKeyIn": ["order", "nothing"]}, ["key-0", "key-1"]),
        ({"processDefinitionKeyIn": []}, ["key-0", "key-1"]),
        ({"processDefinitionIdIn": ["nothing"]}, []),
        ({"processDefinitionId": "nothing"}, []),
        ({"processDefinitionVersionTag": "%"}, []),
        ({"withoutTenantId": True}, ["key-0", "key-1"]),
        ({"tenantIdIn": ["blue"]}, []),
        ({"tenantIdIn": ["blue"], "withoutTenantId": True}, []),
    ],
)
async def test_filters_of_a_topic(engine: Engine, wanted: dict[str, Any], keys: list[str]) -> None:
    await tasks(engine, 2)
    found = await engine.fetch({"topicName": "charge", **wanted})
    assert sorted(str(one.business_key) for one in found) == keys


async def test_any_process_variable_suffices(engine: Engine) -> None:
    definition = await engine.deploy(ONE_TASK)
    for name, value in (("a", 1), ("b", "x"), ("a", 2)):
        await engine.start(definition, f"{name}-{value}", **{name: value})
    found = await engine.fetch({"topicName": "charge", "processVariables": {"a": 1, "b": "x"}})
    assert sorted(str(one.business_key) for one in found) == ["a-1", "b-x"]


async def test_which_variables_come_along(engine: Engine) -> None:
    await engine.start(await engine.deploy(CHOOSING), amount=5, rank=1)
    (found,) = await engine.fetch("look")
    await engine.fail(found, 1, local_variables={"amount": {"value": 6}, "own": {"value": "x"}})
    await change(engine, found.id, lock_expiration_time=None)
    for wanted, names in (
        ({}, {"amount": 6, "rank": 1, "own": "x"}),
        ({"variables": []}, {}),
        ({"variables": ["rank", "amount", "nothing"]}, {"rank": 1, "amount": 6}),
        ({"localVariables": True}, {"amount": 6, "own": "x"}),
        ({"localVariables": True, "variables": ["rank"]}, {}),
    ):
        (again,) = await engine.fetch({"topicName": "look", **wanted})  # type: ignore[dict-item]
        assert {name: value.value for name, value in again.variables.items()} == names
        assert all(isinstance(value, VariableValue) for value in again.variables.values())
        await change(engine, found.id, lock_expiration_time=None)


async def test_nobody_gets_a_task_twice(engine: Engine) -> None:
    ids = await tasks(engine, 40)
    rounds = await asyncio.gather(*(engine.fetch("charge", most=7, workerId=f"w{index}") for index in range(8)))
    times = Counter(one.id for found in rounds for one in found)
    assert set(times.values()) == {1}
    rest = await engine.fetch("charge", most=100)
    assert set(times) | {one.id for one in rest} == set(ids)


async def test_a_look_locks_nothing(engine: Engine) -> None:
    order = FetchAndLock.model_validate(
        {"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "charge", "lockDuration": 1}]}
    )
    for number in (0, 1):
        if number:
            await tasks(engine, number)
        async with engine.database.reading() as connection:
            assert await any_candidate(connection, order) is bool(number)
    assert (await engine.row(ExternalTask)).worker_id is None


TOPIC = {"topicName": "t", "lockDuration": 1}


@pytest.mark.parametrize(
    ("order", "status", "message"),
    [
        ({}, 500, "workerId is null"),
        ({"maxTasks": -1}, 500, "workerId is null"),
        ({"workerId": "w", "maxTasks": -1}, 500, "maxResults is not greater than or equal to 0"),
        ({"workerId": "w", "topics": [{"lockDuration": 1}]}, 500, "topicName is null"),
        ({"workerId": "w", "topics": [{"topicName": "t"}]}, 500, "lockTime is not greater than 0"),
        ({"workerId": "w", "topics": [{**TOPIC, "lockDuration": -1}]}, 500, "lockTime is not greater than 0"),
        ({"sorting": [{"sortBy": "x", "sortOrder": "asc"}]}, 400, "Cannot set query sortBy parameter to value x"),
        (
            {"sorting": [{"sortBy": "createTime", "sortOrder": "x"}]},
            400,
            "Cannot set query sortOrder parameter to value x",
        ),
        (
            {"sorting": [{"sortBy": "createTime"}]},
            400,
            "Invalid query: call asc() or desc() after using orderByXX(): direction is null",
        ),
        (
            {"asyncResponseTimeout": 1_800_001},
            400,
            "The asynchronous response timeout cannot be set to a value greater than 1800000 milliseconds",
        ),
    ],
)
def test_orders_that_are_refused(order: dict[str, Any], status: int, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        checked(FetchAndLock.model_validate(order))
    assert (caught.value.status, caught.value.message) == (status, message)


@pytest.mark.parametrize(
    "sorting",
    [
        {},
        {"usePriority": True},
        {"usePriority": True, "sorting": [{"sortBy": "createTime", "sortOrder": "asc"}]},
    ],
)
async def test_the_plan_walks_the_index_of_fetchable_tasks(tmp_path: Path, sorting: dict[str, Any]) -> None:
    """Without a sort: ten of a million cost what ten of a hundred cost."""
    path = tmp_path / "store.db"
    database = await open_database(str(path))
    order = checked(FetchAndLock.model_validate({"workerId": "w", "maxTasks": 10, "topics": [TOPIC], **sorting}))
    statement = candidates(order, now(), lock_rows=True)
    sql = statement.compile(database._writer.sync_engine, compile_kwargs={"literal_binds": True})
    await database.close()
    file = sqlite3.connect(path)
    plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {sql}")]
    file.close()
    assert plan == ["SEARCH external_task USING INDEX external_task_ready (topic_name=?)"]


async def test_a_task_that_can_not_be_answered_is_not_locked(engine: Engine) -> None:
    await tasks(engine, 2)
    async with engine.database.writing() as connection:
        await connection.execute(delete(ProcessDefinition))
    with pytest.raises(ContractError, match="updated by another transaction") as caught:
        await engine.fetch("charge")
    assert (caught.value.status, caught.value.body.code) == (500, 1)
    assert [row.worker_id for row in await engine.rows(ExternalTask)] == [None, None]
