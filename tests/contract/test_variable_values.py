"""How values of variables are read from a request, kept, and shown again."""

from typing import Any

import pytest

from tests.contract.answers import refused
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh


async def variable(engine: Engine, instance: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = await engine.get(f"/process-instance/{instance}/variables/{name}")
    return found


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00.000+0000", "0026-03-01T08:15:00.000+0000"])
async def test_dates_of_the_first_years(engine: Engine, world: World, date: str) -> None:
    due = {"type": "Date", "value": date}
    scene = await world.scene(1, variables={"due": due})
    (instance,) = scene.instances
    assert await variable(engine, instance, "due") == {**due, "valueInfo": {}}
    query = {"processDefinitionKey": scene.key, "variables": [{"name": "due", "operator": "eq", "value": date}]}
    assert await engine.post("/process-instance/count", query) == {"count": 1}
    topic = {"topicName": scene.topic, "lockDuration": 1000}
    (task,) = await engine.post("/external-task/fetchAndLock", {"workerId": "worker", "maxTasks": 1, "topics": [topic]})
    assert task["variables"]["due"]["value"] == date


READ: list[tuple[str, Any, Any]] = [
    *((kind, blank, None) for kind in ("Date", "Integer", "Double", "Boolean") for blank in ("", " ", "null", None)),
    ("Double", "NaN", "NaN"),
    ("Double", "Infinity", "Infinity"),
    ("Double", "-INF", "-Infinity"),
    ("Double", "1e400", "Infinity"),
    ("Double", "1e3", 1000.0),
    ("String", [1, "a", None, True, 1.5], "[1, a, null, true, 1.5]"),
    ("String", {"a": [1, {"b": "c"}], "d": None}, "{a=[1, {b=c}], d=null}"),
    ("String", {}, "{}"),
    ("String", 1e30, "1.0E30"),
    ("String", -12345678.9, "-1.23456789E7"),
    ("String", 9999999.5, "9999999.5"),
    ("String", 0.001, "0.001"),
    ("String", 0.00012, "1.2E-4"),
    ("String", 10**20, "100000000000000000000"),
    ("Bytes", " YWJj\n", "YWJj"),
]


@pytest.mark.parametrize(("kind", "value", "shown"), READ)
async def test_values_that_are_read(engine: Engine, world: World, kind: str, value: Any, shown: Any) -> None:
    scene = await world.scene(1, variables={"v": {"type": kind, "value": value}})
    assert await variable(engine, scene.instances[0], "v") == {"type": kind, "value": shown, "valueInfo": {}}


NOT_READ: list[tuple[str, Any, str, str]] = [
    ("Double", "nan", "nan", "java.lang.Double"),
    ("Double", "+Infinity", "+Infinity", "java.lang.Double"),
    ("Double", "\u0663", "\u0663", "java.lang.Double"),
    ("Integer", 1e30, "1.0E30", "java.lang.Integer"),
    ("Integer", {"a": ["b"]}, "{a=[b]}", "java.lang.Integer"),
    ("Bytes", "YW Jj", "YW Jj", "[B"),
]


@pytest.mark.parametrize(("kind", "value", "shown", "java"), NOT_READ)
async def test_values_that_are_not_read(
    engine: Engine, world: World, kind: str, value: Any, shown: str, java: str
) -> None:
    scene = await world.scene(1)
    message = f"Cannot convert value '{shown}' of type '{kind}' to java type {java}"
    await not_put(engine, scene, {"type": kind, "value": value}, 400, "InvalidRequestException", message, None)


async def not_put(
    engine: Engine, scene: Scene, value: Any, status: int, type_: str, message: str, code: int | None = 0
) -> None:
    path = f"/process-instance/{scene.instances[0]}/variables/v"
    prefix = "" if type_ == "IllegalArgumentException" else "Cannot put process instance variable v: "
    refused(await engine.http.put(path, json=value), status, type_, prefix + message, code)


async def test_a_number_that_is_too_large_is_infinite(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    path = f"/process-instance/{scene.instances[0]}/variables"
    for number, shown in (("1e400", "Infinity"), ("-1e400", "-Infinity")):
        content = f'{{"value": {number}}}'
        response = await engine.http.put(f"{path}/v", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 204
        assert await variable(engine, scene.instances[0], "v") == {"type": "Double", "value": shown, "valueInfo": {}}
        operator = "gt" if number == "1e400" else "lt"
        query = {"variables": [{"name": "v", "operator": operator, "value": 0}], "processDefinitionKey": scene.key}
        assert await engine.post("/process-instance/count", query) == {"count": 1}


@pytest.mark.parametrize("kind", ["String", "Double", "Null"])
@pytest.mark.parametrize("flag", ["true", 1, None])
async def test_transient_is_true_or_false(engine: Engine, world: World, kind: str, flag: Any) -> None:
    value, java = {
        "String": ("a", "java.lang.String"),
        "Double": (2, "java.lang.Double"),
        "Null": (None, "javax.lang.model.type.NullType"),
    }[kind]
    scene = await world.scene(1)
    shown = "null" if value is None else value
    message = f"Cannot convert value '{shown}' of type '{kind}' to java type {java}"
    given = {"type": kind, "value": value, "valueInfo": {"transient": flag}}
    await not_put(engine, scene, given, 400, "InvalidRequestException", message, None)


FILES: dict[str, tuple[dict[str, Any], str]] = {
    "no-info": ({"value": "YWJj"}, "Cannot create file without valueInfo."),
    "no-name": (
        {"value": "YWJj", "valueInfo": {"mimeType": "text/plain"}},
        "Cannot create file without filename! Please set a name into ValueInfo with key filename",
    ),
    "no-type": (
        {"value": "YWJj", "valueInfo": {"filename": "a", "mimeType": None}},
        "The provided mime type is null. Set a non-null value info property with key 'filename'",
    ),
    "no-encoding": (
        {"value": "YWJj", "valueInfo": {"filename": "a", "encoding": None}},
        "The provided encoding is null. Set a non-null value info property with key 'encoding'",
    ),
    "no-content": (
        {"value": None, "valueInfo": {"filename": "a"}},
        "Provided value is not of File, InputStream or byte[] type.",
    ),
    "number": (
        {"value": 5, "valueInfo": {"filename": "a"}},
        "Provided value is not of File, InputStream or byte[] type.",
    ),
    "no-flag": (
        {"value": "YWJj", "valueInfo": {"filename": "a", "transient": "x"}},
        "The property 'transient' should have a value of type 'boolean'.",
    ),
}


@pytest.mark.parametrize("name", FILES)
async def test_files_that_are_none(engine: Engine, world: World, name: str) -> None:
    given, message = FILES[name]
    scene = await world.scene(1)
    await not_put(engine, scene, {"type": "File", **given}, 500, "IllegalArgumentException", message, None)
    body = {"variables": {"v": {"type": "File", **given}}}
    response = await engine.http.post(f"/process-definition/{scene.definition}/start", json=body)
    refused(response, 500, "IllegalArgumentException", message, None)


async def test_what_is_known_of_a_file(engine: Engine, world: World) -> None:
    info = {"filename": 5, "mimeType": True, "encoding": "UTF-8", "more": "x"}
    scene = await world.scene(1, variables={"v": {"type": "File", "value": "!!", "valueInfo": info}})
    known = {"filename": "5", "mimeType": "true", "encoding": "UTF-8"}
    assert await variable(engine, scene.instances[0], "v") == {"type": "File", "value": None, "valueInfo": known}


JAVA = {
    "type": "Object",
    "value": "rO0ABQ==",
    "valueInfo": {"objectTypeName": "a.B", "serializationDataFormat": "application/x-java-serialized-object"},
}
PROHIBITED = "ENGINE-17007 Cannot set variable with name v. Java serialization format is prohibited"


async def test_objects_of_java(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await not_put(engine, scene, JAVA, 500, "RestException", PROHIBITED)
    response = await engine.http.post(f"/process-definition/{scene.definition}/start", json={"variables": {"v": JAVA}})
    refused(
        response, 500, "RestException", f"Cannot instantiate process definition {scene.definition}: {PROHIBITED}", 0
    )
    await reported(engine, world, scene, JAVA, PROHIBITED)


async def reported(engine: Engine, world: World, scene: Scene, value: Any, message: str) -> None:
    """Assert that no worker can set the variable."""
    (task,) = scene.tasks
    await world.lock(task, "worker")
    for path, scope in (("failure", "variables"), ("complete", "variables"), ("complete", "localVariables")):
        body = {"workerId": "worker", "retries": 1, scope: {"v": value}}
        if scope == "localVariables" and value is not JAVA:
            continue
        response = await engine.http.post(f"/external-task/{task}/{path}", json=body)
        refused(response, 500, "ProcessEngineException", message, 0)
    body = {"workerId": "worker", "errorCode": "code", "variables": {"v": value}}
    response = await engine.http.post(f"/external-task/{task}/bpmnError", json=body)
    refused(response, 500, "ProcessEngineException", "ENGINE-13033 Propagation of bpmn error code failed. ", 0)


TRANSIENT = {"type": "String", "value": "a", "valueInfo": {"transient": True}}
OVER_STORED = "ENGINE-17006 Cannot set transient variable with name v to non-transient variable and vice versa."


async def test_no_transient_variable_takes_the_place_of_a_stored_one(engine: Engine, world: World) -> None:
    scene = await world.scene(1, variables={"v": 1})
    (instance,) = scene.instances
    await not_put(engine, scene, TRANSIENT, 500, "RestException", OVER_STORED)
    path = f"/process-instance/{instance}/variables"
    response = await engine.http.post(path, json={"modifications": {"w": {"value": 2}, "v": TRANSIENT}})
    prefix = f"Cannot modify variables for process instance {instance}: "
    refused(response, 500, "RestException", prefix + OVER_STORED, 0)
    await reported(engine, world, scene, TRANSIENT, OVER_STORED)
    assert await engine.get(path) == {"v": {"type": "Integer", "value": 1, "valueInfo": {}}}
    await engine.order("PUT", f"{path}/new", TRANSIENT)
    assert (await engine.http.get(f"{path}/new")).status_code == 404


async def test_scopes_of_transient_variables(engine: Engine, world: World) -> None:
    scene = await world.scene(1, variables={"v": 1})
    (task,) = scene.tasks
    await world.lock(task, "worker")
    failure = {"workerId": "worker", "retries": 1, "retryTimeout": 60_000}
    await engine.order("POST", f"/external-task/{task}/failure", {**failure, "localVariables": {"v": TRANSIENT}})
    await engine.order("POST", f"/external-task/{task}/failure", {**failure, "localVariables": {"v": {"value": 2}}})
    body = {**failure, "localVariables": {"v": TRANSIENT}}
    refused(
        await engine.http.post(f"/external-task/{task}/failure", json=body),
        500,
        "ProcessEngineException",
        OVER_STORED,
        0,
    )
    body = {"workerId": "worker", "localVariables": {"v": TRANSIENT}}
    refused(
        await engine.http.post(f"/external-task/{task}/complete", json=body),
        500,
        "ProcessEngineException",
        OVER_STORED,
        0,
    )


async def test_a_start_answers_transient_variables_too(engine: Engine, world: World) -> None:
    scene = await world.scene(0)
    file = {"type": "File", "value": "YWJj", "valueInfo": {"filename": "a", "transient": True}}
    variables = {"v": TRANSIENT, "file": file, "stored": {"value": 1}}
    body = {"variables": variables, "withVariablesInReturn": True, "businessKey": fresh("key")}
    started = await engine.post(f"/process-definition/{scene.definition}/start", body)
    stored = {"stored": {"type": "Integer", "value": 1, "valueInfo": {}}}
    assert started["variables"] == {"v": TRANSIENT, "file": {**file, "value": None}, **stored}
    assert await engine.get(f"/process-instance/{started['id']}/variables") == stored
