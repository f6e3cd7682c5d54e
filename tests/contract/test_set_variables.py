"""``POST /process-instance/variables-async``: a batch that sets variables of many instances."""

from typing import Any

import pytest

from tests.contract.answers import refused, unreadable
from tests.contract.batches import Launched, Outcome, Record, order, stopped
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

PATH = "/process-instance/variables-async"
ONE = {"amount": {"value": 130}}
NOTHING = ("BadUserRequestException", "processInstanceIds is empty", 0)
DATABASE = (
    "An exception occurred in the persistence layer. "
    "Please check the server logs for a detailed message and the entire exception stack trace."
)


async def launched(engine: Engine, variables: Record, instances: list[Any] | None = None, **more: Any) -> Launched:
    """The batch that sets these variables."""
    body: Record = {"variables": variables, **more}
    if instances is not None:
        body["processInstanceIds"] = instances
    return await order(engine, PATH, body)


async def variables(engine: Engine, instance: str) -> Record:
    """The variables of an instance, values by name."""
    found: Record = await engine.get(f"/process-instance/{instance}/variables", deserializeValues=False)
    return {name: (one["type"], one["value"]) for name, one in found.items()}


async def fetched(engine: Engine, topic: str) -> Any:
    """The amount that a worker gets with the one task of a topic."""
    wanted = {"topicName": topic, "lockDuration": 60_000, "variables": ["amount"]}
    body = {"workerId": fresh("worker"), "maxTasks": 1, "topics": [wanted]}
    (task,) = await engine.post("/external-task/fetchAndLock", body)
    return task["variables"]["amount"]["value"]


async def test_a_variable_is_replaced_or_made(engine: Engine, world: World) -> None:
    scene = await world.scene(2, variables={"amount": 7, "left": "as it was"})
    before = [await world.task(task) for task in scene.tasks]
    given = {"amount": {"value": "12", "type": "String"}, "note": {"value": "corrected"}, "old": {"value": None}}
    batch = await launched(engine, given, scene.instances)
    assert (batch.answer["type"], batch.answer["totalJobs"]) == ("set-variables", 2)
    await batch.ended()
    for instance in scene.instances:
        assert await variables(engine, instance) == {
            "amount": ("String", "12"),
            "left": ("String", "as it was"),
            "note": ("String", "corrected"),
            "old": ("Null", None),
        }
    assert [await world.task(task) for task in scene.tasks] == before


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"value": "text"}, ("String", "text")),
        ({"value": 5}, ("Integer", 5)),
        ({"value": 5_000_000_000}, ("Long", 5_000_000_000)),
        ({"value": 1.5}, ("Double", 1.5)),
        ({"value": True}, ("Boolean", True)),
        ({"value": None}, ("Null", None)),
        ({}, ("Null", None)),
        ({"value": "2026-03-01T10:00:00.000+0000"}, ("String", "2026-03-01T10:00:00.000+0000")),
        ({"value": "12", "type": "integer"}, ("Integer", 12)),
        ({"value": "7", "type": "Short"}, ("Short", 7)),
        ({"value": 7, "type": "Long"}, ("Long", 7)),
        ({"value": None, "type": "Integer"}, ("Integer", None)),
        ({"value": "YWJj", "type": "Bytes"}, ("Bytes", "YWJj")),
        ({"value": "2026-03-01T10:00:00.000+0000", "type": "Date"}, ("Date", "2026-03-01T10:00:00.000+0000")),
        ({"value": 1, "valueInfo": {"nothing": "known"}}, ("Integer", 1)),
    ],
)
async def test_types(engine: Engine, world: World, given: Record, kept: tuple[str, Any]) -> None:
    scene = await world.scene()
    await (await launched(engine, {"it": given}, scene.instances)).ended()
    assert await variables(engine, scene.instances[0]) == {"it": kept}


async def test_a_file(engine: Engine, world: World) -> None:
    scene = await world.scene()
    file = {"value": "YWJj", "type": "File", "valueInfo": {"filename": "a.txt"}}
    await (await launched(engine, {"it": file}, scene.instances)).ended()
    assert await variables(engine, scene.instances[0]) == {"it": ("File", None)}
    content = await engine.http.get(f"/process-instance/{scene.instances[0]}/variables/it/data")
    assert (content.status_code, content.content) == (200, b"abc")


