"""What workers do with a task they have: complete, fail, lock, extend, unlock; and the priority of a task."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.contract.answers import moment, refused
from tests.contract.engine import Engine
from tests.contract.waiting import eventually
from tests.contract.world import Scene, World, fresh

HOUR = 3_600_000


async def held(world: World) -> Scene:
    """A task that "worker" has locked."""
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker")
    return scene


async def work(engine: Engine, task: str, verb: str, body: dict[str, Any]) -> httpx.Response:
    return await engine.http.post(f"/external-task/{task}/{verb}", json=body)


BODIES: dict[str, dict[str, Any]] = {
    "complete": {},
    "failure": {"errorMessage": "x", "retries": 1},
    "bpmnError": {"errorCode": "declined"},
    "lock": {"lockDuration": HOUR},
    "extendLock": {"newDuration": HOUR},
}
NOT_YOURS = {
    "complete": "External Task {id} cannot be completed by worker '{worker}'. It is locked by worker 'worker'.",
    "failure": (
        "Failure of External Task {id} cannot be reported by worker '{worker}'. It is locked by worker 'worker'."
    ),
    "bpmnError": (
        "Bpmn error of External Task {id} cannot be reported by worker '{worker}'. It is locked by worker 'worker'."
    ),
    "lock": "External Task {id} cannot be locked by worker '{worker}'. It is locked by worker 'worker'.",
    "extendLock": (
        "The lock of the External Task {id} cannot be extended by worker '{worker}''. It is locked by worker 'worker'."
    ),
}


@pytest.mark.parametrize("verb", BODIES)
async def test_an_unknown_task(engine: Engine, verb: str) -> None:
    nowhere = fresh("none")
    response = await work(engine, nowhere, verb, {"workerId": "worker", **BODIES[verb]})
    refused(response, 404, "RestException", f"External task with id {nowhere} does not exist", 0)


@pytest.mark.parametrize("verb", BODIES)
async def test_a_worker_must_say_its_name(engine: Engine, verb: str) -> None:
    refused(await work(engine, fresh("none"), verb, BODIES[verb]), 500, "NullValueException", "workerId is null", 0)


@pytest.mark.parametrize("verb", BODIES)
async def test_another_worker_is_refused(engine: Engine, world: World, verb: str) -> None:
    scene = await held(world)
    was = await world.task(scene.tasks[0])
    other = fresh("other")
    response = await work(engine, scene.tasks[0], verb, {"workerId": other, **BODIES[verb]})
    refused(response, 400, "RestException", NOT_YOURS[verb].format(id=scene.tasks[0], worker=other), 0)
    assert await world.task(scene.tasks[0]) == was


@pytest.mark.parametrize("verb", ["complete", "failure", "bpmnError", "extendLock"])
async def test_nobody_holds_the_task(engine: Engine, world: World, verb: str) -> None:
    scene = await world.scene(1)
    response = await work(engine, scene.tasks[0], verb, {"workerId": "worker", **BODIES[verb]})
    message = NOT_YOURS[verb].replace("locked by worker 'worker'", "locked by worker 'null'")
    refused(response, 400, "RestException", message.format(id=scene.tasks[0], worker="worker"), 0)


@pytest.mark.parametrize("verb", ["complete", "failure", "bpmnError", "extendLock"])
async def test_a_suspended_task_is_not_worked(engine: Engine, world: World, verb: str) -> None:
    scene = await held(world)
    await world.suspend(scene.instances[0])
    response = await work(engine, scene.tasks[0], verb, {"workerId": "worker", **BODIES[verb]})
    message = f"ENGINE-03043 ExternalTask with id '{scene.tasks[0]}' is suspended."
    refused(response, 400, "RestException", message, 0)


@pytest.mark.parametrize(
    ("verb", "change", "status", "type_", "message"),
    [
        ("failure", {"retries": -1}, 500, "ProcessEngineException", "retries is not greater than or equal to 0"),
        (
            "failure",
            {"retryTimeout": -1},
            500,
            "ProcessEngineException",
            "retryDuration is not greater than or equal to 0",
        ),
        ("lock", {"lockDuration": 0}, 400, "RestException", "lockDuration is not greater than 0"),
        ("lock", {"lockDuration": None}, 400, "RestException", "lockDuration is not greater than 0"),
        ("extendLock", {"newDuration": 0}, 400, "RestException", "lockTime is not greater than 0"),
        ("bpmnError", {"errorCode": None}, 500, "NullValueException", "errorCode is null"),
    ],
    ids=["retries", "timeout", "lock", "no-lock", "extend", "code"],
)
async def test_values_that_are_refused(
    engine: Engine, verb: str, change: dict[str, Any], status: int, type_: str, message: str
) -> None:
    body = {"workerId": "worker", **BODIES[verb], **change}
    refused(await work(engine, fresh("none"), verb, body), status, type_, message, 0)


@pytest.mark.parametrize("code", ["", " "])
async def test_an_error_without_a_code(engine: Engine, world: World, code: str) -> None:
    scene = await held(world)
    (task,) = scene.tasks
    before = await world.task(task)
    for variables in ({}, {"x": {"value": 1}}):
        body = {"workerId": "worker", "errorCode": code, "errorMessage": "m", "variables": variables}
        refused(await work(engine, task, "bpmnError", body), 500, "ProcessEngineException", "Error Code is empty", 0)
    other = await work(engine, task, "bpmnError", {"workerId": "other", "errorCode": code})
    message = NOT_YOURS["bpmnError"].format(id=task, worker="other")
    refused(other, 400, "RestException", message, 0)
    assert await world.task(task) == before
    assert await engine.get(f"/process-instance/{scene.instances[0]}/variables") == {}


async def test_completion_resolves_the_incident(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.fail(scene.tasks[0], retries=0)
    await world.incident(scene.tasks[0])
    await world.complete(scene.tasks[0])
    assert await engine.get("/incident", configuration=scene.tasks[0]) == []


async def test_a_lock_that_is_over_still_serves_its_worker(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker", milliseconds=1)
    await eventually(lambda: engine.get("/external-task", externalTaskId=scene.tasks[0], notLocked=True))
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/complete", {"workerId": "worker"})


async def test_failure(engine: Engine, world: World) -> None:
    scene = await held(world)
    (task,) = scene.tasks
    was = await world.task(task)
    body = {"workerId": "worker", "errorMessage": "slow", "errorDetails": "at line 7", "retries": 2}
    await engine.order("POST", f"/external-task/{task}/failure", {**body, "retryTimeout": HOUR})
    now = await world.task(task)
    assert now == {**was, "errorMessage": "slow", "retries": 2, "lockExpirationTime": now["lockExpirationTime"]}
    assert (await engine.http.get(f"/external-task/{task}/errorDetails")).text == "at line 7"
    assert await engine.get("/incident", configuration=task) == []
    assert await engine.get("/external-task", externalTaskId=task, locked=True)


async def test_failure_without_retries_is_the_last(engine: Engine, world: World) -> None:
    scene = await held(world)
    body = {"workerId": "worker", "errorMessage": "gone"}
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/failure", body)
    assert (await world.task(scene.tasks[0]))["retries"] == 0
    assert (await world.incident(scene.tasks[0]))["incidentMessage"] == "gone"


async def test_what_a_later_failure_keeps(engine: Engine, world: World) -> None:
    scene = await held(world)
    path = f"/external-task/{scene.tasks[0]}"
    first = {"workerId": "worker", "errorMessage": "slow", "errorDetails": "at line 7", "retries": 2}
    await engine.order("POST", f"{path}/failure", first)
    await engine.order("POST", f"{path}/failure", {"workerId": "worker", "retries": 1})
    assert (await world.task(scene.tasks[0]))["errorMessage"] is None
    assert (await engine.http.get(f"{path}/errorDetails")).text == "at line 7"


async def test_a_long_message_is_cut(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.fail(scene.tasks[0], "ä" * 700, details="ö" * 5000)
    assert (await world.task(scene.tasks[0]))["errorMessage"] == "ä" * 666
    assert (await world.incident(scene.tasks[0]))["incidentMessage"] == "ä" * 666
    assert (await engine.http.get(f"/external-task/{scene.tasks[0]}/errorDetails")).text == "ö" * 5000


async def test_hostile_text_comes_back_as_it_was(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    text = "\x1b[31mred\x07 [b]bold[/b] \u202egnol\u202c \u0001 \t\n 🜚"
    await world.fail(scene.tasks[0], text, details=text)
    assert (await world.task(scene.tasks[0]))["errorMessage"] == text
    assert (await engine.http.get(f"/external-task/{scene.tasks[0]}/errorDetails")).text == text


async def test_an_uncaught_bpmn_error_ends_the_path(engine: Engine, world: World) -> None:
    scene = await held(world)
    await world.set_retries(0, *scene.tasks)
    body = {"workerId": "worker", "errorCode": "declined", "errorMessage": "by the issuer"}
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/bpmnError", body)
    assert await engine.get("/external-task", topicName=scene.topic) == []
    assert await engine.get("/incident", configuration=scene.tasks[0]) == []
    assert (await engine.get(f"/history/process-instance/{scene.instances[0]}"))["endTime"] is not None


async def test_lock_and_unlock(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    await world.set_retries(0, task)
    await world.suspend(scene.instances[0])
    was = await world.task(task)
    for length in (HOUR, 2 * HOUR):
        await world.lock(task, "worker", length)
        now = await world.task(task)
        assert now == {**was, "workerId": "worker", "lockExpirationTime": now["lockExpirationTime"]}
    assert moment(now["lockExpirationTime"]) - moment(now["createTime"]) >= timedelta(hours=2)
    for _ in range(2):
        await engine.order("POST", f"/external-task/{task}/unlock")
        assert await world.task(task) == was


async def test_a_lock_that_is_over_may_be_taken(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "one", milliseconds=1)
    await eventually(lambda: engine.get("/external-task", externalTaskId=scene.tasks[0], notLocked=True))
    await world.lock(scene.tasks[0], "two")
    assert (await world.task(scene.tasks[0]))["workerId"] == "two"


async def test_extend_lock(engine: Engine, world: World) -> None:
    scene = await held(world)
    path = f"/external-task/{scene.tasks[0]}/extendLock"
    await engine.order("POST", path, {"workerId": "worker", "newDuration": 10 * HOUR})
    now = await world.task(scene.tasks[0])
    assert moment(now["lockExpirationTime"]) - moment(now["createTime"]) >= timedelta(hours=10)
    await engine.order("POST", path, {"workerId": "worker", "newDuration": HOUR})
    shorter = await world.task(scene.tasks[0])
    assert moment(shorter["lockExpirationTime"]) < moment(now["lockExpirationTime"])


async def test_a_lock_that_is_over_is_not_extended(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker", milliseconds=1)
    await eventually(lambda: engine.get("/external-task", externalTaskId=scene.tasks[0], notLocked=True))
    response = await work(engine, scene.tasks[0], "extendLock", {"workerId": "worker", "newDuration": HOUR})
    assert response.status_code == 400
    body = response.json()
    start = "Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to "
    assert body["message"].removeprefix(start).isdigit()
    assert (body["type"], body["code"]) == ("RestException", 0)


async def test_unlocking_an_unknown_task(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.post(f"/external-task/{nowhere}/unlock")
    refused(response, 404, "RestException", f"External task with id {nowhere} does not exist", 0)


async def test_priority(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    was = await world.task(scene.tasks[0])
    for priority in (80, -5, 2**40):
        await engine.order("PUT", f"/external-task/{scene.tasks[0]}/priority", {"priority": priority})
        assert await world.task(scene.tasks[0]) == {**was, "priority": priority}
    nowhere = fresh("none")
    response = await engine.http.put(f"/external-task/{nowhere}/priority", json={"priority": 1})
    refused(response, 404, "RestException", f"External task with id {nowhere} does not exist", 0)


async def test_topic_names(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    names = "/external-task/topic-names"
    assert (await engine.get(names)).count(scene.topic) == 1
    await world.set_retries(0, *scene.tasks)
    assert scene.topic not in await engine.get(names, withRetriesLeft=True)
    assert scene.topic not in await engine.get(names, withLockedTasks=True)
    assert scene.topic in await engine.get(names, withUnlockedTasks=True)
    await world.lock(scene.tasks[0], "worker")
    assert scene.topic in await engine.get(names, withLockedTasks=True)
