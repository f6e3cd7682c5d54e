"""Retries of one task, and of many in one transaction; the incidents that come and go with them."""

from typing import Any

import pytest

from tests.contract.answers import INCIDENT, moment, refused, unreadable
from tests.contract.batches import unknown_task
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

BULK = "/external-task/retries"
NO_RETRIES = "The number of retries cannot be null."
NEGATIVE = "The number of retries cannot be negative: retries is not greater than or equal to 0"


async def set_one(engine: Engine, task: str, retries: Any, **more: Any) -> None:
    await engine.order("PUT", f"/external-task/{task}/retries", {"retries": retries, **more})


@pytest.mark.parametrize("before", [None, 0, 4])
@pytest.mark.parametrize("after", [0, 1, 4])
async def test_one_task(engine: Engine, world: World, before: int | None, after: int) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    if before is not None:
        await set_one(engine, task, before)
    was = await world.task(task)
    await set_one(engine, task, after)
    assert await world.task(task) == {**was, "retries": after}
    assert (await engine.get("/incident/count", configuration=task))["count"] == (1 if after == 0 else 0)


async def test_the_incident_of_a_failed_task(engine: Engine, world: World) -> None:
    scene = await world.scene(1, tenant="acme")
    (task,) = scene.tasks
    await world.fail(task, "no answer from the bank", retries=1)
    await set_one(engine, task, 0)
    incident = await world.incident(task)
    assert set(incident) == INCIDENT
    moment(incident["incidentTimestamp"])
    assert incident == {
        "id": incident["id"],
        "processDefinitionId": scene.definition,
        "processInstanceId": scene.instances[0],
        "executionId": (await world.task(task))["executionId"],
        "incidentTimestamp": incident["incidentTimestamp"],
        "incidentType": "failedExternalTask",
        "activityId": "Charge",
        "failedActivityId": None,
        "causeIncidentId": incident["id"],
        "rootCauseIncidentId": incident["id"],
        "configuration": task,
        "incidentMessage": "no answer from the bank",
        "tenantId": "acme",
        "jobDefinitionId": None,
        "annotation": None,
    }


