"""``POST /process-instance/delete``: a batch that cancels many instances."""

from typing import Any

import pytest

from tests.contract.answers import refused, unreadable
from tests.contract.batches import Launched, Outcome, Record, order, stopped
from tests.contract.engine import Engine
from tests.contract.world import Scene, World, fresh

PATH = "/process-instance/delete"
BY_HISTORY = "/process-instance/delete-historic-query-based"
EMPTY = ("InvalidRequestException", "processInstanceIds is empty", None)


async def deleted(engine: Engine, instances: list[str] | None = None, **more: Any) -> Launched:
    """The batch that cancels these instances."""
    body: Record = dict(more)
    if instances is not None:
        body["processInstanceIds"] = instances
    return await order(engine, PATH, body)


async def running(engine: Engine, scene: Scene) -> int:
    """How many instances of a scene are running."""
    found: Record = await engine.get("/process-instance/count", processDefinitionKey=scene.key)
    count: int = found["count"]
    return count


async def test_what_becomes_of_an_instance(engine: Engine, world: World) -> None:
    scene = await world.scene(3, variables={"amount": 7})
    failed, locked, _ = scene.tasks
    worker = fresh("worker")
    await world.fail(failed, "boom")
    incident = await world.incident(failed)
    await world.lock(locked, worker)
    await world.suspend(scene.instances[2])
    batch = await deleted(engine, scene.instances, deleteReason="duplicate order", skipCustomListeners=True)
    assert (batch.answer["type"], batch.answer["totalJobs"]) == ("instance-deletion", 3)
    await batch.ended()
    assert await running(engine, scene) == 0
    for instance in scene.instances:
        past = await engine.get(f"/history/process-instance/{instance}")
        assert (past["state"], past["deleteReason"]) == ("EXTERNALLY_TERMINATED", "duplicate order")
        assert past["endTime"] is not None
    for task in scene.tasks:
        refused(
            await engine.http.get(f"/external-task/{task}"),
            404,
            "RestException",
            f"External task with id {task} does not exist",
        )
        log = await engine.get("/history/external-task-log", externalTaskId=task, deletionLog=True)
        assert len(log) == 1
    refused(
        await engine.http.post(f"/external-task/{locked}/complete", json={"workerId": worker}),
        404,
        "RestException",
        f"External task with id {locked} does not exist",
        0,
    )
    assert await engine.get("/incident/count", configuration=failed) == {"count": 0}
    (past,) = await engine.get("/history/incident", configuration=failed)
    assert (past["id"], past["open"], past["deleted"], past["resolved"]) == (incident["id"], False, True, False)
    assert (await engine.http.get(f"/process-instance/{scene.instances[0]}/variables")).status_code == 500
    kept = [{"name": "amount", "operator": "eq", "value": 7}]
    found = await engine.post("/history/process-instance", {"processDefinitionKey": scene.key, "variables": kept})
    assert len(found) == 3


async def test_side_by_side(engine: Engine, world: World) -> None:
    scene = await world.wide(4)
    await world.complete(scene.tasks[0])
    await (await deleted(engine, scene.instances)).ended()
    assert await engine.post("/external-task/count", {"topicName": scene.topic}) == {"count": 0}
    past = await engine.get(f"/history/process-instance/{scene.instances[0]}")
    assert (past["state"], past["deleteReason"]) == ("EXTERNALLY_TERMINATED", None)


async def test_sources_are_united(engine: Engine, world: World) -> None:
    word = fresh("key")
    scene = await world.scene(3, business_keys=[f"{word}-0", f"{word}-1", f"{word}-2"])
    query = {"businessKeyLike": f"{word}-%", "processDefinitionKey": scene.key}
    batch = await deleted(engine, [scene.instances[0], scene.instances[0]], processInstanceQuery=query)
    assert batch.answer["totalJobs"] == 3
    await batch.ended()
    assert await running(engine, scene) == 0


