"""Did it help? One sentence from what became of the tasks, short enough for half of a screen. Pure."""

from __future__ import annotations

from console.batches.outcome_counts import OutcomeCounts
from console.text.ink import Ink
from console.text.words import count, things

FEWEST = 5
"""Tasks of which it is known what became of them; below that only the numbers are said."""
FEW = 0.05
"""It helps when at most so great a share failed again: the share that a gate of a run lets pass by default."""
HALF = 0.5
"""It does not help when at least so great a share did."""


def verdict(work: OutcomeCounts) -> tuple[str, Ink]:
    """Whether retrying helped as far as that is known, and how it is written.

    Tasks that are gone count as helped where the engine keeps no log of external tasks, since most of them were
    completed; where it does, they were cancelled or had ended before, and tell nothing.
    """
    done = work.of("done") + (0 if work.told else work.of("gone"))
    again = work.of("again")
    decided = done + again
    if not decided:
        return _undecided(work)
    share = again / decided
    what = "gone" if not work.told else "done"
    if not again:
        return (f"It helps: {count(done)} {what}, none failed again.", "good") if decided >= FEWEST else (
            f"{count(done)} {what}, none failed again: too few to tell.", ""
        )  # fmt: skip
    if decided < FEWEST:
        return f"{count(again)} of {count(decided)} failed again: too few to tell.", "warning"
    failed = f"{_share(share)} of {count(decided)} failed again."
    if share >= HALF:
        return f"It does NOT help: {failed}", "failed"
    return (f"It helps: {failed}", "good") if share <= FEW else (f"It helps in part: {failed}", "warning")


def _undecided(work: OutcomeCounts) -> tuple[str, Ink]:
    """No task was carried out since, as far as is known."""
    if work.of("unknown") == work.total:
        return "Its tasks are being looked at …", "muted"
    if work.of("locked"):
        return f"Not known yet: workers have {things(work.of('locked'), 'task')}.", ""
    if work.of("waiting"):
        return f"Not known yet: {count(work.of('waiting'))} waiting for a worker.", ""
    if work.of("unset"):
        return "Not known yet: no retries are set.", "muted"
    return "No verdict: no task was done or failed.", "muted"


def _share(share: float) -> str:
    percent = share * 100
    return "<1%" if percent < 1 else f"{percent:.0f}%" if percent < 99 or share == 1 else ">98%"
