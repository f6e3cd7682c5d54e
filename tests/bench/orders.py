"""Single orders over HTTP.

Callers start instances of one task, and fetch and complete them, over a socket to a server in a process of its own:
one caller alone, four at once, and beside long polls of other topics. The same requests to the real engine, where it
can run, in the same run. Ratios count: the machine's speed is the same for both.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.result import Line
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.engines.processes import free_port

TOPIC = "work"
POLLS = (0, 50, 500)


@dataclass(frozen=True)
class Rates:
    """What one server did in a second."""

    starts_of_one: float
    starts_of_four: float
    completions_of_one: float
    completions_of_four: float
    rounds: dict[int, float]
    """Start, fetch and complete by one caller, by the number of long polls for other topics."""


def client(root: str, connections: int = 20) -> httpx.AsyncClient:
    """A client that keeps its connections."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.AsyncClient(base_url=root, timeout=120, limits=limits)


async def measure(root: str, seconds: float, polls: tuple[int, ...] = POLLS) -> Rates:
    """Measure a server that holds nothing yet."""
    async with client(root) as http, client(root, max(polls) + 1) as idle:
        files = {"data": ("bench.bpmn", Drawing("bench", [Step("Work", TOPIC)]).xml().encode())}
        (await http.post("/deployment/create", files=files, data={"deployment-name": "bench"})).raise_for_status()
        await _starts(http, 1, 0.5)
        starts = [await _starts(http, callers, seconds) for callers in (1, 4)]
        completions = [await _completions(http, callers, seconds) for callers in (1, 4)]
        rounds: dict[int, float] = {}
        for number in polls:
            waiting = [asyncio.create_task(_poll(idle, place)) for place in range(number)]
            await asyncio.sleep(number / 30)  # until all of them wait
            rounds[number] = await _rate(1, seconds, lambda worker: _round(http, worker))
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return Rates(starts[0], starts[1], completions[0], completions[1], rounds)


async def _rate(callers: int, seconds: float, deed: Callable[[int], Awaitable[None]]) -> float:
    """How often callers that do nothing else do something in a second."""
    deadline = time.perf_counter() + seconds
    done = 0

    async def call(worker: int) -> None:
        nonlocal done
        while time.perf_counter() < deadline:
            await deed(worker)
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(call(worker) for worker in range(callers)))
    return done / (time.perf_counter() - start)


async def _start(http: httpx.AsyncClient, _worker: int = 0) -> None:
    (await http.post("/process-definition/key/bench/start", json={})).raise_for_status()


async def _starts(http: httpx.AsyncClient, callers: int, seconds: float) -> float:
    return await _rate(callers, seconds, lambda worker: _start(http, worker))


async def _fetch(http: httpx.AsyncClient, worker: int, most: int, **more: int) -> list[str]:
    topics = [{"topicName": TOPIC, "lockDuration": 600_000}]
    order = {"workerId": f"w{worker}", "maxTasks": most, "topics": topics, **more}
    return [task["id"] for task in (await http.post("/external-task/fetchAndLock", json=order)).json()]


async def _complete(http: httpx.AsyncClient, worker: int, task: str) -> None:
    (await http.post(f"/external-task/{task}/complete", json={"workerId": f"w{worker}"})).raise_for_status()


async def _completions(http: httpx.AsyncClient, callers: int, seconds: float) -> float:
    """Completions in a second of tasks that are locked beforehand."""
    held: dict[int, list[str]] = {}
    for worker in range(callers):
        held[worker] = await _fetch(http, worker, 400)
        while len(held[worker]) < 200:
            await _start(http)
            held[worker] += await _fetch(http, worker, 50)

    async def complete(worker: int) -> None:
        await _complete(http, worker, held[worker].pop())

    done = sum(map(len, held.values()))
    start = time.perf_counter()

    async def all_of(worker: int) -> None:
        while held[worker] and time.perf_counter() - start < seconds:
            await complete(worker)

    await asyncio.gather(*(all_of(worker) for worker in range(callers)))
    return (done - sum(map(len, held.values()))) / (time.perf_counter() - start)


async def _round(http: httpx.AsyncClient, worker: int) -> None:
    await _start(http)
    for task in await _fetch(http, worker, 1):
        await _complete(http, worker, task)


async def _poll(http: httpx.AsyncClient, place: int) -> None:
    topics = [{"topicName": f"other-{place}", "lockDuration": 1000}]
    order = {"workerId": f"idle-{place}", "maxTasks": 1, "asyncResponseTimeout": 600_000, "topics": topics}
    while True:
        await http.post("/external-task/fetchAndLock", json=order)


@contextmanager
def serving(store: str) -> Iterator[str]:
    """A server over a store; gives its root."""
    port = free_port()
    command = [sys.executable, "-m", "retriage.console", "serve", "--port", str(port), "--store", store]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"RETRIAGE_MAX_CONNECTIONS": "2000"})
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}/engine-rest"
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def compare(folder: Path, seconds: float = 5.0) -> list[Line]:
    """Measure and print."""
    found: dict[str, Rates] = {}
    with serving(str(folder / "orders.db")) as root:
        found["store, SQLite"] = asyncio.run(measure(root, seconds))
    if missing := camunda.what_is_missing():
        print(f"the real engine was not measured: {missing}")
    else:
        with camunda.running(folder / "engine.log", options={}, timed=True) as root:
            found["real engine, H2"] = asyncio.run(measure(root, seconds, (0,)))
    print(
        f"{'in a second':18}{'start x1':>10}{'x4':>8}{'complete x1':>13}{'x4':>8}"
        + "".join(f"{f'round, {number} polls':>18}" for number in POLLS)
    )
    for name, rates in found.items():
        rounds = "".join(f"{rates.rounds[number]:>18.1f}" for number in rates.rounds)
        print(
            f"{name:18}{rates.starts_of_one:>10.0f}{rates.starts_of_four:>8.0f}"
            f"{rates.completions_of_one:>13.0f}{rates.completions_of_four:>8.0f}{rounds}",
            flush=True,
        )
    ours = found["store, SQLite"]
    lines = [
        Line(
            "single orders, four callers against one",
            f"start {ours.starts_of_four / ours.starts_of_one:.2f}, "
            f"complete {ours.completions_of_four / ours.completions_of_one:.2f}",
            "1",
        ),
        *(
            Line(
                f"start, fetch, complete beside {polls} idle long polls",
                f"{rate / ours.rounds[0]:.2f} of that without",
                "0.9",
            )
            for polls, rate in ours.rounds.items()
            if polls
        ),
    ]
    if real := found.get("real engine, H2"):
        for callers, start, complete in (
            ("one caller", ours.starts_of_one / real.starts_of_one, ours.completions_of_one / real.completions_of_one),
            ("four", ours.starts_of_four / real.starts_of_four, ours.completions_of_four / real.completions_of_four),
        ):
            name = f"single orders against Camunda 7.24.0, H2, {callers}"
            lines.append(Line(name, f"start {start:.2f}, complete {complete:.2f}", "1"))
    return lines
