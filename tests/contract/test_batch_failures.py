"""Batch jobs that fail: three attempts, an incident, and the ways out."""

from typing import Any

import pytest

from tests.contract.answers import INCIDENT, moment, refused
from tests.contract.batches import Outcome, Record, Stuck, launch, stuck, unknown_task
from tests.contract.engine import Engine
from tests.contract.waiting import eventually
from tests.contract.world import World, fresh


async def incidents(engine: Engine, batch: Stuck) -> list[Record]:
    """The open incidents of all three kinds of job of the batch."""
    found: list[Record] = await engine.get("/incident", jobDefinitionIdIn=[batch.seed, batch.monitor, batch.work])
    return found


async def only_job(batch: Stuck) -> Record:
    (job,) = await batch.jobs()
    return job


async def test_the_incident_of_a_failed_job(engine: Engine) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    (incident,) = await incidents(engine, batch)
    assert set(incident) == INCIDENT
    assert moment(incident["incidentTimestamp"]) >= moment(job["createTime"])
    assert incident == {
        "id": incident["id"],
        "processDefinitionId": None,
        "processInstanceId": None,
        "executionId": None,
        "incidentTimestamp": incident["incidentTimestamp"],
        "incidentType": "failedJob",
        "activityId": None,
        "failedActivityId": None,
        "causeIncidentId": incident["id"],
        "rootCauseIncidentId": incident["id"],
        "configuration": job["id"],
        "incidentMessage": unknown_task(batch.unknown[0]),
        "tenantId": None,
        "jobDefinitionId": batch.work,
        "annotation": None,
    }
    await batch.delete()


async def test_each_failed_job_has_one_incident(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await stuck(engine, scene.tasks, unknown=3)
    jobs = await batch.jobs()
    found = await incidents(engine, batch)
    assert sorted(incident["configuration"] for incident in found) == sorted(job["id"] for job in jobs)
    assert {job["exceptionMessage"] for job in jobs} == {unknown_task(nowhere) for nowhere in batch.unknown}
    assert await world.retries(scene.tasks) == [2, 2]
    await batch.delete()


async def test_the_stack_trace(engine: Engine) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    response = await engine.http.get(f"/job/{job['id']}/stacktrace")
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == "text/plain"
    assert unknown_task(batch.unknown[0]) in response.text
    await batch.delete()


async def test_a_job_that_never_failed_has_no_stack_trace(engine: Engine) -> None:
    batch = await stuck(engine, [])
    (monitor,) = await eventually(
        lambda: batch.job_of(batch.monitor), until=lambda jobs: len(jobs) == 1 and jobs[0]["dueDate"] is not None
    )
    response = await engine.http.get(f"/job/{monitor['id']}/stacktrace")
    assert (response.status_code, response.content) == (204, b"")
    await batch.delete()


async def test_a_job_is_tried_as_often_as_its_retries_say(engine: Engine) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    (before,) = await incidents(engine, batch)
    await batch.suspend()
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 2})
    # Suspended, it waits: the engine is seen between the old failure and the next attempt.
    assert await engine.get(f"/job/{job['id']}") == {**job, "retries": 2, "suspended": True}
    assert await incidents(engine, batch) == []
    now = await batch.now()
    assert (now["remainingJobs"], now["failedJobs"], now["completedJobs"]) == (1, 0, 0)
    await batch.suspend(False)
    assert await batch.settled() == Outcome(jobs=1, failed=1)
    assert await engine.get(f"/job/{job['id']}") == job
    (after,) = await incidents(engine, batch)
    assert after["id"] != before["id"]
    assert after["configuration"] == job["id"]
    await batch.delete()


async def test_no_retries_left_raises_an_incident(engine: Engine) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    await batch.suspend()
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 1})
    assert await incidents(engine, batch) == []
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 0})
    (incident,) = await incidents(engine, batch)
    assert incident["incidentMessage"] == unknown_task(batch.unknown[0])
    await batch.delete()


async def test_setting_what_a_job_has_changes_nothing(engine: Engine) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    before = await incidents(engine, batch)
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 0})
    assert await incidents(engine, batch) == before
    assert await only_job(batch) == job
    await batch.delete()


