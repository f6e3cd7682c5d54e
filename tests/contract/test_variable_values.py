"""How values of variables are read from a request, kept, and shown again."""

from typing import Any

import pytest

from tests.contract.engine import Engine
from tests.contract.world import World


async def variable(engine: Engine, instance: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = await engine.get(f"/process-instance/{instance}/variables/{name}")
    return found


@pytest.mark.parametrize("date", ["0001-01-01T00:00:00.000+0000", "0026-03-01T08:15:00.000+0000"])
async def test_dates_of_the_first_years(engine: Engine, world: World, date: str) -> None:
    due = {"type": "Date", "value": date}
    scene = await world.scene(1, variables={"due": due})
    (instance,) = scene.instances
    assert await variable(engine, instance, "due") == {**due, "valueInfo": {}}
    query = {"processDefinitionKey": scene.key, "variables": [{"name": "due", "operator": "eq", "value": date}]}
    assert await engine.post("/process-instance/count", query) == {"count": 1}
    topic = {"topicName": scene.topic, "lockDuration": 1000}
    (task,) = await engine.post("/external-task/fetchAndLock", {"workerId": "worker", "maxTasks": 1, "topics": [topic]})
    assert task["variables"]["due"]["value"] == date
