"""The keys that act on a screen, drawn from the table of actions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import zip_longest

from retriage.console.actions import Action, at
from retriage.console.text.cells import wrap
from retriage.console.widgets.line import Span, fitted

LEFT = ("Look", "Live", "Move")
RIGHT = ("Change (asks first)", "Choose", "Anywhere")
TWO_COLUMNS = 100
"""Cells from which the topics stand in two columns."""
KEYS = 13
"""Cells for the keys of an action."""
TASK_SIGNS: tuple[tuple[str, str], ...] = (
    ("X", "no retries left: an incident is open"),
    ("r", "has failed and will be tried again"),
    ("L", "locked by a worker"),
    ("w", "waits for its retry time, or is locked again"),
    ("·", "ready for a worker"),
    ("S", "suspended"),
    ("try -", "never failed;  try 0: no retries left"),
)
CAUSE_SIGNS: tuple[tuple[str, str], ...] = (
    ("^ = v", "more, as many, fewer than in the hour before"),
    ("▁▄▇", "how many were raised, step by step"),
    ("<*>", "what differs from message to message"),
    ("T J", "of an external task, of a job"),
)
BATCH_SIGNS: tuple[tuple[str, str], ...] = (
    ("█ ▓ ░", "done, failed again, set: the chart of a batch"),
    ("━ !", "a bar: done, and what has failed"),
    ("as of", "when the figures beside it were read"),
    ("~ <= ?", "about, at most, not known"),
)
SIGNS: dict[str, tuple[tuple[str, str], ...]] = {
    "tasks": (*TASK_SIGNS, *CAUSE_SIGNS[:2]),
    "incidents": CAUSE_SIGNS,
    "batches": BATCH_SIGNS,
    "journal": BATCH_SIGNS[2:],
    "instances": (("a S !", "active, suspended, with an open incident"),),
    "jobs": (("X r ·", "no retries left, will be tried again, ready"), ("S", "suspended")),
}
"""What stands on the screen of each view beside words."""
RULES = (
    "A key that changes the engine is a capital letter and opens a dialog; the key that opens",
    "it never confirms it, and Cancel has the focus.   :  lists every action by name.",
)


def page(places: Collection[str], width: int, view: str = "", *, readonly: bool = False) -> list[list[Span]]:
    """The signs of a view, then the keys of these places, in so many cells.

    Args:
        places: where actions are found.
        width: the cells.
        view: the view whose signs are told; those of tasks where it has none.
        readonly: nothing may be changed: orders are told as what they are not, usable.
    """
    actions = at(places)
    half = width // 2 if width >= TWO_COLUMNS else width
    signs: list[list[Span]] = [[("Signs", "strong")], *_lines(SIGNS.get(view, TASK_SIGNS), half - 2), []]
    left, right = ([line for topic in topics for line in _block(topic, actions, half - 2, readonly and topic in RIGHT)]
                   for topics in (LEFT, RIGHT))  # fmt: skip
    if width < TWO_COLUMNS:
        lines = [*signs, *right, *left]
    else:
        empty: list[Span] = []
        lines = [[*fitted(one, half), *other] for one, other in zip_longest([*signs, *left], right, fillvalue=empty)]
    rules: list[list[Span]] = [[(rule, "muted")] for rule in RULES]
    return [*lines, [], *rules]


def _block(topic: str, actions: list[Action], cells: int, off: bool) -> list[list[Span]]:
    mine = [action for action in actions if action.topic == topic]
    if not mine:
        return []
    off = off and any(action.changes_engine for action in mine)
    lines: list[list[Span]] = [[(topic, "strong")]]
    if off:
        lines[0].append(("  off: this connection is read-only", "warning"))
    for action in mine:
        lines += _lines([(action.shown_keys, action.help)], cells, off=off and not action.previews)
    return [*lines, []]


def _lines(entries: Iterable[tuple[str, str]], cells: int, *, off: bool = False) -> list[list[Span]]:
    """A key and what it does; a sentence that is too long goes on below."""
    lines: list[list[Span]] = []
    for key, meaning in entries:
        shown = f"{key:<{KEYS}}" if len(key) < KEYS else f"{key}  "
        room = max(cells - 2 - len(shown), 12)
        for at_, text in enumerate(wrap(meaning, room, 4)):
            head = shown if at_ == 0 else " " * len(shown)
            lines.append([("  ", ""), (head, "faint" if off else "accent"), (text, "faint" if off else "")])
    return lines
