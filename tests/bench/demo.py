"""How long the command takes to write a demo world: by the clock, which says little on a machine with other work,
and of the processor.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.result import Line

AIMS = {100_000: "8 s", 1_000_000: "80 s"}


def measure(folder: Path, tasks: int) -> list[Line]:
    """Measure and print."""
    store = folder / f"demo-{tasks}.db"
    command = [sys.executable, "-m", "retriage.console", "demo-data", "--store", str(store), "--tasks", str(tasks)]
    before, began = _processor(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    seconds, cpu = time.perf_counter() - began, _processor() - before
    size = store.stat().st_size / 1e6
    print(f"{f'demo world, {tasks:,}':24}{seconds:>8.1f} s{cpu:>8.1f} s of the processor{size:>8.0f} MB", flush=True)
    found = f"{seconds:.1f} s, {cpu:.1f} s of the processor"
    return [Line(f"a demo world of {tasks:,} tasks", found, AIMS.get(tasks, ""))]


def _processor() -> float:
    """Seconds of the processor that ended children have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
