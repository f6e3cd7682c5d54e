"""The gate after a wave: whether the next one may go. Pure.

Tasks that finish first are no sample of their wave: successes may take a second and failures, on a provider that
stalls, a minute. So a wave passes only when its limit holds in the worst case, with every task that is not decided
counted as failed. It is held early by the lower end of Wilson's score interval of the share that failed again
(https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval), with at least :data:`FEWEST` decided: where
failures come faster than successes it holds too soon, which is the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from retriage.console.operations.work_counts import NO_OBSTACLES, Obstacles, WorkCounts
from retriage.console.text.words import things

FEWEST = 5
"""Decided tasks below which nothing is held early."""
Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""
CRUMB = 1e-9
"""Rounding that is allowed for where a share equals its limit."""

Cause = Literal[
    "failed-again",  # too many failed again
    "new-cause",  # one failed with an error that it did not have before
    "passed",  # few enough failed again, whatever becomes of the rest
    "nothing-decided",  # most tasks tell nothing: they were left out, cancelled, or changed by somebody
    "batch-deleted",  # a batch of the wave was deleted before it had set all of its tasks
    "batch-suspended",  # the watch ended, and a batch of the wave is suspended
    "jobs-failed",  # the watch ended, and jobs of its batch have failed
    "jobs-left",  # the watch ended, and jobs of its batch were not run
    "instances-suspended",  # the watch ended, and all tasks left are suspended with their instances
    "nobody-works",  # the watch ended, and no worker was seen to take any task
    "still-locked",  # the watch ended while workers held tasks
    "retry-time",  # the watch ended while no worker could take tasks, since their retry time was not over
    "undecided",  # the watch ended with tasks waiting
    "early",  # nothing can be said yet
]
Judgement = Literal["watch", "pass", "hold"]


@dataclass(frozen=True)
class Gate:
    """When a run goes on by itself.

    Attributes:
        limit: share of a wave that may fail again, 0 to 1.
        new_cause: a failure with a new error holds by itself.
    """

    limit: float = 0.05
    new_cause: bool = False

    def allows(self, failed: int, of: int) -> bool:
        """Whether so many failures are within the limit."""
        return failed <= self.limit * of + CRUMB


@dataclass(frozen=True)
class Verdict:
    """What the gate says, why, and of which numbers."""

    judgement: Judgement
    cause: Cause
    counts: WorkCounts
    obstacles: Obstacles = NO_OBSTACLES


def wilson(hits: int, number: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share.

    Args:
        hits: how many of them.
        number: out of how many, at least 1.
    """
    share = hits / number
    spread = Z * Z / number
    middle = (share + spread / 2) / (1 + spread)
    reach = Z / (1 + spread) * sqrt(share * (1 - share) / number + spread / (4 * number))
    # Exactly 0 and 1 at the ends, where rounding would leave a crumb.
    return (0.0 if hits == 0 else middle - reach, 1.0 if hits == number else middle + reach)


def judge(
    gate: Gate | None, counts: WorkCounts, *, watch_over: bool, last: bool = False, obstacles: Obstacles = NO_OBSTACLES
) -> Verdict:
    """Whether the next wave may go.

    Args:
        gate: the rule; none of an operation whose units cannot fail again: all of them have to be reached.
        counts: what has become of this wave's tasks.
        watch_over: the watch time has ended.
        last: no wave comes after it. Nothing is gained then by an early pass: it is watched until all tasks are decided
            or the watch time has ended.
        obstacles: what else keeps them from being decided.
    """

    def verdict(judgement: Judgement, cause: Cause) -> Verdict:
        return Verdict(judgement, cause, counts, obstacles)

    if gate is None:
        if obstacles.deleted and counts.open:
            return verdict("hold", "batch-deleted")
        if not counts.open:
            return verdict("pass", "passed")
        return verdict("hold", _undecided(counts, obstacles)) if watch_over else verdict("watch", "early")
    if gate.new_cause and counts.new_cause:
        return verdict("hold", "new-cause")
    if obstacles.deleted:
        return verdict("hold", "batch-deleted")
    if counts.settled >= FEWEST and wilson(counts.again, counts.settled)[0] > gate.limit:
        return verdict("hold", "failed-again")
    if not counts.open:
        return verdict(*_at_the_end(gate, counts, last))
    # Of a wave of which nothing is decided nothing is shown, whatever the limit is.
    at_worst = counts.settled and counts.settled >= counts.apart and gate.allows(counts.at_worst, counts.judged)
    if at_worst and (watch_over or not last):
        return verdict("pass", "passed")
    return verdict("hold", _undecided(counts, obstacles)) if watch_over else verdict("watch", "early")


