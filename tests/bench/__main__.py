"""Batches of two sizes against bare ``sqlite3`` and the real engine: ``python -m tests.bench [SMALL LARGE]``.

The terminal, bytes and answers to keys: ``python -m tests.bench terminal [TASKS]``. Single orders, one caller and four,
and beside long polls: ``python -m tests.bench orders [SECONDS]``. From the command to the first frame:
``python -m tests.bench start [RUNS [OTHER_CHECKOUT]]``. What the imports inside functions cost:
``python -m tests.bench imports``.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from store.database import open_database
from tests.bench import bare, imports, orders, reference, start, terminal
from tests.engines import camunda
from tests.support.plain import plain_world

REFERENCE_TASKS = 5000


def _store(tasks: int, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.store", str(tasks), str(folder / f"store-{tasks}.db")]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def _bare(tasks: int, folder: Path) -> float:
    file = folder / f"bare-{tasks}.db"

    async def build() -> None:
        database = await open_database(str(file))
        await plain_world(database, tasks)
        await database.close()

    asyncio.run(build())
    return bare.measure(str(file), tasks)


def main(small: int = 10_000, large: int = 100_000) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="retriage-bench-") as name:
        folder = Path(name)
        print(
            f"{'':24}{'tasks/s':>10}{'of bare':>10}{'list worst':>12}{'median':>9}{'idle':>9}"
            f"{'loop p99':>11}{'worst':>9}{'memory':>9}"
        )
        found = {}
        for tasks in (small, large):
            plain = _bare(tasks, folder)
            store = found[tasks] = _store(tasks, folder)
            print(f"{f'bare sqlite3, {tasks:,}':24}{2 * tasks / plain:>10,.0f}")
            print(
                f"{f'store, {tasks:,}':24}{2 * tasks / store['seconds']:>10,.0f}{plain / store['seconds']:>10.2f}"
                f"{store['worst_list'] * 1000:>9.0f} ms{store['median_list'] * 1000:>6.0f} ms"
                f"{store['idle_list'] * 1000:>6.0f} ms{store['late_p99'] * 1000:>8.1f} ms"
                f"{store['late_worst'] * 1000:>6.0f} ms{store['megabytes']:>6.0f} MB"
            )
        print(f"time({large:,}) / time({small:,}) = {found[large]['seconds'] / found[small]['seconds']:.1f}")
        missing = camunda.what_is_missing()
        if missing:
            print(f"the real engine was not measured: {missing}")
            return
        seconds = reference.measure(REFERENCE_TASKS, folder / "engine.log")
        real = 2 * REFERENCE_TASKS / seconds
        print(f"{f'real engine, {REFERENCE_TASKS:,}':24}{real:>10,.0f}")
        print(f"store({large:,}) / real engine = {2 * large / found[large]['seconds'] / real:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["terminal"]:
        terminal.main(*(int(argument) for argument in sys.argv[2:]))
    elif sys.argv[1:2] == ["start"]:
        start.main(*map(int, sys.argv[2:3]), *sys.argv[3:4])
    elif sys.argv[1:2] == ["imports"]:
        imports.main()
    elif sys.argv[1:2] == ["orders"]:
        orders.main(*(float(argument) for argument in sys.argv[2:]))
    else:
        main(*(int(argument) for argument in sys.argv[1:]))
