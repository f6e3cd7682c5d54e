"""Deployments and process definitions: the filters and sort keys of their queries."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import moment, refused, wire
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, pages, sorts
from tests.contract.world import World, fresh, tick

DEPLOYMENT, DEFINITION = "/deployment", "/process-definition"
Record = dict[str, Any]


@dataclass
class Gallery:
    """Deployments and definitions by name.

    The deployments are plain, with a source, and of a tenant, each a moment after the one before. The definitions:
    old and new are two versions of the key alpha, new with a name, a tag and an open incident; theirs is beta, of the
    tenant.
    """

    prefix: str
    alpha: str
    beta: str
    tenant: str
    deployments: dict[str, Record]
    definitions: dict[str, Record]
    incident: Record

    def of(self, word: str, field: str) -> Any:
        """A field of a deployment or definition."""
        return {**self.deployments, **self.definitions}[word][field]

    def named(self, ids: list[str]) -> set[str]:
        """The names of these deployments or definitions."""
        words = {record["id"]: word for word, record in {**self.deployments, **self.definitions}.items()}
        return {words[identity] for identity in ids}

    def near(self, word: str, milliseconds: int) -> str:
        """A moment near the time of a deployment."""
        return wire(moment(self.of(word, "deploymentTime")) + timedelta(milliseconds=milliseconds))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Three deployments of one definition each."""
    world = World(engine)
    prefix, alpha, beta, tenant = fresh("deploy"), fresh("alpha"), fresh("beta"), fresh("tenant")
    deployments: dict[str, Record] = {}
    definitions: dict[str, Record] = {}
    steps = [Step("Charge", fresh("charge"))]
    for word, drawing, settings in (
        ("old", Drawing(alpha, steps), {}),
        ("new", Drawing(alpha, steps, name="Order 100%", version_tag="1.4.2"), {"deployment-source": "ci"}),
        ("theirs", Drawing(beta, steps), {"tenant-id": tenant}),
    ):
        made = await create(engine, drawing, {"deployment-name": f"{prefix}-{word}", **settings})
        (definition,) = made["deployedProcessDefinitions"].values()
        deployments[f"{word}-deployment"] = await engine.get(f"{DEPLOYMENT}/{made['id']}")
        definitions[word] = await engine.get(f"{DEFINITION}/{definition['id']}")
        await tick()
    instance = await world.start(definitions["new"]["id"])
    (task,) = await engine.get("/external-task", processInstanceId=instance)
    await world.fail(task["id"], "no answer")
    incident = await world.incident(task["id"])
    return Gallery(prefix, alpha, beta, tenant, deployments, definitions, incident)


async def create(engine: Engine, drawing: Drawing, settings: dict[str, str]) -> Record:
    """Deploy one drawing."""
    parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in settings.items()]
    parts.append(("data", (drawing.resource, drawing.xml(), "application/octet-stream")))
    response = await engine.http.post(f"{DEPLOYMENT}/create", files=parts)
    assert response.status_code == 200, response.text
    answer: Record = response.json()
    return answer


Filter = Callable[[Gallery], Record]
OLD, NEW, THEIRS = "old-deployment", "new-deployment", "theirs-deployment"

DEPLOYMENTS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, {OLD, NEW, THEIRS}),
    "id": (lambda g: {"id": g.of(NEW, "id")}, {NEW}),
    "id-unknown": (lambda g: {"id": "none"}, set()),
    "name": (lambda g: {"name": f"{g.prefix}-old"}, {OLD}),
    "nameLike": (lambda g: {"nameLike": f"{g.prefix}%e%"}, {NEW, THEIRS}),
    "nameLike-case": (lambda g: {"nameLike": f"{g.prefix.upper()}%"}, set()),
    "source": (lambda g: {"source": "ci"}, {NEW}),
    "source-other": (lambda g: {"source": "CI"}, set()),
    "withoutSource": (lambda g: {"withoutSource": True}, {OLD, THEIRS}),
    "before": (lambda g: {"before": g.near(NEW, 0)}, {OLD}),
    "before-later": (lambda g: {"before": g.near(NEW, 1)}, {OLD, NEW}),
    "after": (lambda g: {"after": g.near(NEW, 0)}, {THEIRS}),
    "after-earlier": (lambda g: {"after": g.near(NEW, -1)}, {NEW, THEIRS}),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {THEIRS}),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, {OLD, NEW}),
    "includeDeploymentsWithoutTenantId": (
        lambda g: {"tenantIdIn": [g.tenant], "includeDeploymentsWithoutTenantId": True},
        {OLD, NEW, THEIRS},
    ),
}