def _at_the_end(gate: Gate, counts: WorkCounts, last: bool) -> tuple[Judgement, Cause]:
    """No task is open."""
    if not gate.allows(counts.again, counts.settled):
        return "hold", "failed-again"
    if not counts.settled or counts.settled < counts.apart:
        # Nothing failed, but little was shown to work either: no larger wave goes because the tasks of this one were
        # gone or somebody else's. After the last one, of which none was sent, there is nothing to hold.
        return "pass" if last and not counts.total else "hold", "nothing-decided"
    return "pass", "passed"


def _undecided(counts: WorkCounts, obstacles: Obstacles) -> Cause:
    """Why tasks are open at the end of the watch."""
    if counts.not_set and obstacles.suspended:
        return "batch-suspended"
    if counts.not_set and obstacles.jobs_left:
        return "jobs-left"
    if counts.not_set and obstacles.failed_jobs:
        return "jobs-failed"
    if counts.suspended == counts.open:
        return "instances-suspended"
    if counts.locked:
        return "still-locked"
    if counts.delayed:
        return "retry-time"
    return "undecided" if counts.decided or counts.not_set or counts.untold or obstacles.taken else "nobody-works"


def sentence(verdict: Verdict, gate: Gate | None, watch: float, unit: str = "task") -> str:
    """Why the gate holds, for the operator; ids of batches as the engine has them.

    Args:
        verdict: what it says.
        gate: the rule.
        watch: seconds for which the wave was to be watched.
        unit: what is counted.
    """
    counts, obstacles = verdict.counts, verdict.obstacles
    again = f"{counts.again:,} of {things(counts.settled, f'decided {unit}')} failed again{without(counts)}"
    share = f"{100 * counts.again / max(counts.settled, 1):.1f}%, limit {100 * (gate or Gate()).limit:g}%"
    waited, not_set = f"after {watch:g} s", f"{things(counts.not_set, f'{unit} is', f'{unit}s are')} not set"
    suspended = f" {things(counts.suspended, 'of them is', 'of them are')} suspended." if counts.suspended else ""
    match verdict.cause:
        case "failed-again":
            new = f", {counts.new_cause:,} with a new error" if counts.new_cause else ""
            return f"{again} ({share}{new})."
        case "new-cause":
            return f"{things(counts.new_cause, unit)} failed again with a new error."
        case "nothing-decided":
            if counts.settled:
                return f"Too few {unit}s tell whether it helped; {again}."
            all = "all were left out, or ended without completing"
            return f"No {unit} shows whether it helped: {all}{without(counts)}."
        case "batch-deleted":
            by = f" by {obstacles.deleted_by}" if obstacles.deleted_by else ""
            return f"Batch {obstacles.deleted} was deleted{by}: {not_set}, and will not be."
        case "batch-suspended":
            return f"Batch {obstacles.suspended} is suspended: {waited} {not_set}."
        case "jobs-failed":
            return f"{things(obstacles.failed_jobs, 'job')} of its batch failed: {waited} {not_set}."
        case "jobs-left":
            jobs = things(obstacles.jobs_left, "job of its batch has not run", "jobs of its batch have not run")
            return f"{jobs} {waited}: the job executor is off, or busy elsewhere; {not_set}."
        case "instances-suspended":
            return f"All {things(counts.open, f'open {unit}')} are suspended with their instances, {waited}."
        case "nobody-works" if unit == "job":
            return f"The job executor is off, or busy elsewhere: {waited} no job was taken.{suspended}"
        case "nobody-works":
            return f"Nobody works on these topics: {waited} no task was taken.{suspended}"
        case "still-locked":
            return f"Still locked {waited}: {things(counts.locked, unit)}; {again}.{suspended}"
        case "retry-time" if unit == "job":
            jobs = things(counts.delayed, "job is", "jobs are")
            return f"{waited.capitalize()} {jobs} not due yet; {again}.{suspended}"
        case "retry-time":
            tasks = things(counts.delayed, "task waits for its", "tasks wait for their")
            return f"{waited.capitalize()} {tasks} retry time, which U takes off; {again}.{suspended}"
        case _ if gate is None:
            return f"{waited.capitalize()} {not_set}, though no batch sets them any more."
        case _:
            untold = f" Nothing shows how {things(counts.untold, unit)} ended." if counts.untold else ""
            return f"Not decided {waited}: {things(counts.open, unit)}; {again}.{untold}{suspended}"


def without(counts: WorkCounts) -> str:
    """Tasks that the gate does not judge like the others, as the end of a sentence; empty where there are none."""
    parts = (
        f"{counts.changed:,} changed by somebody" if counts.changed else "",
        f"{counts.cancelled:,} cancelled" if counts.cancelled else "",
        f"{counts.unknown:,} gone, outcome not kept" if counts.unknown else "",
        f"{counts.gone:,} ended before" if counts.gone else "",
    )
    text = ", ".join(filter(None, parts))
    return f" ({text})" if text else ""
