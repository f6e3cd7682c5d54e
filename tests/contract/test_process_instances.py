"""Running process instances: one record, the filters and sort keys of the query."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import PROCESS_INSTANCE, refused
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, found_by_post, pages, sorts
from tests.contract.world import World, fresh

PATH = "/process-instance"


@dataclass
class Gallery:
    """Instances in every state, by name, and the definitions they run."""

    alpha: str
    beta: str
    tenant: str
    definitions: dict[str, str]
    deployments: dict[str, str]
    names: dict[str, str]
    base: dict[str, Any]

    def id_of(self, word: str) -> str:
        """The instance of this name."""
        (identity,) = [identity for identity, name in self.names.items() if name == word]
        return identity

    def named(self, ids: list[str]) -> set[str]:
        """The names of these instances."""
        return {self.names[identity] for identity in ids}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Six instances.

    Of alpha: plain, keyless (no business key), suspended, failed (an incident with a message) and double (two tasks,
    two incidents, one without a message). Of beta, with a tenant and another activity: foreign.
    """
    world = World(engine)
    alpha, beta, double, tenant = fresh("alpha"), fresh("beta"), fresh("double"), fresh("tenant")
    charge = Step("Charge", fresh("charge"))
    first = await world.deploy(Drawing(alpha, [charge]))
    second = await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"))]), tenant=tenant)
    third = await world.deploy(Drawing(double, [charge, Step("Mail", fresh("mail"))], side_by_side=True))
    definitions = {**first.definitions, **second.definitions, **third.definitions}
    words = {"plain": alpha, "keyless": alpha, "suspended": alpha, "failed": alpha, "double": double, "foreign": beta}
    names: dict[str, str] = {}
    tasks: dict[str, list[str]] = {}
    for word, key in words.items():
        instance = await world.start(definitions[key], None if word == "keyless" else f"Key_{word}")
        names[instance] = word
        tasks[word] = [task["id"] for task in await engine.get("/external-task", processInstanceId=instance)]
    await world.fail(tasks["failed"][0], "no answer from the bank")
    await world.fail(tasks["double"][0], "no answer from the shop")
    await world.set_retries(0, tasks["double"][1])
    suspended = next(identity for identity, word in names.items() if word == "suspended")
    await world.suspend(suspended)
    deployments = {alpha: first.id, beta: second.id, double: third.id}
    base = {"processDefinitionKeyIn": [alpha, beta, double]}
    return Gallery(alpha, beta, tenant, definitions, deployments, names, base)


ALPHA = {"plain", "keyless", "suspended", "failed"}
ALL = ALPHA | {"double", "foreign"}
FAILED = {"failed", "double"}

Filter = Callable[[Gallery], dict[str, Any]]

FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "processInstanceIds": (lambda g: {"processInstanceIds": [g.id_of("plain"), "none"]}, {"plain"}),
    "processInstanceIds-unknown": (lambda g: {"processInstanceIds": ["none"]}, set()),
    "rootProcessInstanceId": (lambda g: {"rootProcessInstanceId": g.id_of("plain")}, {"plain"}),
    "businessKey": (lambda g: {"businessKey": "Key_plain"}, {"plain"}),
    "businessKey-unknown": (lambda g: {"businessKey": "Key_%"}, set()),
    "businessKeyLike": (lambda g: {"businessKeyLike": "Key_%"}, ALL - {"keyless"}),
    "businessKeyLike-middle": (lambda g: {"businessKeyLike": "%y_f%"}, {"failed", "foreign"}),
    "businessKeyLike-anchored": (lambda g: {"businessKeyLike": "ey_f%"}, set()),
    "businessKeyLike-escaped": (lambda g: {"businessKeyLike": r"Key\_plain"}, {"plain"}),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.definitions[g.beta]}, {"foreign"}),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": g.alpha}, ALPHA),
    "processDefinitionKeyIn": (lambda g: {"processDefinitionKeyIn": [g.alpha, "none"]}, ALPHA),
    "processDefinitionKeyNotIn": (
        lambda g: {"processDefinitionKeyNotIn": [g.alpha, "none"]},
        {"double", "foreign"},
    ),
    "deploymentId": (lambda g: {"deploymentId": g.deployments[g.beta]}, {"foreign"}),
    "superProcessInstance": (lambda g: {"superProcessInstance": g.id_of("plain")}, set()),
    "subProcessInstance": (lambda g: {"subProcessInstance": g.id_of("plain")}, set()),
    "superCaseInstance": (lambda g: {"superCaseInstance": "none"}, set()),
    "subCaseInstance": (lambda g: {"subCaseInstance": "none"}, set()),
    "caseInstanceId": (lambda g: {"caseInstanceId": "none"}, set()),
    "rootProcessInstances": (lambda g: {"rootProcessInstances": True}, ALL),
    "leafProcessInstances": (lambda g: {"leafProcessInstances": True}, ALL),
    "rootProcessInstances-false": (lambda g: {"rootProcessInstances": False}, ALL),
    "active": (lambda g: {"active": True}, ALL - {"suspended"}),
    "suspended": (lambda g: {"suspended": True}, {"suspended"}),
    "active-suspended": (lambda g: {"active": True, "suspended": True}, {"suspended"}),
    "active-false": (lambda g: {"active": False, "suspended": False}, ALL),
    "withIncident": (lambda g: {"withIncident": True}, FAILED),
    "withIncident-false": (lambda g: {"withIncident": False}, ALL),
    "incidentType": (lambda g: {"incidentType": "failedExternalTask"}, FAILED),
    "incidentType-other": (lambda g: {"incidentType": "failedJob"}, set()),
    "incidentMessage": (lambda g: {"incidentMessage": "no answer from the shop"}, {"double"}),
    "incidentMessageLike": (lambda g: {"incidentMessageLike": "no answer%"}, FAILED),
    "incidentMessageLike-anchored": (lambda g: {"incidentMessageLike": "answer%"}, set()),
    "incident-type-and-message": (
        lambda g: {"incidentType": "failedExternalTask", "incidentMessageLike": "%bank"},
        {"failed"},
    ),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {"foreign"}),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALL - {"foreign"}),
    "tenantIdIn-withoutTenantId": (lambda g: {"withoutTenantId": True, "tenantIdIn": [g.tenant]}, ALL - {"foreign"}),
    "processDefinitionWithoutTenantId": (lambda g: {"processDefinitionWithoutTenantId": True}, ALL - {"foreign"}),
    "activityIdIn": (lambda g: {"activityIdIn": ["Ship", "Mail"]}, {"double", "foreign"}),
    "activityIdIn-unknown": (lambda g: {"activityIdIn": ["None"]}, set()),
    "two-filters": (lambda g: {"processDefinitionKey": g.alpha, "active": True, "withIncident": True}, {"failed"}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    assert gallery.named(await found(engine, PATH, {**gallery.base, **filters(gallery)})) == expected


async def test_incident_id(engine: Engine, gallery: Gallery) -> None:
    for word in FAILED:
        for incident in await engine.get("/incident", processInstanceId=gallery.id_of(word)):
            assert gallery.named(await found(engine, PATH, {"incidentId": incident["id"]})) == {word}


@pytest.mark.parametrize(
    "name", ["processDefinitionKeyIn", "processDefinitionKeyNotIn", "tenantIdIn", "activityIdIn", "orQueries"]
)
async def test_an_empty_list_in_a_body_filters_nothing(engine: Engine, gallery: Gallery, name: str) -> None:
    query = {"processDefinitionKey": gallery.alpha, name: []}
    assert gallery.named(await found_by_post(engine, PATH, query)) == ALPHA


@pytest.mark.parametrize("path", [PATH, f"{PATH}/count"])
async def test_an_empty_set_of_ids(engine: Engine, path: str) -> None:
    response = await engine.http.post(path, json={"processInstanceIds": []})
    refused(response, 500, "ProcessEngineException", "Set of process instance ids is empty", 0)


@pytest.mark.parametrize(
    ("flag", "other", "message"),
    [
        (
            "rootProcessInstances",
            "superProcessInstance",
            "Invalid query usage: cannot set both rootProcessInstances and superProcessInstanceId",
        ),
        (
            "leafProcessInstances",
            "subProcessInstance",
            "Invalid query usage: cannot set both leafProcessInstances and subProcessInstanceId",
        ),
    ],
)
async def test_filters_that_exclude_each_other(engine: Engine, flag: str, other: str, message: str) -> None:
    response = await engine.http.post(PATH, json={flag: True, other: "none"})
    refused(response, 500, "ProcessEngineException", message, 0)


OR_QUERIES: dict[str, tuple[Callable[[Gallery], list[dict[str, Any]]], set[str]]] = {
    "one-entry": (lambda g: [{"businessKey": "Key_plain", "suspended": True}], {"plain", "suspended"}),
    "two-entries": (
        lambda g: [{"businessKey": "Key_plain", "suspended": True}, {"active": True, "businessKey": "Key_none"}],
        {"plain"},
    ),
    "incident": (lambda g: [{"incidentMessageLike": "%bank", "businessKeyLike": "%plain"}], {"plain", "failed"}),
    "empty-entry": (lambda g: [{}], ALL),
    "ids": (lambda g: [{"processInstanceIds": [g.id_of("keyless")], "tenantIdIn": [g.tenant]}], {"keyless", "foreign"}),
    "activity": (lambda g: [{"activityIdIn": ["Ship"], "processDefinitionKey": g.alpha}], ALPHA | {"foreign"}),
}


@pytest.mark.parametrize("name", OR_QUERIES)
async def test_or_queries(engine: Engine, gallery: Gallery, name: str) -> None:
    entries, expected = OR_QUERIES[name]
    query = {**gallery.base, "orQueries": entries(gallery)}
    assert gallery.named(await found_by_post(engine, PATH, query)) == expected


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("instanceId", "id"),
        ("definitionKey", "definitionKey"),
        ("definitionId", "definitionId"),
        ("businessKey", "businessKey"),
    ],
)
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str, field: str) -> None:
    await sorts(engine, PATH, gallery.base, key, field)