@pytest.mark.parametrize("name", DEPLOYMENTS)
async def test_filters_of_deployments(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = DEPLOYMENTS[name]
    query = {"nameLike": f"{gallery.prefix}%", **filters(gallery)}
    assert gallery.named(await found(engine, DEPLOYMENT, query, post=False)) == expected


DEFINITIONS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, {"old", "new", "theirs"}),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.of("new", "id")}, {"new"}),
    "processDefinitionIdIn": (
        lambda g: {"processDefinitionIdIn": [g.of("new", "id"), g.of("theirs", "id"), "none"]},
        {"new", "theirs"},
    ),
    "key": (lambda g: {"key": g.alpha}, {"old", "new"}),
    "key-part": (lambda g: {"key": g.alpha[:-1]}, set()),
    "keyLike": (lambda g: {"keyLike": f"{g.beta[:-1]}%"}, {"theirs"}),
    "keysIn": (lambda g: {"keysIn": [g.alpha, "none"]}, {"old", "new"}),
    "name": (lambda g: {"name": "Order 100%"}, {"new"}),
    "name-case": (lambda g: {"name": "ORDER 100%"}, set()),
    "nameLike": (lambda g: {"nameLike": r"Order 100\%"}, {"new"}),
    "nameLike-case": (lambda g: {"nameLike": "ORDER%"}, {"new"}),
    "version": (lambda g: {"version": 1}, {"old", "theirs"}),
    "latestVersion": (lambda g: {"latestVersion": True}, {"new", "theirs"}),
    "versionTag": (lambda g: {"versionTag": "1.4.2"}, {"new"}),
    "versionTagLike": (lambda g: {"versionTagLike": "1.4.%"}, {"new"}),
    "withoutVersionTag": (lambda g: {"withoutVersionTag": True}, {"old", "theirs"}),
    "category": (lambda g: {"category": "http://retriage/tests"}, {"old", "new", "theirs"}),
    "category-other": (lambda g: {"category": "http://retriage"}, set()),
    "categoryLike": (lambda g: {"categoryLike": "http://retriage/%"}, {"old", "new", "theirs"}),
    "resourceName": (lambda g: {"resourceName": f"{g.beta}.bpmn"}, {"theirs"}),
    "resourceNameLike": (lambda g: {"resourceNameLike": f"{g.alpha}%"}, {"old", "new"}),
    "deploymentId": (lambda g: {"deploymentId": g.of(OLD, "id")}, {"old"}),
    "deployedAfter": (lambda g: {"deployedAfter": g.near(NEW, 0)}, {"theirs"}),
    "deployedAfter-earlier": (lambda g: {"deployedAfter": g.near(NEW, -1)}, {"new", "theirs"}),
    "deployedAt": (lambda g: {"deployedAt": g.near(NEW, 0)}, {"new"}),
    "active": (lambda g: {"active": True}, {"old", "new", "theirs"}),
    "suspended": (lambda g: {"suspended": True}, set()),
    "active-suspended": (lambda g: {"active": True, "suspended": True}, set()),
    "incidentId": (lambda g: {"incidentId": g.incident["id"]}, {"new"}),
    "incidentType": (lambda g: {"incidentType": "failedExternalTask"}, {"new"}),
    "incidentType-other": (lambda g: {"incidentType": "failedJob"}, set()),
    "incidentMessage": (lambda g: {"incidentMessage": "no answer"}, {"new"}),
    "incidentMessageLike": (lambda g: {"incidentMessageLike": "no%"}, {"new"}),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {"theirs"}),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, {"old", "new"}),
    "includeProcessDefinitionsWithoutTenantId": (
        lambda g: {"tenantIdIn": [g.tenant], "includeProcessDefinitionsWithoutTenantId": True},
        {"old", "new", "theirs"},
    ),
    "two-filters": (lambda g: {"key": g.alpha, "latestVersion": True}, {"new"}),
}


