"""``/history/activity-instance``: what became of the activities of external tasks."""

from typing import Any

from tests.contract.answers import HISTORIC_ACTIVITY_INSTANCE, moment, refused
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.world import World, fresh, tick

PATH = "/history/activity-instance"
TASKS = {"activityType": "serviceTask"}
"""The engine has events and gateways too, which the store keeps no rows for."""


async def three(world: World) -> tuple[str, str, dict[str, Any]]:
    """An instance at three tasks: ``a`` was completed, ``b`` cancelled by a modification, ``c`` waits.

    Returns:
        Ids of definition and instance, and the tasks by their activities.
    """
    key, topic = fresh("history"), fresh("topic")
    drawing = Drawing(key, [Step(name, topic) for name in "abc"], side_by_side=True)
    deployed = await world.deploy(drawing, tenant=fresh("tenant"))
    definition = deployed.definitions[key]
    instance = await world.start(definition)
    tasks = {one["activityId"]: one for one in await world.engine.post("/external-task", {"topicName": topic})}
    await tick()
    await world.complete(tasks["a"]["id"])
    await tick()
    instructions = [{"type": "cancel", "activityId": "b"}]
    await world.engine.order("POST", f"/process-instance/{instance}/modification", {"instructions": instructions})
    return definition, instance, tasks


async def test_what_is_kept_of_an_activity(engine: Engine, world: World) -> None:
    definition, instance, tasks = await three(world)
    found = {one["activityId"]: one for one in await engine.get(PATH, processInstanceId=instance, **TASKS)}
    assert set(found) == set(tasks)
    for name, one in found.items():
        assert set(one) == HISTORIC_ACTIVITY_INSTANCE
        task = tasks[name]
        assert one["id"] == task["activityInstanceId"]
        assert (one["executionId"], one["tenantId"]) == (task["executionId"], task["tenantId"])
        assert one["parentActivityInstanceId"] == one["processInstanceId"] == one["rootProcessInstanceId"] == instance
        assert (one["processDefinitionId"], one["processDefinitionKey"]) == (definition, definition.split(":")[0])
        assert (one["activityType"], one["canceled"], one["completeScope"]) == ("serviceTask", name == "b", False)
        assert moment(one["startTime"])
        assert (one["endTime"] is None, one["durationInMillis"] is None) == (name == "c", name == "c")
        assert await engine.get(f"{PATH}/{one['id']}") == one
    await world.cancel(instance)
    ended = {one["activityId"]: one for one in await engine.get(PATH, processInstanceId=instance, **TASKS)}
    assert {name: one["canceled"] for name, one in ended.items()} == {"a": False, "b": True, "c": True}
    assert all(ended[name]["endTime"] == found[name]["endTime"] for name in "ab")


async def test_filters_of_past_activities(engine: Engine, world: World) -> None:
    definition, instance, tasks = await three(world)
    here = {"processInstanceId": instance, **TASKS}
    every = {one["activityId"]: one for one in await engine.get(PATH, **here)}

    async def names(**query: Any) -> str:
        found = await engine.post(PATH, {**here, **query})
        assert await engine.post(f"{PATH}/count", {**here, **query}) == {"count": len(found)}
        words = {name: str(value).lower() if value is True else value for name, value in query.items()}
        assert len(await engine.get(PATH, **here, **words)) == len(found)
        return "".join(sorted(one["activityId"] for one in found))

    assert await names(processDefinitionId=definition) == "abc"
    assert await names(activityInstanceId=tasks["b"]["activityInstanceId"]) == "b"
    assert await names(executionId=tasks["c"]["executionId"]) == "c"
    assert await names(activityId="a") == "a"
    assert await names(finished=True) == "ab"
    assert await names(unfinished=True) == "c"
    assert await names(finished=True, unfinished=True) == ""
    assert await names(canceled=True) == "b"
    assert await names(completeScope=True) == ""
    assert await names(taskAssignee="nobody") == ""
    assert await names(tenantIdIn=tasks["a"]["tenantId"].split(",")) == "abc"
    assert await names(withoutTenantId=True) == ""
    ended, begun = every["a"]["endTime"], every["a"]["startTime"]
    assert await names(finishedBefore=ended) == "a"
    assert await names(finishedAfter=ended) == "ab"
    assert "a" in await names(startedAfter=begun)
    assert "a" in await names(startedBefore=begun)
    assert await names(startedAfter=ended) == ""
    assert await engine.post(PATH, {**here, "activityType": "userTask"}) == []


async def test_order_and_refusals(engine: Engine, world: World) -> None:
    _, instance, _ = await three(world)
    here = {"processInstanceId": instance, **TASKS}
    keys = "activityInstanceId instanceId executionId activityId activityType startTime endTime duration"
    for key in (*keys.split(), "definitionId", "occurrence", "tenantId"):
        for order in ("asc", "desc"):
            found = await engine.get(PATH, sortBy=key, sortOrder=order, **here)
            assert len(found) == 3
            names = [one["activityId"] for one in found if one["activityId"] != "c" or key == "activityId"]
            if key in ("activityId", "endTime"):
                assert names == sorted(names, reverse=order == "desc")
    message = "Historic activity instance with id 'nothing' does not exist"
    refused(await engine.http.get(f"{PATH}/nothing"), 404, "InvalidRequestException", message)
    answer = await engine.http.post(PATH, json={**here, "canceled": True, "completeScope": True})
    message = "Already querying for activity instance state <scopeComplete>"
    refused(answer, 500, "ProcessEngineException", message, 0)
    for name in ("activityName", "activityNameLike"):
        answer = await engine.http.post(PATH, json={**here, name: "none"})
        if engine.is_reference:
            assert (answer.status_code, answer.json()) == (200, [])
        else:
            message = "This store does not keep the names of activities. Ask by activityId."
            refused(answer, 400, "InvalidRequestException", message)
