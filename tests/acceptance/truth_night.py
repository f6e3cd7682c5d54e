"""The night of the truth walk: its tasks, its commands, all figures that were shown, and which of them are not so."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any

from tests.acceptance.test_run_night import PROFILE, Shell
from tests.acceptance.truth_books import OPEN, Books
from tests.acceptance.truth_crew import EXPIRED, OUTAGE, Crew, Fate

LOOK = 10.0
"""Seconds within which a figure without a time of its own was looked at, and for which a look may last."""
FIGURES = ("done", "again", "changed", "cancelled", "unknown", *OPEN, "newCause", "suspended")
GATE_FIGURES = (*FIGURES, "judged", "atWorst")


def stalling(number: int, attempt: int) -> Fate:
    """Successes at once; three of five fail, after seconds, some of a new cause."""
    if number % 5 >= 3:
        return Fate(0.05)
    return Fate(2.5, EXPIRED if number % 5 == 0 else _outage(number))


def bimodal(number: int, attempt: int) -> Fate:
    """Both ends come at once or late; one of twelve fails."""
    late = 2.5 if number % 2 else 0.05
    return Fate(late, _outage(number)) if number % 12 in (0, 13) else Fate(late)


def twice(number: int, attempt: int) -> Fate:
    """Every fourth fails with a retry left, which comes after its retry time and helps."""
    return Fate(0.3, _outage(number), retries=1, retry_time=6000) if number % 4 == 0 and not attempt else Fate(0.05)


def _outage(number: int) -> str:
    return f"{OUTAGE}: request {number}"


FATES = {"stalling": stalling, "bimodal": bimodal, "twice": twice, "delayed": lambda number, attempt: Fate(0.05)}
WORLD = {
    "stalling": (70, 0), "bimodal": (60, 0), "twice": (24, 0), "delayed": (20, 1_800_000), "hands": (24, 0),
    "deleted": (61, 0), "paused": (47, 0), "instances": (11, 0), "slow": (12, 0),
}  # fmt: skip
"""Topic -> its tasks, and the retry time of their last failure in ms; a topic without a fate has no workers."""


@dataclass
class Told:
    """A figure or more that were told.

    Attributes:
        read: when that was read.
        what: names and values.
        at: as of when it says it is.
    """

    read: float
    where: str
    what: dict[str, Any]
    at: float | None
    run: int
    wave: int | None = None


@dataclass
class Night:
    """One engine, its books, and the operator's shell.

    Attributes:
        told: all figures that were told, by whatever way.
        steps: run, wave and state of the steps of waves, and when they were read.
    """

    crew: Crew
    books: Books
    shell: Shell
    told: list[Told] = field(default_factory=list)
    steps: list[tuple[float, int, int, str]] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    commands: list["Command"] = field(default_factory=list)

    def leave(self) -> None:
        """The night is over; commands that a failure has left behind end."""
        self.over.set()
        for command in self.commands:
            command.leave()

    # -- which tasks ------------------------------------------------------------------------------------------------

    def wave(self, run: int, wave: int | None = None) -> list[str]:
        """Tasks of a wave that were not left out; without a number, those of all waves that were begun."""
        begun = f"SELECT wave FROM run_wave WHERE run_id = {run} AND counts <> ''"
        which = f" AND wave = {wave}" if wave is not None else f" AND wave IN ({begun})"
        found = self.shell.asked(f"SELECT task_id FROM run_task WHERE run_id = {run} AND left_out = ''{which}")
        return [row[0] for row in found]

    def wait(self, what: Callable[[], object], said: str, patience: float = 60.0) -> None:
        deadline = time.time() + patience
        while not what():
            assert time.time() < deadline, said
            time.sleep(0.1)

    def are_set(self, ids: Sequence[str]) -> bool:
        """The engine showed all of these tasks with their new retries."""
        last = self.books.sights[-1].tasks
        return all(last.get(id, (0, 0.0))[0] for id in ids)

    # -- commands ---------------------------------------------------------------------------------------------------

    def order(self, topic: str, waves: str, *more: str) -> "Command":
        """Begin a run over a topic."""
        number, query = WORLD[topic][0], f"topic:{topic} retries:0"
        words = ["run", "--profile", PROFILE, "--query", query, "--waves", waves, "--json", "--yes"]
        words += ["--count", str(number), "--reason", "INC-4412", *(() if "--retries" in more else ("--retries", "1"))]
        return Command(self, [*words, *more], topic)

    def resume(self, run: int, topic: str) -> "Command":
        """Go on with a run that is held, whatever its gate says."""
        return Command(self, ["watch", str(run), "--profile", PROFILE, "--resume", "--yes", "--json"], topic, run)

    def read_runs(self) -> None:
        """What ``runs --json`` says."""
        code, shown, said = self.shell.run("runs", "--json")
        assert code == 0, said
        read = time.time()
        for run in shown:
            self.told.append(Told(read, f"runs --json: run {run['run']}", run, _epoch(run), run["run"]))
            for one in run["waves"]:
                if one["state"] not in ("planned", "dropped"):
                    where = f"runs --json: run {run['run']} wave {one['wave']}"
                    self.told.append(Told(read, where, one, _epoch(one), run["run"], one["wave"]))

    def journal(self) -> list[Told]:
        """What the journal's file says of waves now."""
        question = "SELECT run_id, wave, counts, counted_at FROM run_wave WHERE counts <> '' AND state <> 'sending'"
        found, read = self.shell.asked(question), time.time()
        return [
            Told(read, f"journal: run {run} wave {wave}", json.loads(counts), at / 1000 if at else None, run, wave)
            for run, wave, counts, at in found
        ]

    def read_journal(self) -> None:
        """Read the journal's file until the night is over."""
        while not self.over.wait(1.5):
            if self.steps:  # before the first wave its tables may not be made yet
                self.told += self.journal()

    # -- what is not so ---------------------------------------------------------------------------------------------

    def lies(self, one: Told) -> list[str]:
        """What of some figures is not so."""
        begin = one.at - 0.3 if one.at is not None else one.read - LOOK
        # A sum over waves names those that are older than the others.
        begin = min([begin, *(_moment(at) - 0.3 for at in one.what.get("olderWaves", {}).values())])
        end = one.read if one.at is None else min(one.read, one.at + LOOK)
        names = GATE_FIGURES if "atWorst" in one.what else FIGURES
        if "screen" in one.where:
            names = ("done", "again", "waiting+delayed+notSet", "locked", "unknown+cancelled+changed")
        where = one.where if one.at is None else f"{one.where} as of {one.at:.1f}"
        return self.books.lies(one.what, self.wave(one.run, one.wave), begin, end, where, names)

    def passes(self, limit: dict[int, float]) -> list[str]:
        """Waves that the gate let through though they were not within its limit in the worst case."""
        found = []
        for read, run, wave, state in self.steps:
            ids = self.wave(run, wave)
            if state != "passed" or not ids:
                continue
            told = {"atWorst": int(limit[run] * len(ids))}
            lie = self.books.lies(told, ids, read - LOOK, read, f"run {run} wave {wave} passed", ("atWorst",))
            least = re.search(r"in truth (\d+)", lie[0]) if lie else None
            if least is not None and int(least[1]) > told["atWorst"]:
                found += lie
        return found

    def outcomes(self) -> list[str]:
        """Tasks of which the journal says that something else became than did."""
        words = {"new": "again"}
        rows = self.shell.asked("SELECT run_id, wave, task_id, outcome FROM run_task WHERE outcome <> ''")
        return [
            f"journal: run {run} wave {wave} task {id} is {outcome}, in truth {self.books.now(id)}: {self.books.of(id)}"
            for run, wave, id, outcome in rows
            if words.get(outcome, outcome) != self.books.now(id)
        ]