@pytest.mark.parametrize("name", DEFINITIONS)
async def test_filters_of_definitions(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = DEFINITIONS[name]
    query = {"keysIn": [gallery.alpha, gallery.beta], **filters(gallery)}
    assert gallery.named(await found(engine, DEFINITION, query, post=False)) == expected


async def test_names_of_definitions_in_any_case(engine: Engine, world: World) -> None:
    word = fresh("process")
    names = [f"Ä{word} Größe", f"ä{word} GRÖSSE", f"o{word} Größe"]
    drawings = [Drawing(fresh("any"), [Step("Charge", fresh("charge"))], name=name) for name in names]
    await world.deploy(*drawings)
    for pattern in (f"ä{word}%", f"Ä{word.upper()} größe"):
        assert len(await found(engine, DEFINITION, {"nameLike": pattern}, post=False)) == 2


@pytest.mark.parametrize("name", ["keyLike", "nameLike", "versionTagLike", "resourceNameLike"])
async def test_a_pattern_whose_end_escapes_nothing(engine: Engine, gallery: Gallery, name: str) -> None:
    query = {"keysIn": [gallery.alpha, gallery.beta], name: "%\\"}
    assert await found(engine, DEFINITION, query, post=False) == []


@pytest.mark.parametrize("key", ["id", "name", "deploymentTime"])
async def test_sort_keys_of_deployments(engine: Engine, gallery: Gallery, key: str) -> None:
    await sorts(engine, DEPLOYMENT, {"nameLike": f"{gallery.prefix}%"}, key, key, post=False)


@pytest.mark.parametrize("key", ["category", "key", "id", "version", "deploymentId"])
async def test_sort_keys_of_definitions(engine: Engine, gallery: Gallery, key: str) -> None:
    await sorts(engine, DEFINITION, {"keysIn": [gallery.alpha, gallery.beta]}, key, key, post=False)


async def test_sort_by_names_tags_tenants_and_times(engine: Engine) -> None:
    prefix = fresh("deploy")
    keys = [fresh(letter) for letter in "bac"]
    for key in keys:
        drawing = Drawing(key, [Step("Charge", fresh("charge"))], name=f"name {key}", version_tag=f"tag {key}")
        await create(engine, drawing, {"deployment-name": f"{prefix}-{key}", "tenant-id": f"tenant-{key}"})
        await tick()
    await sorts(engine, DEPLOYMENT, {"nameLike": f"{prefix}%"}, "tenantId", "tenantId", post=False)
    base = {"keysIn": keys}
    for by, field in (("name", "name"), ("versionTag", "versionTag"), ("tenantId", "tenantId")):
        await sorts(engine, DEFINITION, base, by, field, post=False)
    for order, expected in (("asc", keys), ("desc", keys[::-1])):
        records = await engine.get(DEFINITION, **base, sortBy="deployTime", sortOrder=order)
        assert [record["key"] for record in records] == expected


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, DEPLOYMENT, {"nameLike": f"{gallery.prefix}%"}, post=False)
    await pages(engine, DEFINITION, {"keysIn": [gallery.alpha, gallery.beta]}, post=False)


async def test_unknown_ones(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{DEPLOYMENT}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"Deployment with id '{nowhere}' does not exist")
    response = await engine.http.get(f"{DEFINITION}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"No matching definition with id {nowhere}", 0)


async def test_history_outlives_the_deployment(engine: Engine) -> None:
    world = World(engine)
    drawing = Drawing(fresh("gone"), [Step("Charge", fresh("charge"))], name="Going")
    deployment = await world.deploy(drawing)
    definition = deployment.definitions[drawing.key]
    instance = await world.start(definition)
    (task,) = await engine.get("/external-task", processInstanceId=instance)
    await world.fail(task["id"], retries=0)
    await world.set_retries(1, task["id"])
    await world.complete(task["id"])
    before = await engine.get(f"/history/process-instance/{instance}")
    kept = {"processInstanceId": instance}
    incidents = await engine.get("/history/incident", **kept)
    log = await engine.get("/history/external-task-log", **kept)
    assert len(incidents) == 1
    assert len(log) == 3

    await engine.order("DELETE", f"/deployment/{deployment.id}")
    after = {**before, "processDefinitionName": None, "processDefinitionVersion": None}
    assert await engine.get(f"/history/process-instance/{instance}") == after
    for same in ({"sortBy": "definitionVersion", "sortOrder": "asc"}, {"processDefinitionId": definition}):
        assert await engine.get("/history/process-instance", processInstanceIds=instance, **same) == [after]
    for other in (
        {"processDefinitionKey": drawing.key},
        {"processDefinitionKeyIn": drawing.key},
        {"processDefinitionName": "Going"},
    ):
        assert await engine.get("/history/process-instance", **other) == []
    assert await engine.get("/history/incident", processDefinitionKeyIn=drawing.key, **kept) == incidents
    assert await engine.get("/history/external-task-log", processDefinitionKey=drawing.key, **kept) == log

    assert await engine.get(DEFINITION, key=drawing.key) == []
    response = await engine.http.get(f"{DEFINITION}/{definition}")
    refused(response, 404, "InvalidRequestException", f"No matching definition with id {definition}", 0)
    assert (await engine.http.get(f"{DEFINITION}/key/{drawing.key}")).status_code == 404
    response = await engine.http.post(f"{DEFINITION}/{definition}/start", json={})
    assert "no deployed process definition found" in response.json()["message"]

    again = await world.deploy(drawing)
    (latest,) = await engine.get(DEFINITION, key=drawing.key, latestVersion=True)
    assert (latest["id"], latest["version"]) == (again.definitions[drawing.key], 1)
    await engine.order("DELETE", f"/deployment/{again.id}", cascade=True)
    assert await engine.get(f"/history/process-instance/{instance}") == after
