"""Users, and the log of what they did. Every engine here asks for a user; see the fixture ``guarded_engine``."""

import base64
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from tests.contract.answers import USER_OPERATION, ids, moment, refused
from tests.contract.batches import Launched, launch, stuck
from tests.contract.bpmn import Drawing
from tests.contract.conftest import USER
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh
from tests.store.drawings import file, flows, process, task

PATH = "/history/user-operation"
Entry = dict[str, Any]
FAR, FAR_MS = "2099-01-01T00:00:00.000+0000", "4070908800000"


@pytest.fixture
def engine(guarded_engine: Engine) -> Engine:
    """The engine that asks for users."""
    return guarded_engine


class Log:
    """What is written since it was made."""

    def __init__(self, engine: Engine, known: set[str]) -> None:
        self._engine = engine
        self._known = known

    async def forget(self) -> None:
        """Pass over what was written until now."""
        self._known.update(ids(await self._engine.get(PATH)))

    async def new(self) -> list[Entry]:
        """The entries of the last order, by property: one user, one operation id."""
        found = [entry for entry in await self._engine.get(PATH) if entry["id"] not in self._known]
        self._known.update(ids(found))
        for entry in found:
            assert set(entry) == USER_OPERATION
            assert (entry["userId"], entry["category"], entry["annotation"]) == (USER[0], "Operator", None)
            moment(entry["timestamp"])
        assert len({entry["operationId"] for entry in found}) <= 1
        return sorted(found, key=lambda entry: (entry["property"] or "", entry["processInstanceId"] or ""))

    async def of(self, method: str, path: str, body: Any = None, **params: Any) -> list[Entry]:
        """The entries of this order, each without what says nothing, or the same for all."""
        await self.forget()
        await self._engine.order(method, path, body, **params)
        return [_telling(entry) for entry in await self.new()]


def _telling(entry: Entry) -> Entry:
    silent = {"id", "timestamp", "operationId", "userId", "category", "removalTime"}
    return {name: value for name, value in entry.items() if value is not None and name not in silent}


@pytest_asyncio.fixture(loop_scope="session")
async def log(engine: Engine) -> Log:
    return Log(engine, set(ids(await engine.get(PATH))))


def did(operation: str, entity: str, prop: str | None = None, new: str | None = None, **more: str | None) -> Entry:
    """An entry as it is expected; nothing of none."""
    entry = {"operationType": operation, "entityType": entity, "property": prop, "newValue": new, **more}
    return {name: value for name, value in entry.items() if value is not None}


def in_bulk(operation: str, entity: str, count: int, later: bool, retries: int | None = None) -> list[Entry]:
    entries = [
        did(operation, entity, "async", "true" if later else "false"),
        did(operation, entity, "nrOfInstances", str(count)),
    ]
    return entries if retries is None else [*entries, did(operation, entity, "retries", str(retries))]


def about(scene: Scene, number: int = 0) -> Entry:
    """What entries say of an instance."""
    instance = scene.instances[number]
    return {**about_definition(scene), "processInstanceId": instance, "rootProcessInstanceId": instance}


def about_definition(scene: Scene) -> Entry:
    return {
        "deploymentId": scene.deployment,
        "processDefinitionId": scene.definition,
        "processDefinitionKey": scene.key,
    }


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


async def bare(engine: Engine, path: str, headers: dict[str, str]) -> httpx.Response:
    """The answer to a request without the user of the client."""
    return await engine.http.get(path, headers=headers, auth=None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(f"nobody{uuid4().hex}", "secret"),
        basic(f"nobody{uuid4().hex}", ""),
        {"Authorization": "Basic !"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic b3Bz"},
        {"Authorization": "Bearer " + uuid4().hex},
    ],
    ids=["no header", "stranger", "no password", "no base64", "nothing", "no colon", "another scheme"],
)
@pytest.mark.parametrize("path", ["/version", "/batch/count", "/engine/default/batch"])
async def test_nobody_else_is_let_in(engine: Engine, path: str, headers: dict[str, str]) -> None:
    response = await bare(engine, path, headers)
    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["www-authenticate"] == 'Basic realm="default"'


