"""What workers do first: fetch and lock; and how a process goes on when they are done."""

from datetime import timedelta
from typing import Any

import pytest

from tests.contract.answers import LOCKED_TASK, moment, refused, unreadable
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.waiting import eventually
from tests.contract.world import World, fresh, tick

FETCH = "/external-task/fetchAndLock"
HOUR = 3_600_000


def topic(name: str, **more: Any) -> dict[str, Any]:
    return {"topicName": name, "lockDuration": HOUR, **more}


async def fetch(engine: Engine, *topics: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    body = {"workerId": "worker", "maxTasks": 100, "topics": list(topics), **more}
    found: list[dict[str, Any]] = await engine.post(FETCH, body)
    return found


async def test_fetch_and_lock(engine: Engine, world: World) -> None:
    scene = await world.scene(1, business_keys=["Key"], variables={"amount": 120}, version_tag="1.4", priority=50)
    (locked,) = await fetch(engine, topic(scene.topic))
    assert set(locked) == LOCKED_TASK
    task = await world.task(scene.tasks[0])
    assert (task["workerId"], task["retries"]) == ("worker", None)
    assert moment(task["lockExpirationTime"]) > moment(task["createTime"])
    variables = {"amount": {"type": "Integer", "value": 120, "valueInfo": {}}}
    extra = {"errorDetails": None, "variables": variables, "extensionProperties": {}}
    assert locked == {**task, **extra}
    assert await fetch(engine, topic(scene.topic), workerId="another") == []


async def test_the_lock_lasts_as_long_as_asked(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (locked,) = await fetch(engine, topic(scene.topic, lockDuration=10 * HOUR))
    length = moment(locked["lockExpirationTime"]) - moment(locked["createTime"])
    assert timedelta(hours=10) <= length < timedelta(hours=10, minutes=5)


async def test_no_more_than_asked(engine: Engine, world: World) -> None:
    one, other = await world.scene(3), await world.scene(3)
    got = await fetch(engine, topic(one.topic), topic(other.topic), maxTasks=4)
    rest = await fetch(engine, topic(one.topic), topic(other.topic), maxTasks=4)
    assert (len(got), len(rest)) == (4, 2)
    assert sorted(task["id"] for task in got + rest) == sorted(one.tasks + other.tasks)
    assert await fetch(engine, topic(one.topic), maxTasks=0) == []


async def test_what_is_not_fetched(engine: Engine, world: World) -> None:
    scene = await world.scene(6)
    locked, expired, suspended, failed, retrying, _ = scene.tasks
    await world.lock(locked, "somebody")
    await world.lock(expired, "somebody", milliseconds=1)
    await eventually(lambda: engine.get("/external-task", externalTaskId=expired, notLocked=True))
    await world.suspend(scene.instances[scene.tasks.index(suspended)])
    await world.fail(failed, retries=0)
    await world.fail(retrying, "slow", retries=1, details="at line 7")
    got = {task["id"]: task for task in await fetch(engine, topic(scene.topic))}
    assert set(got) == set(scene.tasks) - {locked, suspended, failed}
    assert (got[retrying]["errorMessage"], got[retrying]["errorDetails"]) == ("slow", "at line 7")


async def test_higher_priorities_first(engine: Engine, world: World) -> None:
    key, name = fresh("order"), fresh("topic")
    steps = [Step(f"Step{priority}", name, priority) for priority in (10, 30, 20)]
    deployed = await world.deploy(Drawing(key, steps, side_by_side=True))
    await world.start(deployed.definitions[key])
    assert [task["priority"] for task in await fetch(engine, topic(name), usePriority=True)] == [30, 20, 10]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_older_or_younger_first(engine: Engine, world: World, order: str) -> None:
    scene = await world.scene(0)
    for _ in range(3):
        await world.start(scene.definition)
        await tick()
    sorting = [{"sortBy": "createTime", "sortOrder": order}]
    times = [task["createTime"] for task in await fetch(engine, topic(scene.topic), sorting=sorting)]
    assert times == sorted(times, reverse=order == "desc")
    assert len(set(times)) == 3


async def test_topic_filters(engine: Engine, world: World) -> None:
    scene = await world.scene(business_keys=["one", "two"], variables={"a": 1, "b": "x"}, version_tag="1.4")
    tenant = await world.scene(1, tenant=fresh("tenant"))
    nothing: list[dict[str, Any]] = [
        {"businessKey": "none"},
        {"processDefinitionId": "none"},
        {"processDefinitionIdIn": ["none"]},
        {"processDefinitionKey": "none"},
        {"processDefinitionKeyIn": ["none"]},
        {"processDefinitionVersionTag": "2"},
        {"processDefinitionVersionTag": "%\\"},
        {"processVariables": {"a": 2}},
        {"tenantIdIn": ["none"]},
    ]
    for condition in nothing:
        assert await fetch(engine, topic(scene.topic, **condition)) == [], condition
    assert await fetch(engine, topic(tenant.topic, withoutTenantId=True)) == []
    (by_key,) = await fetch(engine, topic(scene.topic, businessKey="two"))
    assert by_key["id"] == scene.tasks[1]
    more = {
        "processDefinitionId": scene.definition,
        "processDefinitionIdIn": [scene.definition],
        "processDefinitionKey": scene.key,
        "processDefinitionKeyIn": [scene.key, "none"],
        "processDefinitionVersionTag": "1.%",
        "processVariables": {"a": 1},
        "withoutTenantId": True,
    }
    (by_all,) = await fetch(engine, topic(scene.topic, **more))
    assert by_all["id"] == scene.tasks[0]


DAY = "2026-03-01T08:15:00.000+0000"
ONE_OF_TYPES: dict[str, Any] = {
    "short": {"type": "Short", "value": 1},
    "integer": {"type": "Integer", "value": 1},
    "long": {"type": "Long", "value": 1},
    "huge": {"type": "Long", "value": 2**31},
    "double": {"type": "Double", "value": 1.0},
    "wide": {"type": "Double", "value": 1e19},
    "true": True,
    "null": None,
    "typed-null": {"type": "Long", "value": None},
    "text": "1",
    "empty": "",
    "date": {"type": "Date", "value": DAY},
    "text-of-a-date": DAY,
}


async def test_a_variable_filter_of_a_topic_compares_with_one_type(engine: Engine, world: World) -> None:
    scene = await world.scene(0)
    started = {await world.start(scene.definition, None, {"v": one}): name for name, one in ONE_OF_TYPES.items()}
    expected: list[tuple[Any, set[str]]] = [
        (1, {"integer"}),
        (1.0, {"double"}),
        (2**31, {"huge"}),
        (2**15, set()),
        (1e19, {"wide"}),
        (float(2**63), set()),
        (True, {"true"}),
        (None, {"null", "typed-null"}),
        ("1", {"text"}),
        ("", {"empty"}),
        (DAY, {"text-of-a-date"}),
    ]
    for value, names in expected:
        tasks = await fetch(engine, topic(scene.topic, processVariables={"v": value}))
        assert {started[task["processInstanceId"]] for task in tasks} == names, value
        for task in tasks:
            await engine.order("POST", f"/external-task/{task['id']}/unlock")


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, 10**400, [1], {}], ids=["large", "small", "long", "list", "object"]
)
async def test_what_no_variable_filter_of_a_topic_takes(engine: Engine, value: Any) -> None:
    body = {"workerId": "worker", "maxTasks": 1, "topics": [topic(fresh("topic"), processVariables={"v": value})]}
    response = await engine.http.post(FETCH, json=body)
    refused(response, 500, "ProcessEngineException", "Object values cannot be used to query", 0)


