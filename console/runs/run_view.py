"""A run as a screen or a command shows it: how far it is, its waves in numbers, and why it does not go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from console.runs.driver_name import is_dead
from console.runs.events import counts_of
from console.runs.gate import WorkCounts

if TYPE_CHECKING:
    from store.journal import Run, Runs, RunWave

Word = Literal["preparing", "running", "interrupted", "held", "passed", "stopped", "void"]
"""What a run is called: ``interrupted`` is held because whoever drove it is gone; ``void`` was never written down
wholly, and has sent nothing."""
INTERRUPTED = "Held after an interruption: the console that drove it is gone. Nothing more is sent until it is resumed."
VOID = "It was interrupted while its tasks were written down, and has sent nothing."


@dataclass(frozen=True)
class WaveView:
    """A wave: its number, how far it is, how many tasks, what became of them, why -> how many were left out, seconds
    for which it was watched, and when it was begun and over."""

    wave: int
    state: str
    tasks: int
    counts: WorkCounts
    left_out: Mapping[str, int]
    watched: float
    began_at: datetime | None = None
    ended_at: datetime | None = None


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
    def counts(self) -> WorkCounts:
        """What has become of its tasks, over all waves."""
        return total(wave.counts for wave in self.waves)


def total(counts: Iterable[WorkCounts]) -> WorkCounts:
    """The sum of several counts."""
    numbers: Counter[str] = Counter()
    for one in counts:
        numbers.update(vars(one))
    return WorkCounts(**numbers)


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
            one.wave, one.state, one.tasks, counts_of(one.counts), one.left_out, one.watched, one.began_at, one.ended_at
        )
        for one in waves
    ]
    return RunView(run, word, said, shown, busy)


async def read_run(runs: Runs, run_id: int) -> RunView | None:
    """A run of the journal; nothing where there is none of this number."""
    run = await runs.run(run_id)
    return None if run is None else view_of(run, await runs.waves(run_id), datetime.now(UTC))
