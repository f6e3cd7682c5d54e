"""``POST /process-instance/suspended-async``: a batch that suspends or activates many instances."""

from typing import Any

import pytest

from tests.contract.answers import refused
from tests.contract.batches import Launched, Outcome, Record, order
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

PATH = "/process-instance/suspended-async"
AT_ONCE = "/process-instance/suspended"
NO_KEY = (
    "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty is null"
)
BAD_SORT = {"processInstanceQuery": {"sorting": [{"sortBy": "x", "sortOrder": "asc"}]}}


async def set_suspended(engine: Engine, instances: list[str], suspended: Any = True, **more: Any) -> Launched:
    """The batch that suspends or activates these instances."""
    return await order(engine, PATH, {"processInstanceIds": instances, "suspended": suspended, **more})


async def states(engine: Engine, instances: list[str]) -> list[str]:
    """Their states in history."""
    return [(await engine.get(f"/history/process-instance/{one}"))["state"] for one in instances]


async def test_there_and_back(engine: Engine, world: World) -> None:
    scene = await world.scene(2)
    worker = fresh("worker")
    await world.lock(scene.tasks[0], worker)
    batch = await set_suspended(engine, scene.instances)
    assert (batch.answer["type"], batch.answer["totalJobs"]) == ("instance-update-suspension-state", 2)
    await batch.ended()
    assert await states(engine, scene.instances) == ["SUSPENDED"] * 2
    for number, task in enumerate([await world.task(task) for task in scene.tasks]):
        assert task["suspended"]
        assert task["workerId"] == (worker if number == 0 else None)
    answer = await engine.http.post(f"/external-task/{scene.tasks[0]}/complete", json={"workerId": worker})
    assert answer.status_code == 400
    await (await set_suspended(engine, scene.instances)).ended()
    assert await states(engine, scene.instances) == ["SUSPENDED"] * 2
    for flag in (False, None):
        await (await set_suspended(engine, scene.instances, True)).ended()
        await (await set_suspended(engine, scene.instances, flag)).ended()
        assert await states(engine, scene.instances) == ["ACTIVE"] * 2
    await engine.order("POST", f"/external-task/{scene.tasks[0]}/complete", {"workerId": worker})


async def test_all_sources_count(engine: Engine, world: World) -> None:
    word = fresh("key")
    scene = await world.scene(4, business_keys=[f"{word}-{number}" for number in range(4)])
    await world.cancel(scene.instances[3])
    batch = await set_suspended(
        engine,
        [scene.instances[0], scene.instances[0], fresh("nobody")],
        processInstanceQuery={"businessKey": f"{word}-1"},
        historicProcessInstanceQuery={"processDefinitionKey": scene.key},
        processDefinitionKey=fresh("ignored"),
    )
    assert batch.answer["totalJobs"] == 5
    assert await batch.settled() == Outcome(jobs=5, failed=0)
    await batch.ended()
    assert await states(engine, scene.instances) == ["SUSPENDED"] * 3 + ["EXTERNALLY_TERMINATED"]
    log = await engine.post("/history/job-log", {"jobDefinitionId": batch.work, "creationLog": True})
    assert {entry["processInstanceId"] for entry in log} == {None}


async def test_a_query_for_what_it_changes(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.suspend(scene.instances[0])
    query = {"processDefinitionKey": scene.key, "active": True}
    batch = await order(engine, PATH, {"processInstanceQuery": query, "suspended": True})
    assert batch.answer["totalJobs"] == 2
    await batch.ended()
    assert await states(engine, scene.instances) == ["SUSPENDED"] * 3


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            {"suspended": True},
            "Either processInstanceIds, processInstanceQuery or historicProcessInstanceQuery should be set to update "
            "the suspension state.",
        ),
        ({"processInstanceIds": []}, "No process instance ids given: process Instance Ids is empty"),
        (
            {"processInstanceQuery": {"processDefinitionKey": "nothing-here"}},
            "No process instance ids given: process Instance Ids is empty",
        ),
        ({"processInstanceIds": ["a", None]}, "Cannot be null.: Process Instance ids contains null value"),
        (BAD_SORT, NO_KEY),
    ],
)
async def test_refusals(engine: Engine, body: Record, refusal: str) -> None:
    refused(await engine.http.post(PATH, json=body), 400, "InvalidRequestException", refusal)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            {"suspended": True},
            (
                "InvalidRequestException",
                "Either processDefinitionId or processDefinitionKey should be set to update the suspension state.",
                None,
            ),
        ),
        (
            {"processInstanceIds": []},
            ("BadUserRequestException", "No process instance ids given: Process Instance ids is empty", 0),
        ),
        (
            {"processInstanceIds": ["a", None]},
            ("BadUserRequestException", "Cannot be null.: Process Instance ids contains null value", 0),
        ),
        (BAD_SORT, ("NotValidException", NO_KEY, 0)),
        (
            {"processInstanceIds": ["a"], "processDefinitionKey": "b"},
            (
                "InvalidRequestException",
                "Choose either a single processInstance with processDefinitionId or processDefinitionKey or a group of "
                "processInstances with processInstanceIds, procesInstanceQuery or historicProcessInstanceQuery.",
                None,
            ),
        ),
    ],
)
async def test_refusals_at_once(engine: Engine, body: Record, refusal: tuple[str, str, int | None]) -> None:
    refused(await engine.http.put(AT_ONCE, json={"suspended": True, **body}), 400, *refusal)


async def test_a_group_at_once(engine: Engine, world: World) -> None:
    scene = await world.scene(3)
    await world.cancel(scene.instances[2])
    ids = [*scene.instances, fresh("nobody")]
    for suspended, state in ((True, "SUSPENDED"), (True, "SUSPENDED"), (False, "ACTIVE")):
        await engine.order("PUT", AT_ONCE, {"processInstanceIds": ids, "suspended": suspended})
        assert await states(engine, scene.instances) == [state, state, "EXTERNALLY_TERMINATED"]
