"""The same two batches on the real engine, where it can run."""

import asyncio
import time
from pathlib import Path

import httpx

from tests.contract.engine import Engine, client
from tests.contract.world import World
from tests.engines import camunda

AT_ONCE = 8


async def _measure(root: str, tasks: int) -> float:
    async with client(root) as http:
        world = World(Engine("camunda", http))
        scene = await world.scene()
        for _ in range(1, tasks, AT_ONCE):
            await asyncio.gather(*(world.start(scene.definition) for _ in range(AT_ONCE)))
        ids = [task["id"] for task in await world.engine.post("/external-task", {"topicName": scene.topic})][:tasks]
        start = time.perf_counter()
        for retries in (0, 3):
            await _batch(http, retries, ids)
        return time.perf_counter() - start


async def _batch(http: httpx.AsyncClient, retries: int, ids: list[str]) -> None:
    """Until the last job is done; the wait for the monitor job, up to 30 s, is not counted."""
    order = {"retries": retries, "externalTaskIds": ids}
    batch = (await http.post("/external-task/retries-async", json=order)).json()
    while True:
        found = (await http.get("/batch/statistics", params={"batchId": batch["id"]})).json()
        if not found or found[0]["completedJobs"] == found[0]["totalJobs"]:
            return
        await asyncio.sleep(0.1)


def measure(tasks: int, log: Path) -> float:
    """Seconds for ``tasks`` tasks to 0 retries and back to 3 on a stock engine with in-memory H2."""
    with camunda.running(log, options={}, timed=True) as root:
        return asyncio.run(_measure(root, tasks))
