"""Batches on SQLite against bare ``sqlite3`` making the same row changes, and against the real engine."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from retriage.store.database import open_database
from tests.bench import bare, reference
from tests.bench.result import Line
from tests.engines import camunda
from tests.support.plain import plain_world

REFERENCE_TASKS = 5000
AIMS = {10_000: 0.5, 100_000: 0.55, 1_000_000: 0.55}


def of_store(tasks: int, place: str, *which: str) -> dict[str, Any]:
    """One batch to 0 retries and one back on a fresh store, by a process of its own; see ``tests.bench.store``."""
    command = [sys.executable, "-m", "tests.bench.store", str(tasks), place, *which]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def plain_store(tasks: int, place: str) -> None:
    """Make a store with a plain world."""

    async def build() -> None:
        database = await open_database(place)
        await plain_world(database, tasks)
        await database.close()

    asyncio.run(build())


def _bare(tasks: int, file: Path) -> float:
    plain_store(tasks, str(file))
    return sum(bare.measure(bare.SqliteRows(str(file)), tasks))


def measure(folder: Path, sizes: tuple[int, ...]) -> list[Line]:
    """Measure and print."""
    lines = []
    print(
        f"{'':24}{'tasks/s':>10}{'of bare':>10}{'list worst':>12}{'median':>9}{'idle':>9}"
        f"{'loop p99':>11}{'worst':>9}{'memory':>9}"
    )
    found = {}
    for tasks in sizes:
        plain = _bare(tasks, folder / f"bare-{tasks}.db")
        store = found[tasks] = of_store(tasks, str(folder / f"store-{tasks}.db"))
        share = plain / store["seconds"]
        print(f"{f'bare sqlite3, {tasks:,}':24}{2 * tasks / plain:>10,.0f}")
        print(
            f"{f'store, {tasks:,}':24}{2 * tasks / store['seconds']:>10,.0f}{share:>10.2f}"
            f"{store['worst_list'] * 1000:>9.0f} ms{store['median_list'] * 1000:>6.0f} ms"
            f"{store['idle_list'] * 1000:>6.0f} ms{store['late_p99'] * 1000:>8.1f} ms"
            f"{store['late_worst'] * 1000:>6.0f} ms{store['megabytes']:>6.0f} MB",
            flush=True,
        )
        rate = f"{2 * tasks / store['seconds']:,.0f} tasks/s, {share:.2f} of bare `sqlite3`"
        lines.append(Line(f"batch of {tasks:,}", rate, f"{AIMS.get(tasks, 0.5)}"))
    small, large = sizes[-2:]
    ratio = found[large]["seconds"] / found[small]["seconds"]
    lines.append(Line(f"time({large:,}) / time({small:,})", f"{ratio:.1f}", f"{1.05 * large / small:.1f}"))
    lines.append(Line(f"memory, batch of {large:,}", f"{found[large]['megabytes']:.0f} MB", "192 MB"))
    if missing := camunda.what_is_missing():
        print(f"the real engine was not measured: {missing}")
        return lines
    real = 2 * REFERENCE_TASKS / reference.measure(REFERENCE_TASKS, folder / "engine.log")
    print(f"{f'real engine, {REFERENCE_TASKS:,}':24}{real:>10,.0f}", flush=True)
    times = 2 * large / found[large]["seconds"] / real
    lines.append(Line(f"batch of {large:,} against Camunda 7.24.0, H2", f"{times:.0f} times", "above 1"))
    return lines