async def test_the_list_of_engines_stays_open(engine: Engine) -> None:
    response = await bare(engine, "/engine", {})
    assert (response.status_code, response.json()) == (200, [{"name": "default"}])


async def test_orders_to_one_task(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    of_it = {**about(scene), "externalTaskId": task}
    word = "SetExternalTaskRetries"
    path = f"/external-task/{task}"
    first = await log.of("PUT", f"{path}/retries", {"retries": 3})
    assert first == [did(word, "ExternalTask", "retries", "3", **of_it)]
    again = await log.of("PUT", f"{path}/retries", {"retries": 0})
    assert again == [did(word, "ExternalTask", "retries", "0", orgValue="3", **of_it)]
    priority = await log.of("PUT", f"{path}/priority", {"priority": 7})
    assert priority == [did("SetPriority", "ExternalTask", "priority", "7", orgValue="0", **of_it)]
    await world.lock(task, "w")
    assert await log.of("POST", f"{path}/unlock") == [did("Unlock", "ExternalTask", **of_it)]
    assert (await engine.http.put(f"{path}/retries", json={"retries": -1})).status_code == 400
    assert await log.new() == []


async def test_what_workers_report_is_not_written_down(world: World, log: Log) -> None:
    scene = await world.scene(2)
    await log.forget()
    await world.fail(scene.tasks[0])
    await world.complete(scene.tasks[1])
    assert await log.new() == []


async def test_orders_to_many_tasks(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene(2)
    body = {"retries": 4, "externalTaskIds": [*scene.tasks, scene.tasks[0]]}
    word = "SetExternalTaskRetries"
    assert await log.of("PUT", "/external-task/retries", body) == in_bulk(word, "ExternalTask", 2, False, 4)
    batch = await launch(engine, 5, scene.tasks)
    assert [_telling(entry) for entry in await log.new()] == in_bulk(word, "ExternalTask", 2, True, 5)
    assert batch.answer["createUserId"] == USER[0]
    assert (await batch.ended())["createUserId"] == USER[0]
    assert await world.retries(scene.tasks) == [5, 5]
    assert await log.new() == []


async def test_orders_to_a_batch(engine: Engine, log: Log) -> None:
    batch = await stuck(engine, [])
    path, of_it = f"/batch/{batch.id}", {"batchId": batch.id}
    for suspended, word, state in ((True, "SuspendBatch", "suspended"), (False, "ActivateBatch", "active")):
        entries = await log.of("PUT", f"{path}/suspended", {"suspended": suspended})
        assert entries == [did(word, "Batch", "suspensionState", state, **of_it)]
    assert await log.of("DELETE", path) == [did("Delete", "Batch", "cascadeToHistory", "false", **of_it)]
    assert await log.of("DELETE", f"/history{path}") == [did("DeleteHistory", "Batch", **of_it)]


async def test_orders_to_one_job(engine: Engine, log: Log) -> None:
    batch = await stuck(engine, [])
    await batch.suspend()
    (job,) = await batch.jobs()
    path = f"/job/{job['id']}"
    of_it = {"jobId": job["id"], "jobDefinitionId": batch.work}
    assert await log.of("PUT", f"{path}/retries", {"retries": 2, "dueDate": FAR}) == [
        did("SetJobRetries", "Job", "dueDate", FAR_MS, **of_it),
        did("SetJobRetries", "Job", "retries", "2", orgValue="0", **of_it),
    ]
    assert await log.of("PUT", f"{path}/duedate", {"duedate": None}) == [
        did("SetDueDate", "Job", "duedate", orgValue=FAR_MS, **of_it)
    ]
    assert await log.of("PUT", f"{path}/priority", {"priority": 3}) == [
        did("SetPriority", "Job", "priority", "3", orgValue="0", **of_it)
    ]
    for suspended, word, state in ((False, "ActivateJob", "active"), (True, "SuspendJob", "suspended")):
        entries = await log.of("PUT", f"{path}/suspended", {"suspended": suspended})
        assert entries == [did(word, "Job", "suspensionState", state, **of_it)]
    assert (await engine.http.post(f"{path}/execute")).status_code == 404
    assert await log.new() == []
    assert await log.of("DELETE", path) == [did("Delete", "Job", **of_it)]
    await batch.discard()


async def test_a_job_that_is_carried_out(engine: Engine, log: Log) -> None:
    batch = await stuck(engine, [])
    (monitor,) = await batch.job_of(batch.monitor)
    of_it = {"jobId": monitor["id"], "jobDefinitionId": batch.monitor}
    assert await log.of("POST", f"/job/{monitor['id']}/execute") == [did("Execute", "Job", **of_it)]
    await batch.delete()


async def test_orders_to_many_jobs(engine: Engine, log: Log) -> None:
    batch = await stuck(engine, [], unknown=2)
    await batch.suspend()
    of_it = {"jobDefinitionId": batch.work}
    state = {"suspended": True, "jobDefinitionId": batch.work}
    assert await log.of("PUT", "/job/suspended", state) == [
        did("SuspendJob", "Job", "suspensionState", "suspended", **of_it)
    ]
    path = f"/job-definition/{batch.work}"
    assert await log.of("PUT", f"{path}/suspended", {"suspended": False}) == [
        did("ActivateJobDefinition", "JobDefinition", "suspensionState", "active", **of_it)
    ]
    priorities = await log.of("PUT", f"{path}/jobPriority", {"priority": 6})
    assert sorted(priorities, key=str) == sorted(
        [
            did("SetPriority", "JobDefinition", "overridingPriority", "6", **of_it),
            did("SetPriority", "Job", "priority", "6", **of_it),
        ],
        key=str,
    )
    assert await log.of("PUT", f"{path}/jobPriority", {}) == [
        did("SetPriority", "JobDefinition", "overridingPriority", orgValue="6", **of_it)
    ]
    assert await log.of("PUT", f"{path}/retries", {"retries": 5, "dueDate": FAR}) == [
        did("SetJobRetries", "Job", "dueDate", FAR_MS, **of_it),
        did("SetJobRetries", "Job", "retries", "5", **of_it),
    ]
    retried = Launched(engine, await engine.post("/job/retries", {"retries": 0, "jobIds": ids(await batch.jobs())}))
    assert [_telling(entry) for entry in await log.new()] == in_bulk("SetJobRetries", "Job", 2, True, 0)
    await retried.ended()
    await batch.delete()


async def test_orders_to_jobs_of_instances(world: World, log: Log) -> None:
    scene = await world.scene(1)
    change = did("SuspendJob", "Job", "suspensionState", "suspended")
    selectors: list[tuple[str, str, Entry]] = [
        ("processInstanceId", scene.instances[0], about(scene)),
        ("processDefinitionId", scene.definition, about_definition(scene)),
        ("processDefinitionKey", scene.key, {"processDefinitionKey": scene.key}),
        ("processInstanceId", "nowhere", {}),
        ("processDefinitionId", "nowhere", {}),
        ("jobDefinitionId", "nowhere", {"jobDefinitionId": "nowhere"}),
    ]
    for selector, value, place in selectors:
        entries = await log.of("PUT", "/job/suspended", {"suspended": True, selector: value})
        assert entries == [{**change, **place}]


async def test_orders_to_an_instance(world: World, log: Log) -> None:
    scene = await world.scene(1)
    path = f"/process-instance/{scene.instances[0]}"
    for suspended, word, state in ((True, "Suspend", "suspended"), (False, "Activate", "active")):
        entries = await log.of("PUT", f"{path}/suspended", {"suspended": suspended})
        assert entries == [did(word, "ProcessInstance", "suspensionState", state, **about(scene))]
    entries = await log.of("PUT", f"{path}/variables/x", {"value": 1})
    assert entries == [did("SetVariable", "Variable", **about(scene))]
    entries = await log.of("POST", f"{path}/variables", {"modifications": {"y": {"value": 2}}, "deletions": ["x"]})
    assert entries == [did("ModifyVariable", "Variable", **about(scene))]
    entries = await log.of("DELETE", f"{path}/variables/y")
    assert entries == [did("RemoveVariable", "Variable", **about(scene))]
    assert await log.of("DELETE", path) == [did("Delete", "ProcessInstance", **about(scene))]
    assert await log.of("DELETE", f"/history{path}") == in_bulk("DeleteHistory", "ProcessInstance", 1, False)


async def test_orders_to_many_instances(world: World, log: Log) -> None:
    scene = await world.scene(2)
    path = "/process-instance/suspended"
    entries = await log.of("PUT", path, {"suspended": True, "processDefinitionId": scene.definition})
    suspended = did("Suspend", "ProcessInstance", "suspensionState", "suspended")
    assert entries == [{**suspended, **about_definition(scene)}]
    entries = await log.of("PUT", path, {"suspended": True, "processDefinitionKey": scene.key})
    assert entries == [{**suspended, "processDefinitionKey": scene.key}]
    entries = await log.of("PUT", path, {"suspended": True, "processInstanceIds": scene.instances})
    each = [{**suspended, **about(scene, number)} for number in range(2)]
    each.sort(key=lambda entry: str(entry["processInstanceId"]))
    assert entries == [*in_bulk("SuspendJob", "ProcessInstance", 2, False), *each]
    nowhere = await log.of("PUT", "/process-instance/nowhere/suspended", {"suspended": False})
    assert nowhere == [did("Activate", "ProcessInstance", "suspensionState", "active", processInstanceId="nowhere")]


async def test_orders_to_instances_that_are_not_running(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene(2)
    ended, running = scene.instances
    await world.cancel(ended)
    nowhere = fresh("none")
    suspended = did("Suspend", "ProcessInstance", "suspensionState", "suspended")
    named = [ended, running, nowhere, nowhere]
    entries = await log.of("PUT", "/process-instance/suspended", {"suspended": True, "processInstanceIds": named})
    each = [{**suspended, **about(scene, 1)}, *({**suspended, "processInstanceId": one} for one in (ended, nowhere))]
    each.sort(key=lambda entry: str(entry["processInstanceId"]))
    assert entries == [*in_bulk("SuspendJob", "ProcessInstance", 3, False), *each]
    query = {"historicProcessInstanceQuery": {"processInstanceIds": [ended]}}
    entries = await log.of("PUT", "/process-instance/suspended", {"suspended": True, **query})
    assert entries == [
        *in_bulk("SuspendJob", "ProcessInstance", 1, False),
        {**suspended, "processInstanceId": ended},
    ]
    entries = await log.of("PUT", f"/process-instance/{ended}/suspended", {"suspended": True})
    assert entries == [{**suspended, "processInstanceId": ended}]
    assert (await engine.get(f"/process-instance/{running}"))["suspended"]


async def test_history_that_is_not_there(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene(1)
    nowhere = fresh("none")
    entries = await log.of("DELETE", f"/history/process-instance/{nowhere}", failIfNotExists=False)
    assert entries == in_bulk("DeleteHistory", "ProcessInstance", 0, False)
    await log.forget()
    for one, fails in ((nowhere, True), (scene.instances[0], True), (scene.instances[0], False)):
        params = {"failIfNotExists": str(fails).lower()}
        answer = await engine.http.delete(f"/history/process-instance/{one}", params=params)
        message = f"Historic process instance with id {one} does not exist"
        refused(answer, 404, "InvalidRequestException", message, 0)
    assert await log.new() == []


@pytest.mark.parametrize("ends", ["completed", "deleted"])
async def test_entries_are_to_be_removed_with_their_instance(engine: Engine, world: World, ends: str) -> None:
    scene = await world.scene(1)
    (instance,), (task,) = scene.instances, scene.tasks

    async def times() -> dict[str, str | None]:
        entries = await engine.get(PATH, processInstanceId=instance)
        return {entry["operationType"]: entry["removalTime"] for entry in entries}

    await engine.order("PUT", f"/external-task/{task}/priority", {"priority": 5})
    await engine.order("PUT", f"/external-task/{task}/retries", {"retries": 5})
    await engine.order("PUT", f"/process-instance/{instance}/variables/x", {"value": 1})
    words = ["Create", "SetPriority", "SetExternalTaskRetries", "SetVariable"]
    assert await times() == dict.fromkeys(words)
    await (world.complete(task) if ends == "completed" else world.cancel(instance))
    removal = (await engine.get(f"/history/process-instance/{instance}"))["removalTime"]
    assert removal is not None
    expected = dict.fromkeys(words if ends == "completed" else [*words, "Delete"], removal)
    assert await times() == expected
    await world.suspend(instance)  # written after the end
    assert await times() == {**expected, "Suspend": None}
    await engine.order("DELETE", f"/history/process-instance/{instance}")
    assert await times() == {**expected, "Suspend": None}


async def test_a_deployment_of_duplicates_is_written_down(engine: Engine, log: Log) -> None:
    drawing = file(process('<startEvent id="begin"/>', task("a"), flows("begin>a"), key=fresh("order")))
    name = fresh("deployment")
    made: list[str] = []
    for changed_only in ("false", "true"):
        parts: dict[str, Any] = {
            "deployment-name": (None, name),
            "enable-duplicate-filtering": (None, "true"),
            "deploy-changed-only": (None, changed_only),
            "data": ("order.bpmn", drawing),
        }
        for _ in range(2):
            await log.forget()
            made.append((await engine.http.post("/deployment/create", files=parts)).json()["id"])
            expected = [
                did("Create", "Deployment", "deployChangedOnly", changed_only, deploymentId=made[0]),
                did("Create", "Deployment", "duplicateFilterEnabled", "true", deploymentId=made[0]),
            ]
            assert [_telling(entry) for entry in await log.new()] == expected
    assert len(set(made)) == 1


async def test_an_instance_that_ends_at_once(engine: Engine, world: World) -> None:
    deployed = await world.deploy(Drawing(fresh("short"), []))
    ((key, definition),) = deployed.definitions.items()
    instance = await world.start(definition)
    (entry,) = await engine.get(PATH, processInstanceId=instance)
    place = (entry["processDefinitionId"], entry["processDefinitionKey"], entry["deploymentId"])
    assert place == (definition, key, deployed.id)
    assert entry["rootProcessInstanceId"] == instance
    assert entry["removalTime"] == (await engine.get(f"/history/process-instance/{instance}"))["removalTime"]


async def test_starts_and_deployments(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene(1)
    started = await engine.get(PATH, processInstanceId=scene.instances[0])
    assert [_telling(entry) for entry in started] == [did("Create", "ProcessInstance", **about(scene))]
    history = await engine.get(f"/history/process-instance/{scene.instances[0]}")
    assert history["startUserId"] == USER[0]
    (deployed,) = await engine.get(PATH, deploymentId=scene.deployment, entityType="Deployment")
    of_it = {"deploymentId": scene.deployment}
    assert _telling(deployed) == did("Create", "Deployment", "duplicateFilterEnabled", "false", **of_it)
    removed = await log.of("DELETE", f"/deployment/{scene.deployment}", cascade=True)
    assert removed == [did("Delete", "Deployment", "cascade", "true", **of_it)]


async def test_notes_on_incidents(world: World, log: Log) -> None:
    scene = await world.scene(1)
    await world.fail(scene.tasks[0])
    incident = (await world.incident(scene.tasks[0]))["id"]
    path = f"/incident/{incident}/annotation"
    entries = await log.of("PUT", path, {"annotation": "known"})
    assert entries == [did("SetAnnotation", "Incident", "incidentId", incident)]
    assert await log.of("DELETE", path) == [did("ClearAnnotation", "Incident", "incidentId", incident)]


async def test_notes_on_operations(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await engine.order("PUT", "/external-task/retries", {"retries": 4, "externalTaskIds": scene.tasks})
    operation = (await engine.get(PATH, sortBy="timestamp", sortOrder="desc", maxResults=1))[0]["operationId"]
    path = f"{PATH}/{operation}"

    async def notes() -> list[str | None]:
        return [entry["annotation"] for entry in await engine.get(PATH, operationId=operation)]

    steps: list[tuple[str, Any, str | None]] = [
        ("set", {"annotation": "ticket 12"}, "ticket 12"),
        ("clear", None, None),
        ("set", {"annotation": "again"}, "again"),
        ("set", {}, None),
    ]
    for word, body, expected in steps:
        await engine.order("PUT", f"{path}/{word}-annotation", body)
        assert await notes() == [expected] * 3
    written = await engine.get(PATH, entityType="OperationLog", property="operationId")
    of_it = [entry["operationType"] for entry in written if entry["newValue"] == operation]
    assert sorted(of_it) == ["ClearAnnotation", "ClearAnnotation", "SetAnnotation", "SetAnnotation"]
    for word in ("set", "clear"):
        response = await engine.http.put(f"{PATH}/{fresh('none')}/{word}-annotation", json={"annotation": "x"})
        refused(response, 400, "BadUserRequestException", "operation is null", 0)


async def test_the_initiator_is_the_user(engine: Engine) -> None:
    key = fresh("started")
    drawing = file(process('<startEvent id="begin" camunda:initiator="who"/>', task("a"), flows("begin>a"), key=key))
    response = await engine.http.post("/deployment/create", files={"data": ("started.bpmn", drawing)})
    assert response.status_code == 200, response.text
    instance = await engine.post(f"/process-definition/key/{key}/start", {"withVariablesInReturn": True})
    assert (instance["variables"]["who"]["type"], instance["variables"]["who"]["value"]) == ("String", USER[0])


async def test_batches_over_instances(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene(3)
    name = "ProcessInstance"

    async def entries(path: str, body: Entry) -> list[Entry]:
        await log.forget()
        await engine.post(f"/process-instance/{path}", {"processInstanceIds": scene.instances, **body})
        return [_telling(entry) for entry in await log.new()]

    variables = {"secret": {"value": "not told"}, "more": {"value": 1}}
    assert await entries("variables-async", {"variables": variables}) == [
        *in_bulk("SetVariables", name, 3, True),
        did("SetVariables", name, "nrOfVariables", "2"),
    ]
    assert await entries("suspended-async", {"suspended": True}) == in_bulk("SuspendJob", name, 3, True)
    assert await entries("suspended-async", {"suspended": False}) == in_bulk("ActivateJob", name, 3, True)
    unreasoned = {"processInstanceIds": [fresh("nobody")]}
    first, last = in_bulk("Delete", name, 1, True)
    assert await entries("delete", unreasoned) == [first, did("Delete", name, "deleteReason"), last]
    assert await entries("delete", {"deleteReason": "duplicate"}) == [
        in_bulk("Delete", name, 3, True)[0],
        did("Delete", name, "deleteReason", "duplicate"),
        in_bulk("Delete", name, 3, True)[1],
    ]


async def test_local_variables(engine: Engine, world: World, log: Log) -> None:
    scene = await world.scene()
    execution = (await world.task(scene.tasks[0]))["executionId"]
    path = f"/execution/{execution}/localVariables"
    for method, where, body, word in (
        ("PUT", f"{path}/own", {"value": 1}, "SetVariable"),
        ("POST", path, {"modifications": {"more": {"value": 1}}}, "ModifyVariable"),
        ("DELETE", f"{path}/own", None, "RemoveVariable"),
    ):
        (entry,) = await log.of(method, where, body)
        entry.pop("executionId", None)  # the store does not tell which execution it was
        assert entry == did(word, "Variable", **about(scene))
