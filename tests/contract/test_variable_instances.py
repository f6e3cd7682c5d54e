"""``/variable-instance``, and the variables of one execution."""

from typing import Any

import pytest

from tests.contract.answers import VARIABLE_INSTANCE, ids, refused, unreadable
from tests.contract.batches import Record
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh

PATH = "/variable-instance"
ALL: Record = {"number": 1, "word": "abc", "big": {"value": 5, "type": "Long"}, "empty": None, "yes": True}


async def placed(world: World) -> tuple[Scene, str, str]:
    """A scene with variables, a local one among them; execution and activity instance of its task."""
    scene = await world.scene(variables=ALL)
    task = await world.task(scene.tasks[0])
    await world.engine.order("PUT", f"/execution/{task['executionId']}/localVariables/own", {"value": 7})
    return scene, task["executionId"], task["activityInstanceId"]


async def names(engine: Engine, **query: Any) -> list[str]:
    """The names of the variables that match, sorted; by GET and by POST."""
    body = {name: value.split(",") if name.endswith("In") else value for name, value in query.items()}
    posted = await engine.post(PATH, body)
    assert await engine.get(f"{PATH}/count", **query) == {"count": len(posted)}
    assert await engine.post(f"{PATH}/count", body) == {"count": len(posted)}
    assert sorted(ids(await engine.get(PATH, **query))) == sorted(ids(posted))
    return sorted(one["name"] for one in posted)


async def test_what_is_told_of_a_variable(engine: Engine, world: World) -> None:
    scene, execution, activity = await placed(world)
    (instance,) = scene.instances
    found = {one["name"]: one for one in await engine.get(PATH, processInstanceIdIn=instance)}
    assert set(found) == {*ALL, "own"}
    nothing = dict.fromkeys(("caseInstanceId", "caseExecutionId", "taskId", "batchId", "errorMessage", "tenantId"))
    for name, one in found.items():
        assert set(one) == VARIABLE_INSTANCE
        place = (execution, activity) if name == "own" else (instance, instance)
        assert (one["executionId"], one["activityInstanceId"]) == place
        assert (one["processInstanceId"], one["processDefinitionId"]) == (instance, scene.definition)
        assert one.items() >= nothing.items()
        assert await engine.get(f"{PATH}/{one['id']}") == one
    assert (found["big"]["type"], found["big"]["value"]) == ("Long", 5)
    assert (found["empty"]["type"], found["empty"]["value"]) == ("Null", None)


async def test_a_new_value_keeps_its_id(engine: Engine, world: World) -> None:
    scene = await world.scene(variables={"it": 1})
    path = f"/process-instance/{scene.instances[0]}/variables/it"
    seen = []
    for value in (2, "text", None):
        await engine.order("PUT", path, {"value": value})
        (found,) = await engine.get(PATH, processInstanceIdIn=scene.instances[0])
        seen.append((found["id"], found["value"]))
    assert len({identity for identity, _ in seen}) == 1
    assert [value for _, value in seen] == [2, "text", None]


async def test_filters_by_place(engine: Engine, world: World) -> None:
    scene, execution, activity = await placed(world)
    other = await world.scene(variables={"elsewhere": 1}, tenant=fresh("tenant"))
    (instance,) = scene.instances
    of_instance = sorted(ALL)
    assert await names(engine, processInstanceIdIn=instance) == sorted([*ALL, "own"])
    both = f"{instance},{other.instances[0]}"
    assert await names(engine, processInstanceIdIn=both) == sorted([*ALL, "own", "elsewhere"])
    for name in ("executionIdIn", "variableScopeIdIn"):
        assert await names(engine, **{name: execution}) == ["own"]
        assert await names(engine, **{name: instance}) == of_instance
        assert await names(engine, **{name: f"{execution},{instance}"}) == sorted([*of_instance, "own"])
    assert await names(engine, activityInstanceIdIn=activity) == ["own"]
    assert await names(engine, activityInstanceIdIn=instance) == of_instance
    for name in ("caseInstanceIdIn", "caseExecutionIdIn", "taskIdIn", "batchIdIn", "tenantIdIn", "processInstanceIdIn"):
        assert await names(engine, **{name: fresh("nothing")}) == []
    for name in ("processInstanceIdIn", "executionIdIn", "variableScopeIdIn", "activityInstanceIdIn"):
        assert await engine.get(PATH, **{name: ""}) == []
    wanted = {"processInstanceIdIn": [None]}
    assert await engine.post(PATH, wanted) == []
    (one,) = await engine.get(PATH, processInstanceIdIn=other.instances[0])
    assert await names(engine, tenantIdIn=one["tenantId"]) == ["elsewhere"]


