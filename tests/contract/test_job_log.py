"""The job log: what each event says, the filters and sort keys of the query, stack traces."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import JOB_LOG, moment, refused, unreadable
from tests.contract.batches import Stuck, launch, stuck, unknown_task
from tests.contract.engine import Engine
from tests.contract.querying import found, found_by_post, pages, records_by_post, sorts
from tests.contract.waiting import eventually
from tests.contract.world import World, fresh

PATH = "/history/job-log"
Record = dict[str, Any]
FLAGS = ("creationLog", "failureLog", "successLog", "deletionLog")


def kind(entry: Record) -> str:
    """Which event an entry tells of; asserts that it is one."""
    (only,) = (flag for flag in FLAGS if entry[flag])
    return only.removesuffix("Log")


@dataclass
class Gallery:
    """The log of a batch: one job that succeeded, one that failed three times, one that failed and was deleted."""

    batch: Stuck
    deployment: str
    failed: str
    deleted: str
    entries: list[Record]
    base: Record

    def kinds(self, ids: list[str]) -> Counter[str]:
        """How many of each event, of batch jobs only: seed and monitor jobs come as the engine likes."""
        wanted = set(ids)
        found = [entry for entry in self.entries if entry["id"] in wanted]
        assert len(found) == len(wanted)
        return Counter(kind(entry) for entry in found)

    def one(self, event: str, job: str | None = None) -> Record:
        """The first entry of an event, of one job or of any."""
        return next(entry for entry in self.entries if kind(entry) == event and job in (None, entry["jobId"]))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> AsyncIterator[Gallery]:
    """Three batch jobs, nine entries."""
    world = World(engine)
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks, unknown=2)
    failed, deleted = (job["id"] for job in await batch.jobs())
    await engine.order("DELETE", f"/job/{deleted}")
    base = {"jobDefinitionConfiguration": batch.id, "jobDefinitionId": batch.work}
    entries = await engine.get(PATH, **base)
    yield Gallery(batch, scene.deployment, failed, deleted, entries, base)
    await batch.delete()


CREATED, FAILED, SUCCEEDED, DELETED = ({"creation": 3}, {"failure": 6}, {"success": 1}, {"deletion": 1})
ALL = {**CREATED, **FAILED, **SUCCEEDED, **DELETED}
NOTHING: dict[str, int] = {}

Filter = Callable[[Gallery], Record]

FILTERS: dict[str, tuple[Filter, dict[str, int]]] = {
    "nothing": (lambda g: {}, ALL),
    "logId": (lambda g: {"logId": g.one("success")["id"]}, SUCCEEDED),
    "logId-unknown": (lambda g: {"logId": "none"}, NOTHING),
    "jobId": (lambda g: {"jobId": g.deleted}, {"creation": 1, "failure": 3, "deletion": 1}),
    "jobExceptionMessage": (
        lambda g: {"jobExceptionMessage": g.one("failure", g.failed)["jobExceptionMessage"]},
        {"failure": 3},
    ),
    "jobExceptionMessage-part": (lambda g: {"jobExceptionMessage": "Cannot find external task"}, NOTHING),
    "jobDefinitionId": (lambda g: {"jobDefinitionId": g.batch.work}, ALL),
    "jobDefinitionId-unknown": (lambda g: {"jobDefinitionId": "none"}, NOTHING),
    "jobDefinitionType": (lambda g: {"jobDefinitionType": "set-external-task-retries"}, ALL),
    "jobDefinitionType-other": (lambda g: {"jobDefinitionType": "batch-seed-job"}, NOTHING),
    "jobDefinitionConfiguration": (lambda g: {"jobDefinitionConfiguration": g.batch.id}, ALL),
    "jobDefinitionConfiguration-unknown": (lambda g: {"jobDefinitionConfiguration": "none"}, NOTHING),
    "activityIdIn": (lambda g: {"activityIdIn": ["Charge"]}, NOTHING),
    "failedActivityIdIn": (lambda g: {"failedActivityIdIn": ["Charge"]}, NOTHING),
    "executionIdIn": (lambda g: {"executionIdIn": ["none"]}, NOTHING),
    "processInstanceId": (lambda g: {"processInstanceId": "none"}, NOTHING),
    "processDefinitionId": (lambda g: {"processDefinitionId": "none"}, NOTHING),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": "none"}, NOTHING),
    "deploymentId": (lambda g: {"deploymentId": g.deployment}, {"creation": 1, "success": 1}),
    "deploymentId-unknown": (lambda g: {"deploymentId": "none"}, NOTHING),
    "tenantIdIn": (lambda g: {"tenantIdIn": ["none"]}, NOTHING),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALL),
    "tenantIdIn-withoutTenantId": (lambda g: {"tenantIdIn": ["none"], "withoutTenantId": True}, ALL),
    "hostname": (lambda g: {"hostname": g.entries[0]["hostname"]}, ALL),
    "hostname-other": (lambda g: {"hostname": "none"}, NOTHING),
    "hostname-empty": (lambda g: {"hostname": ""}, ALL),
    "jobPriorityHigherThanOrEquals": (lambda g: {"jobPriorityHigherThanOrEquals": 0}, ALL),
    "jobPriorityHigherThanOrEquals-above": (lambda g: {"jobPriorityHigherThanOrEquals": 1}, NOTHING),
    "jobPriorityLowerThanOrEquals": (lambda g: {"jobPriorityLowerThanOrEquals": 0}, ALL),
    "jobPriorityLowerThanOrEquals-below": (lambda g: {"jobPriorityLowerThanOrEquals": -1}, NOTHING),
    "jobPriority-crossed": (
        lambda g: {"jobPriorityHigherThanOrEquals": 1, "jobPriorityLowerThanOrEquals": -1},
        NOTHING,
    ),
    "creationLog": (lambda g: {"creationLog": True}, CREATED),
    "failureLog": (lambda g: {"failureLog": True}, FAILED),
    "failureLog-false": (lambda g: {"failureLog": False}, ALL),
    "successLog": (lambda g: {"successLog": True}, SUCCEEDED),
    "deletionLog": (lambda g: {"deletionLog": True}, DELETED),
    "creation-failure": (lambda g: {"creationLog": True, "failureLog": True}, FAILED),
    "failure-success": (lambda g: {"failureLog": True, "successLog": True}, SUCCEEDED),
    "all-four": (lambda g: dict.fromkeys(FLAGS, True), DELETED),
    "two-filters": (lambda g: {"jobId": g.failed, "failureLog": True}, {"failure": 3}),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    assert gallery.kinds(await found(engine, PATH, {**gallery.base, **filters(gallery)})) == expected


@pytest.mark.parametrize("name", ["activityIdIn", "failedActivityIdIn", "executionIdIn", "tenantIdIn"])
async def test_an_empty_list_is_no_filter(engine: Engine, gallery: Gallery, name: str) -> None:
    assert gallery.kinds(await found_by_post(engine, PATH, {**gallery.base, name: []})) == ALL


@pytest.mark.parametrize("tail", ["", "/count"])
@pytest.mark.parametrize(
    ("name", "word"),
    [("activityIdIn", "activityIds"), ("failedActivityIdIn", "activityIds"), ("executionIdIn", "executionIds")],
)
async def test_empty_and_missing_names(engine: Engine, name: str, word: str, tail: str) -> None:
    empty = f"{word} contains empty string"
    refused(await engine.http.get(PATH + tail, params={name: ""}), 400, "NotValidException", empty, 0)
    refused(await engine.http.post(PATH + tail, json={name: ["x", ""]}), 400, "NotValidException", empty, 0)
    for names in (["x", None], ["", None]):
        response = await engine.http.post(PATH + tail, json={name: names})
        refused(response, 500, "NullValueException", f"{word} contains null value", 0)


async def test_tenants(engine: Engine, gallery: Gallery) -> None:
    response = await engine.http.post(PATH, json={"tenantIdIn": [None]})
    refused(response, 500, "NullValueException", "tenantIds contains null value", 0)
    response = await engine.http.post("/history/job-log", json={"hostname": " "})
    refused(response, 500, "ProcessEngineException", "hostName is empty", 0)
    by_get = await engine.get(PATH, **gallery.base, tenantIdIn="")
    assert gallery.kinds([entry["id"] for entry in by_get]) == ALL


@pytest.mark.parametrize("body", [{"failureLog": "maybe"}, {"jobPriorityHigherThanOrEquals": "many"}], ids=str)
async def test_values_of_the_wrong_kind(engine: Engine, body: Record) -> None:
    unreadable(await engine.http.post(PATH, json=body), engine)
    ((name, value),) = body.items()
    kind_of = "Boolean" if value == "maybe" else "Long"
    refused(
        await engine.http.get(PATH, params=body),
        400,
        "InvalidRequestException",
        f"Cannot set query parameter '{name}' to value '{value}': "
        f"Cannot convert value {value} to java type java.lang.{kind_of}",
    )


SORT_KEYS = [
    ("timestamp", "timestamp"),
    ("jobId", "jobId"),
    ("jobRetries", "jobRetries"),
    ("jobPriority", "jobPriority"),
    ("jobDefinitionId", "jobDefinitionId"),
    ("deploymentId", "deploymentId"),
    ("hostname", "hostname"),
]


@pytest.mark.parametrize(("key", "field"), SORT_KEYS)
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str, field: str) -> None:
    await sorts(engine, PATH, gallery.base, key, field)


@pytest.mark.parametrize(
    "key",
    [
        "jobDueDate",
        "activityId",
        "executionId",
        "processInstanceId",
        "processDefinitionId",
        "processDefinitionKey",
        "tenantId",
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_sort_by_what_batch_jobs_have_not(engine: Engine, gallery: Gallery, key: str, order: str) -> None:
    by_get = await engine.get(PATH, **gallery.base, sortBy=key, sortOrder=order)
    by_post = await engine.post(PATH, {**gallery.base, "sorting": [{"sortBy": key, "sortOrder": order}]})
    for records in (by_get, by_post):
        assert gallery.kinds([record["id"] for record in records]) == ALL


async def test_sort_by_occurrence(engine: Engine, gallery: Gallery) -> None:
    life = ["creation", "failure", "failure", "failure", "deletion"]
    of_job = {"jobId": gallery.deleted}
    for order, expected in (("asc", life), ("desc", life[::-1])):
        records = await engine.get(PATH, **of_job, sortBy="occurrence", sortOrder=order)
        assert [kind(record) for record in records] == expected


async def test_sort_by_due_date(engine: Engine, gallery: Gallery) -> None:
    monitors = {"jobDefinitionId": gallery.batch.monitor, "creationLog": True}
    records = await eventually(
        lambda: engine.get(PATH, **monitors, sortBy="jobDueDate", sortOrder="asc"),
        until=lambda records: any(record["jobDueDate"] is not None for record in records),
    )
    due = [record for record in records if record["jobDueDate"] is not None]
    for record in due:  # an engine takes the time for each of them: a millisecond may lie between
        waits = moment(record["jobDueDate"]) - moment(record["timestamp"])
        assert abs(waits - timedelta(seconds=30)) <= timedelta(milliseconds=50)


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    await pages(engine, PATH, gallery.base)


async def test_what_an_entry_says(engine: Engine, gallery: Gallery) -> None:
    nothing = (
        *("removalTime", "activityId", "failedActivityId", "executionId", "processInstanceId", "processDefinitionId"),
        *("processDefinitionKey", "tenantId", "rootProcessInstanceId", "jobDueDate"),
    )
    for entry in gallery.entries:
        assert set(entry) == JOB_LOG
        assert kind(entry)
        assert [entry[name] for name in nothing] == [None] * len(nothing)
        assert entry["batchId"] == entry["jobDefinitionConfiguration"] == gallery.batch.id
        assert entry["jobDefinitionType"] == "set-external-task-retries"
        assert entry["hostname"].endswith("$default")
        assert entry["jobPriority"] == 0
        assert (entry["jobExceptionMessage"] is not None) == (kind(entry) == "failure")
        assert await engine.get(f"{PATH}/{entry['id']}") == entry


async def test_retries_are_those_before_the_event(engine: Engine, gallery: Gallery) -> None:
    records = await engine.post(
        PATH, {"jobId": gallery.deleted, "sorting": [{"sortBy": "timestamp", "sortOrder": "asc"}]}
    )
    events = [(kind(record), record["jobRetries"]) for record in records]
    assert events == [("creation", 3), ("failure", 3), ("failure", 2), ("failure", 1), ("deletion", 0)]
    messages = {record["jobExceptionMessage"] for record in records if record["failureLog"]}
    assert messages < {unknown_task(nowhere) for nowhere in gallery.batch.unknown}


async def test_seed_and_monitor_jobs_are_logged_too(engine: Engine, gallery: Gallery) -> None:
    query = {"jobDefinitionConfiguration": gallery.batch.id, "jobDefinitionId": gallery.batch.seed}
    seeds = await records_by_post(engine, PATH, query)
    assert {record["jobDefinitionType"] for record in seeds} == {"batch-seed-job"}
    counted = Counter(map(kind, seeds))
    assert counted == {"creation": counted["success"], "success": counted["success"]}
    assert counted["success"] >= 1
    monitors = await found(engine, PATH, {**query, "jobDefinitionId": gallery.batch.monitor})
    assert monitors
    assert not set(monitors) & {record["id"] for record in seeds}


async def test_a_deleted_batch_leaves_its_log_unless_it_cascades(engine: Engine) -> None:
    kept, gone = await stuck(engine, []), await stuck(engine, [])
    await kept.delete()
    await gone.delete(cascade=True)
    left = await records_by_post(engine, PATH, {"jobDefinitionConfiguration": kept.id, "deletionLog": True})
    assert Counter(record["jobDefinitionType"] for record in left) == {
        "batch-monitor-job": 1,
        "set-external-task-retries": 1,
    }
    assert await found(engine, PATH, {"jobDefinitionConfiguration": gone.id}) == []
    await engine.order("DELETE", f"/history/batch/{kept.id}")
    assert await found(engine, PATH, {"jobDefinitionConfiguration": kept.id}) == []


async def test_the_log_outlives_its_batch(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launch(engine, 4, scene.tasks)
    await batch.ended()
    records = await records_by_post(engine, PATH, {"jobDefinitionConfiguration": batch.id})
    ended = Counter((record["jobDefinitionType"], kind(record)) for record in records)
    assert ended["set-external-task-retries", "success"] == ended["set-external-task-retries", "creation"] == 2
    assert ended["batch-monitor-job", "success"] == ended["batch-monitor-job", "creation"] >= 1


async def test_stack_traces(engine: Engine, gallery: Gallery) -> None:
    failure = gallery.one("failure")
    response = await engine.http.get(f"{PATH}/{failure['id']}/stacktrace")
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == "text/plain"
    assert failure["jobExceptionMessage"] in response.text.splitlines()[0]
    response = await engine.http.get(f"{PATH}/{gallery.one('creation')['id']}/stacktrace")
    assert (response.status_code, response.content) == (204, b"")


async def test_an_unknown_entry(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{PATH}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"Historic job log with id {nowhere} does not exist")
    response = await engine.http.get(f"{PATH}/{nowhere}/stacktrace")
    message = f"No historic job log found with id {nowhere}: historicJobLog is null"
    refused(response, 404, "InvalidRequestException", message)
