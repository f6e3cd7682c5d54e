"""External tasks: one record, error details, the filters and sort keys of the query."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import EXTERNAL_TASK, moment, refused, wire
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.querying import found, found_by_post, pages, sorts
from tests.contract.waiting import eventually
from tests.contract.world import World, fresh

PATH = "/external-task"


@dataclass
class Gallery:
    """Tasks in every state, by name, and the definitions they belong to."""

    alpha: str
    beta: str
    name: str
    tenant: str
    definitions: dict[str, str]
    names: dict[str, str]
    tasks: dict[str, dict[str, Any]]
    base: dict[str, Any]

    def named(self, ids: list[str]) -> set[str]:
        """The names of these tasks."""
        return {self.names[identity] for identity in ids}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> Gallery:
    """Seven tasks of two processes.

    Of alpha: fresh, retrying, failed, locked, expired (a lock that is over), suspended. Of beta, with a tenant, another
    activity and a higher priority: foreign.
    """
    world = World(engine)
    alpha, beta, tenant, name = fresh("alpha"), fresh("beta"), fresh("tenant"), fresh("Order_100%")
    topic = fresh("charge")
    first = await world.deploy(Drawing(alpha, [Step("Charge", topic, 20)], name=name, version_tag="1.4"))
    second = await world.deploy(Drawing(beta, [Step("Ship", fresh("ship"), 70)], name=fresh("Return")), tenant=tenant)
    definitions = {**first.definitions, **second.definitions}
    names: dict[str, str] = {}
    for word in ("fresh", "retrying", "failed", "locked", "expired", "suspended", "foreign"):
        definition = definitions[beta if word == "foreign" else alpha]
        instance = await world.start(definition, f"key-{word}")
        (task,) = await engine.get(PATH, processInstanceId=instance)
        names[task["id"]] = word
    ids = {word: identity for identity, word in names.items()}
    await world.fail(ids["retrying"], "slow", retries=2)
    await world.fail(ids["failed"], "no answer", retries=0, details="at line 7")
    await world.lock(ids["locked"], "worker-now")
    await world.lock(ids["expired"], "worker-then", milliseconds=1)
    await eventually(lambda: engine.get(PATH, externalTaskId=ids["expired"], notLocked=True))
    await world.suspend((await world.task(ids["suspended"]))["processInstanceId"])
    tasks = {word: await world.task(identity) for word, identity in ids.items()}
    base = {"processDefinitionKeyIn": [alpha, beta]}
    return Gallery(alpha, beta, name, tenant, definitions, names, tasks, base)


ALPHA = {"fresh", "retrying", "failed", "locked", "expired", "suspended"}
ALL = ALPHA | {"foreign"}
LOCKS = {"locked", "expired", "retrying", "failed"}

Filter = Callable[[Gallery], dict[str, Any]]


def later(gallery: Gallery, word: str, milliseconds: int) -> str:
    """A moment near the end of a task's lock."""
    return wire(moment(gallery.tasks[word]["lockExpirationTime"]) + timedelta(milliseconds=milliseconds))


FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "externalTaskId": (lambda g: {"externalTaskId": g.tasks["failed"]["id"]}, {"failed"}),
    "externalTaskId-unknown": (lambda g: {"externalTaskId": "none"}, set()),
    "externalTaskIdIn": (
        lambda g: {"externalTaskIdIn": [g.tasks["failed"]["id"], "none", g.tasks["foreign"]["id"]]},
        {"failed", "foreign"},
    ),
    "workerId": (lambda g: {"workerId": "worker-then"}, {"expired"}),
    "lockExpirationBefore": (lambda g: {"lockExpirationBefore": later(g, "locked", 0)}, LOCKS - {"locked"}),
    "lockExpirationBefore-inclusive": (lambda g: {"lockExpirationBefore": later(g, "locked", 1)}, LOCKS),
    "lockExpirationAfter": (lambda g: {"lockExpirationAfter": later(g, "locked", 0)}, set()),
    "lockExpirationAfter-inclusive": (lambda g: {"lockExpirationAfter": later(g, "locked", -1)}, {"locked"}),
    "lockExpiration-between": (
        lambda g: {
            "lockExpirationAfter": later(g, "locked", -1),
            "lockExpirationBefore": later(g, "locked", 1),
        },
        {"locked"},
    ),
    "lockExpiration-crossed": (
        lambda g: {"lockExpirationAfter": later(g, "locked", 1), "lockExpirationBefore": later(g, "locked", -1)},
        set(),
    ),
    "topicName": (lambda g: {"topicName": g.tasks["foreign"]["topicName"]}, {"foreign"}),
    "topicName-is-no-pattern": (lambda g: {"topicName": "charge%"}, set()),
    "locked": (lambda g: {"locked": True}, {"locked"}),
    "notLocked": (lambda g: {"notLocked": True}, ALL - {"locked"}),
    "locked-notLocked": (lambda g: {"locked": True, "notLocked": True}, set()),
    "locked-false": (lambda g: {"locked": False}, ALL),
    "notLocked-false": (lambda g: {"notLocked": False}, ALL),
    "executionId": (lambda g: {"executionId": g.tasks["fresh"]["executionId"]}, {"fresh"}),
    "processInstanceId": (lambda g: {"processInstanceId": g.tasks["fresh"]["processInstanceId"]}, {"fresh"}),
    "processInstanceIdIn": (
        lambda g: {"processInstanceIdIn": [g.tasks[word]["processInstanceId"] for word in ("fresh", "foreign")]},
        {"fresh", "foreign"},
    ),
    "processDefinitionId": (lambda g: {"processDefinitionId": g.definitions[g.beta]}, {"foreign"}),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": g.alpha}, ALPHA),
    "processDefinitionKeyIn": (lambda g: {"processDefinitionKeyIn": [g.beta, "none"]}, {"foreign"}),
    "activityId": (lambda g: {"activityId": "Charge"}, ALPHA),
    "activityIdIn": (lambda g: {"activityIdIn": ["Ship", "None"]}, {"foreign"}),
    "withRetriesLeft": (lambda g: {"withRetriesLeft": True}, ALL - {"failed"}),
    "noRetriesLeft": (lambda g: {"noRetriesLeft": True}, {"failed"}),
    "withRetriesLeft-noRetriesLeft": (lambda g: {"withRetriesLeft": True, "noRetriesLeft": True}, {"failed"}),
    "noRetriesLeft-false": (lambda g: {"noRetriesLeft": False, "withRetriesLeft": False}, ALL),
    "active": (lambda g: {"active": True}, ALL - {"suspended"}),
    "suspended": (lambda g: {"suspended": True}, {"suspended"}),
    "active-suspended": (lambda g: {"active": True, "suspended": True}, {"suspended"}),
    "active-false": (lambda g: {"active": False, "suspended": False}, ALL),
    "priorityHigherThanOrEquals": (lambda g: {"priorityHigherThanOrEquals": 70}, {"foreign"}),
    "priorityHigherThanOrEquals-above": (lambda g: {"priorityHigherThanOrEquals": 71}, set()),
    "priorityLowerThanOrEquals": (lambda g: {"priorityLowerThanOrEquals": 20}, ALPHA),
    "priorityLowerThanOrEquals-below": (lambda g: {"priorityLowerThanOrEquals": 19}, set()),
    "priority-between": (lambda g: {"priorityHigherThanOrEquals": 20, "priorityLowerThanOrEquals": 70}, ALL),
    "priority-crossed": (lambda g: {"priorityHigherThanOrEquals": 70, "priorityLowerThanOrEquals": 20}, set()),
    "tenantIdIn": (lambda g: {"tenantIdIn": [g.tenant, "none"]}, {"foreign"}),
    "two-filters": (lambda g: {"activityId": "Charge", "noRetriesLeft": True, "active": True}, {"failed"}),
    "two-filters-apart": (lambda g: {"activityId": "Ship", "noRetriesLeft": True}, set()),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    assert gallery.named(await found(engine, PATH, {**gallery.base, **filters(gallery)})) == expected


