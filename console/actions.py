"""The one table of actions: key bindings, the help page, the ``:`` list and the hint line are made from it.

An action lives at a *place*: a widget, a screen or the application that has a method ``action_<name>`` for it. What
is in reach at a moment is what the focused widget, its screen and the application offer.

Keys are plain letters, digits, punctuation, space, enter, escape, tab and arrows only: combinations with control or
alt do not arrive through every terminal multiplexer. A key that changes the engine is a capital letter and opens a
dialog; the key that opens is never the one that confirms.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Topic = Literal["Move", "Choose", "Look", "Live", "Change (asks first)", "Anywhere"]


@dataclass(frozen=True)
class Action:
    """One thing the operator can do."""

    name: str
    """Where the method is and what it is called: ``list.open`` is ``action_open`` of a list."""
    keys: tuple[str, ...]
    """Names of keys as Textual spells them; the first one is shown."""
    label: str
    """Two or three words for the hint line."""
    help: str
    """One sentence for the help page and the ``:`` list."""
    topic: Topic
    hint: int = 0
    """Place in the hint line, smaller is earlier; 0 keeps it out."""
    changes_engine: bool = False

    @property
    def place(self) -> str:
        """Who carries it out."""
        return self.name.partition(".")[0]

    @property
    def method(self) -> str:
        """Name of the method, without ``action_``."""
        return self.name.partition(".")[2].replace("-", "_")

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them, without those that not every terminal sends."""
        return " ".join(shown(key) for key in self.keys if not key.startswith("ctrl+"))


SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "exclamation_mark": "!",
    "minus": "-",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "shift+up": "S-up",
    "shift+down": "S-dn",
    "shift+tab": "S-tab",
    "down": "down",
    "up": "up",
}


def shown(key: str) -> str:
    """A key as it is written on screens: ``?`` for ``question_mark``."""
    return SHOWN.get(key, key)


def _do(
    name: str, keys: str, label: str, help_: str, topic: Topic, hint: int = 0, *, changes_engine: bool = False
) -> Action:
    return Action(name, tuple(keys.split()), label, help_, topic, hint, changes_engine)


