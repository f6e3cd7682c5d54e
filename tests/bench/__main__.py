"""All measurements in one run: ``python -m tests.bench [--tasks 10000,100000] [PART …]``.

They end with a table of ratios, and the machine that they were taken on. A part that fails is a line of that table;
the others stand, and the exit code is 1. Without a part all of them are measured but
``runs`` and ``fixes``, which take ten minutes each; see ``PARTS``.

Two more stand by themselves. From the command to the first frame: ``python -m tests.bench start [RUNS
[OTHER_CHECKOUT]]``. What the imports inside functions cost: ``python -m tests.bench imports``.
"""

import argparse
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.bench import batches, demo, fixes, imports, orders, postgresql, repairs, runs, start, terminal, writes
from tests.bench.result import Line, load, machine, table

Part = Callable[[Path, tuple[int, ...], float], list[Line]]

PARTS: dict[str, Part] = {
    "batches": lambda folder, sizes, _: batches.measure(folder, sizes),
    "repairs": lambda folder, sizes, _: repairs.measure(folder, sizes),
    "orders": lambda folder, _, seconds: orders.compare(folder, seconds),
    "writes": lambda folder, sizes, _: writes.measure(folder, min(sizes[-1], 100_000)),
    "demo": lambda folder, sizes, _: demo.measure(folder, sizes[-1]),
    "terminal": lambda _, sizes, __: terminal.measure(min(sizes[-1], 100_000)),
    "runs": lambda folder, sizes, _: runs.measure(folder, min(sizes[-1], 100_000)),
    "fixes": lambda folder, *_: fixes.measure(folder),
    "postgresql": lambda folder, sizes, seconds: postgresql.measure(folder, sizes[0], seconds),
}
"""What can be measured, by name."""
BY_NAME_ALONE = {"runs", "fixes"}
"""What is measured only where it is named."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m tests.bench", description="Measure, in one run, ratios of things.")
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"of {', '.join(PARTS)}; none is all but {' and '.join(sorted(BY_NAME_ALONE))}",
    )
    parser.add_argument("--tasks", default="10000,100000", help="sizes of batches, ascending, at least two")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each kind of single order is measured")
    given = parser.parse_args()
    sizes = tuple(int(size) for size in given.tasks.split(","))
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    before, lines, failed = load(), list[Line](), list[str]()
    print(f"{machine()}; {before} before\n")
    with tempfile.TemporaryDirectory(prefix="retriage-bench-") as name:
        for part in given.parts or [name for name in PARTS if name not in BY_NAME_ALONE]:
            print(f"-- {part}", flush=True)
            try:
                lines += PARTS[part](Path(name), sizes, given.seconds)
            except Exception as problem:  # the other parts stand
                failed.append(part)
                lines.append(Line(part, f"failed: {said_of(problem)}"))
                traceback.print_exc()
    print(f"\n{table(lines)}\n\n{machine()}; {before} before, {load()} at the end")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def said_of(problem: Exception) -> str:
    """A problem in one line; of a program that failed, the last line that it wrote to stderr."""
    said = problem.stderr if isinstance(problem, subprocess.CalledProcessError) and problem.stderr else str(problem)
    lines = [line for line in str(said).splitlines() if line.strip()]
    if isinstance(problem, subprocess.CalledProcessError):
        lines.reverse()
    return f"{type(problem).__name__}: {lines[0].strip()}" if lines else type(problem).__name__


if __name__ == "__main__":
    if sys.argv[1:2] == ["start"]:
        start.main(*map(int, sys.argv[2:3]), *sys.argv[3:4])
    elif sys.argv[1:2] == ["imports"]:
        imports.main()
    else:
        main()
