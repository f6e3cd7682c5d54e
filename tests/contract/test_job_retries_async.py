"""``POST /job/retries``: a batch that sets the retries of jobs, also of those of other batches."""

from typing import Any
from uuid import uuid4

import pytest

from tests.contract.answers import BATCH, refused, unreadable
from tests.contract.batches import Launched, Outcome, Record, Stuck, stuck, unknown_task
from tests.contract.engine import Engine
from tests.contract.waiting import eventually
from tests.contract.world import World

PATH = "/job/retries"
FAR = "2099-01-01T00:00:00.000+0000"


async def retry(engine: Engine, retries: int, jobs: list[str] | None = None, **more: Any) -> Launched:
    """Launch a batch that sets the retries of jobs."""
    body: Record = {"retries": retries, **more}
    if jobs is not None:
        body["jobIds"] = jobs
    return Launched(engine, await engine.post(PATH, body))


async def held(engine: Engine, jobs: int) -> tuple[Stuck, list[str]]:
    """A suspended batch whose jobs have all failed, and the ids of the jobs."""
    batch = await stuck(engine, [], unknown=jobs)
    await batch.suspend()
    return batch, [job["id"] for job in await batch.jobs()]


async def states(batch: Launched) -> list[tuple[int, str | None]]:
    """Retries and due dates of its jobs, by id."""
    return [(job["retries"], job["dueDate"]) for job in sorted(await batch.jobs(), key=lambda job: str(job["id"]))]


async def incidents(engine: Engine, batch: Launched) -> int:
    """How many of its jobs have an open incident."""
    found: Record = await engine.get("/incident/count", jobDefinitionIdIn=batch.work)
    count: int = found["count"]
    return count


async def test_named_jobs(engine: Engine) -> None:
    failed, ids = await held(engine, 3)
    one, two, other = sorted(ids)
    batch = await retry(engine, 2, [one, one, two])
    assert set(batch.answer) == BATCH
    assert batch.answer["type"] == "set-job-retries"
    assert (batch.answer["totalJobs"], batch.answer["jobsCreated"]) == (2, 0)
    assert await batch.settled() == Outcome(jobs=2, failed=0)
    assert (await batch.ended())["executionStartTime"] is not None
    assert await states(failed) == [(2, None), (2, None), (0, None)]
    assert await incidents(engine, failed) == 1
    assert await engine.get("/incident/count", configuration=other) == {"count": 1}
    await failed.delete()


async def test_jobs_of_a_query_and_by_name_count_once(engine: Engine) -> None:
    failed, ids = await held(engine, 2)
    batch = await retry(engine, 4, ids[:1], jobQuery={"jobDefinitionId": failed.work, "noRetriesLeft": True})
    assert batch.answer["totalJobs"] == 2
    await batch.ended()
    assert await states(failed) == [(4, None), (4, None)]
    assert await incidents(engine, failed) == 0
    await failed.delete()


async def test_retries_of_zero_raise_incidents_again(engine: Engine) -> None:
    failed, ids = await held(engine, 2)
    for retries, opened in ((3, 0), (0, 2), (0, 2)):
        await (await retry(engine, retries, ids)).ended()
        assert await states(failed) == [(retries, None)] * 2
        assert await incidents(engine, failed) == opened
    history = await engine.get("/history/incident", configuration=ids[0])
    assert sorted(incident["resolved"] for incident in history) == [False, True]
    await failed.delete()


async def test_due_dates(engine: Engine) -> None:
    failed, ids = await held(engine, 1)
    for more, expected in (({"dueDate": FAR}, FAR), ({}, FAR), ({"dueDate": None}, None)):
        await (await retry(engine, 1, ids, **more)).ended()
        assert await states(failed) == [(1, expected)]
    await failed.delete()


