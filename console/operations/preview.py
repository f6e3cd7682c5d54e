"""What becomes of the tasks of a launch, group by group. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from retriage.console.reading.counts import SelectionCounts

Tone = Literal["good", "plain", "warning"]
Kind = Literal["failed", "raised", "never_failed", "unchanged", "lowered", "unknown", "gone"]
"""What a launch is for a task: it failed for good (0 retries) and can be fetched again; it gets more retries than it
has; it never failed; it has that number already; it would lose retries; one of the last four, which could not be told
apart; it is named and does not exist."""
BY_HAND: tuple[Kind, ...] = ("never_failed", "unchanged", "lowered", "unknown", "gone")
"""What is left out of a launch unless the operator takes it in."""
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
        kind: what the launch is for them; ``None`` for what overlaps.
    """

    count: int
    label: str
    effect: str
    tone: Tone = "plain"
    at_most: bool = False
    overlaps: bool = False
    kind: Kind | None = None


def kind_of(has: int | None, value: int) -> Kind:
    """What setting ``value`` is for a task that ``has`` so many retries (``None``: it never failed)."""
    if has is None:
        return "never_failed"
    if has == value:
        return "unchanged"
    if has > value:
        return "lowered"
    return "raised" if has else "failed"


def numbers_by_kind(facts: SelectionCounts, value: int, apart: bool) -> Mapping[Kind, int]:
    """How many tasks of each kind there are; kinds without tasks are left out.

    Args:
        facts: what was counted.
        value: the retries to set.
        apart: tasks with retries left can be told apart; false makes them one kind.
    """
    numbers: dict[Kind, int] = {}
    groups: dict[int | None, int] = {0: facts.no_retries}
    if apart and facts.looked:
        groups |= facts.retries
    else:
        numbers["unknown"] = facts.retries_left
    for has, number in groups.items():
        kind = kind_of(has, value)
        numbers[kind] = numbers.get(kind, 0) + number
    numbers["gone"] = facts.gone
    return {kind: number for kind, number in numbers.items() if number}


def preview_classes(facts: SelectionCounts, value: int, numbers: Mapping[Kind, int]) -> list[PreviewClass]:
    """The groups that a launch takes without being told to."""
    told: list[PreviewClass] = []
    if "failed" in numbers:
        told.append(
            PreviewClass(
                numbers["failed"],
                f"tries 0 -> {value}",
                "incident resolves, workers fetch it",
                "good",
                kind="failed",
            )
        )
    if "raised" in numbers:
        told += _raised(facts, value)
    if value == 0 and "lowered" in numbers:
        told.append(_lowered(facts, value))
    return told


def class_by_hand(facts: SelectionCounts, value: int, kind: Kind, numbers: Mapping[Kind, int]) -> PreviewClass | None:
    """A group that the operator takes in or leaves out; nothing where it has no tasks."""
    number = numbers.get(kind, 0)
    if not number or (kind == "lowered" and value == 0):
        return None
    if kind == "never_failed":
        effect = "needs no retry" if value else "raises an incident"
        return PreviewClass(number, f"never failed (-) -> {value}", effect, "warning", kind=kind)
    if kind == "unchanged":
        effect = "unchanged" if value else "nothing changes for them"
        return PreviewClass(number, f"tries {value} -> {value}", effect, kind=kind)
    if kind == "lowered":
        return _lowered(facts, value)
    if kind == "unknown":
        return _unknown(facts, value)
    return PreviewClass(number, "gone since listing", "would wedge the batch", "warning", kind=kind)


def overlap_classes(
    facts: SelectionCounts, locked: int, unsure: int, delayed: int, suspended: int
) -> list[PreviewClass]:
    """Those of the tasks taken that a worker holds, or may hold, or that wait for their retry time, and those whose
    instance is suspended."""
    until = f" until {facts.locked_until:%H:%M}Z" if facts.locked_until else ""
    told = [
        PreviewClass(locked, f"of them locked{until or ' by a worker'}", "set now, fetchable later", overlaps=True),
        PreviewClass(unsure, f"lock/retry time{until}", "set now, fetchable later", overlaps=True),
        PreviewClass(delayed, f"in retry time{until}", "fetchable then, or after U", overlaps=True),
        PreviewClass(suspended, "of them suspended", "set now; runs once it is activated", overlaps=True),
    ]
    return [one for one in told if one.count]


def _raised(facts: SelectionCounts, value: int) -> list[PreviewClass]:
    groups = {has: number for has, number in facts.retries.items() if kind_of(has, value) == "raised"}
    largest = sorted(groups.items(), key=lambda group: -group[1])
    told = [PreviewClass(n, f"tries {has} -> {value}", "raised", kind="raised") for has, n in largest[:GROUPS]]
    others = sum(number for _, number in largest[GROUPS:])
    if others:
        told.append(PreviewClass(others, "other retries left", f"set to {value}", kind="raised"))
    return told


def _lowered(facts: SelectionCounts, value: int) -> PreviewClass:
    more = _more(facts, value)
    span = _span(more)
    tries = "try" if span == "1" else "tries"
    effect = f"{span} -> {value} {_loss(value)}"
    return PreviewClass(sum(more.values()), f"now have {span} {tries}", effect, "warning", kind="lowered")


def _unknown(facts: SelectionCounts, value: int) -> PreviewClass:
    """All that have retries left, or never failed: what cannot be told apart is taken, or left out, as a whole."""
    effect, more = f"some {_loss(value)}", _more(facts, value)
    if facts.looked:
        # What matters first: a narrow screen cuts the end off.
        effect = f"{sum(more.values()):,} {_loss(value)}" + (f" {_span(more)} -> {value}" if value and more else "")
    return PreviewClass(facts.retries_left, "tries left, or never failed", effect, "warning", kind="unknown")


def _more(facts: SelectionCounts, value: int) -> dict[int, int]:
    return {has: number for has, number in facts.retries.items() if has is not None and has > value}


def _span(more: Mapping[int, int]) -> str:
    return "" if not more else str(min(more)) if len(more) == 1 else f"{min(more)}-{max(more)}"


def _loss(value: int) -> str:
    return "LOWERED to 0, an incident each" if value == 0 else "LOWERED"