async def test_filters_by_name(engine: Engine, world: World) -> None:
    scene, _, _ = await placed(world)
    here = {"processInstanceIdIn": scene.instances[0]}
    assert await names(engine, variableName="word", **here) == ["word"]
    assert await names(engine, variableName="Word", **here) == []
    assert await names(engine, variableNameLike="%w%", **here) == ["own", "word"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([("number", "eq", 1)], ["number"]),
        ([("number", "neq", 2)], ["number"]),
        ([("big", "gt", 4)], ["big"]),
        ([("big", "gteq", 5)], ["big"]),
        ([("big", "lt", 5)], []),
        ([("big", "lteq", 5)], ["big"]),
        ([("word", "like", "a%")], ["word"]),
        ([("word", "eq", "ABC")], []),
        ([("empty", "eq", None)], ["empty"]),
        ([("yes", "eq", True)], ["yes"]),
        ([("number", "eq", 1), ("word", "eq", "abc")], []),
        ([("number", "gteq", 1), ("number", "lteq", 1)], ["number"]),
        ([], [*sorted([*ALL, "own"])]),
    ],
)
async def test_filters_by_value(
    engine: Engine, world: World, filters: list[tuple[str, str, Any]], found: list[str]
) -> None:
    scene, _, _ = await placed(world)
    values = [{"name": name, "operator": operator, "value": value} for name, operator, value in filters]
    here = {"processInstanceIdIn": scene.instances}
    answer = await engine.post(PATH, {**here, "variableValues": values})
    assert sorted(one["name"] for one in answer) == found


async def test_in_any_case(engine: Engine, world: World) -> None:
    scene, _, _ = await placed(world)
    wanted = [{"name": "WORD", "operator": "eq", "value": "ABC"}]
    body: Record = {"processInstanceIdIn": scene.instances, "variableValues": wanted}
    for flags, found in (
        ({}, []),
        ({"variableNamesIgnoreCase": True}, []),
        ({"variableValuesIgnoreCase": True}, []),
        ({"variableNamesIgnoreCase": True, "variableValuesIgnoreCase": True}, ["word"]),
    ):
        assert [one["name"] for one in await engine.post(PATH, {**body, **flags})] == found


async def test_values_in_the_query_string(engine: Engine, world: World) -> None:
    scene, _, _ = await placed(world)
    here = {"processInstanceIdIn": scene.instances[0]}
    for text, found in (("word_eq_abc", ["word"]), ("number_eq_1", []), ("number_neq_1", ["number"])):
        assert [one["name"] for one in await engine.get(PATH, variableValues=text, **here)] == found


async def test_order(engine: Engine, world: World) -> None:
    scene, execution, _ = await placed(world)
    here = {"processInstanceIdIn": scene.instances[0]}

    async def sorted_by(key: str, order: str = "asc", **page: int) -> list[str]:
        return [one["name"] for one in await engine.get(PATH, sortBy=key, sortOrder=order, **here, **page)]

    by_name = sorted([*ALL, "own"])
    assert await sorted_by("variableName") == by_name
    assert await sorted_by("variableName", "desc") == by_name[::-1]
    assert await sorted_by("variableName", firstResult=1, maxResults=2) == by_name[1:3]
    types = [one["type"] for one in await engine.get(PATH, sortBy="variableType", sortOrder="asc", **here)]
    assert types == sorted(types, key=str.lower)
    places = [
        one["executionId"] for one in await engine.get(PATH, sortBy="activityInstanceId", sortOrder="asc", **here)
    ]
    assert execution in (places[0], places[-1])
    assert len(await sorted_by("tenantId")) == len(by_name)
    two = [{"sortBy": "variableType", "sortOrder": "asc"}, {"sortBy": "variableName", "sortOrder": "desc"}]
    found = await engine.post(PATH, {"processInstanceIdIn": scene.instances, "sorting": two})
    integers = [one["name"] for one in found if one["type"] == "Integer"]
    assert integers == ["own", "number"]


async def test_ended_instances_have_none(engine: Engine, world: World) -> None:
    scene, execution, _ = await placed(world)
    (known, *_) = await engine.get(PATH, processInstanceIdIn=scene.instances[0])
    await world.cancel(scene.instances[0])
    for name, value in (("processInstanceIdIn", scene.instances[0]), ("executionIdIn", execution)):
        assert await names(engine, **{name: value}) == []
    assert (await engine.http.get(f"{PATH}/{known['id']}")).status_code == 404


async def test_content(engine: Engine, world: World) -> None:
    scene = await world.scene(variables={"word": "abc", "raw": {"value": "YWJj", "type": "Bytes"}})
    found = {one["name"]: one["id"] for one in await engine.get(PATH, processInstanceIdIn=scene.instances[0])}
    answer = await engine.http.get(f"{PATH}/{found['raw']}/data")
    assert (answer.status_code, answer.content) == (200, b"abc")
    no_bytes = f"Value of variable with id {found['word']} is not a binary value."
    refused(await engine.http.get(f"{PATH}/{found['word']}/data"), 400, "InvalidRequestException", no_bytes)
    for path in ("nobody", "nobody/data"):
        unknown = "Variable instance with Id 'nobody' does not exist."
        refused(await engine.http.get(f"{PATH}/{path}"), 404, "InvalidRequestException", unknown)


