"""One batch to 0 retries and one back to 3 on a fresh store, in a process of its own; prints JSON.

``python -m tests.bench.store TASKS STORE [repair]``, a file or the URL of an empty database. With ``repair`` the
batches are others: two that set a variable of all instances, one that deletes them. The console's way in: the contract
over ASGI in the same process, while a page of the task list is asked for again and again, and the lateness of a 5 ms
timer shows how long a key press would have waited for the event loop.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx

from retriage.store.contract.values import parse_moment
from retriage.store.embedded import embedded_app
from retriage.store.garbage import spared
from tests.support.plain import plain_world

PAUSE = 0.05
TICK = 0.005
LIST = "/external-task?firstResult=0&maxResults=50"
RETRIES = [("/external-task/retries-async", {"retries": retries, "externalTaskQuery": {}}) for retries in (0, 3)]
_ALL: dict[str, Any] = {"processInstanceQuery": {}}
REPAIR = [
    ("/process-instance/variables-async", {**_ALL, "variables": {"amount": {"value": 1}}}),
    ("/process-instance/variables-async", {**_ALL, "variables": {"amount": {"value": 2}}}),
    ("/process-instance/delete", {**_ALL, "deleteReason": "bench"}),
]
"""Orders that are a batch each: path and body."""


async def measure(tasks: int, place: str, orders: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Seconds of each batch, the slowest list request and the lateness of the event loop meanwhile, peak memory."""
    app = embedded_app(place)
    async with spared(app.router.lifespan_context(app)):
        await plain_world(app.state.store.database, tasks)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://store/engine-rest", timeout=120) as client:
            idle = [await _timed_list(client) for _ in range(20)]
            lists: list[float] = []
            late: list[float] = []
            ticking = asyncio.create_task(_tick(late))
            seconds = []
            for path, order in orders:
                seconds.append(await _batch(client, path, order, lists))
            ticking.cancel()
            left = (await client.get("/external-task/count?noRetriesLeft=true")).json()["count"]
            opened = (await client.get("/incident/count")).json()["count"]
            assert (left, opened) == (0, 0), (left, opened)
    return {
        "seconds": sum(seconds),
        "each": seconds,
        "worst_list": max(lists),
        "median_list": sorted(lists)[len(lists) // 2],
        "idle_list": sorted(idle)[len(idle) // 2],
        "late_p99": sorted(late)[len(late) * 99 // 100],
        "late_worst": max(late),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


async def _batch(client: httpx.AsyncClient, path: str, order: dict[str, Any], lists: list[float]) -> float:
    """Seconds from the order to the end that its history tells: the polls here would see it up to 50 ms later."""
    began = time.time()
    launching = asyncio.create_task(client.post(path, json=order))
    while not launching.done():
        lists.append(await _timed_list(client))
        await asyncio.sleep(PAUSE)
    batch = launching.result().json()
    while (await client.get(f"/batch/{batch['id']}")).status_code == 200:
        lists.append(await _timed_list(client))
        await asyncio.sleep(PAUSE)
    past = (await client.get(f"/history/batch/{batch['id']}")).json()
    return parse_moment(past["endTime"]).timestamp() - began


async def _tick(late: list[float]) -> None:
    while True:
        start = time.perf_counter()
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - start - TICK)


async def _timed_list(client: httpx.AsyncClient) -> float:
    start = time.perf_counter()
    answer = await client.get(LIST)
    assert answer.status_code == 200
    return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]), sys.argv[2], REPAIR if sys.argv[3:] else RETRIES))))
