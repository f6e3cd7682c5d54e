"""How a running batch is doing: its three phases, in numbers and sentences, its speed and when it may end. Pure.

A batch first makes its jobs (*seed*), carries them out (*execute*), and is then removed by its monitor job (*close*).
The monitor looks every 30 seconds by default, and a job that failed for good keeps the batch open for ever.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from retriage.store.contract.records import BatchStatistics

POLL = 30
"""``batchPollTime`` of an engine that was not told otherwise, in seconds."""

Phase = Literal["seed", "execute", "close"]
Word = Literal["seed", "execute", "close", "failed", "suspended"]
State = Literal["waiting", "running", "done", "held"]


@dataclass(frozen=True)
class Step:
    """One phase.

    Attributes:
        phase: which one.
        state: *held* means that it will not go on by itself.
        done: how far, of ``total``.
        total: how far it goes.
        sentence: what it does or waits for.
    """

    phase: Phase
    state: State
    done: int
    total: int
    sentence: str


@dataclass(frozen=True)
class Progress:
    """A batch as a screen shows it. All numbers are between 0 and ``total``, whatever the engine said.

    Attributes:
        total: jobs of the whole batch.
        created: jobs that the seed has made.
        completed: jobs that are through (deleted ones count).
        failed: jobs that gave up, a part of the remaining ones.
        waiting: jobs that are still to be carried out, made or not.
        suspended: nothing goes on until the batch is resumed.
    """

    total: int
    created: int
    completed: int
    failed: int
    waiting: int
    suspended: bool

    @property
    def percent(self) -> int:
        """Completed jobs in percent, rounded down, so that 100 means all."""
        return 100 if not self.total else self.completed * 100 // self.total

    @property
    def phase(self) -> Phase:
        """Where it is now."""
        if self.created < self.total:
            return "seed"
        return "execute" if self.completed < self.total else "close"

    @property
    def stuck(self) -> bool:
        """Only failed jobs are left: it stays open until they are retried or deleted."""
        return self.failed > 0 and self.waiting == 0

    @property
    def word(self) -> Word:
        """The phase in one word, or what keeps it from going on: *failed* when only failed jobs are left."""
        if self.suspended:
            return "suspended"
        return "failed" if self.stuck else self.phase

    @property
    def left(self) -> int:
        """Jobs that are not through, failed or not."""
        return self.waiting + self.failed

    def steps(self, poll: int = POLL) -> tuple[Step, Step, Step]:
        """The three phases; ``poll`` is the engine's ``batchPollTime`` in seconds."""
        return (self._seed(), self._execute(), self._close(poll))

    def sentence(self, poll: int = POLL) -> str:
        """What it does now, in one sentence."""
        if self.suspended:
            return "Suspended: nothing goes on until it is resumed."
        if self.stuck:
            return self._kept_open()
        return next(step.sentence for step in self.steps(poll) if step.phase == self.phase)

    def _seed(self) -> Step:
        if self.created >= self.total:
            return Step("seed", "done", self.created, self.total, "All jobs are made.")
        if self.suspended:
            return Step("seed", "held", self.created, self.total, "Suspended: no more jobs are made.")
        sentence = "Jobs are being made, and run as they come."
        return Step("seed", "running", self.created, self.total, sentence)

    def _execute(self) -> Step:
        if self.completed >= self.total:
            return Step("execute", "done", self.completed, self.total, "All jobs are done.")
        if self.suspended or self.stuck:
            sentence = self._kept_open() if self.stuck else "Suspended: no job is taken."
            return Step("execute", "held", self.completed, self.total, sentence)
        state: State = "running" if self.created else "waiting"
        sentence = f"{self.waiting:,} to go" + (f", {self.failed:,} failed." if self.failed else ".")
        return Step("execute", state, self.completed, self.total, sentence)

    def _close(self, poll: int) -> Step:
        left = self.total - self.completed
        if left:
            jobs = "1 job" if left == 1 else f"{left:,} jobs"
            return Step("close", "waiting", 0, 1, f"Waits for {jobs}, then up to {poll} s for its monitor job.")
        if self.suspended:
            return Step("close", "held", 0, 1, "Suspended: its monitor job is not run.")
        return Step("close", "running", 0, 1, f"All done: waits up to {poll} s for its monitor job to close it.")

    def _kept_open(self) -> str:
        jobs = "1 failed job keeps" if self.failed == 1 else f"{self.failed:,} failed jobs keep"
        return f"{jobs} the batch open until retried or deleted."