async def test_all_failed_jobs_of_a_definition(engine: Engine) -> None:
    batch = await stuck(engine, [], unknown=3)
    before = await batch.jobs()
    raised = await incidents(engine, batch)
    await batch.suspend()
    healthy = before[0]["id"]
    await engine.order("PUT", f"/job/{healthy}/retries", {"retries": 5})
    await engine.order("PUT", f"/job-definition/{batch.work}/retries", {"retries": 2})
    jobs = {job["id"]: job["retries"] for job in await batch.jobs()}
    assert jobs == {job["id"]: 5 if job["id"] == healthy else 2 for job in before}
    # Incidents stay until their jobs have run; the single order above has taken one away.
    still = await incidents(engine, batch)
    assert sorted(each["id"] for each in still) == sorted(
        each["id"] for each in raised if each["configuration"] != healthy
    )
    await batch.delete()


async def test_a_job_that_fails_again_keeps_its_incident(engine: Engine) -> None:
    batch = await stuck(engine, [])
    before = await incidents(engine, batch)
    await engine.order("PUT", f"/job-definition/{batch.work}/retries", {"retries": 1})
    assert await batch.settled() == Outcome(jobs=1, failed=1)
    assert await incidents(engine, batch) == before
    await batch.delete()


async def test_retries_of_an_unknown_definition(engine: Engine) -> None:
    await engine.order("PUT", f"/job-definition/{fresh('none')}/retries", {"retries": 2})


async def test_the_due_date_of_a_job(engine: Engine) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    due = "2099-03-01T09:15:00.000+0000"
    path = f"/job/{job['id']}/retries"
    await engine.order("PUT", path, {"retries": 1, "dueDate": due})
    assert moment((await only_job(batch))["dueDate"]) == moment(due)
    await engine.order("PUT", path, {"retries": 1})
    assert moment((await only_job(batch))["dueDate"]) == moment(due)
    await engine.order("PUT", path, {"retries": 1, "dueDate": None})
    await eventually(lambda: only_job(batch), until=lambda now: now["retries"] == 0)
    assert (await only_job(batch))["dueDate"] is None
    await batch.delete()


async def test_a_deleted_job_counts_as_completed(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks, unknown=2)
    first, second = await batch.jobs()
    await engine.order("DELETE", f"/job/{first['id']}")
    now = await batch.now()
    assert (now["totalJobs"], now["remainingJobs"], now["completedJobs"], now["failedJobs"]) == (3, 1, 2, 1)
    assert [each["configuration"] for each in await incidents(engine, batch)] == [second["id"]]
    response = await engine.http.get(f"/job/{first['id']}")
    refused(response, 404, "InvalidRequestException", f"Job with id {first['id']} does not exist")
    await batch.delete()


@pytest.mark.parametrize(
    ("method", "tail", "body", "status", "message"),
    [
        ("GET", "", None, 404, "Job with id {id} does not exist"),
        ("GET", "/stacktrace", None, 404, "No job found with id {id}: job is null"),
        ("PUT", "/retries", {"retries": 1}, 500, "ENGINE-13053 No job found with id '{id}'.'"),
        ("DELETE", "", None, 404, "No job found with id '{id}': job is null"),
    ],
    ids=["get", "stacktrace", "retries", "delete"],
)
async def test_an_unknown_job(engine: Engine, method: str, tail: str, body: Any, status: int, message: str) -> None:
    identity = fresh("none")
    response = await engine.http.request(method, f"/job/{identity}{tail}", json=body)
    refused(response, status, "InvalidRequestException", message.format(id=identity))


@pytest.mark.parametrize("path", ["/job/{job}/retries", "/job-definition/{definition}/retries"])
async def test_negative_retries_of_jobs(engine: Engine, path: str) -> None:
    batch = await stuck(engine, [])
    job = await only_job(batch)
    response = await engine.http.put(path.format(job=job["id"], definition=batch.work), json={"retries": -1})
    message = "ENGINE-13054 The number of job retries must be a non-negative Integer, but '-1' has been provided."
    refused(response, 500, "InvalidRequestException", message)
    assert await only_job(batch) == job
    await batch.delete()


async def test_a_job_fails_again_while_its_task_is_gone(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    await world.complete(scene.tasks[0])
    batch = await launch(engine, 4, scene.tasks)
    assert await batch.settled() == Outcome(jobs=1, failed=1)
    (job,) = await batch.jobs()
    await engine.order("PUT", f"/job/{job['id']}/retries", {"retries": 3})
    assert await batch.settled() == Outcome(jobs=1, failed=1)
    await batch.delete()
