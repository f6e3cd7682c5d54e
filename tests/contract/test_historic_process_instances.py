"""Process instances, running and ended: one record, the filters and sort keys of the query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import HISTORIC_INSTANCE, moment, refused, wire
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, found_by_post, pages, sorts
from tests.contract.world import World, fresh, tick

PATH = "/history/process-instance"
INCIDENT = "failedExternalTask"


@dataclass
class Gallery:
    """Instances in every state, by name, and the definitions they run or ran."""

    alpha: str
    beta: str
    tenant: str
    name: str
    definitions: dict[str, str]
    instances: dict[str, dict[str, Any]]
    incidents: dict[str, str]
    base: dict[str, Any]

    def id_of(self, word: str) -> str:
        """The instance of this name."""
        return str(self.instances[word]["id"])

    def named(self, ids: list[str]) -> set[str]:
        """The names of these instances."""
        words = {instance["id"]: word for word, instance in self.instances.items()}
        return {words[identity] for identity in ids}

    def near(self, word: str, field: str, milliseconds: int = 0) -> str:
        """A moment in the life of an instance, or that much later."""
        return wire(moment(self.instances[word][field]) + timedelta(milliseconds=milliseconds))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Eight instances, each started after the one before.

    Of alpha: plain, suspended, failed (an incident), mended (an incident that is resolved), completed, cancelled (with
    an incident), moved (past the first of its two tasks). Of beta, with a tenant, a later version: foreign.
    """
    world = World(engine)
    alpha, beta, tenant, name = fresh("alpha"), fresh("beta"), fresh("tenant"), fresh("Order_")
    steps = [Step("Charge", fresh("charge")), Step("Mail", fresh("mail"))]
    await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"))], name=fresh("Return")), tenant=tenant)
    first = await world.deploy(Drawing(alpha, steps, name=name))
    second = await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"))], name=fresh("Return")), tenant=tenant)
    definitions = {**first.definitions, **second.definitions}
    ids: dict[str, str] = {}
    for word in ("plain", "suspended", "failed", "mended", "completed", "cancelled", "moved", "foreign"):
        ids[word] = await world.start(definitions[beta if word == "foreign" else alpha], f"Key_{word}")
        await tick()
    tasks = {word: (await engine.get("/external-task", processInstanceId=ids[word]))[0]["id"] for word in ids}
    await world.suspend(ids["suspended"])
    incidents: dict[str, str] = {}
    for word in ("failed", "mended", "cancelled"):
        await world.fail(tasks[word], f"no answer for {word}")
        incidents[word] = (await world.incident(tasks[word]))["id"]
    await world.set_retries(1, tasks["mended"])
    await world.cancel(ids["cancelled"])
    await tick()
    for word in ("moved", "completed"):
        await world.complete(tasks[word])
    (rest,) = await engine.get("/external-task", processInstanceId=ids["completed"])
    await world.complete(rest["id"])
    instances = {word: await engine.get(f"{PATH}/{identity}") for word, identity in ids.items()}
    base = {"processDefinitionKeyIn": [alpha, beta]}
    return Gallery(alpha, beta, tenant, name, definitions, instances, incidents, base)


ALPHA = {"plain", "suspended", "failed", "mended", "completed", "cancelled", "moved"}
ALL = ALPHA | {"foreign"}
ENDED = {"completed", "cancelled"}
WITH_INCIDENT = {"failed", "mended", "cancelled"}
AT_CHARGE = {"plain", "suspended", "failed", "mended"}

Filter = Callable[[Gallery], dict[str, Any]]

FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "processInstanceId": (lambda g: {"processInstanceId": g.id_of("completed")}, {"completed"}),
    "processInstanceId-unknown": (lambda g: {"processInstanceId": "none"}, set()),
    "processInstanceIds": (
        lambda g: {"processInstanceIds": [g.id_of("plain"), g.id_of("completed"), "none"]},
        {"plain", "completed"},
    ),
    "processInstanceId-and-Ids": (
        lambda g: {"processInstanceId": g.id_of("plain"), "processInstanceIds": [g.id_of("failed")]},
        set(),
    ),
    "processInstanceIdNotIn": (lambda g: {"processInstanceIdNotIn": [g.id_of("plain"), "none"]}, ALL - {"plain"}),
    "rootProcessInstanceId": (lambda g: {"rootProcessInstanceId": g.id_of("plain")}, {"plain"}),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.definitions[g.beta]}, {"foreign"}),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": g.alpha}, ALPHA),
    "processDefinitionKeyIn": (lambda g: {"processDefinitionKeyIn": [g.beta, "none"]}, {"foreign"}),
    "processDefinitionKeyNotIn": (lambda g: {"processDefinitionKeyNotIn": [g.alpha]}, {"foreign"}),
    "processDefinitionKeyNotIn-pattern": (lambda g: {"processDefinitionKeyNotIn": ["alpha%"]}, {"foreign"}),
    "processDefinitionName": (lambda g: {"processDefinitionName": g.name}, ALPHA),
    "processDefinitionNameLike": (lambda g: {"processDefinitionNameLike": "%rder_%"}, ALPHA),
    "processDefinitionNameLike-anchored": (lambda g: {"processDefinitionNameLike": "rder%"}, set()),
    "processInstanceBusinessKey": (lambda g: {"processInstanceBusinessKey": "Key_failed"}, {"failed"}),
    "processInstanceBusinessKeyIn": (
        lambda g: {"processInstanceBusinessKeyIn": ["Key_failed", "Key_foreign", "none"]},
        {"failed", "foreign"},
    ),
    "processInstanceBusinessKeyLike": (
        lambda g: {"processInstanceBusinessKeyLike": "Key_f%"},
        {"failed", "foreign"},
    ),
    "rootProcessInstances": (lambda g: {"rootProcessInstances": True}, ALL),
    "superProcessInstanceId": (lambda g: {"superProcessInstanceId": g.id_of("plain")}, set()),
    "subProcessInstanceId": (lambda g: {"subProcessInstanceId": g.id_of("plain")}, set()),
    "superCaseInstanceId": (lambda g: {"superCaseInstanceId": "none"}, set()),
    "subCaseInstanceId": (lambda g: {"subCaseInstanceId": "none"}, set()),
    "caseInstanceId": (lambda g: {"caseInstanceId": "none"}, set()),
    "startedBefore": (
        lambda g: {"startedBefore": g.near("failed", "startTime")},
        {"plain", "suspended", "failed"},
    ),
    "startedBefore-exclusive": (
        lambda g: {"startedBefore": g.near("failed", "startTime", -1)},
        {"plain", "suspended"},
    ),
    "startedAfter": (lambda g: {"startedAfter": g.near("moved", "startTime")}, {"moved", "foreign"}),
    "startedAfter-exclusive": (lambda g: {"startedAfter": g.near("moved", "startTime", 1)}, {"foreign"}),
    "started-at": (
        lambda g: {
            "startedAfter": g.near("moved", "startTime"),
            "startedBefore": g.near("moved", "startTime"),
        },
        {"moved"},
    ),
    "started-crossed": (
        lambda g: {"startedAfter": g.near("moved", "startTime"), "startedBefore": g.near("plain", "startTime")},
        set(),
    ),
    "finishedBefore": (lambda g: {"finishedBefore": g.near("cancelled", "endTime")}, {"cancelled"}),
    "finishedBefore-exclusive": (lambda g: {"finishedBefore": g.near("cancelled", "endTime", -1)}, set()),
    "finishedAfter": (lambda g: {"finishedAfter": g.near("cancelled", "endTime")}, ENDED),
    "finishedAfter-exclusive": (lambda g: {"finishedAfter": g.near("cancelled", "endTime", 1)}, {"completed"}),
    "finished-unfinished-dates": (
        lambda g: {"unfinished": True, "finishedAfter": g.near("cancelled", "endTime")},
        set(),
    ),
    "finished": (lambda g: {"finished": True}, ENDED),
    "unfinished": (lambda g: {"unfinished": True}, ALL - ENDED),
    "finished-unfinished": (lambda g: {"finished": True, "unfinished": True}, set()),
    "finished-false": (lambda g: {"finished": False, "unfinished": False}, ALL),
    "active": (lambda g: {"active": True}, ALL - ENDED - {"suspended"}),
    "suspended": (lambda g: {"suspended": True}, {"suspended"}),
    "completed": (lambda g: {"completed": True}, {"completed"}),
    "externallyTerminated": (lambda g: {"externallyTerminated": True}, {"cancelled"}),
    "internallyTerminated": (lambda g: {"internallyTerminated": True}, set()),
    "completed-false": (lambda g: {"completed": False, "active": False}, ALL),
    "startedBy": (lambda g: {"startedBy": "nobody"}, set()),
    "withIncidents": (lambda g: {"withIncidents": True}, WITH_INCIDENT),
    "withRootIncidents": (lambda g: {"withRootIncidents": True}, WITH_INCIDENT),
    "withIncidents-false": (lambda g: {"withIncidents": False, "withRootIncidents": False}, ALL),
    "incidentStatus-open": (lambda g: {"incidentStatus": "open"}, {"failed"}),
    "incidentStatus-resolved": (lambda g: {"incidentStatus": "resolved"}, {"mended", "cancelled"}),
    "incidentStatus-other": (lambda g: {"incidentStatus": "sometimes"}, WITH_INCIDENT),
    "incidentType": (lambda g: {"incidentType": INCIDENT}, WITH_INCIDENT),
    "incidentType-other": (lambda g: {"incidentType": "failedJob"}, set()),
    "incidentMessage": (lambda g: {"incidentMessage": "no answer for mended"}, {"mended"}),
    "incidentMessageLike": (lambda g: {"incidentMessageLike": "no answer for _e%"}, {"mended"}),
    "incidentIdIn": (lambda g: {"incidentIdIn": [g.incidents["failed"], "none"]}, {"failed"}),
    "incident-all-of-one": (
        lambda g: {"incidentStatus": "open", "incidentMessageLike": "no answer%", "incidentType": INCIDENT},
        {"failed"},
    ),
    "withJobsRetrying": (lambda g: {"withJobsRetrying": True}, set()),
    "executedActivityIdIn": (
        lambda g: {"executedActivityIdIn": ["Charge", "None"]},
        {"completed", "moved", "cancelled"},
    ),
    "executedActivityIdIn-begin": (lambda g: {"executedActivityIdIn": ["Begin"]}, ALL),
    "activeActivityIdIn": (lambda g: {"activeActivityIdIn": ["Charge"]}, AT_CHARGE),
    "activeActivityIdIn-two": (lambda g: {"activeActivityIdIn": ["Mail", "Ship"]}, {"moved", "foreign"}),
    "activityIdIn": (lambda g: {"activityIdIn": ["Charge"]}, AT_CHARGE),
    "executedActivityBefore": (
        lambda g: {"executedActivityBefore": g.near("suspended", "startTime", -1)},
        {"plain"},
    ),
    "executedActivityAfter": (
        lambda g: {"executedActivityAfter": g.near("cancelled", "endTime", 1)},
        {"moved", "completed"},
    ),
    "executedJobBefore": (lambda g: {"executedJobBefore": g.near("foreign", "startTime")}, set()),
    "executedJobAfter": (lambda g: {"executedJobAfter": g.near("plain", "startTime")}, set()),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {"foreign"}),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALPHA),
    "tenantIdIn-withoutTenantId": (lambda g: {"withoutTenantId": True, "tenantIdIn": [g.tenant]}, ALPHA),
    "two-filters": (lambda g: {"unfinished": True, "incidentType": INCIDENT}, {"failed", "mended"}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    assert gallery.named(await found(engine, PATH, {**gallery.base, **filters(gallery)})) == expected


async def test_a_key_that_is_excluded(engine: Engine, gallery: Gallery) -> None:
    query = {"processDefinitionKey": gallery.alpha, "processDefinitionKeyNotIn": [gallery.alpha]}
    assert await found(engine, PATH, query) == []


async def test_an_empty_set_of_ids(engine: Engine) -> None:
    for path in (PATH, f"{PATH}/count"):
        response = await engine.http.post(path, json={"processInstanceIds": []})
        refused(response, 500, "ProcessEngineException", "Set of process instance ids is empty", 0)


async def test_two_states(engine: Engine) -> None:
    response = await engine.http.post(PATH, json={"active": True, "suspended": True})
    message = "Already querying for historic process instance with another state: ACTIVE is not empty"
    refused(response, 400, "BadUserRequestException", message, 0)


async def test_roots_that_are_called(engine: Engine) -> None:
    response = await engine.http.post(PATH, json={"rootProcessInstances": True, "superProcessInstanceId": "none"})
    message = "Invalid query usage: cannot set both rootProcessInstances and superProcessInstanceId"
    refused(response, 400, "BadUserRequestException", message, 0)


OR_QUERIES: dict[str, tuple[Callable[[Gallery], list[dict[str, Any]]], set[str]]] = {
    "one-entry": (lambda g: [{"processInstanceBusinessKey": "Key_plain", "finished": True}], ENDED | {"plain"}),
    "two-entries": (
        lambda g: [{"finished": True, "suspended": True}, {"completed": True, "suspended": True}],
        {"completed", "suspended"},
    ),
    "two-states": (lambda g: [{"completed": True, "suspended": True}], {"completed", "suspended"}),
    "incident": (lambda g: [{"incidentMessageLike": "%failed", "tenantIdIn": [g.tenant]}], {"failed", "foreign"}),
    "empty-entry": (lambda g: [{}], ALL),
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
        ("definitionId", "processDefinitionId"),
        ("definitionKey", "processDefinitionKey"),
        ("definitionName", "processDefinitionName"),
        ("definitionVersion", "processDefinitionVersion"),
        ("businessKey", "businessKey"),
        ("startTime", "startTime"),
        ("endTime", "endTime"),
        ("duration", "durationInMillis"),
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


STATES = {
    "plain": "ACTIVE",
    "suspended": "SUSPENDED",
    "completed": "COMPLETED",
    "cancelled": "EXTERNALLY_TERMINATED",
    "foreign": "ACTIVE",
}


@pytest.mark.parametrize("word", STATES)
async def test_one_instance(engine: Engine, gallery: Gallery, word: str) -> None:
    instance = gallery.instances[word]
    key = gallery.beta if word == "foreign" else gallery.alpha
    assert set(instance) == HISTORIC_INSTANCE
    started = moment(instance["startTime"])
    if word in ENDED:
        lasted = moment(instance["endTime"]) - started
        assert instance["durationInMillis"] == lasted / timedelta(milliseconds=1)
    else:
        assert (instance["endTime"], instance["durationInMillis"]) == (None, None)
    expected = {
        "id": gallery.id_of(word),
        "businessKey": f"Key_{word}",
        "processDefinitionId": gallery.definitions[key],
        "processDefinitionKey": key,
        "processDefinitionVersion": 2 if word == "foreign" else 1,
        "startUserId": None,
        "startActivityId": "Begin",
        "deleteReason": None,
        "rootProcessInstanceId": gallery.id_of(word),
        "superProcessInstanceId": None,
        "superCaseInstanceId": None,
        "caseInstanceId": None,
        "tenantId": gallery.tenant if word == "foreign" else None,
        "state": STATES[word],
        "restartedProcessInstanceId": None,
    }
    assert {name: instance[name] for name in expected} == expected
    assert instance["processDefinitionName"].startswith("Return" if word == "foreign" else gallery.name)
    assert [instance] == await engine.get(PATH, processInstanceId=instance["id"])


async def test_an_unknown_instance(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}")
    message = f"Historic process instance with id {nowhere} does not exist"
    refused(response, 404, "InvalidRequestException", message)


async def test_activation_shows_in_the_state(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    for suspended, state in ((True, "SUSPENDED"), (False, "ACTIVE")):
        await world.suspend(scene.instances[0], suspended)
        assert (await engine.get(f"{PATH}/{scene.instances[0]}"))["state"] == state
