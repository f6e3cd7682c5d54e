"""Texts that are longer than the engine keeps them: the request is refused, and nothing of it is stored."""

from typing import Any

import httpx
import pytest

from tests.contract.answers import refused
from tests.contract.bpmn import Drawing
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh, typed

HOUR = 3_600_000
REASON = (
    "An exception occurred in the persistence layer. "
    "Please check the server logs for a detailed message and the entire exception stack trace."
)
NAME, TEXT = "n" * 256, "t" * 4001
TOO_LONG: dict[str, dict[str, Any]] = {
    "text": {"x": {"value": TEXT}},
    "letters of other alphabets": {"x": {"value": "é" * 4001}},
    "pairs of surrogates": {"x": {"value": "😀" * 2001}},
    "name": {NAME: {"value": 1}},
    "name of a file": {"x": {"type": "File", "value": "YQ==", "valueInfo": {"filename": TEXT}}},
    "type of a file": {"x": {"type": "File", "value": "YQ==", "valueInfo": {"filename": "a", "mimeType": TEXT}}},
}
LONG_ENOUGH: dict[str, Any] = {
    "n" * 255: 1,
    "text": "é" * 4000,
    "pairs": "😀" * 2000,
    "bytes": {"type": "Bytes", "value": "YWJj" * 3000},
    "object": ["a" * 5000],
    "transient": {"value": TEXT, "valueInfo": {"transient": True}},
}


def not_stored(response: httpx.Response) -> None:
    refused(response, 500, "ProcessEnginePersistenceException", REASON, 10002)


def not_started(response: httpx.Response, definition: str) -> None:
    message = f"Cannot instantiate process definition {definition}: {REASON}"
    refused(response, 500, "RestException", message, 10002)


async def held(world: World) -> Scene:
    scene = await world.scene(1)
    await world.lock(scene.tasks[0], "worker")
    return scene


@pytest.mark.parametrize("variables", TOO_LONG.values(), ids=TOO_LONG)
async def test_nothing_starts_with_variables_that_are_too_long(
    engine: Engine, world: World, variables: dict[str, Any]
) -> None:
    scene = await world.scene(0)
    start = f"/process-definition/{scene.definition}/start"
    not_started(await engine.http.post(start, json={"variables": variables}), scene.definition)
    query = {"processDefinitionId": scene.definition}
    assert await engine.get("/history/process-instance/count", **query) == {"count": 0}


@pytest.mark.parametrize("key", [NAME, "😀" * 128])
async def test_business_keys(engine: Engine, world: World, key: str) -> None:
    scene = await world.scene(1, business_keys=["k" * 255], variables=LONG_ENOUGH)
    start = f"/process-definition/{scene.definition}/start"
    not_started(await engine.http.post(start, json={"businessKey": key}), scene.definition)
    query = {"processDefinitionId": scene.definition}
    assert await engine.get("/history/process-instance/count", **query) == {"count": 1}
    assert await engine.get("/process-instance/count", businessKey=key) == {"count": 0}  # asking is no fault
    found = await engine.get(f"/process-instance/{scene.instances[0]}/variables")
    assert found.keys() == LONG_ENOUGH.keys() - {"transient"}


@pytest.mark.parametrize("place", ["variables", "localVariables"])
@pytest.mark.parametrize("verb", ["complete", "failure"])
@pytest.mark.parametrize("variables", TOO_LONG.values(), ids=TOO_LONG)
async def test_a_report_with_variables_that_are_too_long(
    engine: Engine, world: World, verb: str, place: str, variables: dict[str, Any]
) -> None:
    scene = await held(world)
    before = await world.task(scene.tasks[0])
    body = {"workerId": "worker", place: {**variables, "short": {"value": 1}}}
    not_stored(await engine.http.post(f"/external-task/{scene.tasks[0]}/{verb}", json=body))
    assert await world.task(scene.tasks[0]) == before
    assert await engine.get(f"/process-instance/{scene.instances[0]}/variables") == {}
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/complete", {"workerId": "worker"})


CATCHING = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
             targetNamespace="http://retriage/tests">
<process id="{key}" isExecutable="true" camunda:historyTimeToLive="30"><startEvent id="Begin"/>
<serviceTask id="Task" camunda:type="external" camunda:topic="{key}"/>
<boundaryEvent id="Caught" attachedToRef="Task"><errorEventDefinition camunda:errorCodeVariable="code"
  camunda:errorMessageVariable="message"/></boundaryEvent>
