"""Orders to a job definition: suspend it, and give its jobs a priority."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.answers import refused, unreadable
from tests.contract.batches import Record, Stuck, launched_and_stopped, stuck
from tests.contract.engine import Engine
from tests.contract.world import World, fresh


@pytest_asyncio.fixture(loop_scope="session")
async def batch(engine: Engine) -> AsyncIterator[Stuck]:
    """A batch with two jobs that have no retries left."""
    found = await stuck(engine, [], unknown=2)
    yield found
    await found.delete()


async def definition(engine: Engine, identity: str) -> Record:
    """The definition as it is now."""
    found: Record = await engine.get(f"/job-definition/{identity}")
    return found


async def suspended(engine: Engine, batch: Stuck) -> tuple[bool, list[bool]]:
    """Whether the definition is suspended, and whether its jobs are."""
    jobs = [job["suspended"] for job in await batch.jobs()]
    return (await definition(engine, batch.work))["suspended"], jobs


async def test_a_definition_alone_and_with_its_jobs(engine: Engine, batch: Stuck) -> None:
    path = f"/job-definition/{batch.work}/suspended"
    await engine.order("PUT", path, {"suspended": True})
    assert await suspended(engine, batch) == (True, [False, False])
    await engine.order("PUT", path, {"suspended": True, "includeJobs": True})
    assert await suspended(engine, batch) == (True, [True, True])
    await engine.order("PUT", path, {"includeJobs": False})
    assert await suspended(engine, batch) == (False, [True, True])
    await engine.order("PUT", path, {"suspended": False, "includeJobs": True, "executionDate": ""})
    assert await suspended(engine, batch) == (False, [False, False])


async def test_later_jobs_of_a_suspended_definition_are_born_suspended(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launched_and_stopped(engine, scene.tasks, unseeded=True)
    await engine.order("PUT", f"/job-definition/{batch.work}/suspended", {"suspended": False})
    (seed,) = await batch.job_of(batch.seed)
    await engine.order("POST", f"/job/{seed['id']}/execute")
    assert await batch.settled()
    assert await world.retries(scene.tasks) == [1, 1]
    assert [monitor["suspended"] for monitor in await batch.job_of(batch.monitor)] == [True]
    await batch.delete()


async def test_an_unknown_definition(engine: Engine) -> None:
    nowhere = fresh("none")
    for body in ({"suspended": True}, {"suspended": False, "includeJobs": True}):
        await engine.order("PUT", f"/job-definition/{nowhere}/suspended", body)
    for priority in (5, None):
        response = await engine.http.put(f"/job-definition/{nowhere}/jobPriority", json={"priority": priority})
        message = f"Job definition with id '{nowhere}' does not exist: jobDefinition is null"
        refused(response, 404, "InvalidRequestException", message)


async def test_an_execution_date_that_is_none(engine: Engine, batch: Stuck) -> None:
    response = await engine.http.put(f"/job-definition/{batch.work}/suspended", json={"executionDate": "soon"})
    message = (
        f"The suspension state of Job Definition with id {batch.work} could not be updated due to: "
        'Invalid format: "soon"'
    )
    refused(response, 400, "InvalidRequestException", message)


async def test_an_execution_date_in_the_future(engine: Engine, batch: Stuck) -> None:
    if engine.is_reference:
        pytest.skip("a timer would be left behind; the store has no timers, and refuses")
    for date in ("2099-01-01T00:00:00.000+0000", "2099-01-01T00:00:00", "2099-01-01"):
        body = {"suspended": True, "executionDate": date}
        response = await engine.http.put(f"/job-definition/{batch.work}/suspended", json=body)
        message = "An executionDate in the future is not supported: send the order when it is to be carried out."
        refused(response, 400, "InvalidRequestException", message)
    assert await suspended(engine, batch) == (False, [False, False])


@pytest.mark.parametrize("include", [True, False, None])
async def test_the_priority_of_a_definition_goes_to_its_jobs(
    engine: Engine, batch: Stuck, include: bool | None
) -> None:
    """Whatever ``includeJobs`` says."""
    path = f"/job-definition/{batch.work}/jobPriority"
    await engine.order("PUT", path, {"priority": 7, "includeJobs": include})
    assert (await definition(engine, batch.work))["overridingJobPriority"] == 7
    assert [job["priority"] for job in await batch.jobs()] == [7, 7]
    await engine.order("PUT", path, {"priority": None})
    assert (await definition(engine, batch.work))["overridingJobPriority"] is None
    assert [job["priority"] for job in await batch.jobs()] == [7, 7]


async def test_a_priority_that_can_not_be_reset(engine: Engine, batch: Stuck) -> None:
    path = f"/job-definition/{batch.work}/jobPriority"
    message = f"Cannot reset priority for job definition {batch.work} with includeJobs=true"
    for body in ({"includeJobs": True}, {"priority": None, "includeJobs": True}):
        refused(await engine.http.put(path, json=body), 400, "InvalidRequestException", message)
    unreadable(await engine.http.put(path, json={"priority": "high"}), engine)
