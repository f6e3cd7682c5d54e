"""Orders to one job: carry it out now, suspend it, give it another priority or due date; and to all of a selector."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.answers import refused, unreadable
from tests.contract.batches import Record, Stuck, launched_and_stopped, stuck, unknown_task
from tests.contract.engine import Engine
from tests.contract.world import World

FAR = "2099-01-01T00:00:00.000+0000"


async def failed(engine: Engine, jobs: int = 1) -> tuple[Stuck, list[Record]]:
    """A suspended batch whose jobs have all failed, and the jobs in the order of its ids."""
    batch = await stuck(engine, [], unknown=jobs)
    await batch.suspend()
    by_message = {job["exceptionMessage"]: job for job in await batch.jobs()}
    return batch, [by_message[unknown_task(nowhere)] for nowhere in batch.unknown]


async def job(engine: Engine, job_id: str) -> Record:
    """The job as it is now."""
    found: Record = await engine.get(f"/job/{job_id}")
    return found


async def test_a_failed_job_is_carried_out_and_fails_again(engine: Engine) -> None:
    batch, (one,) = await failed(engine)
    response = await engine.http.post(f"/job/{one['id']}/execute")
    refused(response, 404, "InvalidRequestException", unknown_task(batch.unknown[0]))
    assert (await job(engine, one["id"]))["retries"] == 0
    await engine.order("PUT", f"/job/{one['id']}/retries", {"retries": 2})
    assert await engine.get("/incident", configuration=one["id"]) == []
    for left in (1, 0):
        assert (await engine.http.post(f"/job/{one['id']}/execute", json={})).status_code == 404
        assert (await job(engine, one["id"]))["retries"] == left
    (incident,) = await engine.get("/incident", configuration=one["id"])
    assert incident["incidentMessage"] == unknown_task(batch.unknown[0])
    await batch.delete()


async def test_the_three_kinds_of_jobs_are_carried_out_by_hand(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launched_and_stopped(engine, scene.tasks, unseeded=True)
    (seed,) = await batch.job_of(batch.seed)
    assert seed["suspended"]
    await engine.order("POST", f"/job/{seed['id']}/execute")
    assert await batch.job_of(batch.seed) == []
    jobs = await batch.jobs()
    assert [one["suspended"] for one in jobs] == [True, True]
    (monitor,) = await batch.job_of(batch.monitor)
    for one in jobs:
        await engine.order("POST", f"/job/{one['id']}/execute")
        refused(
            await engine.http.post(f"/job/{one['id']}/execute"),
            404,
            "InvalidRequestException",
            f"ENGINE-14026 No job found with id '{one['id']}'",
        )
    assert await world.retries(scene.tasks) == [1, 1]
    await engine.order("POST", f"/job/{monitor['id']}/execute")
    assert (await batch.history())["endTime"] is not None


async def test_success_resolves_the_incident_of_a_job_that_never_failed(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await launched_and_stopped(engine, scene.tasks, unseeded=True)
    (seed,) = await batch.job_of(batch.seed)
    await engine.order("POST", f"/job/{seed['id']}/execute")
    (one,) = await batch.jobs()
    await engine.order("PUT", f"/job/{one['id']}/retries", {"retries": 0})
    (incident,) = await engine.get("/incident", configuration=one["id"])
    await engine.order("POST", f"/job/{one['id']}/execute")
    assert await engine.get("/incident", configuration=one["id"]) == []
    (past,) = await engine.get("/history/incident", incidentId=incident["id"])
    assert past["resolved"]
    await batch.delete()


async def test_a_monitor_that_finds_jobs_looks_again_later(engine: Engine) -> None:
    batch, _ = await failed(engine)
    (monitor,) = await batch.job_of(batch.monitor)
    await engine.order("POST", f"/job/{monitor['id']}/execute")
    (next_one,) = await batch.job_of(batch.monitor)
    assert next_one["id"] != monitor["id"]
    assert next_one["dueDate"] is not None
    await batch.delete()


async def test_an_unknown_job(engine: Engine) -> None:
    nowhere = f"nowhere-{uuid4()}"
    kind = "InvalidRequestException"
    refused(
        await engine.http.post(f"/job/{nowhere}/execute"), 404, kind, f"ENGINE-14026 No job found with id '{nowhere}'"
    )
    response = await engine.http.put(f"/job/{nowhere}/priority", json={"priority": 1})
    refused(response, 404, kind, f"No job found with id '{nowhere}': job is null")
    response = await engine.http.put(f"/job/{nowhere}/duedate", json={"duedate": None})
    refused(response, 500, kind, f"No job found with id '{nowhere}'.")
    await engine.order("PUT", f"/job/{nowhere}/suspended", {"suspended": True})


async def test_a_job_is_suspended_and_activated(engine: Engine) -> None:
    batch, jobs = await failed(engine, 2)
    one, other = (entry["id"] for entry in jobs)
    for body, state in (({"suspended": False}, False), ({"suspended": True}, True), ({}, False)):
        await engine.order("PUT", f"/job/{one}/suspended", body)
        assert (await job(engine, one))["suspended"] is state
        assert (await job(engine, other))["suspended"]
    await batch.delete()


async def test_the_jobs_of_a_definition_are_suspended_and_activated(engine: Engine) -> None:
    batch, jobs = await failed(engine, 2)
    for state in (False, True):
        await engine.order("PUT", "/job/suspended", {"jobDefinitionId": batch.work, "suspended": state})
        assert [entry["suspended"] for entry in await batch.jobs()] == [state] * len(jobs)
        (monitor,) = await batch.job_of(batch.monitor)
        assert monitor["suspended"]
    await batch.delete()


@pytest.mark.parametrize(
    "selector", ["jobDefinitionId", "processInstanceId", "processDefinitionId", "processDefinitionKey"]
)
async def test_a_selector_that_names_nothing(engine: Engine, selector: str) -> None:
    await engine.order("PUT", "/job/suspended", {selector: f"nowhere-{uuid4()}", "suspended": True})


@pytest.mark.parametrize(
    ("selectors", "begin"),
    [
        ({}, "Either jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should"),
        ({"jobDefinitionId": "a", "processInstanceId": "b"}, "Only one of jobId, jobDefinitionId, processInstanceId,"),
        ({"processDefinitionId": "a", "processDefinitionKey": "b"}, "Only one of jobId, jobDefinitionId,"),
        ({"jobId": "a"}, "Either jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey can"),
        ({"jobId": "a", "jobDefinitionId": "b"}, "Either jobDefinitionId, processInstanceId, processDefinitionId or"),
    ],
    ids=str,
)
async def test_not_exactly_one_selector(engine: Engine, selectors: dict[str, str], begin: str) -> None:
    response = await engine.http.put("/job/suspended", json={"suspended": True, **selectors})
    body = response.json()
    assert (response.status_code, body["type"], body["code"]) == (400, "InvalidRequestException", None)
    assert body["message"].startswith(begin)
    assert body["message"].endswith("be set to update the suspension state.")


async def test_the_priority_of_a_job(engine: Engine) -> None:
    batch, (one,) = await failed(engine)
    for priority in (5, -3, 2**40):
        await engine.order("PUT", f"/job/{one['id']}/priority", {"priority": priority})
        assert (await job(engine, one["id"]))["priority"] == priority
    for body in ({}, {"priority": None}):
        response = await engine.http.put(f"/job/{one['id']}/priority", json=body)
        refused(response, 400, "RestException", f"Priority for job '{one['id']}' cannot be null.")
    unreadable(await engine.http.put(f"/job/{one['id']}/priority", json={"priority": "high"}), engine)
    await batch.delete()


async def test_the_due_date_of_a_job(engine: Engine) -> None:
    batch, (one,) = await failed(engine)
    path = f"/job/{one['id']}/duedate"
    steps: list[tuple[dict[str, Any], str | None]] = [
        ({"duedate": FAR}, FAR),
        ({"duedate": None}, None),
        ({"duedate": FAR, "cascade": True}, FAR),
        ({}, None),
    ]
    for body, expected in steps:
        await engine.order("PUT", path, body)
        assert (await job(engine, one["id"]))["dueDate"] == expected
    unreadable(await engine.http.put(path, json={"duedate": "soon"}), engine)
    await batch.delete()


async def test_literal_paths_are_no_ids(engine: Engine) -> None:
    for path in ("/job/suspended", "/job/retries"):
        refused(await engine.http.get(path), 405, "NotAllowedException", "HTTP 405 Method Not Allowed")
