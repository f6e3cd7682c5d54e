"""``POST /external-task/retries-async``: which tasks each of the six fields names, and the batch it answers with."""

from typing import Any

import pytest

from tests.contract.answers import BATCH, moment
from tests.contract.batches import Launched, Outcome, launch
from tests.contract.bpmn import Drawing, Step
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh

TYPE = "set-external-task-retries"


async def done(batch: Launched, jobs: int) -> None:
    """Assert that the batch makes this many jobs and that all succeed."""
    assert batch.answer["totalJobs"] == jobs
    assert await batch.settled() == Outcome(jobs, failed=0)


async def test_answers_with_the_new_batch(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launch(engine, 4, scene.tasks)
    answer = batch.answer
    assert set(answer) == BATCH
    assert {name: answer[name] for name in BATCH if not name.endswith(("Id", "Time", "id"))} == {
        "type": TYPE,
        "totalJobs": 2,
        "jobsCreated": 0,
        "batchJobsPerSeed": 100,
        "invocationsPerBatchJob": 1,
        "suspended": False,
    }
    assert answer["tenantId"] is None
    assert answer["createUserId"] is None
    assert answer["executionStartTime"] is None
    moment(answer["startTime"])
    names = ["id", "seedJobDefinitionId", "monitorJobDefinitionId", "batchJobDefinitionId"]
    assert len({answer[name] for name in names}) == len(names)


async def test_external_task_ids(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await done(await launch(engine, 5, scene.tasks[:2]), jobs=2)
    assert await world.retries(scene.tasks) == [5, 5, None]


async def test_process_instance_ids(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await done(await launch(engine, 6, processInstanceIds=scene.instances[1:]), jobs=2)
    assert await world.retries(scene.tasks) == [None, 6, 6]


async def test_process_instance_ids_take_every_task_of_an_instance(engine: Engine, world: World) -> None:
    scene = await world.wide(4)
    await done(await launch(engine, 2, processInstanceIds=scene.instances), jobs=4)
    assert await world.retries(scene.tasks) == [2, 2, 2, 2]


async def test_external_task_query(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.set_retries(0, *scene.tasks[:2])
    query = {"topicName": scene.topic, "noRetriesLeft": True}
    await done(await launch(engine, 7, externalTaskQuery=query), jobs=2)
    assert await world.retries(scene.tasks) == [7, 7, None]


async def test_process_instance_query(engine: Engine, world: World) -> None:
    scene = await world.scene(business_keys=[fresh("left"), fresh("right"), fresh("left")])
    query = {"processDefinitionKey": scene.key, "businessKeyLike": "left%"}
    await done(await launch(engine, 8, processInstanceQuery=query), jobs=2)
    assert await world.retries(scene.tasks) == [8, None, 8]


async def test_historic_process_instance_query(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.complete(scene.tasks[0])
    query = {"processDefinitionKey": scene.key}
    await done(await launch(engine, 9, historicProcessInstanceQuery=query), jobs=2)
    assert await world.retries(scene.tasks[1:]) == [9, 9]


async def test_an_ended_instance_has_no_tasks(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    await world.complete(scene.tasks[0])
    ids = {"processInstanceIds": [scene.instances[0]], "externalTaskIds": [scene.tasks[1]]}
    await done(await launch(engine, 1, **ids), jobs=1)


async def test_all_sources_together_are_a_union(engine: Engine, world: World) -> None:
    scenes = [await world.scene(2) for _ in range(5)]
    named, instances, tasks, running, historic = scenes
    batch = await launch(
        engine,
        3,
        externalTaskIds=named.tasks,
        processInstanceIds=instances.instances,
        externalTaskQuery={"topicName": tasks.topic},
        processInstanceQuery={"processDefinitionKey": running.key},
        historicProcessInstanceQuery={"processDefinitionKey": historic.key},
    )
    await done(batch, jobs=10)
    for scene in scenes:
        assert await world.retries(scene.tasks) == [3, 3]


async def test_a_task_named_by_every_source_counts_once(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launch(
        engine,
        3,
        externalTaskIds=[*scene.tasks, *scene.tasks],
        processInstanceIds=[*scene.instances, scene.instances[0]],
        externalTaskQuery={"topicName": scene.topic},
        processInstanceQuery={"processDefinitionKey": scene.key},
        historicProcessInstanceQuery={"processDefinitionKey": scene.key},
    )
    await done(batch, jobs=2)


async def test_sources_that_are_null_or_empty_add_nothing(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await launch(
        engine,
        3,
        externalTaskIds=scene.tasks,
        processInstanceIds=[],
        externalTaskQuery=None,
        processInstanceQuery={"processDefinitionKey": fresh("none")},
        historicProcessInstanceQuery=None,
    )
    await done(batch, jobs=1)


async def test_an_empty_id_list_beside_a_query(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launch(engine, 3, externalTaskIds=[], externalTaskQuery={"topicName": scene.topic})
    await done(batch, jobs=2)


async def test_sorting_of_the_queries_changes_nothing(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    query = {"topicName": scene.topic, "sorting": [{"sortBy": "taskPriority", "sortOrder": "desc"}]}
    await done(await launch(engine, 3, externalTaskQuery=query), jobs=2)


async def test_the_query_is_asked_once_at_the_launch(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await launch(engine, 3, externalTaskQuery={"topicName": scene.topic})
    later = await world.start(scene.definition)
    await done(batch, jobs=1)
    assert (await engine.get("/external-task", processInstanceId=later))[0]["retries"] is None


async def test_due_date_and_unknown_properties_are_ignored(engine: Engine, world: World) -> None:
    scene = await world.scene(1)
    body = {"dueDate": "2026-03-01T09:15:00.000+0100", "nonsense": {"a": [1]}}
    await done(await launch(engine, 3, scene.tasks, **body), jobs=1)


async def test_locked_suspended_failed_and_fresh_tasks_are_all_set(engine: Engine, world: World) -> None:
    scene = await world.scene(4)
    locked, suspended, failed, _ = scene.tasks
    await world.lock(locked, "worker-one")
    await world.suspend(scene.instances[1])
    await world.fail(failed, "no answer", retries=0)
    before = [await world.task(task) for task in scene.tasks]
    await done(await launch(engine, 2, scene.tasks), jobs=4)
    after = [await world.task(task) for task in scene.tasks]
    assert after == [{**task, "retries": 2} for task in before]
    assert (after[0]["workerId"], after[1]["suspended"], after[2]["errorMessage"]) == ("worker-one", True, "no answer")
    assert suspended == after[1]["id"]


async def test_raising_retries_resolves_the_incidents(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.set_retries(0, *scene.tasks)
    by_process = {"processDefinitionId": scene.definition}
    assert (await engine.get("/incident/count", **by_process))["count"] == 3
    await done(await launch(engine, 1, scene.tasks), jobs=3)
    assert (await engine.get("/incident/count", **by_process))["count"] == 0


async def test_retries_zero_raises_one_incident_each(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.set_retries(0, scene.tasks[0])
    await world.set_retries(2, scene.tasks[1])
    standing = await world.incident(scene.tasks[0])
    await done(await launch(engine, 0, scene.tasks), jobs=3)
    assert await world.retries(scene.tasks) == [0, 0, 0]
    incidents = await engine.get("/incident", processDefinitionId=scene.definition)
    assert sorted(incident["configuration"] for incident in incidents) == sorted(scene.tasks)
    assert await world.incident(scene.tasks[0]) == standing


async def two_deployments(world: World) -> tuple[Scene, Scene]:
    return await world.scene(3), await world.scene(2)


async def test_tasks_of_several_deployments(engine: Engine, world: World) -> None:
    one, other = await two_deployments(world)
    await done(await launch(engine, 4, [*one.tasks, *other.tasks]), jobs=5)
    assert await world.retries([*one.tasks, *other.tasks]) == [4] * 5


async def test_versions_of_one_process_lie_in_several_deployments(engine: Engine, world: World) -> None:
    key, topic = fresh("versions"), fresh("topic")
    for tag in ("1", "2"):
        deployed = await world.deploy(Drawing(key, [Step("Charge", topic)], version_tag=tag))
        await world.start(deployed.definitions[key])
    await done(await launch(engine, 4, processInstanceQuery={"processDefinitionKey": key}), jobs=2)
    found = await engine.post("/external-task", {"topicName": topic})
    assert sorted((task["processDefinitionVersionTag"], task["retries"]) for task in found) == [("1", 4), ("2", 4)]


async def test_the_seed_belongs_to_the_first_deployment(engine: Engine, world: World) -> None:
    one, other = await two_deployments(world)
    batch = await launch(engine, 4, [*other.tasks, *one.tasks, fresh("nothing")])
    definitions = {each["id"]: each for each in await engine.get("/job-definition", jobConfiguration=batch.id)}
    assert definitions[batch.seed]["deploymentId"] == min(one.deployment, other.deployment, key=str.lower)
    assert definitions[batch.monitor]["deploymentId"] is None
    assert definitions[batch.work]["deploymentId"] is None


async def test_only_unknown_ids_belong_to_no_deployment(engine: Engine, world: World) -> None:
    batch = await launch(engine, 4, [fresh("nothing")])
    definition = await engine.get(f"/job-definition/{batch.seed}")
    assert definition["deploymentId"] is None
    await batch.settled()


@pytest.mark.parametrize("size", [100, 101, 250])
async def test_more_tasks_than_one_seed_takes(engine: Engine, world: World, size: int) -> None:
    scene = await world.wide(size)
    await done(await launch(engine, 1, externalTaskQuery={"topicName": scene.topic}), jobs=size)
    assert set(await world.retries(scene.tasks)) == {1}


@pytest.mark.parametrize(
    ("value", "stored"), [("5", 5), (" 5 ", 5), (5.9, 5), (0, 0)], ids=["text", "blanks", "fraction", "zero"]
)
async def test_retries_are_read_leniently(engine: Engine, world: World, value: Any, stored: int) -> None:
    scene = await world.scene(1)
    await done(await launch(engine, value, scene.tasks), jobs=1)
    assert await world.retries(scene.tasks) == [stored]