async def test_an_unknown_job_fails_alone(engine: Engine) -> None:
    failed, ids = await held(engine, 1)
    nowhere = f"nowhere-{uuid4()}"
    batch = await retry(engine, 5, [*ids, nowhere])
    assert await batch.settled() == Outcome(jobs=2, failed=1)
    assert await states(failed) == [(5, None)]
    (job,) = await batch.jobs()
    message = f"ENGINE-13053 No job found with id '{nowhere}'.'"
    assert (job["exceptionMessage"], job["retries"], job["batchId"]) == (message, 0, batch.id)
    assert message in (await engine.http.get(f"/job/{job['id']}/stacktrace")).text
    response = await engine.http.post(f"/job/{job['id']}/execute")
    refused(response, 404, "InvalidRequestException", message)
    await batch.delete()
    await failed.delete()


async def test_a_failed_batch_goes_on(engine: Engine, world: World) -> None:
    """Its jobs are tried again as soon as the other batch has given them retries; here, to fail again."""
    scene = await world.scene(1)
    failed = await stuck(engine, scene.tasks, unknown=2)
    (first, *_) = ids = [job["id"] for job in await failed.jobs()]
    batch = await retry(engine, 1, ids)
    await batch.ended()

    async def failures() -> int:
        log = await engine.post("/history/job-log/count", {"jobId": first, "failureLog": True})
        count: int = log["count"]
        return count

    assert await eventually(failures, until=lambda count: count == 4) == 4
    assert await failed.settled() == Outcome(jobs=3, failed=2)
    assert await incidents(engine, failed) == 2
    messages = {job["exceptionMessage"] for job in await failed.jobs()}
    assert messages == {unknown_task(nowhere) for nowhere in failed.unknown}
    await failed.delete()


async def test_batches_of_batches(engine: Engine) -> None:
    """A failed batch of the type is an ordinary batch: its jobs may be named by the next."""
    inner = await retry(engine, 1, [f"nowhere-{uuid4()}"])
    assert (await inner.settled()).failed == 1
    (job,) = await inner.jobs()
    outer = await retry(engine, 1, [job["id"]])
    await outer.ended()
    assert (await inner.settled()).failed == 1
    await inner.delete()


@pytest.mark.parametrize(
    ("body", "status", "kind", "message", "code"),
    [
        ({}, 400, "InvalidRequestException", "retries is null", None),
        ({"jobQuery": {"timers": True, "messages": True}}, 400, "InvalidRequestException", "retries is null", None),
        ({"retries": 1}, 500, "ProcessEngineException", "ENGINE-13050 You must specify at least one of jobIds or jobQuery.", 0),  # noqa: E501
        ({"retries": -1, "jobIds": []}, 500, "ProcessEngineException", "ENGINE-13050 You must specify at least one of jobIds or jobQuery.", 0),  # noqa: E501
        ({"retries": 1, "jobQuery": {"jobId": "nowhere"}}, 400, "InvalidRequestException", "jobIds is empty", None),
        ({"retries": -1, "jobQuery": {"jobId": "nowhere"}}, 400, "InvalidRequestException", "jobIds is empty", None),
        ({"retries": -1, "jobIds": ["nowhere"]}, 500, "ProcessEngineException", "Retries count is not greater than or equal to 0", 0),  # noqa: E501
        ({"retries": 1, "jobQuery": {"timers": True, "messages": True}}, 400, "InvalidRequestException", "Parameter timers cannot be used together with parameter messages.", None),  # noqa: E501
    ],
    ids=str,
)  # fmt: skip
async def test_refusals(engine: Engine, body: Record, status: int, kind: str, message: str, code: int | None) -> None:
    refused(await engine.http.post(PATH, json=body), status, kind, message, code)


async def test_a_null_among_the_ids(engine: Engine) -> None:
    if engine.is_reference:
        pytest.skip("it makes a batch whose seed job can never succeed")
    response = await engine.http.post(PATH, json={"retries": 1, "jobIds": [None]})
    message = "Job id cannot be null: jobIds contains null value"
    refused(response, 400, "InvalidRequestException", message)


@pytest.mark.parametrize("body", [{"jobIds": "x"}, {"jobIds": ["x"], "dueDate": "soon"}], ids=str)
async def test_values_of_the_wrong_kind(engine: Engine, body: Record) -> None:
    unreadable(await engine.http.post(PATH, json={"retries": 1, **body}), engine)
