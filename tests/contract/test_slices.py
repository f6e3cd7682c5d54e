"""How a batch is cut into jobs when a job works on several tasks and a seed makes few jobs."""

import pytest

from tests.contract.batches import Outcome, launch, launched_and_stopped, order, unknown_task
from tests.contract.engine import Engine
from tests.contract.waiting import eventually
from tests.contract.world import World, fresh


@pytest.fixture
def world(slicing_engine: Engine) -> World:
    """Builds on the engine with two tasks per job and three jobs per seed."""
    return World(slicing_engine)


async def test_jobs_are_rounded_up(slicing_engine: Engine, world: World) -> None:
    scene = await world.wide(7)
    batch = await launch(slicing_engine, 4, scene.tasks)
    answer = batch.answer
    assert (answer["batchJobsPerSeed"], answer["invocationsPerBatchJob"], answer["totalJobs"]) == (3, 2, 4)
    assert await batch.settled() == Outcome(jobs=4, failed=0)
    assert await world.retries(scene.tasks) == [4] * 7


async def test_many_seeds(slicing_engine: Engine, world: World) -> None:
    scene = await world.wide(100)
    batch = await launch(slicing_engine, 4, scene.tasks)
    assert await batch.settled() == Outcome(jobs=50, failed=0)
    assert set(await world.retries(scene.tasks)) == {4}


async def test_no_job_holds_tasks_of_two_deployments(slicing_engine: Engine, world: World) -> None:
    one, other = await world.scene(3), await world.scene(3)
    tasks = [*one.tasks, *other.tasks]
    batch = await launch(slicing_engine, 2, [*tasks, fresh("nothing")])
    # Seven ids are four jobs by the rounding of the total, but three groups make two, two and one.
    assert batch.answer["totalJobs"] == 4
    await eventually(batch.now, until=lambda now: now["failedJobs"] == 1)
    now = await eventually(batch.now, until=lambda now: now["remainingJobs"] == 0)
    assert (now["jobsCreated"], now["completedJobs"], now["failedJobs"]) == (5, 4, 1)
    assert await world.retries(tasks) == [2] * 6
    await batch.delete()


async def test_one_bad_task_holds_back_its_job_alone(slicing_engine: Engine, world: World) -> None:
    scene = await world.wide(6)
    batch = await launched_and_stopped(slicing_engine, scene.tasks, unseeded=True)
    await world.set_retries(7, *scene.tasks)
    await world.complete(scene.tasks[0])
    await batch.suspend(False)
    assert await batch.settled() == Outcome(jobs=3, failed=1)
    (job,) = await batch.jobs()
    assert job["exceptionMessage"] == unknown_task(scene.tasks[0])
    # Which task shares the job is the engine's affair; it keeps what it had.
    left = await world.retries(scene.tasks[1:])
    assert sorted(left, key=str) == [1, 1, 1, 1, 7]
    await batch.delete()


async def test_jobs_of_several_instances(slicing_engine: Engine, world: World) -> None:
    one, other = await world.scene(3), await world.scene(1)
    instances = [*one.instances, *other.instances]
    body = {"processInstanceIds": instances, "variables": {"amount": {"value": 5}}}
    batch = await order(slicing_engine, "/process-instance/variables-async", body)
    # Four ids are two jobs by the rounding of the total, but two groups make two and one.
    assert (batch.answer["totalJobs"], batch.answer["invocationsPerBatchJob"]) == (2, 2)
    await batch.ended()
    log = await slicing_engine.post("/history/job-log", {"jobDefinitionId": batch.work, "creationLog": True})
    belong = sorted(entry["processInstanceId"] or "" for entry in log)
    assert belong[:1] == [""]
    assert set(belong[1:]) <= set(instances)
    assert len(belong) == 3
    for instance in instances:
        found = await slicing_engine.get(f"/process-instance/{instance}/variables/amount")
        assert found["value"] == 5


async def test_a_missing_instance_holds_back_nobody(slicing_engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.cancel(scene.instances[0])
    batch = await order(
        slicing_engine, "/process-instance/delete", {"processInstanceIds": [fresh("nobody"), *scene.instances]}
    )
    assert batch.answer["totalJobs"] == 2
    await eventually(batch.history, until=lambda past: past["executionStartTime"] is not None)
    await batch.ended()
    found = await slicing_engine.get("/process-instance/count", processDefinitionKey=scene.key)
    assert found == {"count": 0}
