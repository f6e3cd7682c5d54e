"""The external task log: what each event says, the filters and sort keys of the query, error details."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import EXTERNAL_TASK_LOG, moment, refused, unreadable
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, found_by_post, pages, sorts
from tests.contract.world import World, fresh, tick

PATH = "/history/external-task-log"
Record = dict[str, Any]
FLAGS = ("creationLog", "failureLog", "successLog", "deletionLog")


@dataclass
class Gallery:
    """Entries by name, ``done-failure`` for the failure of the task *done*, and where they happened."""

    alpha: str
    beta: str
    topic: str
    tenant: str
    entries: dict[str, Record]

    def of(self, word: str, field: str) -> Any:
        """A field of an entry."""
        return self.entries[word][field]

    def named(self, ids: list[str]) -> set[str]:
        """The names of these entries; those of beta only where a test asks for them."""
        words = {entry["id"]: word for word, entry in self.entries.items()}
        return {words[identity] for identity in ids}


async def build(engine: Engine) -> Gallery:
    """Three tasks: done failed once and was completed, gone went with its instance, foreign has no retries left."""
    world = World(engine)
    alpha, beta, topic, tenant = fresh("alpha"), fresh("beta"), fresh("charge"), fresh("tenant")
    first = await world.deploy(Drawing(alpha, [Step("Charge", topic, 10)]))
    second = await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"), 60)]), tenant=tenant)
    definitions = {**first.definitions, **second.definitions}
    tasks: dict[str, Record] = {}
    for word in ("done", "gone", "foreign"):
        instance = await world.start(definitions[beta if word == "foreign" else alpha])
        (tasks[word],) = await engine.get("/external-task", processInstanceId=instance)
        await tick()
    await world.fail(tasks["done"]["id"], "no answer from the bank", retries=2, details="line 1\nline 2")
    await tick()
    await world.complete(tasks["done"]["id"])
    await world.fail(tasks["foreign"]["id"], "out of stock", details=None)
    await tick()
    await world.set_retries(5, tasks["gone"]["id"])
    await world.cancel(tasks["gone"]["processInstanceId"])
    entries = {
        f"{word}-{name.removesuffix('Log')}": entry
        for word, task in tasks.items()
        for entry in await engine.get(PATH, externalTaskId=task["id"])
        for name in FLAGS
        if entry[name]
    }
    return Gallery(alpha, beta, topic, tenant, entries)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Seven entries."""
    return await build(engine)


DONE = {"done-creation", "done-failure", "done-success"}
GONE = {"gone-creation", "gone-deletion"}
FOREIGN = {"foreign-creation", "foreign-failure"}
ALPHA = DONE | GONE
ALL = ALPHA | FOREIGN

Filter = Callable[[Gallery], Record]


def both(gallery: Gallery) -> Record:
    """The activity instances of all entries: a condition that every entry of the gallery fulfils, and no other."""
    return {"activityInstanceIdIn": sorted({entry["activityInstanceId"] for entry in gallery.entries.values()})}


FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "logId": (lambda g: {"logId": g.of("done-failure", "id")}, {"done-failure"}),
    "logId-unknown": (lambda g: {"logId": "none"}, set()),
    "externalTaskId": (lambda g: {"externalTaskId": g.of("done-failure", "externalTaskId")}, DONE),
    "topicName": (lambda g: {"topicName": g.topic}, ALPHA),
    "workerId": (lambda g: {"workerId": g.of("done-success", "workerId")}, {"done-success"}),
    "errorMessage": (lambda g: {"errorMessage": "no answer from the bank"}, {"done-failure"}),
    "errorMessage-part": (lambda g: {"errorMessage": "no answer"}, set()),
    "activityIdIn": (lambda g: {"activityIdIn": ["Ship", "none"]}, FOREIGN),
    "activityInstanceIdIn": (lambda g: {"activityInstanceIdIn": [g.of("gone-deletion", "activityInstanceId")]}, GONE),
    "executionIdIn": (lambda g: {"executionIdIn": [g.of("foreign-creation", "executionId"), "none"]}, FOREIGN),
    "processInstanceId": (lambda g: {"processInstanceId": g.of("done-creation", "processInstanceId")}, DONE),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.of("gone-creation", "processDefinitionId")}, ALPHA),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": g.beta}, FOREIGN),
    "processDefinitionKey-unknown": (lambda g: {"processDefinitionKey": "none"}, set()),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, FOREIGN),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALPHA),
    "withoutTenantId-false": (lambda g: {"withoutTenantId": False}, ALL),
    "tenantIdIn-withoutTenantId": (lambda g: {"tenantIdIn": [g.tenant], "withoutTenantId": True}, ALPHA),
    "priorityHigherThanOrEquals": (lambda g: {"priorityHigherThanOrEquals": 11}, FOREIGN),
    "priorityHigherThanOrEquals-itself": (lambda g: {"priorityHigherThanOrEquals": 10}, ALL),
    "priorityLowerThanOrEquals": (lambda g: {"priorityLowerThanOrEquals": 59}, ALPHA),
    "priorityLowerThanOrEquals-itself": (lambda g: {"priorityLowerThanOrEquals": 60}, ALL),
    "priority-crossed": (lambda g: {"priorityHigherThanOrEquals": 60, "priorityLowerThanOrEquals": 10}, set()),
    "creationLog": (lambda g: {"creationLog": True}, {"done-creation", "gone-creation", "foreign-creation"}),
    "failureLog": (lambda g: {"failureLog": True}, {"done-failure", "foreign-failure"}),
    "failureLog-false": (lambda g: {"failureLog": False}, ALL),
    "successLog": (lambda g: {"successLog": True}, {"done-success"}),
    "deletionLog": (lambda g: {"deletionLog": True}, {"gone-deletion"}),
    "creation-failure": (lambda g: {"creationLog": True, "failureLog": True}, {"done-failure", "foreign-failure"}),
    "failure-success": (lambda g: {"failureLog": True, "successLog": True}, {"done-success"}),
    "all-four": (lambda g: dict.fromkeys(FLAGS, True), {"gone-deletion"}),
    "two-filters": (lambda g: {"failureLog": True, "processDefinitionKey": g.alpha}, {"done-failure"}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    assert gallery.named(await found(engine, PATH, {**both(gallery), **filters(gallery)})) == expected


@pytest.mark.parametrize("name", ["activityIdIn", "executionIdIn", "tenantIdIn"])
async def test_an_empty_list_is_no_filter(engine: Engine, gallery: Gallery, name: str) -> None:
    assert gallery.named(await found_by_post(engine, PATH, {**both(gallery), name: []})) == ALL


@pytest.mark.parametrize("tail", ["", "/count"])
@pytest.mark.parametrize("name", ["activityIdIn", "activityInstanceIdIn", "executionIdIn"])
async def test_empty_and_missing_names(engine: Engine, name: str, tail: str) -> None:
    empty = f"{name.removesuffix('In')}s contains empty string"
    refused(await engine.http.get(PATH + tail, params={name: ""}), 400, "NotValidException", empty, 0)
    refused(await engine.http.post(PATH + tail, json={name: ["x", ""]}), 400, "NotValidException", empty, 0)
    for names in (["x", None], ["", None]):
        response = await engine.http.post(PATH + tail, json={name: names})
        refused(response, 400, "NotValidException", "activityIds contains null value", 0)


async def test_tenants(engine: Engine, gallery: Gallery) -> None:
    response = await engine.http.post(PATH, json={"tenantIdIn": [None]})
    refused(response, 500, "NullValueException", "tenantIds contains null value", 0)
    assert await engine.get(PATH, processDefinitionKey=gallery.alpha, tenantIdIn="") == []


@pytest.mark.parametrize("body", [{"failureLog": "maybe"}, {"priorityLowerThanOrEquals": "many"}], ids=str)
async def test_values_of_the_wrong_kind(engine: Engine, body: Record) -> None:
    unreadable(await engine.http.post(PATH, json=body), engine)


@pytest.mark.parametrize(
    "key",
    [
        "timestamp",
        "externalTaskId",
        "retries",
        "priority",
        "topicName",
        "workerId",
        "activityId",
        "activityInstanceId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
    ],
)
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str) -> None:
    await sorts(engine, PATH, both(gallery), key, key)


