"""Open incidents: one record, annotations, the filters and sort keys of the query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import moment, refused, wire
from tests.contract.batches import stuck, unknown_task
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, pages, sorts
from tests.contract.world import World, fresh, tick

PATH = "/incident"


@dataclass
class Gallery:
    """Incidents by name, and the definitions they belong to."""

    alpha: str
    beta: str
    tenant: str
    incidents: dict[str, dict[str, Any]]
    base: dict[str, Any]

    def of(self, word: str, field: str) -> Any:
        """A field of an incident."""
        return self.incidents[word][field]

    def named(self, ids: list[str]) -> set[str]:
        """The names of these incidents."""
        words = {incident["id"]: word for word, incident in self.incidents.items()}
        return {words[identity] for identity in ids}

    def near(self, word: str, milliseconds: int) -> str:
        """A moment near the time of an incident."""
        return wire(moment(self.of(word, "incidentTimestamp")) + timedelta(milliseconds=milliseconds))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Four incidents, each raised after the one before.

    Of alpha: bank, shop and silent (no message). Of beta, with a tenant and another activity: foreign.
    """
    world = World(engine)
    alpha, beta, tenant = fresh("alpha"), fresh("beta"), fresh("tenant")
    first = await world.deploy(Drawing(alpha, [Step("Charge", fresh("charge"))]))
    second = await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"))]), tenant=tenant)
    definitions = {**first.definitions, **second.definitions}
    incidents: dict[str, dict[str, Any]] = {}
    messages = {"bank": "no answer from the bank", "shop": "no answer from the shop", "silent": None, "foreign": "100%"}
    for word, message in messages.items():
        instance = await world.start(definitions[beta if word == "foreign" else alpha])
        (task,) = await engine.get("/external-task", processInstanceId=instance)
        await world.fail(task["id"], message)
        incidents[word] = await world.incident(task["id"])
        await tick()
    return Gallery(alpha, beta, tenant, incidents, {"processDefinitionKeyIn": [alpha, beta]})


ALPHA = {"bank", "shop", "silent"}
ALL = ALPHA | {"foreign"}

Filter = Callable[[Gallery], dict[str, Any]]

FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "incidentId": (lambda g: {"incidentId": g.of("bank", "id")}, {"bank"}),
    "incidentId-unknown": (lambda g: {"incidentId": "none"}, set()),
    "incidentType": (lambda g: {"incidentType": "failedExternalTask"}, ALL),
    "incidentType-other": (lambda g: {"incidentType": "failedJob"}, set()),
    "incidentMessage": (lambda g: {"incidentMessage": "no answer from the bank"}, {"bank"}),
    "incidentMessageLike": (lambda g: {"incidentMessageLike": "no answer%"}, {"bank", "shop"}),
    "incidentMessageLike-anchored": (lambda g: {"incidentMessageLike": "answer%"}, set()),
    "incidentMessageLike-case": (lambda g: {"incidentMessageLike": "NO answer%"}, set()),
    "incidentMessageLike-escaped": (lambda g: {"incidentMessageLike": r"100\%"}, {"foreign"}),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.of("foreign", "processDefinitionId")}, {"foreign"}),
    "processDefinitionKeyIn": (lambda g: {"processDefinitionKeyIn": [g.alpha, "none"]}, ALPHA),
    "processDefinitionKeyIn-empty": (lambda g: {"processDefinitionKeyIn": ""}, set()),
    "tenantIdIn-empty": (lambda g: {"tenantIdIn": ""}, ALL),
    "processInstanceId": (lambda g: {"processInstanceId": g.of("shop", "processInstanceId")}, {"shop"}),
    "executionId": (lambda g: {"executionId": g.of("shop", "executionId")}, {"shop"}),
    "incidentTimestampBefore": (lambda g: {"incidentTimestampBefore": g.near("shop", 0)}, {"bank"}),
    "incidentTimestampBefore-later": (lambda g: {"incidentTimestampBefore": g.near("shop", 1)}, {"bank", "shop"}),
    "incidentTimestampAfter": (lambda g: {"incidentTimestampAfter": g.near("silent", 0)}, {"foreign"}),
    "incidentTimestampAfter-earlier": (
        lambda g: {"incidentTimestampAfter": g.near("silent", -1)},
        {"silent", "foreign"},
    ),
    "activityId": (lambda g: {"activityId": "Ship"}, {"foreign"}),
    "failedActivityId": (lambda g: {"failedActivityId": "Charge"}, set()),
    "causeIncidentId": (lambda g: {"causeIncidentId": g.of("silent", "id")}, {"silent"}),
    "rootCauseIncidentId": (lambda g: {"rootCauseIncidentId": g.of("silent", "id")}, {"silent"}),
    "configuration": (lambda g: {"configuration": g.of("bank", "configuration")}, {"bank"}),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {"foreign"}),
    "jobDefinitionIdIn": (lambda g: {"jobDefinitionIdIn": ["none"]}, set()),
    "two-filters": (lambda g: {"activityId": "Charge", "incidentMessageLike": "%shop"}, {"shop"}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    ids = await found(engine, PATH, {**gallery.base, **filters(gallery)}, post=False)
    assert gallery.named(ids) == expected


async def test_incidents_of_jobs(engine: Engine) -> None:
    batch = await stuck(engine, [], unknown=2)
    both = await found(engine, PATH, {"jobDefinitionIdIn": [batch.work, "none"]}, post=False)
    assert len(both) == 2
    message = {"incidentMessage": unknown_task(batch.unknown[0]), "incidentType": "failedJob"}
    assert len(await found(engine, PATH, message, post=False)) == 1
    assert await found(engine, PATH, {**message, "processDefinitionKeyIn": ["none"]}, post=False) == []
    await batch.delete()


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("incidentId", "id"),
        ("incidentMessage", "incidentMessage"),
        ("incidentTimestamp", "incidentTimestamp"),
        ("incidentType", "incidentType"),
        ("executionId", "executionId"),
        ("activityId", "activityId"),
        ("processInstanceId", "processInstanceId"),
        ("processDefinitionId", "processDefinitionId"),
        ("causeIncidentId", "causeIncidentId"),
        ("rootCauseIncidentId", "rootCauseIncidentId"),
        ("configuration", "configuration"),
    ],
)
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str, field: str) -> None:
    await sorts(engine, PATH, gallery.base, key, field, post=False)


