"""From the command to the first frame, and to the first rows: ``python -m tests.bench start [RUNS [OTHER_CHECKOUT]]``.

The console and a bare Textual application are started in turn, and the console of another checkout too where one is
named, so that whatever else the machine has to do weighs on all of them. Processor time is that of the process up to
that moment, as the kernel counts it.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.bare_textual import FIRST_FRAME
from tests.support.terminal import Terminal

SIZE = (120, 40)
ROOT = Path(__file__).parents[2]
NOBODY = "http://127.0.0.1:9/engine-rest"
"""An engine that is not there: the first frame is drawn before it is asked."""
HEADER = "Incidents"
"""Stands in the console's first frame: one of its views."""
ROW = "charge-card"
"""Stands in the first rows of a demo world."""


class Started(NamedTuple):
    """Seconds to what was waited for: by the clock, and of a processor."""

    wall: float
    cpu: float


def started(command: list[str], text: str, root: Path) -> Started:
    """Start a program in a terminal and wait for a text.

    Args:
        command: what Python is to run.
        text: what it shows at that moment.
        root: the checkout.

    Raises:
        AssertionError: it did not come.
    """
    with tempfile.TemporaryDirectory(prefix="retriage-bench-") as home:
        began = time.perf_counter()
        with Terminal(
            [sys.executable, "-P", *command], *SIZE, {"PYTHONPATH": str(root), "RETRIAGE_HOME": home}
        ) as terminal:
            wanted = text.encode()
            terminal.wait(lambda: wanted in terminal.raw, f"“{text}” did not come", 60)
            wall, cpu = time.perf_counter() - began, terminal.processor_seconds()
    return Started(wall, cpu)


def main(runs: int = 10, other: str | None = None) -> None:
    """Measure and print."""
    programs = {"bare Textual": (["-m", "tests.bench.bare_textual"], FIRST_FRAME, ROOT)}
    for whose, root in (("", ROOT), (", other", Path(other).resolve() if other is not None else None)):
        if root is not None:
            programs[f"own store{whose}"] = (["-m", "retriage.console"], HEADER, root)
            programs[f"an engine{whose}"] = (["-m", "retriage.console", "--engine", NOBODY], HEADER, root)
            programs[f"rows of a demo{whose}"] = (["-m", "retriage.console", "demo", "--tasks", "3000"], ROW, root)
    found: dict[str, list[Started]] = {name: [] for name in programs}
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    for round_ in range(runs + 1):
        for name, program in programs.items():
            one = started(*program)
            # The first round writes byte code.
            if round_:
                found[name].append(one)
    print(
        f"{'start to first frame':26}{'wall, median':>14}{'fastest':>10}{'processor':>11}{'fastest':>10}{'of bare':>9}"
    )
    bare = statistics.median(one.cpu for one in found["bare Textual"])
    for name, times in found.items():
        walls, cpus = [one.wall for one in times], [one.cpu for one in times]
        print(
            f"{name:26}{statistics.median(walls):>12.2f} s{min(walls):>8.2f} s"
            f"{statistics.median(cpus):>9.2f} s{min(cpus):>8.2f} s{statistics.median(cpus) / bare:>9.2f}"
        )
