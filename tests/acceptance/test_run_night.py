"""One night without a screen: an outage is retried in waves by commands alone, killed, resumed, held, released, undone.

Every number is checked at the engine by REST, or in the journal's file by SQL, by nothing of the console.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from retriage.store.demo_store import fill
from tests.acceptance.night_engine import EXPIRED, OUTAGE, PASSWORD, TOPIC, USER, NightEngine

PROFILE = "bpm-prod"
PATIENCE = 90.0
WAVES = [5, 20, 30]
"""Sizes of the waves before the rest."""
IDLE = 4
"""So many tasks of the rest nobody works on."""


class Payments:
    """The workers of the topic, as the provider behind them lets them work.

    Args:
        engine: where they work.
    """

    def __init__(self, engine: NightEngine) -> None:
        self.engine = engine
        self.open = True
        self.back = True
        """The provider answers."""
        self.expired: set[str] = set()
        """Tasks that fail of another cause."""
        self.idle: set[str] = set()
        """Tasks that nobody works on."""
        self.paused = False
        self._ending = False
        self._hands = ThreadPoolExecutor(1, "payments")
        self._work: Future[None] = self._hands.submit(self._run)

    def stop(self) -> None:
        """They have gone home."""
        self._ending = True
        self._work.result(timeout=PATIENCE)
        self._hands.shutdown()

    def _run(self) -> None:
        topic = {"topicName": TOPIC, "lockDuration": 60_000, "variables": []}
        while not self._ending:
            if self.paused:
                time.sleep(0.05)
                continue
            got = self.engine.order("POST", "/external-task/fetchAndLock", {
                "workerId": "payments", "maxTasks": 20, "topics": [topic],
            })  # fmt: skip
            for task in got:
                self._do(task)
            time.sleep(0.2)

    def _do(self, task: dict[str, Any]) -> None:
        id = task["id"]
        if id in self.idle:
            self.engine.order("POST", f"/external-task/{id}/unlock", {})
        elif id in self.expired or not self.back:
            said = EXPIRED if id in self.expired else f"{OUTAGE}: still down"
            failure = {"workerId": "payments", "errorMessage": said, "retries": 0, "retryTimeout": 0}
            self.engine.order("POST", f"/external-task/{id}/failure", failure)
        else:
            self.engine.complete(id, "payments")


class Shell:
    """Where commands are typed.

    Args:
        folder: the operator's own.
        root: address of the engine.
    """

    def __init__(self, folder: Path, root: str) -> None:
        self.journal = folder / "journal.db"
        (folder / "profiles.toml").write_text(
            f'[{PROFILE}]\nurl = "{root}"\nenvironment = "prod"\nuser = "{USER}"\npassword_env = "BPM_PASSWORD"\n'
        )
        self._environment = os.environ | {"RETRIAGE_HOME": str(folder), "BPM_PASSWORD": PASSWORD}

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Type a command."""
        command = [sys.executable, "-m", "retriage.console", *words]
        return subprocess.Popen(
            command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        """Type a command and wait: its exit code, the lines of JSON, what it said on stderr."""
        with self.start(*words) as process:
            try:
                out, said = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        return process.returncode, [json.loads(line) for line in out.splitlines() if line.startswith("{")], said

    def asked(self, question: str) -> list[Any]:
        """Ask the journal's file."""
        file = sqlite3.connect(self.journal, timeout=30)
        try:
            return file.execute(question).fetchall()
        finally:
            file.close()

    def wave(self, number: int) -> set[str]:
        """Ids of the tasks of a wave, as the run was frozen."""
        return {row[0] for row in self.asked(f"SELECT task_id FROM run_task WHERE wave = {number}")}


def wait_for(what: Callable[[], object], said: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def read_until(process: "subprocess.Popen[str]", wave: int, state: str) -> None:
    """Read what it prints until a wave is so far."""
    assert process.stdout is not None
    told: list[str] = []
    for line in process.stdout:
        told.append(line)
        event = json.loads(line)
        if (event["event"], event.get("wave"), event.get("state")) == ("wave", wave, state):
            return
    raise AssertionError("".join(told[-5:]) + (process.stderr.read() if process.stderr is not None else ""))


@pytest.mark.timeout(400)
def test_a_night_by_commands_alone(tmp_path: Path) -> None:
    fill(str(tmp_path / "store.db"), 900, 7, lambda done: None, batches=False)
    home = tmp_path / "home"
    home.mkdir()
    with NightEngine(tmp_path / "store.db", {"RETRIAGE_RUNNER_IDLE_SECONDS": "1"}) as engine:
        shell = Shell(home, engine.root)
        payments = Payments(engine)
        payments.paused = True
        try:
            night(engine, shell, payments)
        finally:
            payments.stop()


def night(engine: NightEngine, shell: Shell, payments: Payments) -> None:
    which = {
        id
        for id, one in engine.tasks().items()
        if one["topicName"] == TOPIC
        and one["retries"] == 0
        and not one["suspended"]
        and (one["errorMessage"] or "").startswith(OUTAGE)
    }
    number = len(which)
    assert number > sum(WAVES) + 20
    query = f'topic:{TOPIC} retries:0 -suspended error~"503 from psp"'
    order = ["run", "--profile", PROFILE, "--query", query, "--retries", "1", "--gate", "20%", "--json"]
    order += ["--waves", ",".join(map(str, WAVES)) + ",rest", "--reason", "INC-4412"]

    # Nothing is changed without the count, and with a wrong one; a dry run tells what would be.
    assert shell.run(*order, "--yes")[0] == 4
    assert shell.run(*order, "--yes", "--count", str(number + 1))[0] == 4
    code, (plan,), _ = shell.run(*order, "--dry-run")
    assert (code, plan["run"], plan["tasks"], plan["waves"]) == (0, None, number, [*WAVES, number - sum(WAVES)])
    assert shell.run("tasks", "--profile", PROFILE, "--query", query, "--limit", "0", "--json")[0] == 0
    assert engine.batches() == []
    assert shell.asked("SELECT count(*) FROM run") == [(0,)]

    # The first wave goes through; while the second is watched the command is killed.
    process = shell.start(*order, "--yes", "--count", str(number))
    payments.paused = False
    read_until(process, 1, "passed")
    payments.paused = True
    read_until(process, 2, "watching")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert sorted(one["totalJobs"] for one in engine.batches()) == WAVES[:2]
    assert not shell.wave(1) & set(engine.tasks())
    code, (shown,), _ = shell.run("runs", "--json")
    assert (code, shown["state"], shown["tasks"]) == (0, "interrupted", number)
    assert shell.run("watch", "1", "--json")[0] == 130

    # It goes on where it was; meanwhile nobody else may drive it. The provider is down again for the third wave.
    resumed = shell.start("watch", "1", "--resume", "--yes", "--json")
    drives = f"SELECT 1 FROM run WHERE driver LIKE '%:{resumed.pid}:%'"
    wait_for(lambda: shell.asked(drives), "it does not drive")
    code, _, said = shell.run("watch", "1", "--resume", "--yes")
    assert (code, "driven by another" in said) == (4, True)
    third = shell.wave(3)
    payments.expired = set(sorted(third)[:2])
    payments.paused = False
    read_until(resumed, 2, "passed")
    payments.back = False
    out, said = resumed.communicate(timeout=PATIENCE)
    held = json.loads(out.splitlines()[-1])
    assert (resumed.returncode, held["event"], held["wave"], held["cause"]) == (6, "held", 3, "failed-again"), said
    assert sorted(one["totalJobs"] for one in engine.batches()) == WAVES
    rest = shell.wave(4)
    retries = engine.retries()
    assert {retries[id] for id in rest} == {0}, "a task of the held wave was touched"
    wait_for(lambda: {engine.retries().get(id) for id in third} == {0}, "not all of the third wave have failed")
    messages = {id: engine.tasks()[id]["errorMessage"] for id in third}
    assert {id for id, said in messages.items() if said == EXPIRED} == payments.expired
    assert shell.run("watch", "1", "--json")[0] == 6

    # The rest is released; a few of its tasks nobody takes, and they can be put back.
    payments.back, payments.idle = True, set(sorted(rest)[:IDLE])
    code, events, said = shell.run("watch", "1", "--resume", "--yes", "--json")
    assert (code, events[-1]["event"], events[-1]["state"]) == (8, "end", "finished"), said
    assert sorted(one["totalJobs"] for one in engine.batches()) == sorted([*WAVES, len(rest)])
    wait_for(lambda: set(engine.tasks()) & rest == payments.idle, "not all of the rest were done")
    payments.paused = True
    wait_for(lambda: not any(engine.tasks()[id]["lockExpirationTime"] for id in payments.idle), "still locked")
    code, events, said = shell.run("undo", "1", "--yes", "--json")
    assert (code, events[0]["back"]) == (0, {"0": IDLE}), said
    # The gate may pass the second wave with a few tasks open, which fail when the provider is down again.
    failed = len(third) + len(shell.wave(2) & set(engine.tasks()))
    assert events[0]["leftAlone"] == {"again": failed, "gone": number - failed - IDLE}
    assert {engine.retries()[id] for id in payments.idle} == {0}
    batches = sorted(one["totalJobs"] for one in engine.batches())
    assert batches == sorted([*WAVES, len(rest), IDLE])
    assert shell.asked("SELECT count(*), count(DISTINCT task_id) FROM launch_task JOIN launch ON id = launch_id"
                       " WHERE run_id = 1") == [(number, number)]  # fmt: skip