async def test_sort_by_tenant(engine: Engine, world: World) -> None:
    scenes = [await world.scene(1, tenant=fresh(letter)) for letter in "bac"]
    for scene in scenes:
        await world.set_retries(0, *scene.tasks)
    base = {"processDefinitionKeyIn": [scene.key for scene in scenes]}
    await sorts(engine, PATH, base, "tenantId", "tenantId", post=False)


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, PATH, gallery.base, post=False)


async def test_resolving_is_for_incidents_of_other_kinds(engine: Engine, gallery: Gallery) -> None:
    response = await engine.http.delete(f"{PATH}/{gallery.of('bank', 'id')}")
    message = "Cannot resolve an incident of type failedExternalTask"
    refused(response, 400, "InvalidRequestException", message)
    nowhere = fresh("none")
    response = await engine.http.delete(f"{PATH}/{nowhere}")
    message = f"Cannot find an incident with id '{nowhere}': incident is null"
    refused(response, 404, "InvalidRequestException", message)


async def test_there_is_no_post(engine: Engine) -> None:
    for path in (PATH, f"{PATH}/count"):
        response = await engine.http.post(path, json={})
        refused(response, 405, "NotAllowedException", "HTTP 405 Method Not Allowed")


async def test_one_incident(engine: Engine, gallery: Gallery) -> None:
    for incident in gallery.incidents.values():
        assert await engine.get(f"{PATH}/{incident['id']}") == incident


async def test_annotations(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.set_retries(0, *scene.tasks)
    incident = await world.incident(scene.tasks[0])
    path = f"{PATH}/{incident['id']}/annotation"
    for note in ("known, ticket 12", "again"):
        await engine.order("PUT", path, {"annotation": note})
        assert await world.incident(scene.tasks[0]) == {**incident, "annotation": note}
    for _ in range(2):
        await engine.order("DELETE", path)
        assert await world.incident(scene.tasks[0]) == incident


async def test_an_unknown_incident(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"No matching incident with id {nowhere}")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_note_on_an_unknown_incident(engine: Engine, method: str) -> None:
    body = {"annotation": "x"} if method == "PUT" else None
    response = await engine.http.request(method, f"{PATH}/{fresh('none')}/annotation", json=body)
    refused(response, 400, "BadUserRequestException", "incident is null", 0)
