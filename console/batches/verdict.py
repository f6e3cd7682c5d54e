"""Did it help? One sentence from what became of the tasks, short enough for half of a screen. Pure."""

from __future__ import annotations

from retriage.console.batches.outcome_counts import OutcomeCounts
from retriage.console.text.ink import Ink
from retriage.console.text.words import count, things

FEWEST = 5
"""Tasks of which it is known what became of them; below that only the numbers are said."""
FEW = 0.05
"""It helps when at most so great a share failed again: the share that a gate of a run lets pass by default."""
HALF = 0.5
"""It does not help when at least so great a share did."""


def verdict(work: OutcomeCounts) -> tuple[str, Ink]:
    """Whether retrying helped as far as that is known, and how it is written.

    Tasks that are gone count as helped where no history says how, since most of them were completed; cancelled ones,
    and those whose retries somebody changed, tell nothing.
    """
    done = work.of("done") + work.of("unkept")
    again = work.of("again")
    decided = done + again
    if not decided:
        return _undecided(work)
    share, open = again / decided, work.total - work.through
    what = "gone" if work.of("unkept") else "done"
    if not again and decided < FEWEST:
        return f"{count(done)} {what}, none failed again: too few to tell.", ""
    if decided < FEWEST:
        return f"{count(again)} of {count(decided)} failed again: too few to tell.", "warning"
    helps, ink = _helps(share)
    if open:
        so_far = f"{_share(share)} again" if again else f"{count(done)} {what}"
        return f"{helps}: {so_far}, {count(open)} open.", ink
    came = f"{_share(share)} of {count(decided)} failed again" if again else f"{count(done)} {what}, none failed again"
    return f"{helps}: {came}.", ink


def _helps(share: float) -> tuple[str, Ink]:
    if share >= HALF:
        return "Not working", "failed"
    return ("It helps", "good") if share <= FEW else ("It helps in part", "warning")


def _undecided(work: OutcomeCounts) -> tuple[str, Ink]:
    """No task was carried out since, as far as is known."""
    if work.of("unknown") == work.total:
        return "Its tasks are being looked at …", "muted"
    if work.of("locked"):
        return f"Not known yet: workers have {things(work.of('locked'), 'task')}.", ""
    if work.of("delayed"):
        return f"Not known yet: {count(work.of('delayed'))} in their retry time.", ""
    if work.of("waiting"):
        return f"Not known yet: {count(work.of('waiting'))} waiting for a worker.", ""
    if work.of("unset"):
        return "Not known yet: no retries are set.", "muted"
    return "No verdict: no task was done or failed.", "muted"


def _share(share: float) -> str:
    percent = share * 100
    return "<1%" if percent < 1 else f"{percent:.0f}%" if percent < 99 or share == 1 else ">98%"
