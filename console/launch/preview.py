"""What becomes of the tasks of a launch, group by group. Pure."""

from dataclasses import dataclass
from typing import Literal

from console.launch.counts import SelectionCounts

Tone = Literal["good", "plain", "warning"]
GROUPS = 3
"""So many groups of tasks with retries left are told one by one, the largest ones."""


@dataclass(frozen=True)
class PreviewClass:
    """What becomes of some of the tasks.

    Attributes:
        count: how many; with ``at_most`` there may be fewer.
        label: which ones, "tries 0 -> 3".
        effect: what it means for them.
        tone: whether that is what the operator wants.
        at_most: the engine could not be asked exactly.
        overlaps: these tasks are counted in another line as well (locked, suspended).
    """

    count: int
    label: str
    effect: str
    tone: Tone = "plain"
    at_most: bool = False
    overlaps: bool = False


def preview_classes(facts: SelectionCounts, value: int, apart: bool) -> list[PreviewClass]:
    """The groups that are taken, but those that would lose retries: they are told apart.

    Args:
        facts: what was counted.
        value: the retries to set.
        apart: all that have retries left, or never failed, are told elsewhere.
    """
    told = [_failed(facts, value)]
    if not apart:
        told += _with_retries(facts, value)
    told += _held(facts, apart)
    return [effect for effect in told if effect.count]


def lowered_class(facts: SelectionCounts, value: int, by_query: bool) -> PreviewClass:
    """Those that have more retries than will be set; of a query all that have some left, since it cannot tell them
    apart."""
    loss = "LOWERED to 0, an incident each" if value == 0 else "LOWERED"
    if not facts.looked:
        return PreviewClass(facts.retries_left, "tries left, or never failed", f"some {loss}", "warning")
    more = {has: number for has, number in facts.retries.items() if has is not None and has > value}
    span = str(min(more)) if len(more) == 1 else f"{min(more)}-{max(more)}"
    if by_query and facts.retries_left > sum(more.values()):
        # What matters first: a narrow screen cuts the end off.
        effect = f"{sum(more.values()):,} {loss}" + (f" {span} -> {value}" if value else "")
        return PreviewClass(facts.retries_left, "tries left, or never failed", effect, "warning")
    tries = "try" if span == "1" else "tries"
    return PreviewClass(sum(more.values()), f"now have {span} {tries}", f"{span} -> {value} {loss}", "warning")


def gone_class(facts: SelectionCounts) -> PreviewClass:
    """Those that are named and do not exist."""
    return PreviewClass(facts.gone, "gone since listing", "would wedge the batch", "warning")


def _failed(facts: SelectionCounts, value: int) -> PreviewClass:
    if value == 0:
        return PreviewClass(facts.no_retries, "tries 0 -> 0", "nothing changes for them")
    return PreviewClass(facts.no_retries, f"tries 0 -> {value}", "incident closes, fetchable again", "good")


def _with_retries(facts: SelectionCounts, value: int) -> list[PreviewClass]:
    if not facts.looked:
        return []
    kept = {has: n for has, n in facts.retries.items() if has is not None and has <= value}
    groups = sorted(kept.items(), key=lambda group: -group[1])
    told = [_changed(has, value, number) for has, number in groups[:GROUPS]]
    others = sum(number for _, number in groups[GROUPS:])
    told.append(PreviewClass(others, "other retries left", f"set to {value}"))
    never = facts.retries.get(None, 0)
    if value == 0:
        told.append(PreviewClass(never, "never failed (-) -> 0", "raises an incident", "warning"))
    else:
        told.append(PreviewClass(never, f"never failed (-) -> {value}", "has no need of it", "warning"))
    return told


def _changed(before: int, after: int, count: int) -> PreviewClass:
    return PreviewClass(count, f"tries {before} -> {after}", "unchanged" if after == before else "raised")


def _held(facts: SelectionCounts, apart: bool) -> list[PreviewClass]:
    locked = facts.failed_locked if apart and facts.failed_locked is not None else facts.locked
    suspended = facts.failed_suspended if apart and facts.failed_suspended is not None else facts.suspended
    until = f" until {facts.locked_until:%H:%M}Z" if facts.locked_until else " by a worker"
    return [
        PreviewClass(locked, f"of them locked{until}", "set now, fetchable later", overlaps=True),
        PreviewClass(suspended, "of them suspended", "set now, waits for its instance", overlaps=True),
    ]