async def test_all_sources_are_united(engine: Engine, world: World) -> None:
    word = fresh("key")
    scene = await world.scene(4, business_keys=[f"{word}-{number}" for number in range(4)])
    one, two, three, four = scene.instances
    await world.cancel(four)
    batch = await launched(
        engine,
        ONE,
        [one, one, None, fresh("nobody"), four],
        processInstanceQuery={"businessKey": f"{word}-1"},
        historicProcessInstanceQuery={"processDefinitionKey": scene.key},
    )
    assert batch.answer["totalJobs"] == 3
    assert (await batch.ended())["totalJobs"] == 3
    for instance in (one, two, three):
        assert await variables(engine, instance) == {"amount": ("Integer", 130)}
    ended = await engine.http.get(f"/process-instance/{four}/variables")
    assert ended.status_code == 500


async def test_a_query_without_hits_beside_an_id(engine: Engine, world: World) -> None:
    scene = await world.scene()
    batch = await launched(engine, ONE, scene.instances, processInstanceQuery={"processDefinitionKey": fresh("none")})
    assert batch.answer["totalJobs"] == 1
    await batch.ended()


async def test_suspended_instances_are_set_too(engine: Engine, world: World) -> None:
    scene = await world.scene()
    await world.suspend(scene.instances[0])
    await (await launched(engine, ONE, scene.instances)).ended()
    assert await variables(engine, scene.instances[0]) == {"amount": ("Integer", 130)}


async def test_locked_and_failed_tasks_stay_as_they_are(engine: Engine, world: World) -> None:
    scene = await world.scene(2, variables={"amount": 1})
    await world.fail(scene.tasks[0], "the amount is wrong")
    await world.lock(scene.tasks[1], fresh("worker"))
    before = [await world.task(task) for task in scene.tasks]
    incident = await world.incident(scene.tasks[0])
    await (await launched(engine, ONE, scene.instances)).ended()
    assert [await world.task(task) for task in scene.tasks] == before
    assert await world.incident(scene.tasks[0]) == incident


async def test_a_worker_sees_the_new_value(engine: Engine, world: World) -> None:
    scene = await world.scene(variables={"amount": 1})
    await (await launched(engine, ONE, scene.instances)).ended()
    topic = {"topicName": scene.topic, "lockDuration": 60_000, "variables": ["amount"]}
    (task,) = await engine.post(
        "/external-task/fetchAndLock", {"workerId": fresh("w"), "maxTasks": 1, "topics": [topic]}
    )
    assert task["variables"]["amount"]["value"] == 130
    asked = {"processInstanceId": scene.instances[0]}
    for value, found in ((130, 1), (1, 0)):
        wanted = [{"name": "amount", "operator": "eq", "value": value}]
        count = await engine.post("/external-task/count", {**asked, "processVariables": wanted})
        assert count == {"count": found}


async def test_a_local_variable_of_the_task_hides_the_new_value(engine: Engine, world: World) -> None:
    scene = await world.scene(variables={"amount": 1})
    execution = (await world.task(scene.tasks[0]))["executionId"]
    assert execution != scene.instances[0]
    await engine.order("PUT", f"/execution/{execution}/localVariables/amount", {"value": 2})
    await (await launched(engine, ONE, scene.instances)).ended()
    topic = {"topicName": scene.topic, "lockDuration": 60_000, "variables": ["amount"]}
    (task,) = await engine.post(
        "/external-task/fetchAndLock", {"workerId": fresh("w"), "maxTasks": 1, "topics": [topic]}
    )
    assert task["variables"]["amount"]["value"] == 2
    assert await variables(engine, scene.instances[0]) == {"amount": ("Integer", 130)}