async def test_sort_by_tenant(engine: Engine, world: World) -> None:
    key = fresh("shared")
    for tenant in (fresh("b"), fresh("a"), fresh("c")):
        deployed = await world.deploy(Drawing(key, [Step("Work", fresh("topic"))]), tenant=tenant)
        await world.start(deployed.definitions[key])
    await sorts(engine, PATH, {"processDefinitionKey": key}, "tenantId", "tenantId")


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, PATH, gallery.base)


@pytest.mark.parametrize("word", ["plain", "keyless", "suspended", "foreign"])
async def test_one_instance(engine: Engine, gallery: Gallery, word: str) -> None:
    identity = gallery.id_of(word)
    key = gallery.beta if word == "foreign" else gallery.alpha
    instance = await engine.get(f"{PATH}/{identity}")
    assert set(instance) == PROCESS_INSTANCE
    assert instance == {
        "links": [],
        "id": identity,
        "definitionId": gallery.definitions[key],
        "definitionKey": key,
        "businessKey": None if word == "keyless" else f"Key_{word}",
        "caseInstanceId": None,
        "ended": False,
        "suspended": word == "suspended",
        "tenantId": gallery.tenant if word == "foreign" else None,
    }
    assert [instance] == await engine.get(PATH, processInstanceIds=[identity])


async def test_an_unknown_instance(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"Process instance with id {nowhere} does not exist")


async def test_an_ended_instance_is_no_running_one(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    await world.complete(scene.tasks[0])
    await world.cancel(scene.instances[1])
    assert await found(engine, PATH, {"processDefinitionKey": scene.key}) == []
    for instance in scene.instances:
        response = await engine.http.get(f"{PATH}/{instance}")
        refused(response, 404, "InvalidRequestException", f"Process instance with id {instance} does not exist")


async def test_suspension_reaches_the_tasks(engine: Engine, world: World) -> None:
    scene = await world.wide(2)
    for suspended in (True, True, False, False):
        await world.suspend(scene.instances[0], suspended)
        assert (await engine.get(f"{PATH}/{scene.instances[0]}"))["suspended"] is suspended
        assert [(await world.task(task))["suspended"] for task in scene.tasks] == [suspended] * 2


async def test_suspending_an_unknown_instance(engine: Engine, world: World) -> None:
    await world.suspend(fresh("none"))


async def test_deleting_an_unknown_instance(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.delete(f"{PATH}/{nowhere}")
    message = f"No process instance found for id '{nowhere}': processInstance is null"
    refused(response, 404, "InvalidRequestException", message, 0)
    await engine.order("DELETE", f"{PATH}/{nowhere}", failIfNotExists=False)


async def test_deleting_an_instance_takes_its_tasks_and_incidents(engine: Engine, world: World) -> None:
    scene = await world.wide(2)
    await world.set_retries(0, scene.tasks[0])
    await world.cancel(scene.instances[0])
    assert await engine.get("/external-task", topicName=scene.topic) == []
    assert await engine.get("/incident", configuration=scene.tasks[0]) == []
