"""Where the cause of a group can be told apart further: the hole whose texts differ least often."""

from collections.abc import Iterable

from retriage.console.causes.fold import WHOLE, holes

MOST_APART = 40
"""A hole that is filled in more ways tells members apart, not causes."""
EXAMINED = 1000
"""Messages that are looked at."""


def finer(messages: Iterable[str | None], kept: tuple[int, ...]) -> int | None:
    """The hole to tell causes apart by next, :data:`retriage.console.causes.fold.WHOLE` for the end of the cause.

    Args:
        messages: some messages of the group.
        kept: the holes that do so already.

    Returns:
        Nothing when no hole makes at least two causes and at most ``MOST_APART`` of them.
    """
    texts: dict[int, set[str]] = {}
    for message in messages:
        whole, values = holes(message)
        for at, value in (*enumerate(values), (WHOLE, whole)):
            if at not in kept:
                texts.setdefault(at, set()).add(value)
    told = [(len(found), at < 0, at) for at, found in texts.items() if 2 <= len(found) <= MOST_APART]
    return min(told)[2] if told else None
