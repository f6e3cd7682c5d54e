"""What happens in a run, as values: a screen draws them, a command prints them as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.runs.gate import WorkCounts


@dataclass(frozen=True)
class RunPlanned:
    """It is known what the run would do.

    Attributes:
        run: its number; ``None`` while it is not written down.
        title: what was chosen, in words.
        tasks: how many tasks it has.
        waves: how many each wave has.
        retries: the value to set.
        left_out: why -> how many tasks of the selection it does not have.
        gate: share of a wave that may fail again.
        watch: seconds for which a wave is watched.
        pace: tasks a minute, if it has a pace.
    """

    run: int | None
    title: str
    tasks: int
    waves: tuple[int, ...]
    retries: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    gate: float = 0.0
    watch: float = 0.0
    pace: float | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "plan", "run": self.run, "title": self.title, "tasks": self.tasks, "waves": list(self.waves),
            "retries": self.retries, "leftOut": dict(self.left_out), "gate": self.gate, "watch": self.watch,
            "pace": self.pace,
        }  # fmt: skip


@dataclass(frozen=True)
class WaveStep:
    """A wave has got a step further.

    Attributes:
        run: the run.
        wave: its number, from 1.
        state: how far it is.
        tasks: how many tasks it has.
        sent: how many of them were sent by the batch, if one was.
        batch: the batch.
        left_out: why -> how many were left out just now.
    """

    run: int
    wave: int
    state: str
    tasks: int
    sent: int = 0
    batch: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "wave", "run": self.run, "wave": self.wave, "state": self.state, "tasks": self.tasks,
            "sent": self.sent, "batch": self.batch, "leftOut": dict(self.left_out),
        }  # fmt: skip


@dataclass(frozen=True)
class WaveOutcome:
    """What has become of the tasks of a wave by now."""

    run: int
    wave: int
    counts: WorkCounts

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {"event": "outcome", "run": self.run, "wave": self.wave, **numbers(self.counts)}


@dataclass(frozen=True)
class RunHeld:
    """It goes on when somebody says so: why, in a word and in a sentence."""

    run: int
    wave: int | None
    cause: str
    said: str
    counts: WorkCounts = field(default_factory=WorkCounts)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "held", "run": self.run, "wave": self.wave, "cause": self.cause, "said": self.said,
            **numbers(self.counts),
        }  # fmt: skip


@dataclass(frozen=True)
class RunEnded:
    """Nothing of it is sent any more. The numbers are of all of its waves."""

    run: int
    state: str
    said: str
    counts: WorkCounts = field(default_factory=WorkCounts)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {"event": "end", "run": self.run, "state": self.state, "said": self.said, **numbers(self.counts)}


RunEvent = RunPlanned | WaveStep | WaveOutcome | RunHeld | RunEnded


def numbers(counts: WorkCounts) -> dict[str, int]:
    """The counts by state, as JSON and the journal name them."""
    return {
        "done": counts.done, "again": counts.again, "newCause": counts.new_cause, "waiting": counts.waiting,
        "locked": counts.locked, "notSet": counts.not_set, "cancelled": counts.cancelled, "unknown": counts.unknown,
    }  # fmt: skip


def counts_of(numbers: Mapping[str, int]) -> WorkCounts:
    """The counts that such numbers tell."""
    told = {"newCause": "new_cause", "notSet": "not_set"}
    return WorkCounts(**{told.get(name, name): number for name, number in numbers.items()})
