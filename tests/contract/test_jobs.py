"""Jobs and job definitions of batches: the filters and sort keys of their queries."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.answers import refused, unreadable
from tests.contract.batches import Record, Stuck, stuck, unknown_task
from tests.contract.engine import Engine
from tests.contract.querying import found, found_by_post
from tests.contract.waiting import eventually
from tests.contract.world import fresh

JOB, DEFINITION = "/job", "/job-definition"
FAR = "2099-01-01T00:00:00.000+0000"


@dataclass
class Gallery:
    """Jobs of two batches, by name."""

    batch: Stuck
    jobs: dict[str, Record]
    base: dict[str, Any]

    def of(self, word: str, field: str) -> Any:
        """A field of a job."""
        return self.jobs[word][field]

    def named(self, ids: list[str]) -> set[str]:
        """The names of these jobs."""
        words = {job["id"]: word for word, job in self.jobs.items()}
        return {words[identity] for identity in ids}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(engine: Engine) -> AsyncIterator[Gallery]:
    """Four jobs that failed: two without retries, one due in the far future, one with a retry in a suspended batch."""
    batch, halted = await stuck(engine, [], unknown=3), await stuck(engine, [])
    await halted.suspend()
    failed, (suspended,) = await batch.jobs(), await halted.jobs()
    await engine.order("PUT", f"/job/{failed[2]['id']}/retries", {"retries": 2, "dueDate": FAR})
    await engine.order("PUT", f"/job/{suspended['id']}/retries", {"retries": 1})
    words = ("one", "two", "due", "suspended")
    jobs = dict(zip(words, [*await batch.jobs(), *await halted.jobs()], strict=True))
    yield Gallery(batch, jobs, {"jobIds": [job["id"] for job in jobs.values()]})
    await batch.delete()
    await halted.delete()


ALL = {"one", "two", "due", "suspended"}
FAILED = {"one", "two"}

Filter = Callable[[Gallery], dict[str, Any]]

FILTERS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, ALL),
    "processInstanceId": (lambda g: {"processInstanceId": "none"}, set()),
    "executionId": (lambda g: {"executionId": "none"}, set()),
    "processDefinitionId": (lambda g: {"processDefinitionId": "none"}, set()),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": "none"}, set()),
    "withRetriesLeft": (lambda g: {"withRetriesLeft": True}, {"due", "suspended"}),
    "noRetriesLeft": (lambda g: {"noRetriesLeft": True}, FAILED),
    "withRetriesLeft-noRetriesLeft": (lambda g: {"withRetriesLeft": True, "noRetriesLeft": True}, set()),
    "executable": (lambda g: {"executable": True}, {"suspended"}),
    "executable-false": (lambda g: {"executable": False}, ALL),
    "timers": (lambda g: {"timers": True}, set()),
    "messages": (lambda g: {"messages": True}, ALL),
    "withException": (lambda g: {"withException": True}, ALL),
    "exceptionMessage": (lambda g: {"exceptionMessage": g.of("one", "exceptionMessage")}, {"one"}),
    "exceptionMessage-other": (lambda g: {"exceptionMessage": "Cannot find"}, set()),
    "failedActivityId": (lambda g: {"failedActivityId": "none"}, set()),
    "active": (lambda g: {"active": True}, ALL - {"suspended"}),
    "suspended": (lambda g: {"suspended": True}, {"suspended"}),
    "active-suspended": (lambda g: {"active": True, "suspended": True}, {"suspended"}),
    "acquired": (lambda g: {"acquired": True}, set()),
    "priorityHigherThanOrEquals": (lambda g: {"priorityHigherThanOrEquals": 0}, ALL),
    "priorityHigherThanOrEquals-above": (lambda g: {"priorityHigherThanOrEquals": 1}, set()),
    "priorityLowerThanOrEquals": (lambda g: {"priorityLowerThanOrEquals": 0}, ALL),
    "priorityLowerThanOrEquals-below": (lambda g: {"priorityLowerThanOrEquals": -1}, set()),
    "priority-crossed": (lambda g: {"priorityHigherThanOrEquals": 1, "priorityLowerThanOrEquals": -1}, set()),
    "tenantIdIn": (lambda g: {"tenantIdIn": ["none"]}, set()),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, ALL),
    "tenantIdIn-withoutTenantId": (lambda g: {"tenantIdIn": ["none"], "withoutTenantId": True}, ALL),
    "includeJobsWithoutTenantId": (lambda g: {"tenantIdIn": ["none"], "includeJobsWithoutTenantId": True}, ALL),
    "two-filters": (lambda g: {"withRetriesLeft": True, "active": True}, {"due"}),
}

TIMES: dict[str, tuple[list[Record], set[str]]] = {
    "due-before": ([{"operator": "lt", "value": "2099-01-01T00:00:00.001+0000"}], {"due"}),
    "due-before-itself": ([{"operator": "lt", "value": FAR}], set()),
    "due-after": ([{"operator": "gt", "value": "2098-12-31T23:59:59.999+0000"}], {"due"}),
    "due-after-itself": ([{"operator": "gt", "value": FAR}], set()),
    "due-between": (
        [
            {"operator": "gt", "value": "2098-01-01T00:00:00.000+0000"},
            {"operator": "lt", "value": "2100-01-01T00:00:00.000+0000"},
        ],
        {"due"},
    ),
}


@pytest.mark.parametrize("name", FILTERS)
async def test_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = FILTERS[name]
    assert gallery.named(await found(engine, JOB, {**gallery.base, **filters(gallery)})) == expected


async def test_filters_by_id(engine: Engine, gallery: Gallery) -> None:
    one, two = gallery.of("one", "id"), gallery.of("two", "id")
    assert await found(engine, JOB, {"jobId": one}) == [one]
    assert await found(engine, JOB, {"jobIds": [one, two, "none"]}) == sorted([one, two])
    assert await found(engine, JOB, {"jobId": "none"}) == []
    assert await found(engine, JOB, {"activityId": "none"}) == []
    assert await found(engine, JOB, {"processInstanceIds": ["none"]}) == []
    assert await engine.get(JOB, jobIds="") == []
    of_the_batch = await found(engine, JOB, {"jobDefinitionId": gallery.batch.work})
    assert gallery.named(of_the_batch) == ALL - {"suspended"}


@pytest.mark.parametrize("name", TIMES)
async def test_due_dates(engine: Engine, gallery: Gallery, name: str) -> None:
    conditions, expected = TIMES[name]
    assert gallery.named(await found_by_post(engine, JOB, {**gallery.base, "dueDates": conditions})) == expected
    words = ",".join(f"{each['operator']}_{each['value']}" for each in conditions)
    by_get = await engine.get(JOB, **gallery.base, dueDates=words)
    assert gallery.named([job["id"] for job in by_get]) == expected


async def test_create_times(engine: Engine, gallery: Gallery) -> None:
    created = gallery.of("one", "createTime")

    async def names(operator: str, value: str) -> set[str]:
        query = {**gallery.base, "createTimes": [{"operator": operator, "value": value}]}
        return gallery.named(await found_by_post(engine, JOB, query))

    assert "one" not in await names("gt", created)
    assert "one" in await names("lt", created), "lt is lower or equal here"
    assert await names("gt", "2020-01-01T00:00:00.000+0000") == ALL
    assert await names("lt", "2020-01-01T00:00:00.000+0000") == set()


@pytest.mark.parametrize(("field", "words"), [("dueDates", "due date"), ("createTimes", "create time")])
async def test_time_conditions_of_the_wrong_form(engine: Engine, field: str, words: str) -> None:
    condition = {"operator": "eq", "value": FAR}
    response = await engine.http.post(JOB, json={field: [condition]})
    refused(response, 400, "InvalidRequestException", f"Invalid {words} comparator specified: eq")


async def test_timers_and_messages(engine: Engine) -> None:
    response = await engine.http.post(JOB, json={"timers": True, "messages": True})
    message = "Parameter timers cannot be used together with parameter messages."
    refused(response, 400, "InvalidRequestException", message)


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("jobId", "id"),
        ("jobPriority", "priority"),
        ("jobRetries", "retries"),
        ("jobDueDate", "dueDate"),
        ("executionId", None),
        ("processInstanceId", None),
        ("processDefinitionId", None),
        ("processDefinitionKey", None),
        ("tenantId", None),
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_sort_keys(engine: Engine, gallery: Gallery, key: str, field: str | None, order: str) -> None:
    by_get = await engine.get(JOB, **gallery.base, sortBy=key, sortOrder=order)
    by_post = await engine.post(JOB, {**gallery.base, "sorting": [{"sortBy": key, "sortOrder": order}]})
    for records in (by_get, by_post):
        assert gallery.named([record["id"] for record in records]) == ALL
        if field is not None:
            values = [record[field] for record in records if record[field] is not None]
            assert values == sorted(values, reverse=order == "desc")


async def test_pages(engine: Engine, gallery: Gallery) -> None:
    whole = await engine.post(JOB, gallery.base)
    assert [job["id"] for job in whole] == sorted(job["id"] for job in whole)
    assert await engine.post(JOB, gallery.base, firstResult=1, maxResults=2) == whole[1:3]
    assert await engine.get(JOB, **gallery.base, firstResult=3, maxResults=2) == whole[3:]


@pytest.mark.parametrize("value", ["many", True, 2**31, [1]], ids=str)
async def test_retries_of_the_wrong_kind(engine: Engine, gallery: Gallery, value: Any) -> None:
    response = await engine.http.put(f"/job/{gallery.of('one', 'id')}/retries", json={"retries": value})
    unreadable(response, engine)


DEFINITIONS: dict[str, tuple[Filter, set[str]]] = {
    "nothing": (lambda g: {}, {"seed", "monitor", "work"}),
    "jobDefinitionId": (lambda g: {"jobDefinitionId": g.batch.seed}, {"seed"}),
    "jobDefinitionId-unknown": (lambda g: {"jobDefinitionId": "none"}, set()),
    "activityIdIn": (lambda g: {"activityIdIn": ["none"]}, set()),
    "processDefinitionId": (lambda g: {"processDefinitionId": "none"}, set()),
    "processDefinitionKey": (lambda g: {"processDefinitionKey": "none"}, set()),
    "jobType": (lambda g: {"jobType": "batch-monitor-job"}, {"monitor"}),
    "active": (lambda g: {"active": True}, {"seed", "monitor", "work"}),
    "suspended": (lambda g: {"suspended": True}, set()),
    "withOverridingJobPriority": (lambda g: {"withOverridingJobPriority": True}, set()),
    "tenantIdIn": (lambda g: {"tenantIdIn": ["none"]}, set()),
    "withoutTenantId": (lambda g: {"withoutTenantId": True}, {"seed", "monitor", "work"}),
    "includeJobDefinitionsWithoutTenantId": (
        lambda g: {"tenantIdIn": ["none"], "includeJobDefinitionsWithoutTenantId": True},
        {"seed", "monitor", "work"},
    ),
}


async def test_an_empty_text_is_an_activity_that_no_definition_has(engine: Engine, gallery: Gallery) -> None:
    assert await engine.get(DEFINITION, jobConfiguration=gallery.batch.id, activityIdIn="") == []
    for parameter in ({"tenantIdIn": ""}, {}):
        assert len(await engine.get(DEFINITION, jobConfiguration=gallery.batch.id, **parameter)) == 3


@pytest.mark.parametrize("name", DEFINITIONS)
async def test_definition_filters(engine: Engine, gallery: Gallery, name: str) -> None:
    filters, expected = DEFINITIONS[name]
    batch = gallery.batch
    words = {batch.seed: "seed", batch.monitor: "monitor", batch.work: "work"}
    query = {"jobConfiguration": batch.id, **filters(gallery)}
    assert {words[identity] for identity in await found(engine, DEFINITION, query)} == expected


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("jobDefinitionId", "id"),
        ("jobType", "jobType"),
        ("jobConfiguration", "jobConfiguration"),
        ("activityId", None),
        ("processDefinitionId", None),
        ("processDefinitionKey", None),
        ("tenantId", None),
    ],
)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_definition_sort_keys(engine: Engine, gallery: Gallery, key: str, field: str | None, order: str) -> None:
    base = {"jobConfiguration": gallery.batch.id}
    records = await engine.get(DEFINITION, **base, sortBy=key, sortOrder=order)
    assert len(records) == 3
    if field is not None:
        values = [record[field] for record in records]
        assert values == sorted(values, reverse=order == "desc")
    by_post = await engine.post(DEFINITION, {**base, "sorting": [{"sortBy": key, "sortOrder": order}]})
    assert {record["id"] for record in by_post} == {record["id"] for record in records}


async def test_an_unknown_definition(engine: Engine) -> None:
    nowhere = fresh("none")
    response = await engine.http.get(f"{DEFINITION}/{nowhere}")
    refused(response, 404, "InvalidRequestException", f"Job Definition with id {nowhere} does not exist")


async def test_the_monitor_is_in_the_list_of_all_jobs(engine: Engine, gallery: Gallery) -> None:
    (monitor,) = await eventually(
        lambda: gallery.batch.job_of(gallery.batch.monitor),
        until=lambda jobs: len(jobs) == 1 and jobs[0]["dueDate"] is not None,
    )
    assert await found(engine, JOB, {"jobId": monitor["id"], "messages": True}) == [monitor["id"]]
    assert gallery.of("one", "exceptionMessage") in {unknown_task(nowhere) for nowhere in gallery.batch.unknown}
