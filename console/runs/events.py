"""What happens in a run, as values: a screen draws them, a command prints them as lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from retriage.console.operations.work_counts import WorkCounts

if TYPE_CHECKING:
    from retriage.console.operations.operation import Operation


@dataclass(frozen=True)
class RunPlanned:
    """It is known what the run would do.

    Attributes:
        run: its number; ``None`` while it is not written down.
        title: what was chosen, in words.
        tasks: how many tasks it has.
        waves: how many each wave has.
        operation: what is done.
        left_out: why -> how many tasks of the selection it does not have.
        gate: share of a wave that may fail again.
        watch: seconds for which a wave is watched.
        pace: tasks a minute, if it has a pace.
        also: what else it changes -> how much, as :attr:`Operation.also` names it.
        lost: what cannot be known of its outcome on this engine, in a sentence; empty where everything can.
        instances: of tasks whose process instances are changed before, how many those are.
    """

    run: int | None
    title: str
    tasks: int
    waves: tuple[int, ...]
    operation: Operation
    left_out: Mapping[str, int] = field(default_factory=dict)
    gate: float = 0.0
    watch: float = 0.0
    pace: float | None = None
    also: Mapping[str, int] = field(default_factory=dict)
    lost: str = ""
    instances: int | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "plan", "run": self.run, "title": self.title, "tasks": self.tasks, "waves": list(self.waves),
            "do": self.operation.name, "instances": self.tasks if self.operation.unit == "instance" else self.instances,
            "retries": self.operation.retries, "leftOut": dict(self.left_out), "gate": self.gate, "watch": self.watch,
            "pace": self.pace, "also": dict(self.also), "variables": list(self.operation.variables), "lost": self.lost,
        }  # fmt: skip


@dataclass(frozen=True)
class WaveStep:
    """A wave has got a step further.

    Attributes:
        run: the run.
        wave: its number, from 1.
        state: how far it is.
        tasks: how many tasks it has.
        sent: how many of them were sent: by the batch in the state *sent*, by all batches by now in any other.
        batch: that batch, or the newest one.
        left_out: why -> how many were left out just now.
        operation: what is done to them.
    """

    run: int
    wave: int
    state: str
    tasks: int
    sent: int = 0
    batch: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    operation: Operation | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "wave", "run": self.run, "wave": self.wave, "state": self.state, "tasks": self.tasks,
            "sent": self.sent, "batch": self.batch, "leftOut": dict(self.left_out),
        }  # fmt: skip


@dataclass(frozen=True)
class WaveOutcome:
    """What has become of the tasks of a wave; all that may still change were looked at since ``at``."""

    run: int
    wave: int
    counts: WorkCounts
    at: datetime | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "outcome", "run": self.run, "wave": self.wave, "at": moment(self.at),
            **numbers(self.counts), **worst_case(self.counts),
        }  # fmt: skip


@dataclass(frozen=True)
class RunHeld:
    """It goes on when somebody says so: why, in a word and in a sentence."""

    run: int
    wave: int | None
    cause: str
    said: str
    counts: WorkCounts = field(default_factory=WorkCounts)
    at: datetime | None = None

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "held", "run": self.run, "wave": self.wave, "cause": self.cause, "said": self.said,
            "at": moment(self.at),
            **numbers(self.counts), **worst_case(self.counts),
        }  # fmt: skip


@dataclass(frozen=True)
class RunEnded:
    """Nothing of it is sent any more. The numbers are of all of its waves, as of ``at`` but for those in ``older``."""

    run: int
    state: str
    said: str
    counts: WorkCounts = field(default_factory=WorkCounts)
    cause: str = ""
    at: datetime | None = None
    older: Mapping[int, datetime] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "event": "end", "run": self.run, "state": self.state, "cause": self.cause, "said": self.said,
            "at": moment(self.at), "olderWaves": moments(self.older),
            **numbers(self.counts),
        }  # fmt: skip


RunEvent = RunPlanned | WaveStep | WaveOutcome | RunHeld | RunEnded


def moment(at: datetime | None) -> str | None:
    """Since when every task that may still change was looked at, as JSON."""
    return at.isoformat() if at is not None else None


def moments(older: Mapping[int, datetime]) -> dict[str, str]:
    """Waves whose counts are older than those of the others, as JSON."""
    return {str(wave): at.isoformat() for wave, at in older.items()}


def numbers(counts: WorkCounts) -> dict[str, int]:
    """The counts by state, as JSON and the journal name them."""
    return {
        "done": counts.done, "again": counts.again, "newCause": counts.new_cause, "waiting": counts.waiting,
        "locked": counts.locked, "notSet": counts.not_set, "cancelled": counts.cancelled, "unknown": counts.unknown,
        "changed": counts.changed, "delayed": counts.delayed, "suspended": counts.suspended, "gone": counts.gone,
        "untold": counts.untold,
    }  # fmt: skip


def worst_case(counts: WorkCounts) -> dict[str, int]:
    """By what the gate lets a wave pass: failures in the worst case, and of how many tasks."""
    return {"atWorst": counts.at_worst, "judged": counts.judged}


def counts_of(numbers: Mapping[str, int]) -> WorkCounts:
    """The counts that such numbers tell; what is no count is passed over, since a hand-over file may hold anything."""
    told = {"newCause": "new_cause", "notSet": "not_set"}
    named = {told.get(name, name): number for name, number in numbers.items()}
    known = WorkCounts.__dataclass_fields__
    return WorkCounts(**{name: number for name, number in named.items() if name in known and isinstance(number, int)})
