"""Incidents of the past: one record, the filters and sort keys of the query, removal times."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import HISTORIC_INCIDENT, moment, refused, wire
from tests.contract.batches import stuck, unknown_task
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, pages, sorts
from tests.contract.world import World, fresh, tick

PATH = "/history/incident"
Record = dict[str, Any]


@dataclass
class Gallery:
    """Incidents by name, and the definitions they belong to."""

    alpha: str
    beta: str
    tenant: str
    incidents: dict[str, Record]
    base: Record

    def of(self, word: str, field: str) -> Any:
        """A field of an incident."""
        return self.incidents[word][field]

    def named(self, ids: list[str]) -> set[str]:
        """The names of these incidents."""
        words = {incident["id"]: word for word, incident in self.incidents.items()}
        return {words[identity] for identity in ids}

    def near(self, word: str, field: str, milliseconds: int) -> str:
        """A moment near a time of an incident."""
        return wire(moment(self.of(word, field)) + timedelta(milliseconds=milliseconds))


async def the_one(engine: Engine, configuration: str) -> Record:
    """The only incident that a task or job ever had."""
    (only,) = await engine.get(PATH, configuration=configuration)
    record: Record = only
    return record


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Five incidents, each raised after the one before, and ended in another order.

    Of alpha: open, resolved (by retries), completed (by retries, and its instance ended), deleted (with its instance).
    Of beta, with a tenant, another activity and no failure in the log: foreign, open.
    """
    world = World(engine)
    alpha, beta, tenant = fresh("alpha"), fresh("beta"), fresh("tenant")
    first = await world.deploy(Drawing(alpha, [Step("Charge", fresh("charge"))]))
    second = await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"))]), tenant=tenant)
    definitions = {**first.definitions, **second.definitions}
    tasks: dict[str, Record] = {}
    for word in ("open", "resolved", "completed", "deleted", "foreign"):
        instance = await world.start(definitions[beta if word == "foreign" else alpha])
        (tasks[word],) = await engine.get("/external-task", processInstanceId=instance)
        if word == "foreign":
            await world.set_retries(0, tasks[word]["id"])
        else:
            await world.fail(tasks[word]["id"], f"no answer: {word}")
        await tick()
    await world.cancel(tasks["deleted"]["processInstanceId"])
    await tick()
    await world.set_retries(3, tasks["resolved"]["id"])
    await tick()
    await world.set_retries(3, tasks["completed"]["id"])
    await world.complete(tasks["completed"]["id"])
    incidents = {word: await the_one(engine, task["id"]) for word, task in tasks.items()}
    return Gallery(alpha, beta, tenant, incidents, {"processDefinitionKeyIn": [alpha, beta]})


ALPHA = {"open", "resolved", "completed", "deleted"}
ALL = ALPHA | {"foreign"}
OPEN = {"open", "foreign"}
RESOLVED = {"resolved", "completed"}

Filter = Callable[[Gallery], Record]

FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "incidentId": (lambda g: {"incidentId": g.of("open", "id")}, {"open"}),
    "incidentId-unknown": (lambda g: {"incidentId": "none"}, set()),
    "incidentType": (lambda g: {"incidentType": "failedExternalTask"}, ALL),
    "incidentType-other": (lambda g: {"incidentType": "failedJob"}, set()),
    "incidentMessage": (lambda g: {"incidentMessage": "no answer: deleted"}, {"deleted"}),
    "incidentMessageLike": (lambda g: {"incidentMessageLike": "no answer: %e%d"}, RESOLVED | {"deleted"}),
    "incidentMessageLike-case": (lambda g: {"incidentMessageLike": "NO answer%"}, set()),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.of("foreign", "processDefinitionId")}, {"foreign"}),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": g.alpha}, ALPHA),
    "processDefinitionKey-unknown": (lambda g: {"processDefinitionKey": "none"}, set()),
    "processDefinitionKeyIn": (lambda g: {"processDefinitionKeyIn": [g.alpha, "none"]}, ALPHA),
    "processDefinitionKeyIn-empty": (lambda g: {"processDefinitionKeyIn": ""}, set()),
    "processInstanceId": (lambda g: {"processInstanceId": g.of("deleted", "processInstanceId")}, {"deleted"}),
    "executionId": (lambda g: {"executionId": g.of("resolved", "executionId")}, {"resolved"}),
    "createTimeBefore": (lambda g: {"createTimeBefore": g.near("resolved", "createTime", 0)}, {"open"}),
    "createTimeBefore-later": (
        lambda g: {"createTimeBefore": g.near("resolved", "createTime", 1)},
        {"open", "resolved"},
    ),
    "createTimeAfter": (lambda g: {"createTimeAfter": g.near("deleted", "createTime", 0)}, {"foreign"}),
    "createTimeAfter-earlier": (
        lambda g: {"createTimeAfter": g.near("deleted", "createTime", -1)},
        {"deleted", "foreign"},
    ),
    "createTime-crossed": (
        lambda g: {
            "createTimeAfter": g.near("deleted", "createTime", 0),
            "createTimeBefore": g.near("deleted", "createTime", -1),
        },
        set(),
    ),
    "endTimeBefore": (lambda g: {"endTimeBefore": g.near("resolved", "endTime", 0)}, {"deleted"}),
    "endTimeBefore-later": (lambda g: {"endTimeBefore": g.near("resolved", "endTime", 1)}, {"deleted", "resolved"}),
    "endTimeAfter": (lambda g: {"endTimeAfter": g.near("resolved", "endTime", 0)}, {"completed"}),
    "endTimeAfter-earlier": (lambda g: {"endTimeAfter": g.near("resolved", "endTime", -1)}, RESOLVED),
    "activityId": (lambda g: {"activityId": "Ship"}, {"foreign"}),
    "failedActivityId": (lambda g: {"failedActivityId": "Charge"}, set()),
    "causeIncidentId": (lambda g: {"causeIncidentId": g.of("open", "id")}, {"open"}),
    "rootCauseIncidentId": (lambda g: {"rootCauseIncidentId": g.of("open", "id")}, {"open"}),
    "configuration": (lambda g: {"configuration": g.of("deleted", "configuration")}, {"deleted"}),
    "historyConfiguration": (
        lambda g: {"historyConfiguration": g.of("completed", "historyConfiguration")},
        {"completed"},
    ),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {"foreign"}),
    "tenantIdIn-empty": (lambda g: {"tenantIdIn": ""}, ALL),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALPHA),
    "withoutTenantId-false": (lambda g: {"withoutTenantId": False}, ALL),
    "tenantIdIn-withoutTenantId": (lambda g: {"tenantIdIn": [g.tenant], "withoutTenantId": True}, ALPHA),
    "jobDefinitionIdIn": (lambda g: {"jobDefinitionIdIn": ["none"]}, set()),
    "jobDefinitionIdIn-empty": (lambda g: {"jobDefinitionIdIn": ""}, ALL),
    "open": (lambda g: {"open": True}, OPEN),
    "open-false": (lambda g: {"open": False}, OPEN),
    "resolved": (lambda g: {"resolved": True}, RESOLVED),
    "resolved-false": (lambda g: {"resolved": False}, ALL),
    "deleted": (lambda g: {"deleted": True}, {"deleted"}),
    "deleted-false": (lambda g: {"deleted": False}, ALL),
    "two-filters": (lambda g: {"activityId": "Charge", "open": True}, {"open"}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    ids = await found(engine, PATH, {**gallery.base, **filters(gallery)}, post=False)
    assert gallery.named(ids) == expected


@pytest.mark.parametrize(
    ("states", "first"),
    [
        (("open", "resolved"), "open"),
        (("open", "deleted"), "open"),
        (("resolved", "deleted"), "resolved"),
        (("open", "resolved", "deleted"), "open"),
    ],
    ids=str,
)
@pytest.mark.parametrize("tail", ["", "/count"])
async def test_only_one_state(engine: Engine, states: tuple[str, ...], first: str, tail: str) -> None:
    response = await engine.http.get(PATH + tail, params=dict.fromkeys(states, "true"))
    refused(response, 500, "ProcessEngineException", f"Already querying for incident state <{first}>", 0)


SORT_KEYS = [
    ("incidentId", "id"),
    ("incidentMessage", "incidentMessage"),
    ("createTime", "createTime"),
    ("endTime", "endTime"),
    ("incidentType", "incidentType"),
    ("executionId", "executionId"),
    ("activityId", "activityId"),
    ("processInstanceId", "processInstanceId"),
    ("processDefinitionId", "processDefinitionId"),
    ("processDefinitionKey", "processDefinitionKey"),
    ("causeIncidentId", "causeIncidentId"),
    ("rootCauseIncidentId", "rootCauseIncidentId"),
    ("configuration", "configuration"),
    ("historyConfiguration", "historyConfiguration"),
]


@pytest.mark.parametrize(("key", "field"), SORT_KEYS)
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str, field: str) -> None:
    await sorts(engine, PATH, gallery.base, key, field, post=False)


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_sort_by_state(engine: Engine, gallery: Gallery, order: str) -> None:
    records = await engine.get(PATH, **gallery.base, sortBy="incidentState", sortOrder=order)
    states = [0 if record["open"] else 1 if record["resolved"] else 2 for record in records]
    assert states == sorted([0, 0, 1, 1, 2], reverse=order == "desc")


async def test_sort_by_tenant(engine: Engine, world: World) -> None:
    scenes = [await world.scene(1, tenant=fresh(letter)) for letter in "bac"]
    for scene in scenes:
        await world.set_retries(0, *scene.tasks)
    base = {"processDefinitionKeyIn": [scene.key for scene in scenes]}
    await sorts(engine, PATH, base, "tenantId", "tenantId", post=False)


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, PATH, gallery.base, post=False)


