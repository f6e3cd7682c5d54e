"""The keys that act on a screen, drawn from the table of actions."""

from __future__ import annotations

from collections.abc import Collection
from itertools import zip_longest

from console.actions import Action, at
from console.widgets.line import Span, fitted

LEFT = ("Move", "Look", "Live")
RIGHT = ("Change (asks first)", "Choose", "Anywhere")
TWO_COLUMNS = 100
"""Cells from which the topics stand in two columns."""
KEYS = 13
"""Cells for the keys of an action."""
SIGNS: tuple[tuple[str, str], ...] = (
    ("X", "no retries left: an incident is open"),
    ("r", "has failed and will be tried again"),
    ("L", "locked by a worker"),
    ("·", "ready for a worker"),
    ("S", "suspended"),
    ("try -", "never failed;  try 0: no retries left"),
)
RULES = (
    "A key that changes the engine is a capital letter and opens a dialog; the key that opens",
    "it never confirms it, and Cancel has the focus.   :  lists every action by name.",
)


def page(places: Collection[str], width: int, *, readonly: bool = False) -> list[list[Span]]:
    """The keys of these places, in so many cells.

    Args:
        places: where actions are found.
        width: the cells.
        readonly: nothing may be changed: orders are told as what they are not, usable.
    """
    actions = at(places)
    left = [line for topic in LEFT for line in _block(topic, actions)]
    right = [line for topic in RIGHT for line in _block(topic, actions, readonly)]
    if width < TWO_COLUMNS:
        lines = right + left + _signs()
    else:
        (left if len(left) < len(right) else right).extend(_signs())
        half = width // 2
        empty: list[Span] = []
        padded = zip_longest(left, right, fillvalue=empty)
        lines = [[*fitted(one, half - 2), *other] for one, other in padded]
    rules: list[list[Span]] = [[(rule, "muted")] for rule in RULES]
    return [*lines, [], *rules]


def _block(topic: str, actions: list[Action], readonly: bool = False) -> list[list[Span]]:
    mine = [action for action in actions if action.topic == topic]
    if not mine:
        return []
    off = readonly and any(action.changes_engine for action in mine)
    heading: list[Span] = [(topic, "strong")]
    if off:
        heading.append(("  off: this connection is read-only", "warning"))
    return [heading, *(_line(action.shown_keys, action.help, off=off and not action.previews) for action in mine), []]


def _signs() -> list[list[Span]]:
    return [[("Signs", "strong")], *(_line(sign, meaning) for sign, meaning in SIGNS)]


def _line(key: str, meaning: str, *, off: bool = False) -> list[Span]:
    shown = f"{key:<{KEYS}}" if len(key) < KEYS else f"{key}  "
    return [("  ", ""), (shown, "faint" if off else "accent"), (meaning, "faint" if off else "")]
