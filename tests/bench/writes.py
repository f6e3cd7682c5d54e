"""Small orders beside a batch: ``python -m tests.bench.writes TASKS FOLDER``; prints JSON.

One caller sets the priority of a task again and again, from the launch of a batch over all tasks until its end: at the
server that carries the batch out, and at a second server on the same SQLite file.
"""

import asyncio
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from store.database import open_database
from tests.bench.orders import client, serving
from tests.support.plain import plain_world

PAUSE = 0.01


async def _until_the_end(launcher: httpx.AsyncClient, writer: httpx.AsyncClient, task: str) -> list[float]:
    """Seconds of each small order while a batch goes to its end."""
    order = {"retries": 5, "externalTaskQuery": {}}
    taken: list[float] = []
    launching = asyncio.create_task(launcher.post("/external-task/retries-async", json=order))
    watching = asyncio.create_task(_end_of(launcher, launching))
    while not watching.done():
        start = time.perf_counter()
        answer = await writer.put(f"/external-task/{task}/priority", json={"priority": len(taken)})
        taken.append(time.perf_counter() - start)
        assert answer.status_code == 204, answer.text
        await asyncio.sleep(PAUSE)
    await watching
    return taken


async def _end_of(http: httpx.AsyncClient, launching: "asyncio.Task[httpx.Response]") -> None:
    path = f"/batch/{(await launching).json()['id']}"
    while True:
        if (await http.get(path)).status_code != 200:
            return
        await asyncio.sleep(0.1)


async def _measure(roots: list[str]) -> list[float]:
    async with client(roots[0]) as launcher, client(roots[-1]) as writer:
        (task,) = (await launcher.get("/external-task?maxResults=1")).json()
        await writer.put(f"/external-task/{task['id']}/priority", json={"priority": 1})
        return await _until_the_end(launcher, writer, task["id"])


def measure(tasks: int, folder: Path, servers: int) -> dict[str, float]:
    """How long small orders take beside a batch.

    Args:
        tasks: how many the batch sets.
        folder: for a store.
        servers: 1, or 2 on the same file.
    """
    file = str(folder / f"writes-{tasks}-{servers}.db")

    async def build() -> None:
        database = await open_database(file)
        await plain_world(database, tasks)
        await database.close()

    asyncio.run(build())
    with ExitStack() as stack:
        roots = [stack.enter_context(serving(file)) for _ in range(servers)]
        taken = sorted(asyncio.run(_measure(roots)))
    return {
        "orders": len(taken),
        "median": taken[len(taken) // 2],
        "p99": taken[len(taken) * 99 // 100],
        "worst": taken[-1],
    }


if __name__ == "__main__":
    print(json.dumps({number: measure(int(sys.argv[1]), Path(sys.argv[2]), number) for number in (1, 2)}))