<serviceTask id="MakeGood" camunda:type="external" camunda:topic="good"/>
<sequenceFlow id="f1" sourceRef="Begin" targetRef="Task"/>
<sequenceFlow id="f2" sourceRef="Caught" targetRef="MakeGood"/>
</process></definitions>
"""


@pytest.mark.parametrize(
    "report",
    [
        {"errorCode": "C", "errorMessage": "m" * 5000},
        {"errorCode": "c" * 5000},
        {"errorCode": "C", "variables": {"x": {"value": TEXT}}},
    ],
)
async def test_an_error_that_is_too_long_for_its_variables(
    engine: Engine, world: World, report: dict[str, Any]
) -> None:
    key = fresh("catching")
    assert (await deploy(engine, CATCHING.format(key=key))).status_code == 200
    await engine.post(f"/process-definition/key/{key}/start")
    (task,) = await engine.post("/external-task", {"topicName": key})
    await world.lock(task["id"], "worker")
    not_stored(await engine.http.post(f"/external-task/{task['id']}/bpmnError", json={"workerId": "worker", **report}))
    (still,) = await engine.post("/external-task", {"processInstanceId": task["processInstanceId"]})
    assert (still["id"], still["workerId"]) == (task["id"], "worker")


async def test_an_error_message_of_a_failure_is_cut_off(engine: Engine, world: World) -> None:
    scene = await held(world)
    body = {"workerId": "worker", "errorMessage": "m" * 5000, "errorDetails": "d" * 50_000, "retries": 2}
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/failure", body)
    assert (await world.task(scene.tasks[0]))["errorMessage"] == "m" * 666


async def test_variables_of_a_running_instance(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    variables = f"/process-instance/{scene.instances[0]}/variables"
    for given in TOO_LONG.values():
        ((name, value),) = given.items()
        answer = await engine.http.put(f"{variables}/{name}", json=value)
        message = f"Cannot put process instance variable {name}: Variable value is too long"
        refused(answer, 400, "RestException", message, 0)
        answer = await engine.http.post(variables, json={"modifications": {"short": {"value": 1}, **given}})
        subject = f"Cannot modify variables for process instance {scene.instances[0]}"
        refused(answer, 500, "RestException", f"{subject}: Variable value is too long", 0)
    await engine.order("DELETE", f"{variables}/{NAME}")
    assert await engine.get(variables) == {}
    await engine.order(
        "POST", variables, {"modifications": {name: typed(value) for name, value in LONG_ENOUGH.items()}}
    )


async def test_workers(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    before = await world.task(task)
    topics = [{"topicName": scene.topic, "lockDuration": HOUR}]
    fetch = {"workerId": NAME, "maxTasks": 1, "topics": topics}
    not_stored(await engine.http.post("/external-task/fetchAndLock", json=fetch))
    lock = {"workerId": NAME, "lockDuration": HOUR}
    not_stored(await engine.http.post(f"/external-task/{task}/lock", json=lock))
    assert await world.task(task) == before
    nothing = [{"topicName": fresh("nothing"), "lockDuration": HOUR}]
    assert await engine.post("/external-task/fetchAndLock", {**fetch, "topics": nothing}) == []
    answer = await engine.http.post(f"/external-task/{fresh('none')}/lock", json=lock)
    assert answer.status_code == 404
    await world.lock(task, "w" * 255)


async def test_notes_on_incidents(engine: Engine, world: World) -> None:
    scene = await held(world)
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/failure", {"workerId": "worker", "retries": 0})
    incident = (await world.incident(scene.tasks[0]))["id"]
    await engine.order("PUT", f"/incident/{incident}/annotation", {"annotation": "a" * 4000})
    not_stored(await engine.http.put(f"/incident/{incident}/annotation", json={"annotation": TEXT}))
    assert (await world.incident(scene.tasks[0]))["annotation"] == "a" * 4000
    answer = await engine.http.put(f"/incident/{fresh('none')}/annotation", json={"annotation": TEXT})
    refused(answer, 400, "BadUserRequestException", "incident is null", 0)


async def deploy(engine: Engine, xml: str, resource: str = "one.bpmn", **settings: str) -> httpx.Response:
    reserved = {
        "deployment-name": fresh("deployment"),
        **{name.replace("_", "-"): one for name, one in settings.items()},
    }
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in reserved.items()]
    return await engine.http.post("/deployment/create", files=[*parts, ("data", (resource, xml, "text/xml"))])


@pytest.mark.parametrize(
    ("settings", "drawn"),
    [
        ({"deployment_name": NAME}, {}),
        ({"deployment_source": NAME}, {}),
        ({"tenant_id": "t" * 65}, {}),
        ({"resource": f"{NAME}.bpmn"}, {}),
        ({}, {"version_tag": "v" * 65}),
        ({}, {"name": NAME}),
    ],
    ids=["name", "source", "tenant", "file", "version tag", "name of the process"],
)
async def test_deployments(engine: Engine, settings: dict[str, str], drawn: dict[str, str]) -> None:
    key = fresh("long")
    not_stored(await deploy(engine, Drawing(key, [], **drawn).xml(), **settings))  # type: ignore[arg-type]
    assert await engine.get("/process-definition/count", key=key) == {"count": 0}
    shorter = {name: value[1:] for name, value in settings.items()}
    drawn = {name: value[1:] for name, value in drawn.items()}
    if "resource" in shorter:
        shorter["resource"] = f"{NAME[6:]}.bpmn"
    answer = await deploy(engine, Drawing(key, [], **drawn).xml(), **shorter)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    await engine.order("DELETE", f"/deployment/{answer.json()['id']}")


async def test_topics(engine: Engine) -> None:
    key = fresh("topical")
    assert (await deploy(engine, CATCHING.format(key=key).replace(f'"{key}"/>', f'"{NAME}"/>'))).status_code == 200
    definition = (await engine.get(f"/process-definition/key/{key}"))["id"]
    not_started(await engine.http.post(f"/process-definition/{definition}/start", json={}), definition)
    assert await engine.get("/history/process-instance/count", processDefinitionId=definition) == {"count": 0}
    assert await engine.get("/external-task/count", topicName=NAME) == {"count": 0}