async def test_unknown_and_ended_ids_have_a_job_that_does_nothing(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    await world.cancel(scene.instances[0])
    before = await engine.get(f"/history/process-instance/{scene.instances[0]}")
    batch = await deleted(engine, [*scene.instances, fresh("nobody")], deleteReason="late", failIfNotExists=True)
    assert batch.answer["totalJobs"] == 3
    assert await batch.settled() == Outcome(jobs=3, failed=0)
    await batch.ended()
    assert await engine.get(f"/history/process-instance/{scene.instances[0]}") == before
    assert await running(engine, scene) == 0


async def test_jobs_belong_to_no_instance(engine: Engine, world: World) -> None:
    scene, other = await world.scene(), await world.scene()
    nobody = fresh("nobody")
    batch = await deleted(engine, [nobody, *scene.instances, *other.instances])
    await batch.ended()
    log = await engine.post("/history/job-log", {"jobDefinitionId": batch.work, "creationLog": True})
    assert [entry["processInstanceId"] for entry in log] == [None] * 3
    assert sorted(entry["deploymentId"] or "" for entry in log) == sorted(["", scene.deployment, other.deployment])


async def test_an_ended_reason_is_a_text(engine: Engine, world: World) -> None:
    scene = await world.scene()
    await (await deleted(engine, scene.instances, deleteReason=5)).ended()
    assert (await engine.get(f"/history/process-instance/{scene.instances[0]}"))["deleteReason"] == "5"


async def test_the_historic_query_counts_elsewhere(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    query = {"processDefinitionKey": scene.key}
    refused(await engine.http.post(PATH, json={"historicProcessInstanceQuery": query}), 400, *EMPTY)
    await world.cancel(scene.instances[0])
    batch = await order(engine, BY_HISTORY, {"historicProcessInstanceQuery": query, "deleteReason": "all of them"})
    assert batch.answer["totalJobs"] == 2
    assert await batch.settled() == Outcome(jobs=2, failed=0)
    assert await running(engine, scene) == 0
    reasons = [(await engine.get(f"/history/process-instance/{one}"))["deleteReason"] for one in scene.instances]
    assert reasons == [None, "all of them"]


async def test_a_suspended_batch_deletes_nothing(engine: Engine, world: World) -> None:
    scene = await world.scene()
    taken = [scene.instances[0]]

    async def again() -> Launched:
        taken[0] = await world.start(scene.definition)
        return await deleted(engine, taken)

    batch = await stopped(engine, again, unseeded=True)
    assert (await engine.http.get(f"/process-instance/{taken[0]}")).status_code == 200
    await batch.delete()
    assert (await engine.http.get(f"/process-instance/{taken[0]}")).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        ({}, 400, EMPTY),
        ({"processInstanceIds": []}, 400, EMPTY),
        ({"processInstanceQuery": {"processDefinitionKey": "nothing-here"}}, 400, EMPTY),
        ({"deleteReason": "x", "processInstanceIds": None}, 400, EMPTY),
        (
            {"processInstanceIds": ["x"], "processInstanceQuery": {"sorting": [{"sortBy": "x", "sortOrder": "asc"}]}},
            400,
            (
                "NotValidException",
                "You should call any of the orderBy methods first before specifying a direction: "
                "currentOrderingProperty is null",
                0,
            ),
        ),
        (
            {"processInstanceIds": ["x"], "processInstanceQuery": {"processInstanceIds": []}},
            500,
            ("ProcessEngineException", "Set of process instance ids is empty", 0),
        ),
    ],
)
async def test_refusals(engine: Engine, body: Record, status: int, refusal: tuple[str, str, int | None]) -> None:
    refused(await engine.http.post(PATH, json=body), status, *refusal)


async def test_bodies_of_the_wrong_kind(engine: Engine) -> None:
    for body in ({"processInstanceIds": "one"}, {"processInstanceIds": ["x"], "skipSubprocesses": "perhaps"}):
        unreadable(await engine.http.post(PATH, json=body), engine)
    if not engine.is_reference:  # which makes a batch whose seed job fails
        unreadable(await engine.http.post(PATH, json={"processInstanceIds": [None]}), engine)


async def test_one_by_one(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    first, second = scene.instances
    for instance, more in ((first, {"deleteReason": "not read"}), (second, {"failIfNotExists": "maybe"})):
        await engine.order("DELETE", f"/process-instance/{instance}", **more)
        past = await engine.get(f"/history/process-instance/{instance}")
        assert (past["state"], past["deleteReason"]) == ("EXTERNALLY_TERMINATED", None)
    gone = f"No process instance found for id '{first}': processInstance is null"
    for more in ({}, {"failIfNotExists": ""}):
        answer = await engine.http.delete(f"/process-instance/{first}", params=more)
        refused(answer, 404, "InvalidRequestException", gone, 0)
    for word in ("false", "maybe"):
        await engine.order("DELETE", f"/process-instance/{first}", failIfNotExists=word)