async def test_there_is_no_post_and_no_single_one(engine: Engine, gallery: Gallery) -> None:
    for path in (PATH, f"{PATH}/count"):
        response = await engine.http.post(path, json={})
        refused(response, 405, "NotAllowedException", "HTTP 405 Method Not Allowed")
    response = await engine.http.get(f"{PATH}/{gallery.of('open', 'id')}")
    refused(response, 404, "NotFoundException", "HTTP 404 Not Found")


async def test_what_an_incident_says(engine: Engine, gallery: Gallery) -> None:
    for word, incident in gallery.incidents.items():
        assert set(incident) == HISTORIC_INCIDENT
        assert incident["rootProcessInstanceId"] == incident["processInstanceId"]
        assert incident["causeIncidentId"] == incident["rootCauseIncidentId"] == incident["id"]
        assert [incident["open"], incident["resolved"], incident["deleted"]] == [
            word in OPEN,
            word in RESOLVED,
            word == "deleted",
        ]
        assert (incident["endTime"] is None) == (word in OPEN)
        assert incident["processDefinitionKey"] == (gallery.beta if word == "foreign" else gallery.alpha)
    assert gallery.of("foreign", "historyConfiguration") is None
    for word in ALPHA:
        entry = await engine.get(f"/history/external-task-log/{gallery.of(word, 'historyConfiguration')}")
        assert entry["failureLog"]
        assert entry["externalTaskId"] == gallery.of(word, "configuration")


async def test_an_open_incident_is_the_runtime_one(engine: Engine, gallery: Gallery) -> None:
    (runtime,) = await engine.get("/incident", configuration=gallery.of("open", "configuration"))
    runtime["createTime"] = runtime.pop("incidentTimestamp")
    historic = gallery.incidents["open"]
    assert {name: historic[name] for name in runtime} == runtime


async def test_removal_follows_the_end_of_the_instance(engine: Engine, gallery: Gallery) -> None:
    for word in ("completed", "deleted"):
        instance = await engine.get(f"/history/process-instance/{gallery.of(word, 'processInstanceId')}")
        assert moment(instance["removalTime"]) == moment(instance["endTime"]) + timedelta(days=30)
        assert gallery.of(word, "removalTime") == instance["removalTime"]
    for word in ("open", "resolved", "foreign"):
        instance = await engine.get(f"/history/process-instance/{gallery.of(word, 'processInstanceId')}")
        assert instance["removalTime"] is None
        assert gallery.of(word, "removalTime") is None


async def test_a_note_is_shown_and_an_ended_incident_takes_none(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.fail(scene.tasks[0])
    incident = await world.incident(scene.tasks[0])
    note = f"/incident/{incident['id']}/annotation"
    await engine.order("PUT", note, {"annotation": "ticket 12"})
    assert (await the_one(engine, scene.tasks[0]))["annotation"] == "ticket 12"
    await world.set_retries(1, *scene.tasks)
    refused(
        await engine.http.put(note, json={"annotation": "x"}), 400, "BadUserRequestException", "incident is null", 0
    )
    assert (await the_one(engine, scene.tasks[0]))["annotation"] == "ticket 12"


async def test_a_task_has_one_incident_for_each_time_it_was_spent(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    for retries in (0, 2, 0, 1, 0):
        await world.set_retries(retries, *scene.tasks)
    records = await engine.get(PATH, configuration=scene.tasks[0], sortBy="createTime", sortOrder="asc")
    assert [record["resolved"] for record in records].count(True) == 2
    assert [record["open"] for record in records].count(True) == 1


async def test_incidents_of_jobs(engine: Engine) -> None:
    batch = await stuck(engine, [], unknown=3)
    again, dropped, left = await batch.jobs()
    await engine.order("PUT", f"/job/{again['id']}/retries", {"retries": 1})
    await engine.order("DELETE", f"/job/{dropped['id']}")
    assert await batch.settled()
    both = await engine.get(PATH, configuration=again["id"], sortBy="createTime", sortOrder="asc")
    assert [(record["resolved"], record["open"]) for record in both] == [(True, False), (False, True)]
    for record, job in ((both[0], again), (both[1], again), (await the_one(engine, dropped["id"]), dropped)):
        assert record["incidentType"] == "failedJob"
        assert record["incidentMessage"] in {unknown_task(nowhere) for nowhere in batch.unknown}
        assert record["jobDefinitionId"] == batch.work
        nothing = ("processDefinitionKey", "processInstanceId", "rootProcessInstanceId", "activityId", "removalTime")
        assert [record[name] for name in nothing] == [None] * len(nothing)
        entries = await engine.get("/history/job-log", jobId=job["id"], failureLog=True)
        before = [entry["id"] for entry in entries if entry["timestamp"] <= record["createTime"]]
        assert record["historyConfiguration"] == max(before)
    assert len(await found(engine, PATH, {"jobDefinitionIdIn": [batch.work, "none"]}, post=False)) == 4
    assert await found(engine, PATH, {"jobDefinitionIdIn": [batch.work], "processDefinitionKey": "x"}, post=False) == []
    await batch.delete()
    ended = await the_one(engine, left["id"])
    assert (ended["deleted"], ended["open"]) == (True, False)