@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        (
            {"variableValues": [{"name": "a", "operator": "notLike", "value": "x"}]},
            400,
            ("InvalidRequestException", "Invalid variable comparator specified: notLike", None),
        ),
        ({"variableValues": [{"operator": "eq", "value": 1}]}, 400, ("NotValidException", "name is null", 0)),
        (
            {"variableValues": [{"name": "a", "operator": "gt", "value": True}]},
            400,
            ("NotValidException", "Booleans and null cannot be used in 'greater than' condition", 0),
        ),
        (
            {"variableValues": [{"name": "a", "operator": "eq", "value": {"b": 1}}]},
            500,
            ("ProcessEngineException", "Object values cannot be used to query", 0),
        ),
        (
            {"sorting": [{"sortBy": "executionId", "sortOrder": "asc"}]},
            400,
            (
                "NotValidException",
                "You should call any of the orderBy methods first before specifying a direction: "
                "currentOrderingProperty is null",
                0,
            ),
        ),
    ],
)
async def test_refusals(engine: Engine, body: Record, status: int, refusal: tuple[str, str, int | None]) -> None:
    refused(await engine.http.post(PATH, json=body), status, *refusal)


async def test_no_list(engine: Engine) -> None:
    unreadable(await engine.http.post(PATH, json={"processInstanceIdIn": "one"}), engine)


async def test_local_variables(engine: Engine, world: World) -> None:
    scene = await world.scene(variables={"shared": 1})
    execution = (await world.task(scene.tasks[0]))["executionId"]
    path = f"/execution/{execution}/localVariables"
    await engine.order("PUT", f"{path}/own", {"value": "7", "type": "Integer"})
    assert await engine.get(f"{path}/own") == {"type": "Integer", "value": 7, "valueInfo": {}}
    await engine.order("POST", path, {"modifications": {"a": {"value": 1}, "b": {}}, "deletions": ["b", None, "zzz"]})
    await engine.order("PUT", f"{path}/gone", {"value": 1, "valueInfo": {"transient": True}})
    await engine.order("DELETE", f"{path}/absent")
    assert set(await engine.get(path)) == {"own", "a"}
    await engine.order("DELETE", f"{path}/a")
    await engine.order("POST", path, {})
    assert set(await engine.get(path)) == {"own"}
    assert set(await engine.get(f"/process-instance/{scene.instances[0]}/variables")) == {"shared"}
    await engine.order("PUT", f"/execution/{scene.instances[0]}/localVariables/more", {"value": 1})
    assert set(await engine.get(f"/process-instance/{scene.instances[0]}/variables")) == {"shared", "more"}


LONG = {"value": "x" * 4001}
BAD = "Cannot convert value 'x' of type 'Integer' to java type java.lang.Integer"
GONE = "execution nobody doesn't exist: execution is null"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "refusal"),
    [
        ("PUT", "nobody/localVariables/a", {}, 500, ("RestException", f"Cannot put execution variable a: {GONE}", 0)),
        (
            "DELETE",
            "nobody/localVariables/a",
            None,
            500,
            ("RestException", f"Cannot delete execution variable a: {GONE}", 0),
        ),
        ("GET", "nobody/localVariables/a", None, 500, ("RestException", f"Cannot get execution variable a: {GONE}", 0)),
        ("GET", "nobody/localVariables", None, 500, ("NullValueException", GONE, 0)),
        (
            "POST",
            "nobody/localVariables",
            {},
            500,
            ("RestException", f"Cannot modify variables for execution nobody: {GONE}", 0),
        ),
        (
            "PUT",
            "{}/localVariables/a",
            {"value": "x", "type": "Integer"},
            400,
            ("InvalidRequestException", f"Cannot put execution variable a: {BAD}", None),
        ),
        (
            "PUT",
            "{}/localVariables/a",
            {"value": 1, "type": "Foo"},
            400,
            ("InvalidRequestException", "Cannot put execution variable a: Unsupported value type 'Foo'", None),
        ),
        (
            "PUT",
            "{}/localVariables/a",
            LONG,
            400,
            ("RestException", "Cannot put execution variable a: Variable value is too long", 0),
        ),
        (
            "POST",
            "{}/localVariables",
            {"modifications": {"b": {"value": 1}, "a": {"value": "x", "type": "Integer"}}},
            400,
            ("InvalidRequestException", f"Cannot modify variables for execution: {BAD}", None),
        ),
        (
            "POST",
            "{}/localVariables",
            {"modifications": {"a": LONG}},
            500,
            ("RestException", "Cannot modify variables for execution {}: Variable value is too long", 0),
        ),
        (
            "GET",
            "{}/localVariables/absent",
            None,
            404,
            ("InvalidRequestException", "execution variable with name absent does not exist", None),
        ),
    ],
)
async def test_refused_local_variables(
    engine: Engine,
    world: World,
    method: str,
    path: str,
    body: Record | None,
    status: int,
    refusal: tuple[str, str, int | None],
) -> None:
    scene = await world.scene()
    execution = (await world.task(scene.tasks[0]))["executionId"]
    type_, message, code = refusal
    answer = await engine.http.request(method, f"/execution/{path.format(execution)}", json=body)
    refused(answer, status, type_, message.format(execution), code)
    assert await engine.get(f"/execution/{execution}/localVariables") == {}