def progress(batch: BatchStatistics) -> Progress:
    """The progress of a batch.

    Statistics can be odd: with several deployments and several tasks per job the engine makes more jobs than
    ``totalJobs`` says, and ``remainingJobs`` ends below 0.
    """
    total = max(0, batch.total_jobs)
    completed = _between(batch.completed_jobs, total)
    failed = _between(batch.failed_jobs, total - completed)
    return Progress(
        total=total,
        created=_between(batch.jobs_created, total),
        completed=completed,
        failed=failed,
        waiting=total - completed - failed,
        suspended=batch.suspended,
    )


def _between(value: int, most: int) -> int:
    return max(0, min(value, most))


ENOUGH_SAMPLES = 4
ENOUGH_SECONDS = 5.0
WINDOW_SECONDS = 120.0
STOOD_SECONDS = 30.0
STOOD_TIMES = 5.0
"""A batch stands still when nothing was completed for so many seconds, and so many times as long as usual."""
STOOD_UNKNOWN = 60.0
"""The same where it is not known what is usual."""


class Speed:
    """Jobs per second over the last two minutes, told only when enough was seen.

    Enough is four samples over five seconds in which something was completed. A standstill is no part of the time:
    while it lasts no speed is told, and what was before it does not count after it.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()
        self._through = 0.0
        """When something was last completed, or the samples begin."""
        self._waiting = 0
        self._at = 0.0
        self._moved: float | None = None
        self._first: float | None = None
        self._before: Progress | None = None

    def note(self, at: float, now: Progress) -> None:
        """A sample.

        Args:
            at: seconds of a clock that only grows.
            now: the progress at that moment.
        """
        if self._seen and (now.completed < self._seen[-1][1] or now.suspended):
            self._seen.clear()
        if self._seen and now.completed > self._seen[-1][1]:
            if self._stands(at):
                self._seen.clear()
            self._through = at
        elif not self._seen:
            self._through = at
        if self._before is not None and _moved(self._before, now):
            self._moved = at
        self._at, self._before, self._waiting = at, now, now.waiting
        self._first = at if self._first is None else self._first
        if not now.suspended:
            self._seen.append((at, now.completed))
        while self._seen and at - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()

    def per_second(self) -> float | None:
        """Jobs per second, ``None`` as long as that would be a guess."""
        if len(self._seen) < ENOUGH_SAMPLES:
            return None
        (start, before), (end, after) = self._seen[0], self._seen[-1]
        if end - start < ENOUGH_SECONDS or after <= before or self._stands(end):
            return None
        return (after - before) / (end - start)

    def _stands(self, at: float) -> bool:
        """Nothing has been completed for so long that it cannot be called slow any more."""
        (start, before), (_, after) = self._seen[0], self._seen[-1]
        if after <= before:
            return at - self._through >= STOOD_UNKNOWN
        return at - self._through >= max(STOOD_SECONDS, STOOD_TIMES * (self._through - start) / (after - before))

    def seconds_left(self) -> float | None:
        """Until all jobs that can complete have; ``None`` where none can, and as long as that would be a guess."""
        speed = self.per_second()
        return self._waiting / speed if speed is not None and self._waiting else None

    def moved_ago(self) -> float | None:
        """Seconds from the last sample that differed to the last sample; ``None`` before anything has moved."""
        return None if self._moved is None else self._at - self._moved

    def watched(self) -> float:
        """Seconds from the first sample to the last one."""
        return 0.0 if self._first is None else self._at - self._first


def _moved(before: Progress, now: Progress) -> bool:
    """The job executor has done something: made a job, finished one, or failed one for good."""
    return (before.created, before.completed, before.failed) != (now.created, now.completed, now.failed)
