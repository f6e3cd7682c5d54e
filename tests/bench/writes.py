"""Small orders beside a batch.

One caller sets the priority of a task again and again, from the launch of a batch over all tasks until its end: at the
server that carries the batch out, and at a second server on the same SQLite file.
"""

import asyncio
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.bench.batches import plain_store
from tests.bench.orders import client, serving
from tests.bench.result import Line

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


def _taken(tasks: int, folder: Path, servers: int) -> list[float]:
    file = str(folder / f"writes-{tasks}-{servers}.db")
    plain_store(tasks, file)
    with ExitStack() as stack:
        roots = [stack.enter_context(serving(file)) for _ in range(servers)]
        return sorted(asyncio.run(_measure(roots)))


def measure(folder: Path, tasks: int) -> list[Line]:
    """Measure and print."""
    lines = []
    for servers, place in ((1, "at the same server"), (2, "at a second server")):
        taken = _taken(tasks, folder, servers)
        p99 = taken[len(taken) * 99 // 100]
        print(
            f"{len(taken)} small orders beside a batch of {tasks:,}, {place}: median "
            f"{statistics.median(taken) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, worst {taken[-1] * 1000:.0f} ms",
            flush=True,
        )
        name = f"a small order beside a batch of {tasks:,}, {place}"
        lines.append(Line(name, f"p99 {p99 * 1000:.0f} ms, worst {taken[-1] * 1000:.0f} ms", "p99 250 ms"))
    return lines
