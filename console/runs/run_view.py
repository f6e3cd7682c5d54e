"""A run as a screen or a command shows it: how far it is, its waves in numbers, and why it does not go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from retriage.console.operations.known import operation_of
from retriage.console.operations.work_counts import WorkCounts
from retriage.console.runs.driver_name import is_dead
from retriage.console.runs.events import counts_of
from retriage.console.runs.gate import Gate
from retriage.console.text.words import clock, things

if TYPE_CHECKING:
    from retriage.console.operations.operation import Operation
    from retriage.store.journal import Launch, Run, RunCause, Runs, RunState, RunStep, RunWave

Word = Literal["preparing", "running", "interrupted", "held", "passed", "finished", "stopped", "void"]
"""What a run is called: ``interrupted`` is held because whoever drove it is gone; ``void`` was never written down
wholly, and has sent nothing."""
INTERRUPTED = "Held after an interruption: the console that drove it is gone. Nothing more is sent until it is resumed."
NOTHING_SENT = "nothing-sent"
"""How a run ended of which no task was sent."""
VOID = "It was interrupted while its tasks were written down, and has sent nothing."


@dataclass(frozen=True)
class WaveView:
    """A wave: its number, how far it is, how many tasks, what became of them, why -> how many were left out, seconds
    for which it was watched, when it was begun and over, and since when all tasks that may still change were looked
    at."""

    wave: int
    state: str
    tasks: int
    counts: WorkCounts
    left_out: Mapping[str, int]
    watched: float
    began_at: datetime | None = None
    ended_at: datetime | None = None
    counted_at: datetime | None = None


@dataclass(frozen=True)
class RunView:
    """A run.

    Attributes:
        run: as the journal has it.
        word: what it is called.
        said: why it does not go on, or how it ended; empty while it goes on.
        waves: its waves, in their order.
        driven: somebody drives it now.
    """

    run: Run
    word: Word
    said: str
    waves: Sequence[WaveView]
    driven: bool

    @property
    def operation(self) -> Operation:
        """What it does."""
        return operation_of(self.run)

    @property
    def counts(self) -> WorkCounts:
        """What has become of its units, over all waves."""
        return total(wave.counts for wave in self.waves)

    @property
    def counted_at(self) -> datetime | None:
        """As of when its counts are, but for those of the waves in ``older``."""
        return max((at for one in self.waves if (at := one.counted_at) is not None), default=None)

    @property
    def older(self) -> Mapping[int, datetime]:
        """Waves with open tasks whose counts are of an earlier look -> as of when they are."""
        return {
            one.wave: at
            for one in self.waves
            if (at := one.counted_at) is not None and one.counts.open and at != self.counted_at
        }

    @property
    def as_of(self) -> str:
        """As of when its counts are, in words; empty before the first look."""
        return f"as of {clock(self.counted_at)}{self.older_said}" if self.counted_at is not None else ""

    @property
    def older_said(self) -> str:
        """The waves with older counts, as the end of that sentence; empty where the clock shows the same."""
        newest = clock(self.counted_at) if self.counted_at is not None else ""
        older = [wave for wave, at in self.older.items() if clock(at) != newest]
        if not older:
            return ""
        several = len(older) > 1
        oldest = f"{clock(min(self.older.values()))}{' or later' if several else ''}"
        return f", wave{'s' if several else ''} {', '.join(map(str, older))} as of {oldest}"


def total(counts: Iterable[WorkCounts]) -> WorkCounts:
    """The sum of several counts."""
    numbers: Counter[str] = Counter()
    for one in counts:
        numbers.update(vars(one))
    return WorkCounts(**numbers)


def left_out_said(left_out: Mapping[str, int], operation: Operation) -> str:
    """How many units were left out and why."""
    return ", ".join(f"{number:,} {operation.why_left_out.get(why, why)}" for why, number in left_out.items())


def how_it_ended(operation: Operation, waves: Sequence[RunWave], sent: int) -> tuple[RunState, str, str]:
    """State, cause and sentence of a run all waves of which are over.

    Args:
        operation: what it does.
        waves: its waves.
        sent: batches that were sent.
    """
    if not sent:
        left_out: Counter[str] = Counter()
        for wave in waves:
            left_out.update(wave.left_out)
        return (
            "finished",
            NOTHING_SENT,
            f"Nothing was sent: {left_out_said(left_out, operation) or f'it has no {operation.unit}s'}.",
        )
    number = Counter(wave.state for wave in waves)
    released, skipped = number["released"], number["skipped"]
    if not released and not skipped:
        return "passed", "passed", "Every wave went through."
    let = [f"{things(released, 'wave')} released"] if released else []
    let += [f"{things(skipped, 'wave')} not judged"] if skipped else []
    return "finished", "released" if released else "skipped", f"{' and '.join(let)} by the operator."


def gate_of(run: Run) -> Gate | None:
    """When it goes on by itself; ``None`` of an operation whose units cannot fail again."""
    return Gate(run.gate, run.new_cause) if operation_of(run).gated else None


def driven(run: Run, now: datetime) -> bool:
    """Somebody drives it: their time is not over, and they are not known to be gone."""
    return bool(run.driver) and run.driven_until is not None and run.driven_until >= now and not is_dead(run.driver)


def view_of(run: Run, waves: Sequence[RunWave], now: datetime) -> RunView:
    """A run as it is shown.

    Args:
        run: as the journal has it.
        waves: its waves.
        now: by the journal's clock.
    """
    busy = driven(run, now)
    word: Word = run.state
    said = run.said
    if run.state == "running" and not busy:
        word, said = "interrupted", INTERRUPTED
    elif run.state == "preparing" and not busy:
        word, said = "void", VOID
    shown = [
        WaveView(
            one.wave,
            one.state,
            one.tasks,
            counts_of(one.counts),
            one.left_out,
            one.watched,
            one.began_at,
            one.ended_at,
            one.counted_at,
        )
        for one in waves
    ]
    return RunView(run, word, said, shown, busy)


async def read_run(runs: Runs, run_id: int) -> RunView | None:
    """A run of the journal; nothing where there is none of this number."""
    run = await runs.run(run_id)
    return None if run is None else view_of(run, await runs.waves(run_id), datetime.now(UTC))


@dataclass(frozen=True)
class RunRecords:
    """What the journal holds of a run: itself with its waves, why its units had failed, its launches and those that
    set it back, its steps."""

    view: RunView
    causes: Sequence[RunCause]
    launches: Sequence[Launch]
    undos: Sequence[Launch]
    steps: Sequence[RunStep]
    other: RunView | None = None
    """The other part of a run of two parts; ``None`` also where the journal does not hold it."""

    @property
    def batches(self) -> dict[int, str]:
        """Wave -> the last batch that was made of it."""
        return {one.wave: one.batch_id for one in self.launches if one.wave is not None and one.batch_id is not None}

    @property
    def other_said(self) -> str:
        """Where the other part is and how it stands, in sentences; empty for a run that is no part."""
        part, number = self.view.run.part, self.view.run.other_part
        if not part:
            return ""
        this, that = f"Part {part} of 2.", f"Part {3 - part}"
        if number is None:
            return f"{this} {that} is not in this journal."
        if self.other is None:
            return f"{this} {that}, run {number}, is not in this journal any more."
        other = self.other
        waves = sum(one.state not in ("planned", "dropped") for one in other.waves)
        how = "not begun" if other.word == "void" else other.word
        place = "" if other.run.over else f" at wave {waves} of {len(other.waves)}"
        return f"{this} {that}, run {number}: {other.operation.units(other.run.listed or 0)}, {how}{place}."


async def read_records(runs: Runs, number: int) -> RunRecords | None:
    """All of a run; nothing where there is none of this number.

    Raises:
        SQLAlchemyError: the journal cannot be read.
    """
    view = await read_run(runs, number)
    if view is None:
        return None
    other = None if view.run.other_part is None else await read_run(runs, view.run.other_part)
    return RunRecords(
        view,
        await runs.causes(number),
        await runs.launches(number),
        await runs.undos(number),
        await runs.steps(number),
        other,
    )