async def test_process_definition_name(engine: Engine, gallery: Gallery) -> None:
    name = gallery.name
    assert gallery.named(await found(engine, PATH, {**gallery.base, "processDefinitionName": name})) == ALPHA
    assert await found(engine, PATH, {**gallery.base, "processDefinitionName": name.upper()}) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("Order_100%", ALPHA), ("Order%", ALPHA), ("%rder%", ALPHA), (r"Order\_100\%%", ALPHA)],
)
async def test_process_definition_name_like(engine: Engine, gallery: Gallery, pattern: str, expected: set[str]) -> None:
    query = {**gallery.base, "processDefinitionNameLike": pattern}
    assert gallery.named(await found(engine, PATH, query)) == expected


@pytest.mark.parametrize("pattern", ["Order", "rder%", "order%", r"Order\%%", "OrderX100%"])
async def test_process_definition_name_not_like(engine: Engine, gallery: Gallery, pattern: str) -> None:
    assert await found(engine, PATH, {**gallery.base, "processDefinitionNameLike": pattern}) == []


@pytest.mark.parametrize("name", ["externalTaskIdIn", "processInstanceIdIn", "activityIdIn", "tenantIdIn"])
async def test_an_empty_list_in_a_body_filters_nothing(engine: Engine, gallery: Gallery, name: str) -> None:
    assert gallery.named(await found_by_post(engine, PATH, {**gallery.base, name: []})) == ALL


@pytest.mark.parametrize("name", ["externalTaskIdIn", "processDefinitionKeyIn"])
async def test_an_empty_list_in_a_query_string_matches_nothing(engine: Engine, gallery: Gallery, name: str) -> None:
    assert await engine.get(PATH, processDefinitionKey=gallery.alpha, **{name: ""}) == []


@pytest.mark.parametrize("name", ["processInstanceIdIn", "activityIdIn", "tenantIdIn"])
async def test_a_blank_list_in_a_query_string_filters_nothing(engine: Engine, gallery: Gallery, name: str) -> None:
    records = await engine.get(PATH, processDefinitionKey=gallery.alpha, **{name: ""})
    assert gallery.named([record["id"] for record in records]) == ALPHA


async def test_null_filters_nothing(engine: Engine, gallery: Gallery) -> None:
    query = {**gallery.base, "topicName": None, "locked": None, "activityIdIn": None, "lockExpirationBefore": None}
    assert gallery.named(await found_by_post(engine, PATH, query)) == ALL


async def test_more_ids_than_one_statement_takes(engine: Engine, gallery: Gallery) -> None:
    many = [f"none-{number}" for number in range(2500)] + [gallery.tasks["failed"]["id"]]
    assert gallery.named(await found_by_post(engine, PATH, {"externalTaskIdIn": many})) == {"failed"}


SORT_KEYS = {
    "id": "id",
    "lockExpirationTime": "lockExpirationTime",
    "processInstanceId": "processInstanceId",
    "processDefinitionId": "processDefinitionId",
    "processDefinitionKey": "processDefinitionKey",
    "taskPriority": "priority",
    "createTime": "createTime",
}


@pytest.mark.parametrize("key", SORT_KEYS)
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str) -> None:
    await sorts(engine, PATH, gallery.base, key, SORT_KEYS[key])


async def test_sort_by_tenant(engine: Engine, world: World) -> None:
    key, topic = fresh("shared"), fresh("topic")
    for tenant in (fresh("b"), fresh("a"), fresh("c")):
        deployed = await world.deploy(Drawing(key, [Step("Work", topic)]), tenant=tenant)
        await world.start(deployed.definitions[key])
    await sorts(engine, PATH, {"topicName": topic}, "tenantId", "tenantId")