async def test_which_variables_come_along(engine: Engine, world: World) -> None:
    values = {"a": 1, "b": "x", "c": None}
    scene = await world.scene(business_keys=["1", "2", "3"], variables=values)
    asked: dict[str, dict[str, Any]] = {"1": {}, "2": {"variables": []}, "3": {"variables": ["b", "none"]}}
    names = {}
    for key, more in asked.items():
        (task,) = await fetch(engine, topic(scene.topic, businessKey=key, **more))
        names[key] = set(task["variables"])
    assert names == {"1": {"a", "b", "c"}, "2": set(), "3": {"b"}}


async def test_no_topics(engine: Engine) -> None:
    assert await fetch(engine) == []
    assert await engine.post(FETCH, {"workerId": "worker", "maxTasks": 1}) == []


async def test_the_last_entry_for_a_topic_counts(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    unusable = {"topicName": scene.topic, "lockDuration": 0, "businessKey": "none"}
    (task,) = await fetch(engine, unusable, {"topicName": scene.topic, "lockDuration": 60_000})
    assert task["id"] == scene.tasks[0]


async def test_waiting_in_vain(engine: Engine) -> None:
    assert await fetch(engine, topic(fresh("nothing")), asyncResponseTimeout=20) == []


@pytest.mark.parametrize(
    ("change", "status", "type_", "message", "code"),
    [
        ({"workerId": None}, 500, "NullValueException", "workerId is null", 0),
        ({"maxTasks": -1}, 500, "ProcessEngineException", "maxResults is not greater than or equal to 0", 0),
        ({"topics": [{"lockDuration": 1}]}, 500, "NullValueException", "topicName is null", 0),
        ({"topics": [{"topicName": "a"}]}, 500, "ProcessEngineException", "lockTime is not greater than 0", 0),
        ({"topics": [{"topicName": "a"}, {}]}, 500, "NullValueException", "topicName is null", 0),
        (
            {"asyncResponseTimeout": 1_800_001},
            400,
            "InvalidRequestException",
            "The asynchronous response timeout cannot be set to a value greater than 1800000 milliseconds",
            None,
        ),
        (
            {"sorting": [{"sortBy": "id", "sortOrder": "asc"}]},
            400,
            "InvalidRequestException",
            "Cannot set query sortBy parameter to value id",
            None,
        ),
        (
            {"sorting": [{"sortBy": "createTime", "sortOrder": "up"}]},
            400,
            "InvalidRequestException",
            "Cannot set query sortOrder parameter to value up",
            None,
        ),
    ],
    ids=["worker", "max", "topic", "duration", "topic-first", "timeout", "sortBy", "sortOrder"],
)
async def test_fetches_that_are_refused(
    engine: Engine, change: dict[str, Any], status: int, type_: str, message: str, code: int | None
) -> None:
    body = {"workerId": "worker", "maxTasks": 1, "topics": [topic("a")], **change}
    refused(await engine.http.post(FETCH, json=body), status, type_, message, code)


async def test_a_tenant_must_be_a_list(engine: Engine) -> None:
    body = {"workerId": "worker", "maxTasks": 1, "topics": [topic("a", tenantIdIn="one")]}
    unreadable(await engine.http.post(FETCH, json=body), engine)


async def test_complete(engine: Engine, world: World) -> None:
    key = fresh("order")
    steps = [Step("Charge", fresh("charge")), Step("Ship", fresh("ship"))]
    deployed = await world.deploy(Drawing(key, steps))
    instance = await world.start(deployed.definitions[key])
    (charge,) = await fetch(engine, topic(steps[0].topic))
    body = {"workerId": "worker", "variables": {"paid": {"value": True}}}
    await engine.order("POST", f"/external-task/{charge['id']}/complete", body)
    (ship,) = await fetch(engine, topic(steps[1].topic))
    assert (ship["activityId"], ship["processInstanceId"]) == ("Ship", instance)
    assert ship["variables"]["paid"] == {"type": "Boolean", "value": True, "valueInfo": {}}
    await engine.order("POST", f"/external-task/{ship['id']}/complete", {"workerId": "worker"})
    assert (await engine.get(f"/history/process-instance/{instance}"))["state"] == "COMPLETED"


async def test_a_join_waits_for_all(engine: Engine, world: World) -> None:
    scene = await world.wide(3)
    for number, task in enumerate(scene.tasks, start=1):
        await world.complete(task)
        state = (await engine.get(f"/history/process-instance/{scene.instances[0]}"))["state"]
        assert state == ("COMPLETED" if number == 3 else "ACTIVE")