async def test_a_task_that_never_failed_has_no_message(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await set_one(engine, scene.tasks[0], 0)
    assert (await world.incident(scene.tasks[0]))["incidentMessage"] is None


async def test_zero_twice_is_one_incident(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await set_one(engine, scene.tasks[0], 0)
    first = await world.incident(scene.tasks[0])
    await set_one(engine, scene.tasks[0], 0)
    assert await world.incident(scene.tasks[0]) == first


async def test_the_incident_of_a_second_failure_is_a_new_one(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await set_one(engine, scene.tasks[0], 0)
    first = await world.incident(scene.tasks[0])
    await set_one(engine, scene.tasks[0], 2)
    await set_one(engine, scene.tasks[0], 0)
    assert (await world.incident(scene.tasks[0]))["id"] != first["id"]


async def test_retries_leave_the_rest_of_a_task_alone(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    await world.fail(task, "no answer", retries=0, details="at line 7")
    await world.lock(task, "somebody")
    await world.suspend(scene.instances[0])
    was = await world.task(task)
    await set_one(engine, task, 3)
    assert await world.task(task) == {**was, "retries": 3}
    assert (await engine.http.get(f"/external-task/{task}/errorDetails")).text == "at line 7"


@pytest.mark.parametrize("due", ["2026-03-01T09:15:00.000+0100", None])
async def test_a_due_date_is_accepted_and_ignored(engine: Engine, world: World, due: str | None) -> None:
    scene = await world.scene(1)
    await set_one(engine, scene.tasks[0], 3, dueDate=due)
    assert await world.retries(scene.tasks) == [3]


@pytest.mark.parametrize("body", [{}, {"retries": None}, {"retries": ""}], ids=str)
async def test_one_task_needs_retries(engine: Engine, world: World, body: Any) -> None:
    scene = await world.scene(1)
    for task in (*scene.tasks, fresh("none")):
        response = await engine.http.put(f"/external-task/{task}/retries", json=body)
        refused(response, 400, "InvalidRequestException", NO_RETRIES)


async def test_one_task_refuses_negative_retries(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    for task in (*scene.tasks, fresh("none")):
        response = await engine.http.put(f"/external-task/{task}/retries", json={"retries": -1})
        refused(response, 400, "BadUserRequestException", NEGATIVE, 0)
    assert await world.retries(scene.tasks) == [None]


async def test_one_unknown_task(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.put(f"/external-task/{nowhere}/retries", json={"retries": 1})
    refused(response, 404, "RestException", f"External task with id {nowhere} does not exist", 0)


@pytest.mark.parametrize("value", ["many", True, 2**31, -(2**31) - 1, [1], {}, "5.0"], ids=str)
async def test_retries_of_the_wrong_kind(engine: Engine, world: World, value: Any) -> None:
    scene = await world.scene(1)
    unreadable(await engine.http.put(f"/external-task/{scene.tasks[0]}/retries", json={"retries": value}), engine)
    assert await world.retries(scene.tasks) == [None]


async def test_many_by_every_source(engine: Engine, world: World) -> None:
    named, instances, tasks, running, historic, left = [await world.scene(1) for _ in range(6)]
    body = {
        "retries": 3,
        "externalTaskIds": named.tasks * 2,
        "processInstanceIds": instances.instances,
        "externalTaskQuery": {"topicName": tasks.topic},
        "processInstanceQuery": {"processDefinitionKey": running.key},
        "historicProcessInstanceQuery": {"processDefinitionKey": historic.key},
    }
    await engine.order("PUT", BULK, body)
    for scene in (named, instances, tasks, running, historic):
        assert await world.retries(scene.tasks) == [3]
    assert await world.retries(left.tasks) == [None]


async def test_many_raise_and_resolve_incidents(engine: Engine, world: World) -> None:
    scene = await world.scene(4)
    await world.set_retries(0, *scene.tasks[:2])
    standing = await world.incident(scene.tasks[0])
    await world.set_retries(0, scene.tasks[0], scene.tasks[2])
    assert await world.incident(scene.tasks[0]) == standing
    assert (await engine.get("/incident/count", processDefinitionId=scene.definition))["count"] == 3
    await engine.order("PUT", BULK, {"retries": 1, "externalTaskQuery": {"topicName": scene.topic}})
    assert (await engine.get("/incident/count", processDefinitionId=scene.definition))["count"] == 0
    assert await world.retries(scene.tasks) == [1] * 4


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, NO_RETRIES),
        ({"externalTaskIds": [None]}, NO_RETRIES),
        ({"retries": 1}, "externalTaskIds is empty"),
        ({"retries": 1, "externalTaskIds": []}, "externalTaskIds is empty"),
        ({"retries": 1, "externalTaskQuery": {"topicName": "nobody-waits-here"}}, "externalTaskIds is empty"),
        (
            {"retries": 1, "externalTaskIds": ["one", None]},
            "External task id cannot be null: externalTaskIds contains null value",
        ),
        ({"retries": -1}, "externalTaskIds is empty"),
    ],
    ids=str,
)
async def test_many_refusals(engine: Engine, body: Any, message: str) -> None:
    refused(await engine.http.put(BULK, json=body), 400, "InvalidRequestException", message)


async def test_many_refuse_negative_retries(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    response = await engine.http.put(BULK, json={"retries": -1, "externalTaskIds": scene.tasks})
    refused(response, 400, "InvalidRequestException", NEGATIVE)
    assert await world.retries(scene.tasks) == [None, None]


async def test_many_with_one_unknown_change_nothing(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.set_retries(0, scene.tasks[0])
    nowhere = fresh("none")
    body = {"retries": 5, "externalTaskIds": [*scene.tasks, nowhere]}
    response = await engine.http.put(BULK, json=body)
    refused(response, 404, "InvalidRequestException", unknown_task(nowhere))
    assert await world.retries(scene.tasks) == [0, None, None]
    assert (await engine.get("/incident/count", processDefinitionId=scene.definition))["count"] == 1


async def test_many_null_instance(engine: Engine) -> None:
    response = await engine.http.put(BULK, json={"retries": 1, "processInstanceIds": [None]})
    assert response.status_code >= 400
    assert response.json()["message"] == "processInstanceIdIn contains null value"
