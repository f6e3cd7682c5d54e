"""``/history/variable-instance``: the last values of variables, of running and of ended instances."""

from typing import Any

from tests.contract.answers import HISTORIC_VARIABLE_INSTANCE, moment, refused
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh

PATH = "/history/variable-instance"


async def past(world: World) -> tuple[Scene, dict[str, Any]]:
    """A scene that has ended: a changed variable, a deleted one, a file, and one that its task alone had."""
    given = {"number": 1, "Word": "abc", "gone": "x", "file": {"type": "Bytes", "value": "aGFsbG8="}}
    scene = await world.scene(variables=given, tenant=fresh("tenant"))
    (instance,) = scene.instances
    task = await world.task(scene.tasks[0])
    await world.engine.order("PUT", f"/execution/{task['executionId']}/localVariables/own", {"value": 7})
    await world.engine.order("PUT", f"/process-instance/{instance}/variables/number", {"value": 2})
    await world.engine.order("DELETE", f"/process-instance/{instance}/variables/gone")
    await world.complete(scene.tasks[0])
    return scene, task


async def names(engine: Engine, **query: Any) -> list[str]:
    """The names of the variables that match, sorted; by GET and by POST."""
    found = await engine.post(PATH, query)
    assert await engine.post(f"{PATH}/count", query) == {"count": len(found)}
    asked = {
        name: ",".join(value) if isinstance(value, list) else str(value).lower() if value is True else value
        for name, value in query.items()
    }
    assert await engine.get(f"{PATH}/count", **asked) == {"count": len(found)}
    return sorted(one["name"] for one in found)


async def test_what_is_kept_of_a_variable(engine: Engine, world: World) -> None:
    scene, task = await past(world)
    (instance,) = scene.instances
    found = {one["name"]: one for one in await engine.get(PATH, processInstanceId=instance, includeDeleted="true")}
    assert {name: (one["type"], one["value"], one["state"]) for name, one in found.items()} == {
        "number": ("Integer", 2, "CREATED"),
        "Word": ("String", "abc", "CREATED"),
        "gone": ("String", "x", "DELETED"),
        "file": ("Bytes", None, "CREATED"),
        "own": ("Integer", 7, "CREATED"),
    }
    nothing = ("caseDefinitionKey", "caseDefinitionId", "caseInstanceId", "caseExecutionId", "taskId", "errorMessage")
    for name, one in found.items():
        assert set(one) == HISTORIC_VARIABLE_INSTANCE
        place = (task["executionId"], task["activityInstanceId"]) if name == "own" else (instance, instance)
        assert (one["executionId"], one["activityInstanceId"]) == place
        assert (one["processInstanceId"], one["rootProcessInstanceId"]) == (instance, instance)
        assert (one["processDefinitionId"], one["processDefinitionKey"]) == (scene.definition, scene.key)
        assert one["tenantId"] == task["tenantId"]
        assert moment(one["createTime"])
        assert [one[word] for word in nothing] == [None] * len(nothing)
        if name == "gone":
            answer = await engine.http.get(f"{PATH}/{one['id']}")
            assert answer.status_code == 404
        else:
            assert await engine.get(f"{PATH}/{one['id']}") == one


async def test_filters_of_past_variables(engine: Engine, world: World) -> None:
    scene, task = await past(world)
    other = await world.scene(variables={"number": 2})
    (instance,), here = scene.instances, {"processInstanceId": scene.instances[0]}
    kept = ["Word", "file", "number", "own"]
    assert await names(engine, **here) == kept
    assert await names(engine, includeDeleted=True, **here) == ["Word", "file", "gone", "number", "own"]
    assert await names(engine, processInstanceIdIn=[instance, other.instances[0]]) == sorted([*kept, "number"])
    assert await names(engine, processDefinitionId=scene.definition) == kept
    assert await names(engine, processDefinitionKey=other.key) == ["number"]
    assert await names(engine, executionIdIn=[task["executionId"]]) == ["own"]
    assert await names(engine, executionIdIn=[instance]) == ["Word", "file", "number"]
    assert await names(engine, activityInstanceIdIn=[task["activityInstanceId"]]) == ["own"]
    assert await names(engine, activityInstanceIdIn=[instance]) == ["Word", "file", "number"]
    assert await names(engine, tenantIdIn=[task["tenantId"]]) == kept
    assert await names(engine, withoutTenantId=True, **here) == []
    assert await names(engine, variableName="Word", **here) == ["Word"]
    assert await names(engine, variableName="word", **here) == []
    assert await names(engine, variableNameLike="%o%", **here) == ["Word", "own"]
    assert await names(engine, variableNameIn=["own", "file", "none"], **here) == ["file", "own"]
    assert await names(engine, variableTypeIn=["integer", "Bytes"], **here) == ["file", "number", "own"]


async def test_values_of_past_variables(engine: Engine, world: World) -> None:
    scene, _ = await past(world)
    here = {"processInstanceId": scene.instances[0]}

    async def found(**query: Any) -> list[str]:
        return [one["name"] for one in await engine.post(PATH, {**here, **query})]

    assert await found(variableName="number", variableValue=2) == ["number"]
    assert await found(variableName="number", variableValue=1) == []
    assert await found(variableName="number", variableValue="2") == []
    assert await found(variableName="Word", variableValue="ABC") == []
    assert await found(variableName="Word", variableValue="ABC", variableValuesIgnoreCase=True) == ["Word"]
    assert await found(variableName="word", variableValue="abc", variableNamesIgnoreCase=True) == ["Word"]
    answer = await engine.http.post(PATH, json={**here, "variableValue": 2})
    message = (
        "Only a single variable value parameter specified: variable name and value are required to be able to query "
        "after a specific variable value."
    )
    refused(answer, 400, "InvalidRequestException", message)


async def test_order_of_past_variables(engine: Engine, world: World) -> None:
    scene, _ = await past(world)
    here = {"processInstanceId": scene.instances[0]}
    for key in ("instanceId", "variableName", "tenantId"):
        found = await engine.get(PATH, sortBy=key, sortOrder="desc", **here)
        assert len(found) == 4
        if key == "variableName":
            assert [one["name"] for one in found] in (
                ["own", "number", "file", "Word"],
                ["Word", "own", "number", "file"],
            )


async def test_contents_and_refusals(engine: Engine, world: World) -> None:
    scene, _ = await past(world)
    here = {"processInstanceId": scene.instances[0]}
    (file,) = await engine.get(PATH, variableName="file", **here)
    answer = await engine.http.get(f"{PATH}/{file['id']}/data")
    assert (answer.status_code, answer.content) == (200, b"hallo")
    (number,) = await engine.get(PATH, variableName="number", **here)
    message = f"Value of variable with id {number['id']} is not a binary value."
    refused(await engine.http.get(f"{PATH}/{number['id']}/data"), 400, "InvalidRequestException", message)
    for path in ("nothing", "nothing/data"):
        message = "Historic variable instance with Id 'nothing' does not exist."
        refused(await engine.http.get(f"{PATH}/{path}"), 404, "InvalidRequestException", message)
    answer = await engine.http.post(PATH, json={"processInstanceIdIn": [None]})
    refused(answer, 500, "NullValueException", "Process Instance Ids contains null value", 0)
