"""The life of a batch: what it shows of itself from its launch to its history."""

from datetime import timedelta

import pytest

from tests.contract.answers import BATCH, BATCH_STATISTICS, HISTORIC_BATCH, JOB, JOB_DEFINITION, moment, refused
from tests.contract.batches import Outcome, Record, launch, stuck, unknown_task
from tests.contract.engine import Engine
from tests.contract.waiting import eventually
from tests.contract.world import World, fresh

TYPE = "set-external-task-retries"


async def test_a_running_batch(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks)
    now = await engine.get(f"/batch/{batch.id}")
    assert set(now) == BATCH
    started = now["executionStartTime"]
    assert moment(started) >= moment(now["startTime"])
    assert now == {**batch.answer, "jobsCreated": 2, "executionStartTime": started}
    assert await engine.get("/batch", batchId=batch.id) == [now]
    await batch.delete()


async def test_statistics_of_a_running_batch(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    batch = await stuck(engine, scene.tasks, unknown=2)
    statistics = await batch.now()
    assert set(statistics) == BATCH_STATISTICS
    now = await engine.get(f"/batch/{batch.id}")
    assert statistics == {**now, "remainingJobs": 2, "completedJobs": 3, "failedJobs": 2}
    assert (statistics["totalJobs"], statistics["jobsCreated"]) == (5, 5)
    await batch.delete()


async def test_statistics_add_up_at_every_moment(engine: Engine, world: World) -> None:
    scene = await world.wide(250)
    batch = await launch(engine, 1, [*scene.tasks, fresh("nothing")])
    seen: list[Record] = []

    async def look() -> Record:
        seen.append(await batch.now())
        return seen[-1]

    await eventually(
        look, until=lambda now: now["jobsCreated"] == 251 and now["remainingJobs"] == now["failedJobs"] == 1
    )
    for now in seen:
        assert now["remainingJobs"] + now["completedJobs"] == now["totalJobs"] == 251
        assert 0 <= now["failedJobs"] <= now["remainingJobs"]
        # One seed makes at most 100 jobs and never crosses from one deployment to the next.
        assert now["jobsCreated"] in {0, 100, 200, 250, 251}
    for name in ("jobsCreated", "completedJobs"):
        values = [now[name] for now in seen]
        assert values == sorted(values)
    await batch.delete()


async def test_a_historic_batch_while_it_runs(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks)
    now = await engine.get(f"/batch/{batch.id}")
    historic = await batch.history()
    assert set(historic) == HISTORIC_BATCH
    shared = {name: now[name] for name in HISTORIC_BATCH & BATCH}
    assert historic == {**shared, "endTime": None, "removalTime": None}
    await batch.delete()


async def test_execution_begins_with_the_first_job_that_succeeds(engine: Engine) -> None:
    batch = await stuck(engine, [])
    assert (await engine.get(f"/batch/{batch.id}"))["executionStartTime"] is None
    assert (await batch.history())["executionStartTime"] is None
    await batch.delete()


async def test_three_job_definitions(engine: Engine) -> None:
    batch = await stuck(engine, [])
    found = await engine.get("/job-definition", jobConfiguration=batch.id)
    assert {frozenset(definition) for definition in found} == {JOB_DEFINITION}
    common = {
        "processDefinitionId": None,
        "processDefinitionKey": None,
        "jobConfiguration": batch.id,
        "activityId": None,
        "suspended": False,
        "overridingJobPriority": None,
        "tenantId": None,
        "deploymentId": None,
    }
    by_id = {definition["id"]: definition for definition in found}
    assert by_id == {
        batch.seed: {**common, "id": batch.seed, "jobType": "batch-seed-job"},
        batch.monitor: {**common, "id": batch.monitor, "jobType": "batch-monitor-job"},
        batch.work: {**common, "id": batch.work, "jobType": TYPE},
    }
    for identity, definition in by_id.items():
        assert await engine.get(f"/job-definition/{identity}") == definition
    await batch.delete()


async def test_a_batch_job(engine: Engine) -> None:
    batch = await stuck(engine, [])
    (job,) = await batch.jobs()
    assert set(job) == JOB
    created = moment(job["createTime"])
    assert created >= moment(batch.answer["startTime"])
    (nowhere,) = batch.unknown
    assert job == {
        "id": job["id"],
        "jobDefinitionId": batch.work,
        "processInstanceId": None,
        "processDefinitionId": None,
        "processDefinitionKey": None,
        "executionId": None,
        "exceptionMessage": unknown_task(nowhere),
        "failedActivityId": None,
        "retries": 0,
        "dueDate": None,
        "suspended": False,
        "priority": 0,
        "tenantId": None,
        "createTime": job["createTime"],
        "batchId": batch.id,
    }
    assert await engine.get(f"/job/{job['id']}") == job
    await batch.delete()


async def test_the_monitor_waits_for_the_last_job(engine: Engine) -> None:
    batch = await stuck(engine, [])
    assert await batch.job_of(batch.seed) == []
    (monitor,) = await eventually(
        lambda: batch.job_of(batch.monitor), until=lambda jobs: len(jobs) == 1 and jobs[0]["dueDate"] is not None
    )
    assert (monitor["retries"], monitor["exceptionMessage"], monitor["suspended"]) == (3, None, False)
    assert (monitor["batchId"], monitor["jobDefinitionId"], monitor["priority"]) == (batch.id, batch.monitor, 0)
    wait = moment(monitor["dueDate"]) - moment(monitor["createTime"])
    assert abs(wait - timedelta(seconds=30)) < timedelta(seconds=1)
    await batch.delete()


async def test_each_look_of_the_monitor_is_a_new_job(engine: Engine) -> None:
    batch = await stuck(engine, [])

    async def waiting() -> str | None:
        jobs = await batch.job_of(batch.monitor)
        return jobs[0]["id"] if jobs and jobs[0]["dueDate"] is not None else None

    first = await eventually(waiting)
    await batch.look()
    second = await eventually(waiting, until=lambda now: now is not None and now != first)
    assert second != first
    await batch.delete()


@pytest.mark.parametrize("size", [1, 150])
async def test_a_batch_ends(engine: Engine, world: World, size: int) -> None:
    scene = await world.wide(size)
    batch = await launch(engine, 3, scene.tasks)
    ended = await batch.ended()
    assert set(ended) == HISTORIC_BATCH
    began, finished = ended["executionStartTime"], ended["endTime"]
    assert moment(ended["startTime"]) <= moment(began) <= moment(finished)
    shared = {name: batch.answer[name] for name in HISTORIC_BATCH & BATCH}
    assert ended == {**shared, "executionStartTime": began, "endTime": finished, "removalTime": None}
    assert set(await world.retries(scene.tasks)) == {3}


async def test_nothing_of_an_ended_batch_runs_on(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launch(engine, 3, scene.tasks)
    await batch.ended()
    response = await engine.http.get(f"/batch/{batch.id}")
    refused(response, 404, "InvalidRequestException", f"Batch with id '{batch.id}' does not exist")
    assert await engine.get("/batch", batchId=batch.id) == []
    assert await engine.get("/batch/statistics", batchId=batch.id) == []
    assert await engine.get("/job-definition", jobConfiguration=batch.id) == []
    for definition in (batch.seed, batch.monitor, batch.work):
        assert await batch.job_of(definition) == []


async def test_a_batch_ends_when_its_failed_job_succeeds(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks)
    (job,) = await batch.jobs()
    await engine.order("DELETE", f"/job/{job['id']}")
    assert await batch.settled() == Outcome(jobs=2, failed=0)
    assert (await batch.ended())["totalJobs"] == 2


async def test_several_batches_at_once(engine: Engine, world: World) -> None:
    scenes = [await world.wide(60) for _ in range(3)]
    batches = [await launch(engine, number, scene.tasks) for number, scene in enumerate(scenes, start=1)]
    for number, (batch, scene) in enumerate(zip(batches, scenes, strict=True), start=1):
        assert await batch.settled() == Outcome(jobs=60, failed=0)
        assert set(await world.retries(scene.tasks)) == {number}


async def test_a_task_may_be_in_two_batches(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batches = [await launch(engine, 4, scene.tasks) for _ in range(2)]
    for batch in batches:
        assert await batch.settled() == Outcome(jobs=2, failed=0)
    assert await world.retries(scene.tasks) == [4, 4]


async def test_a_task_that_is_completed_meanwhile_fails_its_job(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    await world.complete(scene.tasks[0])
    batch = await launch(engine, 4, scene.tasks)
    assert await batch.settled() == Outcome(jobs=2, failed=1)
    (job,) = await batch.jobs()
    assert job["exceptionMessage"] == unknown_task(scene.tasks[0])
    await batch.delete()
