"""The store in its strict mode: a task that does not exist is refused at the launch, as the documentation promises."""

import pytest

from tests.contract.answers import refused
from tests.contract.batches import Outcome, launch
from tests.contract.engine import Engine
from tests.contract.world import World, fresh

PATH = "/external-task/retries-async"


@pytest.fixture
def world(strict_store: Engine) -> World:
    """Builds on the strict store."""
    return World(strict_store)


async def stored(engine: Engine) -> list[int]:
    """How many batches, jobs and definitions there are."""
    paths = ["/batch/count", "/history/batch/count", "/job/count", "/job-definition/count"]
    return [(await engine.get(path))["count"] for path in paths]


async def test_one_unknown_id_refuses_all(strict_store: Engine, world: World) -> None:
    scene = await world.scene(2)
    first, second = fresh("none"), fresh("none")
    before = await stored(strict_store)
    body = {"retries": 1, "externalTaskIds": [scene.tasks[0], first, scene.tasks[1], second]}
    response = await strict_store.http.post(PATH, json=body)
    refused(response, 404, "RestException", f"External task with id {first} does not exist")
    assert await stored(strict_store) == before
    assert await world.retries(scene.tasks) == [None, None]


async def test_an_unknown_id_beside_a_query(strict_store: Engine, world: World) -> None:
    scene = await world.scene(1)
    nowhere = fresh("none")
    body = {"retries": 1, "externalTaskIds": [nowhere], "externalTaskQuery": {"topicName": scene.topic}}
    response = await strict_store.http.post(PATH, json=body)
    refused(response, 404, "RestException", f"External task with id {nowhere} does not exist")


async def test_ids_that_exist_are_accepted(strict_store: Engine, world: World) -> None:
    scene = await world.scene(2)
    batch = await launch(strict_store, 3, scene.tasks)
    assert await batch.settled() == Outcome(jobs=2, failed=0)
    assert await world.retries(scene.tasks) == [3, 3]


async def test_unknown_instances_are_no_unknown_tasks(strict_store: Engine, world: World) -> None:
    scene = await world.scene(1)
    batch = await launch(strict_store, 3, scene.tasks, processInstanceIds=[fresh("none")])
    assert await batch.settled() == Outcome(jobs=1, failed=0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"externalTaskIds": ["nothing"]}, "The number of retries cannot be null."),
        (
            {"retries": 1, "externalTaskIds": ["nothing", None]},
            "External task id cannot be null: externalTaskIds contains null value",
        ),
        ({"retries": 1}, "externalTaskIds is empty"),
        (
            {"retries": -1, "externalTaskIds": ["nothing"]},
            "The number of retries cannot be negative: retries is not greater than or equal to 0",
        ),
    ],
    ids=["no-retries", "null-id", "nothing", "negative"],
)
async def test_other_refusals_come_first(strict_store: Engine, body: dict[str, object], message: str) -> None:
    refused(await strict_store.http.post(PATH, json=body), 400, "InvalidRequestException", message)
