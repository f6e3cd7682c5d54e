"""The queries of the user operation log; see ``test_user_operations`` for what is written there."""

from typing import Any

import pytest

from tests.contract.answers import ids, moment, refused, wire
from tests.contract.conftest import USER
from tests.contract.engine import Engine
from tests.contract.world import World, tick

PATH = "/history/user-operation"
FAR = "2099-01-01T00:00:00.000+0000"
ABSENT = (
    "executionId",
    "caseDefinitionId",
    "caseInstanceId",
    "caseExecutionId",
    "taskId",
    "jobId",
    "jobDefinitionId",
    "batchId",
)
"""Filters on what no entry of an external task has."""


@pytest.fixture
def engine(guarded_engine: Engine) -> Engine:
    """The engine that asks for users."""
    return guarded_engine


async def test_filters(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (task,), (instance,) = scene.tasks, scene.instances
    await engine.order("PUT", f"/external-task/{task}/retries", {"retries": 3})
    await tick()
    await engine.order("PUT", f"/external-task/{task}/priority", {"priority": 3})
    created, retries, priority = await engine.get(PATH, processInstanceId=instance, sortBy="timestamp", sortOrder="asc")
    assert [entry["operationType"] for entry in (created, retries, priority)] == [
        "Create",
        "SetExternalTaskRetries",
        "SetPriority",
    ]
    base = {"processInstanceId": instance}
    everything = {created["id"], retries["id"], priority["id"]}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, everything),
        ({"externalTaskId": task}, {retries["id"], priority["id"]}),
        ({"operationType": "SetPriority"}, {priority["id"]}),
        ({"operationId": retries["operationId"]}, {retries["id"]}),
        ({"property": "retries"}, {retries["id"]}),
        ({"entityType": "ExternalTask"}, {retries["id"], priority["id"]}),
        ({"entityTypeIn": ["ProcessInstance", "Job"]}, {created["id"]}),
        ({"entityTypeIn": ""}, set()),
        ({"userId": USER[0]}, everything),
        ({"userId": "nobody"}, set()),
        ({"category": "Operator"}, everything),
        ({"category": "Admin"}, set()),
        ({"categoryIn": ["Operator", "Admin"]}, everything),
        ({"categoryIn": ["Admin"]}, set()),
        ({"deploymentId": scene.deployment}, everything),
        ({"processDefinitionId": scene.definition}, everything),
        ({"processDefinitionKey": scene.key}, everything),
        ({"afterTimestamp": retries["timestamp"]}, {priority["id"]}),
        ({"beforeTimestamp": priority["timestamp"]}, {created["id"], retries["id"]}),
        ({"afterTimestamp": wire(moment(created["timestamp"])), "beforeTimestamp": FAR}, everything - {created["id"]}),
        *(({name: "none"}, set()) for name in ABSENT),
    ]
    for filters, expected in cases:
        found = await engine.get(PATH, **base, **filters)
        assert set(ids(found)) == expected, filters
        assert await engine.get(f"{PATH}/count", **base, **filters) == {"count": len(expected)}, filters


async def test_sorting_and_pages(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    for retries in (1, 2):
        await tick()
        await engine.order("PUT", f"/external-task/{scene.tasks[0]}/retries", {"retries": retries})
    base: dict[str, Any] = {"processInstanceId": scene.instances[0], "sortBy": "timestamp"}
    up = ids(await engine.get(PATH, **base, sortOrder="asc"))
    assert len(up) == 3
    assert ids(await engine.get(PATH, **base, sortOrder="desc")) == up[::-1]
    assert ids(await engine.get(PATH, **base, sortOrder="asc", firstResult=1, maxResults=1)) == up[1:2]
    response = await engine.http.get(PATH, params={"sortBy": "userId", "sortOrder": "asc"})
    refused(response, 400, "InvalidRequestException", "Cannot set query parameter 'sortBy' to value 'userId'")