async def test_several_sort_keys(engine: Engine, gallery: Gallery) -> None:
    sorting = [{"sortBy": "taskPriority", "sortOrder": "desc"}, {"sortBy": "id", "sortOrder": "desc"}]
    records = await engine.post(PATH, {**gallery.base, "sorting": sorting})
    expected = sorted(records, key=lambda task: (task["priority"], task["id"]), reverse=True)
    assert records == expected
    assert gallery.named([records[0]["id"]]) == {"foreign"}


async def test_a_sort_key_of_the_body_comes_before_the_list(engine: Engine, gallery: Gallery) -> None:
    query = {**gallery.base, "sortBy": "taskPriority", "sortOrder": "asc"}
    records = await engine.post(PATH, {**query, "sorting": [{"sortBy": "id", "sortOrder": "desc"}]})
    assert records == sorted(sorted(records, key=lambda task: task["id"], reverse=True), key=lambda t: t["priority"])


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, PATH, gallery.base)


async def test_one_task(engine: Engine, gallery: Gallery) -> None:
    for word, task in gallery.tasks.items():
        assert set(task) == EXTERNAL_TASK, word
        assert [task] == await engine.get(PATH, externalTaskId=task["id"])
        moment(task["createTime"])


async def test_a_fresh_task(engine: Engine, gallery: Gallery) -> None:
    task = gallery.tasks["fresh"]
    assert task == {
        "activityId": "Charge",
        "activityInstanceId": task["activityInstanceId"],
        "errorMessage": None,
        "executionId": task["executionId"],
        "id": task["id"],
        "lockExpirationTime": None,
        "createTime": task["createTime"],
        "processDefinitionId": gallery.definitions[gallery.alpha],
        "processDefinitionKey": gallery.alpha,
        "processDefinitionVersionTag": "1.4",
        "processInstanceId": task["processInstanceId"],
        "retries": None,
        "suspended": False,
        "workerId": None,
        "topicName": task["topicName"],
        "tenantId": None,
        "priority": 20,
        "businessKey": "key-fresh",
    }


async def test_what_the_states_look_like(engine: Engine, gallery: Gallery) -> None:
    tasks = gallery.tasks
    assert [tasks[word]["retries"] for word in ("retrying", "failed", "locked")] == [2, 0, None]
    assert [tasks[word]["errorMessage"] for word in ("retrying", "failed", "fresh")] == ["slow", "no answer", None]
    assert [tasks[word]["workerId"] for word in ("locked", "expired")] == ["worker-now", "worker-then"]
    assert {word for word, task in tasks.items() if task["suspended"]} == {"suspended"}
    assert {word for word, task in tasks.items() if task["lockExpirationTime"] is not None} == LOCKS
    assert {word for word, task in tasks.items() if task["tenantId"] == gallery.tenant} == {"foreign"}


async def test_an_unknown_task(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}")
    refused(response, 404, "RestException", f"External task with id {nowhere} does not exist")


async def test_error_details(engine: Engine, gallery: Gallery) -> None:
    response = await engine.http.get(f"{PATH}/{gallery.tasks['failed']['id']}/errorDetails")
    assert (response.status_code, response.text) == (200, "at line 7")
    assert response.headers["content-type"].split(";")[0] == "text/plain"


@pytest.mark.parametrize("word", ["fresh", "retrying"])
async def test_no_error_details(engine: Engine, gallery: Gallery, word: str) -> None:
    response = await engine.http.get(f"{PATH}/{gallery.tasks[word]['id']}/errorDetails")
    assert (response.status_code, response.content) == (204, b"")


async def test_error_details_of_an_unknown_task(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}/errorDetails")
    message = f"No external task found with id {nowhere}: externalTask is null"
    refused(response, 500, "NullValueException", message, 0)
