"""A run in waves that the console drives on an engine in another process.

How fast keys are answered meanwhile beside a stock table, what it costs the engine in pages, and the console in memory.
"""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from retriage.store.demo_store import fill
from tests.bench.orders import serving
from tests.bench.result import Line
from tests.bench.terminal import ROOT, SIZE, answers, start
from tests.support.fault_proxy import Asked, FaultProxy
from tests.support.terminal import Terminal

WAVES = (0.001, 0.01, 0.1)
"""The first waves as shares of all: ``100, 1000, 10000, rest`` of 100,000."""
KEYS = 20
"""Pressed at a time."""
LONGEST = 900.0
"""Seconds after which the last wave is not waited for any more."""


def _without_retries(root: str) -> list[str]:
    """Every task of the engine fails for good; answers their topics."""
    with httpx.Client(base_url=root, timeout=120, trust_env=False) as http:
        batch = http.post("/external-task/retries-async", json={"retries": 0, "externalTaskQuery": {}}).json()["id"]
        while http.get(f"/batch/{batch}").status_code == 200:
            time.sleep(0.2)
        topics: list[str] = http.get("/external-task/topic-names").raise_for_status().json()
        return topics


@contextmanager
def _worker(root: str, topics: list[str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.worker", root, *topics], cwd=ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def pages_in_ten_seconds(asked: list[Asked]) -> int:
    """The most pages of named tasks that were asked for within any ten seconds."""
    at = sorted(one.at for one in asked if "maxResults=500" in one.path and b"externalTaskIdIn" in one.body)
    return max((sum(first <= other < first + 10.0 for other in at) for first in at), default=0)


def _begin(console: Terminal, tasks: int) -> None:
    """Choose every task without retries, and begin the run."""
    console.wait_for(" LIVE", 120)
    console.press("/retries:0 -suspended\r")
    console.wait(lambda: re.search(r"[\d,]+ match of", console.lines[2]), "they are not counted", 120)
    console.press("AR")
    console.wait_for("tasks in the launch", 600)
    console.press("W")
    console.wait_for("hold on a new cause too")
    console.press("\x15" + ",".join(f"{share * tasks:.0f}" for share in WAVES) + ",rest")
    console.wait_for("4 waves: ")
    console.wait(lambda: console.bold("Launch L"), "it cannot be launched", 120)
    console.press("L")
    console.wait_for("RUN ", 60)


def _wave(console: Terminal) -> int:
    """The wave that the run is at, as line 2 says; 0 when it is held or has ended."""
    found = re.search(r"run \d+ wave (\d)", re.sub(r" +", " ", console.lines[1]))
    return int(found[1]) if found else 0


def measure(folder: Path, tasks: int = 100_000) -> list[Line]:
    """Measure and print."""
    file, home = str(folder / f"runs-{tasks}.db"), str(folder / "runs-home")
    fill(file, tasks, 1, lambda done: None, batches=False)
    with (
        serving(file) as root,
        FaultProxy((httpx.URL(root).host, httpx.URL(root).port or 80)) as proxy,
        start("stock", 0, home) as stock,
        Terminal(
            [sys.executable, "-m", "retriage.console", "--engine", proxy.root, "--env", "local"],
            *SIZE,
            {"PYTHONPATH": str(ROOT), "RETRIAGE_HOME": home},
        ) as console,
    ):
        topics = _without_retries(root)
        stock.wait_for("ord-88005", 30)
        console.wait_for(" LIVE", 120)
        console.quiet(1.5, 60)
        bare, idle = answers(stock, console)
        with _worker(root, topics):
            before = len(proxy.faults.asked)
            _begin(console, tasks)
            console.press("1")
            console.wait(lambda: bool(_wave(console)), "no wave has begun", 600)
            beside, busy, waves, began = [], [], [], time.monotonic()
            while (wave := _wave(console)) and time.monotonic() < began + LONGEST:
                waves.append(wave)
                for taken, more in zip((beside, busy), answers(stock, console, KEYS), strict=True):
                    taken += more
            if waves[-1:] != [len(WAVES) + 1]:
                raise RuntimeError(f"the run did not come to its last wave ({waves}): {console.lines[1]}")
            frozen_for = 0.2 * tasks / 1000
            at_work = [one for one in proxy.faults.asked[before:] if one.at > began + 2 * frozen_for]
            memory = console.peak_kilobytes() / 1024
    share = statistics.median(busy) / statistics.median(idle)
    pages = pages_in_ten_seconds(at_work)
    keys = ", ".join(f"{wave}: {waves.count(wave) * KEYS}" for wave in sorted(set(waves)))
    print(
        f"{len(busy)} keys in {time.monotonic() - began:.0f} s while a run of {tasks:,} is driven, at waves {keys}: "
        f"median {statistics.median(busy) * 1000:.1f} ms, worst {max(busy) * 1000:.0f} ms; "
        f"idle {statistics.median(idle) * 1000:.1f} ms, worst {max(idle) * 1000:.0f}; "
        f"stock {statistics.median(bare) * 1000:.1f} and {statistics.median(beside) * 1000:.1f} ms; "
        f"{pages} pages in ten seconds at most, {memory:.0f} MB"
    )
    name = f"a key while a run of {tasks:,} tasks is driven, of the same table idle"
    return [
        Line(name, f"median {share:.2f}, worst {max(busy) * 1000:.0f} ms", "1.25"),
        Line("pages of 500 in ten seconds that the run asks for", str(pages), "10"),
        Line(f"memory, a console that drives a run of {tasks:,}", f"{memory:.0f} MB"),
    ]