ACTIONS: tuple[Action, ...] = (
    _do("table.down", "j down", "down", "One row down.", "Move"),
    _do("table.up", "k up", "up", "One row up.", "Move"),
    _do("table.first", "g home", "first row", "To the first row.", "Move"),
    _do("table.last", "G end", "last row", "To the last row.", "Move"),
    _do("table.page-down", "pagedown", "screen down", "One screen down.", "Move"),
    _do("table.page-up", "pageup", "screen up", "One screen up.", "Move"),
    _do("app.view-tasks", "1", "tasks", "External tasks.", "Move"),
    _do("app.view-incidents", "2", "incidents", "Open incidents.", "Move"),
    _do("app.view-instances", "3", "instances", "Process instances.", "Move"),
    _do("app.view-batches", "4", "batches", "Batches, also those that have ended.", "Move"),
    _do("app.view-jobs", "5", "jobs", "Jobs of the engine.", "Move"),
    _do("app.last-view", "minus", "last view", "Back to the view before this one.", "Move"),
    _do("list.next-pane", "tab", "next pane", "To the next pane.", "Move"),
    _do("list.previous-pane", "shift+tab", "previous pane", "To the pane before.", "Move"),
    _do("tasks.retry", "R", "retry..", "Retry the chosen tasks as a batch.", "Change (asks first)", 1,
        changes_engine=True),
    _do("list.filter", "slash", "filter", "Type what the rows must match.", "Choose", 3),
    _do("marks.mark", "space", "mark", "Mark the row, or take the mark away.", "Choose", 4),
    _do("marks.range", "v", "range", "Range on or off: moving marks rows.", "Choose", 5),
    _do("marks.range-down", "shift+down", "range down", "Mark this row and the next one.", "Choose"),
    _do("marks.range-up", "shift+up", "range up", "Mark this row and the one before.", "Choose"),
    _do("marks.mark-page", "a", "mark page", "Mark all rows in sight.", "Choose"),
    _do("marks.mark-all", "A", "all", "Take all that match, in sight or not.", "Choose", 6),
    _do("marks.unmark", "u", "unmark", "Take all marks away.", "Choose", 8),
    _do("list.sort", "o", "sort", "Sort by the next sort key.", "Choose"),
    _do("list.reverse", "O", "reverse", "Turn the order around.", "Choose"),
    _do("list.open", "enter", "open", "Everything about the row, in full.", "Look", 7),
    _do("list.copy", "y", "copy id", "Copy the id of the row (OSC 52).", "Look", 9),
    _do("list.pause", "p", "pause", "Stop reading, or go on.", "Live"),
    _do("list.refresh", "r", "refresh", "Read now.", "Live"),
    _do("batches.suspend", "S", "suspend", "Suspend the batch, or resume it.", "Change (asks first)", 1,
        changes_engine=True),
    _do("batches.retry-jobs", "T", "retry failed jobs", "Let failed jobs of the batch try again.",
        "Change (asks first)", 2, changes_engine=True),
    _do("batches.delete", "D", "delete..", "Delete the batch; set tasks stay set.", "Change (asks first)", 2,
        changes_engine=True),
    _do("jobs.retry-job", "T", "retry job", "Let the failed job try again.", "Change (asks first)", 1,
        changes_engine=True),
    _do("jobs.delete-job", "D", "delete job..", "Delete the job: its work is never done.",
        "Change (asks first)", 2, changes_engine=True),
    _do("failures.open", "enter", "open", "One of these failures in full.", "Look", 7),
    _do("detail.copy", "y", "copy id", "Copy the id (OSC 52).", "Look", 9),
    _do("detail.back", "escape", "back", "Back to the list.", "Anywhere", 10),
    _do("typing.apply", "enter", "apply", "Show what matches.", "Choose", 1),
    _do("typing.complete", "tab", "complete", "Take the word that is offered first.", "Choose", 2),
    _do("typing.older", "up", "older", "The filter used before.", "Choose", 3),
    _do("typing.newer", "down", "newer", "The filter used after.", "Choose"),
    _do("typing.leave", "escape", "leave", "Close the line without a change.", "Choose", 4),
    _do("text.down", "j down", "down", "One line down.", "Move"),
    _do("text.up", "k up", "up", "One line up.", "Move"),
    _do("text.first", "g home", "top", "To the top.", "Move"),
    _do("text.last", "G end", "end", "To the end.", "Move"),
    _do("text.page-down", "pagedown space", "screen down", "One screen down.", "Move"),
    _do("text.page-up", "pageup", "screen up", "One screen up.", "Move"),
    _do("app.palette", "colon", "actions", "Any action by name.", "Anywhere", 20),
    _do("app.help", "question_mark", "help", "The keys of this screen.", "Anywhere"),
    _do("app.theme", "t", "theme", "Next theme: dark, light, terminal.", "Anywhere"),
    _do("list.back", "escape", "back", "Close what is open, clear the filter.", "Anywhere", 21),
    _do("app.quit", "q ctrl+q ctrl+c", "quit", "Leave; asks while your batch runs.", "Anywhere", 22),
)  # fmt: skip


def at(places: Collection[str]) -> list[Action]:
    """The actions of these places, in the order of the table."""
    return [action for action in ACTIONS if action.place in places]


def named(name: str) -> Action:
    """The action of that name.

    Raises:
        KeyError: there is none.
    """
    for action in ACTIONS:
        if action.name == name:
            return action
    raise KeyError(name)


def hints(places: Collection[str]) -> list[Action]:
    """What the hint line shows for these places, the most useful first."""
    return sorted((action for action in at(places) if action.hint), key=lambda action: action.hint)


def matching(actions: Iterable[Action], text: str) -> list[Action]:
    """The actions whose key, name, label or help contains every word of the text, in any case."""
    words = text.lower().split()

    def all_of(action: Action) -> str:
        return f"{action.shown_keys} {action.name} {action.label} {action.help}".lower()

    return [action for action in actions if all(word in all_of(action) for word in words)]