async def test_sort_by_tenant(engine: Engine, world: World) -> None:
    topic = fresh("charge")
    for letter in "bac":
        drawing = Drawing(fresh("order"), [Step("Charge", topic)])
        deployed = await world.deploy(drawing, tenant=fresh(letter))
        await world.start(deployed.definitions[drawing.key])
    await sorts(engine, PATH, {"topicName": topic}, "tenantId", "tenantId")


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, PATH, both(gallery))


async def test_what_an_entry_says(engine: Engine, gallery: Gallery) -> None:
    assert set(gallery.entries) == ALL
    for word, entry in gallery.entries.items():
        assert set(entry) == EXTERNAL_TASK_LOG
        assert sum(entry[flag] for flag in FLAGS) == 1
        assert entry["rootProcessInstanceId"] == entry["processInstanceId"]
        assert entry["processDefinitionKey"] == (gallery.beta if word.startswith("foreign") else gallery.alpha)
        assert (entry["workerId"] is not None) == (word.split("-")[1] in ("failure", "success"))
        assert await engine.get(f"{PATH}/{entry['id']}") == entry


async def test_retries_and_messages(engine: Engine, gallery: Gallery) -> None:
    seen = {word: (entry["retries"], entry["errorMessage"]) for word, entry in gallery.entries.items()}
    assert seen == {
        "done-creation": (None, None),
        "done-failure": (None, "no answer from the bank"),
        "done-success": (2, None),
        "gone-creation": (None, None),
        "gone-deletion": (5, None),
        "foreign-creation": (None, None),
        "foreign-failure": (None, "out of stock"),
    }


async def test_removal_follows_the_end_of_the_instance(engine: Engine, gallery: Gallery) -> None:
    for word, entry in gallery.entries.items():
        instance = await engine.get(f"/history/process-instance/{entry['processInstanceId']}")
        assert entry["removalTime"] == instance["removalTime"]
        if word in FOREIGN:
            assert entry["removalTime"] is None
        else:
            assert moment(entry["removalTime"]) == moment(instance["endTime"]) + timedelta(days=30)


async def test_orders_leave_no_entry(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    await world.set_retries(0, task)
    await world.set_retries(2, task)
    await engine.order("PUT", f"/external-task/{task}/priority", {"priority": 7})
    await world.lock(task, fresh("worker"))
    await engine.order("POST", f"/external-task/{task}/unlock")
    (created,) = await engine.get(PATH, externalTaskId=task)
    assert created["creationLog"]


async def test_a_removal_keeps_who_held_the_task(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    (task,) = scene.tasks
    await world.fail(task, "boom", retries=0)
    await world.cancel(scene.instances[0])
    (failure,) = await engine.get(PATH, externalTaskId=task, failureLog=True)
    (deletion,) = await engine.get(PATH, externalTaskId=task, deletionLog=True)
    assert deletion["workerId"] == failure["workerId"]
    assert (deletion["retries"], deletion["errorMessage"]) == (0, None)


async def test_error_details(engine: Engine, gallery: Gallery) -> None:
    response = await engine.http.get(f"{PATH}/{gallery.of('done-failure', 'id')}/error-details")
    assert (response.status_code, response.text) == (200, "line 1\nline 2")
    assert response.headers["content-type"].split(";")[0] == "text/plain"
    for word in ("done-creation", "done-success", "foreign-failure", "gone-deletion"):
        response = await engine.http.get(f"{PATH}/{gallery.of(word, 'id')}/error-details")
        assert (response.status_code, response.content) == (204, b""), word


async def test_an_unknown_entry(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"Historic external task log with id {nowhere} does not exist")
    response = await engine.http.get(f"{PATH}/{nowhere}/error-details")
    message = f"No historic external task log found with id {nowhere}: historicExternalTaskLog is null"
    refused(response, 404, "InvalidRequestException", message)
