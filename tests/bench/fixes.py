"""Variables of 11,000 instances set by one command on a real engine, and given back by another: 10,000 had a value that
no other one has, 1,000 had none. What that takes in requests, seconds and memory; values are read by REST alone."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.bench.result import Line
from tests.bench.terminal import ROOT
from tests.contract.bpmn import Drawing, Step
from tests.engines import camunda
from tests.support.fault_proxy import FaultProxy

DIFFERENT, ABSENT = 10_000, 1_000
RIGHT = 70070707
AT_ONCE = 8
"""Instances that are started side by side."""
PAGE = 1000


@dataclass(frozen=True)
class _Ended:
    """What a command came to: seconds, requests that it sent, the most memory that it had."""

    seconds: float
    requests: int
    megabytes: float


async def _start(root: str) -> None:
    """Start the instances."""
    places = iter(range(DIFFERENT + ABSENT))
    async with httpx.AsyncClient(base_url=root, timeout=60, trust_env=False) as http:
        drawing = Drawing("order", [Step("Charge", "charge-card")])
        made = await http.post("/deployment/create", files={drawing.resource: (drawing.resource, drawing.xml())})
        made.raise_for_status()

        async def some() -> None:
            for place in places:
                given = {"amount": {"value": -1 - place, "type": "Integer"}} if place < DIFFERENT else {}
                answer = await http.post("/process-definition/key/order/start", json={"variables": given})
                answer.raise_for_status()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))


def _amounts(root: str) -> dict[str, int]:
    """Instance -> its amount, of those that have one."""
    rows: list[dict[str, Any]] = []
    with httpx.Client(base_url=root, timeout=60, trust_env=False) as http:
        asked = {"variableName": "amount", "sorting": [{"sortBy": "activityInstanceId", "sortOrder": "asc"}]}
        read = PAGE
        while read == PAGE:
            window = {"firstResult": len(rows), "maxResults": PAGE}
            page = http.post("/variable-instance", json=asked, params=window).raise_for_status().json()
            rows += page
            read = len(page)
    # What a batch is still to set stands among them, and is no instance's.
    return {one["processInstanceId"]: one["value"] for one in rows if one["processInstanceId"] is not None}


def _command(proxy: FaultProxy, home: Path, *words: str) -> _Ended:
    before, began = len(proxy.faults.asked), time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "retriage.console", *words, "--engine", proxy.root, "--env", "TEST", "--yes", "--json"],
        cwd=ROOT, env=os.environ | {"RETRIAGE_HOME": str(home)}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}")
    return _Ended(time.monotonic() - began, len(proxy.faults.asked) - before, used.ru_maxrss / 1024)


def measure(folder: Path) -> list[Line]:
    """Measure and print."""
    home = folder / "fixes-home"
    home.mkdir()
    with (
        camunda.running(folder / "fixes-engine.log", timed=True) as root,
        FaultProxy((httpx.URL(root).host, httpx.URL(root).port or 80)) as proxy,
    ):
        asyncio.run(_start(root))
        before = _amounts(root)
        words = ("run", "--do", "set", "--instances", "process:order", "--waves", "10,rest")
        given = _command(proxy, home, *words, "--set", f"amount={RIGHT}", "--new")
        if list(_amounts(root).values()) != [RIGHT] * (DIFFERENT + ABSENT):
            raise RuntimeError("not every instance was given the value")
        back = _command(proxy, home, "undo", "1")
        if _amounts(root) != before:
            raise RuntimeError("not every instance has again what it had")
    lines = []
    for name, ended in (("variable of 11,000 instances set", given), ("the same undone", back)):
        found = f"{ended.seconds:.0f} s, {ended.requests:,} requests, {ended.megabytes:.0f} MB"
        print(f"{name}: {found}")
        lines.append(Line(name, found))
    return lines