def _epoch(record: dict[str, Any]) -> float | None:
    return _moment(record["at"]) if record.get("at") else None


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class Command:
    """A command that drives a run, each line read as it comes.

    Args:
        night: whose.
        words: the command.
        topic: for messages.
        run: its number, where it is known.
    """

    def __init__(self, night: Night, words: list[str], topic: str, run: int = 0) -> None:
        self.night = night
        self.topic = topic
        self.run = run
        self.last: dict[str, Any] = {}
        self.process: subprocess.Popen[str] = night.shell.start(*words)
        night.commands.append(self)

    def until(self, wave: int | None = None, state: str = "") -> None:
        """Read until a wave is so far, or to the end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            read, self.last = time.time(), json.loads(line)
            self._keep(read, self.last)
            if wave is not None and (self.last.get("wave"), self.last.get("state")) == (wave, state):
                return
        assert wave is None, f"{self.topic}: wave {wave} was never {state}; {self.last}"

    def _keep(self, read: float, event: dict[str, Any]) -> None:
        what = event["event"]
        if what == "plan":
            self.run = event["run"]
        elif what == "wave":
            self.night.steps.append((read, self.run, event["wave"], event["state"]))
        elif what in ("outcome", "held", "end"):
            where = f"--json {self.topic}: run {self.run} {what} {event.get('wave', '')}"
            self.night.told.append(Told(read, where, event, _epoch(event), self.run, event.get("wave")))

    def leave(self) -> None:
        """Nobody reads it any more."""
        self.process.kill()
        self.process.communicate()

    def end(self) -> tuple[int, str]:
        """Read to the end: the exit code, and the cause or state of the last event."""
        self.until()
        _, said = self.process.communicate(timeout=60)
        code = self.process.returncode
        assert self.last, f"{self.topic}: {said}"
        return code, self.last.get("cause") or self.last.get("state", "")