async def test_an_instance_that_ends_after_the_order_is_passed_over(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await stopped(engine, lambda: launched(engine, ONE, scene.instances), unseeded=True)
    await world.cancel(scene.instances[0])
    await batch.suspend(False)
    assert await batch.settled() == Outcome(jobs=2, failed=0)
    await batch.ended()
    assert await variables(engine, scene.instances[1]) == {"amount": ("Integer", 130)}


async def test_a_change_after_the_order_is_overwritten(engine: Engine, world: World) -> None:
    scene = await world.scene()
    batch = await stopped(engine, lambda: launched(engine, ONE, scene.instances), unseeded=True)
    (instance,) = scene.instances
    await engine.order("PUT", f"/process-instance/{instance}/variables/amount", {"value": "later"})
    await batch.suspend(False)
    await batch.ended()
    assert await variables(engine, instance) == {"amount": ("Integer", 130)}


async def test_a_deleted_batch_leaves_the_instances_alone(engine: Engine, world: World) -> None:
    scene = await world.scene(variables={"amount": 1})
    # What a batch manages before it is suspended sets the old value.
    batch = await stopped(engine, lambda: launched(engine, {"amount": {"value": 1}}, scene.instances), unseeded=True)
    await batch.delete()
    assert await variables(engine, scene.instances[0]) == {"amount": ("Integer", 1)}
    assert await engine.get("/variable-instance", batchIdIn=batch.id) == []


async def test_the_values_wait_with_the_batch(engine: Engine, world: World) -> None:
    scene = await world.scene()
    name = fresh("waiting")
    batch = await stopped(engine, lambda: launched(engine, {name: {"value": 5}}, scene.instances), unseeded=True)
    for question in ({"batchIdIn": batch.id}, {"variableName": name}):
        rows = await engine.get("/variable-instance", **question)
        # An earlier try to stop the batch in time may have set the variable already.
        (found,) = [row for row in rows if row["batchId"] == batch.id]
        assert (found["name"], found["type"], found["value"], found["batchId"]) == (name, "Integer", 5, batch.id)
        assert (found["processInstanceId"], found["executionId"], found["activityInstanceId"]) == (None, None, None)
    await batch.suspend(False)
    await batch.ended()
    assert await engine.get("/variable-instance", batchIdIn=batch.id) == []
    (kept,) = await engine.get("/variable-instance", variableName=name)
    assert (kept["processInstanceId"], kept["batchId"]) == (scene.instances[0], None)


async def test_jobs_of_one_instance_belong_to_it(engine: Engine, world: World) -> None:
    scene, amounts = await world.scene(2), []

    async def again() -> Launched:
        amounts.append(130 + len(amounts))  # a batch that could not be stopped has set what the one before had
        return await launched(engine, {"amount": {"value": amounts[-1]}}, scene.instances)

    batch = await stopped(engine, again, unseeded=True)
    (seed,) = await batch.job_of(batch.seed)
    assert seed["processInstanceId"] is None
    await engine.order("POST", f"/job/{seed['id']}/execute")
    jobs = await batch.jobs()
    assert {job["processInstanceId"] for job in jobs} == set(scene.instances)
    for job in jobs:
        assert (job["retries"], job["dueDate"], job["suspended"]) == (3, None, True)
        assert (job["executionId"], job["processDefinitionId"], job["processDefinitionKey"]) == (None, None, None)
    first, second = jobs
    assert len(await engine.post("/job", {"processInstanceId": first["processInstanceId"], "suspended": True})) == 1
    await engine.order("POST", f"/job/{first['id']}/execute")
    assert await variables(engine, first["processInstanceId"]) == {"amount": ("Integer", amounts[-1])}
    await engine.order("DELETE", f"/job/{second['id']}")
    log = await engine.post("/history/job-log", {"jobId": first["id"]})
    assert {entry["processInstanceId"] for entry in log} == {first["processInstanceId"]}
    assert {entry["deploymentId"] for entry in log} == {scene.deployment}
    now = await batch.now()
    assert (now["completedJobs"], now["remainingJobs"]) == (2, 0)
    await batch.suspend(False)
    await batch.ended()
    assert (await variables(engine, second["processInstanceId"])).get("amount") != ("Integer", amounts[-1])


async def test_definitions_of_its_jobs(engine: Engine, world: World) -> None:
    scene = await world.scene()
    batch = await stopped(engine, lambda: launched(engine, ONE, scene.instances), unseeded=True)
    found = await engine.get("/job-definition", jobConfiguration=batch.id)
    assert {(one["jobType"], one["deploymentId"]) for one in found} == {
        ("batch-seed-job", scene.deployment),
        ("batch-monitor-job", None),
        ("set-variables", None),
    }
    for one in found:
        assert (one["processDefinitionId"], one["processDefinitionKey"], one["activityId"]) == (None, None, None)
    listed = await engine.get("/batch", type="set-variables")
    assert batch.id in [one["id"] for one in listed]
    await batch.delete()
    assert batch.id in [one["id"] for one in await engine.get("/history/batch", type="set-variables")]


REFUSED = [
    ({"processInstanceIds": ["nobody"]}, 400, ("InvalidRequestException", "variables is null", None)),
    ({}, 400, ("InvalidRequestException", "variables is null", None)),
    ({"variables": None}, 400, ("InvalidRequestException", "variables is null", None)),
    (
        {"variables": {"a": {"value": 1, "type": "Foo"}}, "processInstanceQuery": {"processInstanceIds": []}},
        400,
        ("InvalidRequestException", "Cannot set variables: Unsupported value type 'Foo'", None),
    ),
    (
        {"variables": {"a": {"value": "abc", "type": "Integer"}}},
        400,
        (
            "InvalidRequestException",
            "Cannot set variables: Cannot convert value 'abc' of type 'Integer' to java type java.lang.Integer",
            None,
        ),
    ),
    (
        {"variables": {"a": {"value": "2026-03-01", "type": "Date"}}},
        400,
        (
            "InvalidRequestException",
            "Cannot set variables: Cannot convert value '2026-03-01' of type 'Date' to java type java.util.Date",
            None,
        ),
    ),
    (
        {"variables": {"a": {"value": "YWJj", "type": "File", "valueInfo": {"mimeType": "x/y"}}}},
        500,
        (
            "IllegalArgumentException",
            "Cannot create file without filename! Please set a name into ValueInfo with key filename",
            None,
        ),
    ),
    (
        {"variables": {}, "processInstanceQuery": {"sorting": [{"sortBy": "x", "sortOrder": "asc"}]}},
        400,
        (
            "NotValidException",
            "You should call any of the orderBy methods first before specifying a direction: "
            "currentOrderingProperty is null",
            0,
        ),
    ),
    (
        {"variables": ONE, "processInstanceIds": ["x"], "processInstanceQuery": {"processInstanceIds": []}},
        500,
        ("ProcessEngineException", "Set of process instance ids is empty", 0),
    ),
    ({"variables": {}}, 400, ("BadUserRequestException", "variables is empty", 0)),
    ({"variables": ONE}, 400, ("InvalidRequestException", "No process instances found.", None)),
    (
        {"variables": ONE, "processInstanceIds": None},
        400,
        ("InvalidRequestException", "No process instances found.", None),
    ),
    ({"variables": ONE, "processInstanceIds": []}, 400, NOTHING),
    ({"variables": ONE, "processInstanceIds": [None]}, 400, NOTHING),
    ({"variables": ONE, "processInstanceIds": ["nobody"]}, 400, NOTHING),
    ({"variables": ONE, "processInstanceQuery": {"processDefinitionKey": "nothing-here"}}, 400, NOTHING),
    ({"variables": ONE, "historicProcessInstanceQuery": {"processDefinitionKey": "nothing-here"}}, 400, NOTHING),
    (
        {"variables": {"a": {"value": 1, "valueInfo": {"transient": True}}}},
        400,
        ("InvalidRequestException", "No process instances found.", None),
    ),
    (
        {"variables": {"a": {"value": 1, "valueInfo": {"transient": True}}}, "processInstanceIds": ["nobody"]},
        400,
        NOTHING,
    ),
]


@pytest.mark.parametrize(("body", "status", "refusal"), REFUSED)
async def test_refusals(engine: Engine, body: Record, status: int, refusal: tuple[str, str, int | None]) -> None:
    refused(await engine.http.post(PATH, json=body), status, *refusal)


@pytest.mark.parametrize(
    ("variable", "refusal"),
    [
        (
            {"a": {"value": 1, "valueInfo": {"transient": True}}},
            (
                "BadUserRequestException",
                "ENGINE-13044 Setting transient variable 'a' asynchronously is currently not supported.",
                0,
            ),
        ),
        ({"a": {"value": "x" * 4001}}, ("InvalidRequestException", DATABASE, None)),
        ({"a" * 256: {"value": 1}}, ("InvalidRequestException", DATABASE, None)),
        (
            {
                "a": {
                    "value": "rO0ABXQAAA==",
                    "type": "Object",
                    "valueInfo": {
                        "objectTypeName": "java.lang.String",
                        "serializationDataFormat": "application/x-java-serialized-object",
                    },
                }
            },
            (
                "InvalidRequestException",
                "ENGINE-17007 Cannot set variable with name a. Java serialization format is prohibited",
                None,
            ),
        ),
    ],
    ids=["transient", "long", "long name", "java"],
)
async def test_values_that_can_not_wait(
    engine: Engine, world: World, variable: Record, refusal: tuple[str, str, int | None]
) -> None:
    scene = await world.scene()
    before = await engine.get("/history/batch/count", type="set-variables")
    body = {"variables": variable, "processInstanceIds": scene.instances}
    refused(await engine.http.post(PATH, json=body), 400, *refusal)
    assert await engine.get("/history/batch/count", type="set-variables") == before


async def test_bodies_of_the_wrong_kind(engine: Engine) -> None:
    for body in ({"variables": [1]}, {"variables": ONE, "processInstanceIds": "one"}, {"variables": "x"}):
        unreadable(await engine.http.post(PATH, json=body), engine)


async def test_it_is_no_instance(engine: Engine) -> None:
    assert (await engine.http.get(PATH)).status_code == 405
