"""Suspending, activating and deleting batches."""

from typing import Any

import pytest

from tests.contract.answers import refused
from tests.contract.batches import Launched, Outcome, launch, launched_and_stopped, stuck
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

GONE = "Batch with id '{id}' does not exist"


async def states(engine: Engine, batch: Launched) -> set[tuple[str, bool]]:
    """What is suspended of a batch: itself, its definitions, its jobs."""
    found = {("batch", (await engine.get(f"/batch/{batch.id}"))["suspended"])}
    definitions = await engine.get("/job-definition", jobConfiguration=batch.id)
    assert len(definitions) == 3
    found |= {("definition", each["suspended"]) for each in definitions}
    for definition in (batch.seed, batch.monitor, batch.work):
        found |= {("job", job["suspended"]) for job in await batch.job_of(definition)}
    return found


async def test_suspend_and_activate(engine: Engine) -> None:
    batch = await stuck(engine, [])
    for suspended in (True, True, False, False):
        await batch.suspend(suspended)
        assert await states(engine, batch) == {("batch", suspended), ("definition", suspended), ("job", suspended)}
    await batch.delete()


@pytest.mark.parametrize("body", [{}, {"suspended": None}, {"suspended": "false"}, {"suspended": 0}], ids=str)
async def test_missing_means_activate(engine: Engine, body: dict[str, Any]) -> None:
    batch = await stuck(engine, [])
    await batch.suspend()
    await engine.order("PUT", f"/batch/{batch.id}/suspended", body)
    assert (await batch.now())["suspended"] is False
    await batch.delete()


async def test_suspended_before_its_seed_ran(engine: Engine, world: World) -> None:
    scene = await world.wide(30)
    batch = await launched_and_stopped(engine, scene.tasks, unseeded=True)
    await a_whole_batch_runs(engine, world)
    now = await batch.now()
    assert {name: now[name] for name in ("jobsCreated", "remainingJobs", "completedJobs", "failedJobs")} == {
        "jobsCreated": 0,
        "remainingJobs": 30,
        "completedJobs": 0,
        "failedJobs": 0,
    }
    (seed,) = await batch.job_of(batch.seed)
    assert (seed["suspended"], seed["retries"], seed["dueDate"], seed["batchId"]) == (True, 3, None, batch.id)
    assert await batch.jobs() == []
    assert await batch.job_of(batch.monitor) == []
    await batch.suspend(False)
    assert await batch.settled() == Outcome(jobs=30, failed=0)


async def a_whole_batch_runs(engine: Engine, world: World) -> None:
    """Another batch from launch to end: proof that the executor had time for anything it was willing to do."""
    scene = await world.scene(1)
    await (await launch(engine, 1, scene.tasks)).ended()


async def test_a_suspended_batch_stands_still(engine: Engine, world: World) -> None:
    scene = await world.wide(220)
    batch = await launched_and_stopped(engine, scene.tasks)
    await a_whole_batch_runs(engine, world)
    before = await batch.now()
    await a_whole_batch_runs(engine, world)
    assert await batch.now() == before
    assert {job["suspended"] for job in await batch.jobs()} <= {True}
    assert (await batch.history())["endTime"] is None
    await batch.suspend(False)
    assert await batch.settled() == Outcome(jobs=220, failed=0)
    assert set(await world.retries(scene.tasks)) == {1}


@pytest.mark.parametrize("cascade", [False, True])
async def test_delete(engine: Engine, world: World, cascade: bool) -> None:
    scene = await world.scene(1)
    batch = await stuck(engine, scene.tasks)
    (job,) = await batch.jobs()
    await batch.delete(cascade=cascade)
    response = await engine.http.get(f"/batch/{batch.id}")
    refused(response, 404, "InvalidRequestException", GONE.format(id=batch.id))
    refused(
        await engine.http.get(f"/job/{job['id']}"),
        404,
        "InvalidRequestException",
        f"Job with id {job['id']} does not exist",
    )
    for definition in (batch.seed, batch.monitor, batch.work):
        assert await batch.job_of(definition) == []
    assert await engine.get("/job-definition", jobConfiguration=batch.id) == []
    assert await engine.get("/incident", jobDefinitionIdIn=[batch.work]) == []
    assert await world.retries(scene.tasks) == [2]


async def test_a_deleted_batch_has_ended(engine: Engine) -> None:
    batch = await stuck(engine, [])
    before = await batch.history()
    await batch.delete()
    after = await batch.history()
    assert after["endTime"] is not None
    assert after == {**before, "endTime": after["endTime"]}


async def test_cascade_deletes_the_history_too(engine: Engine) -> None:
    batch = await stuck(engine, [])
    await batch.delete(cascade=True)
    response = await engine.http.get(f"/history/batch/{batch.id}")
    refused(response, 404, "InvalidRequestException", f"Historic batch with id '{batch.id}' does not exist")
    assert await engine.get("/history/batch", batchId=batch.id) == []


async def test_delete_before_the_end(engine: Engine, world: World) -> None:
    scene = await world.wide(120)
    batch = await launched_and_stopped(engine, scene.tasks)
    await batch.delete()
    done = await world.retries(scene.tasks)
    await a_whole_batch_runs(engine, world)
    assert await world.retries(scene.tasks) == done
    assert set(done) <= {None, 1}


@pytest.mark.parametrize(
    ("method", "tail", "body", "status", "message", "code"),
    [
        ("GET", "", None, 404, GONE, None),
        ("PUT", "/suspended", {"suspended": True}, 400, "Unable to suspend batch with id '{id}'", 0),
        ("PUT", "/suspended", {"suspended": False}, 400, "Unable to activate batch with id '{id}'", 0),
        ("PUT", "/suspended", {}, 400, "Unable to activate batch with id '{id}'", 0),
        ("DELETE", "", None, 400, "Unable to delete batch with id '{id}'", 0),
        ("DELETE", "?cascade=true", None, 400, "Unable to delete batch with id '{id}'", 0),
    ],
    ids=["get", "suspend", "activate", "empty", "delete", "cascade"],
)
async def test_an_unknown_batch(
    engine: Engine, method: str, tail: str, body: Any, status: int, message: str, code: int | None
) -> None:
    identity = fresh("none")
    response = await engine.http.request(method, f"/batch/{identity}{tail}", json=body)
    refused(response, status, "InvalidRequestException", message.format(id=identity), code)


async def test_an_unknown_historic_batch(engine: Engine) -> None:
    identity = fresh("none")
    response = await engine.http.get(f"/history/batch/{identity}")
    refused(response, 404, "InvalidRequestException", f"Historic batch with id '{identity}' does not exist")
