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

OWN_KEYS: dict[str, tuple[str, ...]] = {}
"""Name of an action -> the keys that the operator has chosen for it; set once, before the first screen is made."""

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
    previews: bool = False
    """It opens a page that shows everything before, and asks the safety itself when the order is given."""

    @property
    def place(self) -> str:
        """Who carries it out."""
        return self.name.partition(".")[0]

    @property
    def method(self) -> str:
        """Name of the method, without ``action_``."""
        return self.name.partition(".")[2].replace("-", "_")

    @property
    def present_keys(self) -> tuple[str, ...]:
        """The keys that carry it out: those of the table, or the operator's own ones."""
        return OWN_KEYS.get(self.name, self.keys)

    @property
    def changed(self) -> bool:
        """The operator has chosen other keys for it."""
        return self.name in OWN_KEYS

    @property
    def shown_keys(self) -> str:
        """The keys as a person reads them, without those that not every terminal sends."""
        return " ".join(shown(key) for key in self.present_keys if not key.startswith("ctrl+"))


SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "exclamation_mark": "!",
    "minus": "-",
    "vertical_line": "|",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "plus": "+",
    "comma": ",",
    "full_stop": ".",
    "semicolon": ";",
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
    name: str,
    keys: str,
    label: str,
    help_: str,
    topic: Topic,
    hint: int = 0,
    *,
    changes_engine: bool = False,
    previews: bool = False,
) -> Action:
    return Action(name, tuple(keys.split()), label, help_, topic, hint, changes_engine, previews)


ACTIONS: tuple[Action, ...] = (
    _do("table.down", "j down", "down", "One row down.", "Move"),
    _do("table.up", "k up", "up", "One row up.", "Move"),
    _do("table.first", "g home", "first row", "To the first row.", "Move"),
    _do("table.last", "G end", "last row", "To the last row.", "Move"),
    _do("table.page-down", "pagedown", "screen down", "One screen down.", "Move"),
    _do("table.page-up", "pageup", "screen up", "One screen up.", "Move"),
    _do("table.next-page", "right_square_bracket", "next page", "The next page of the result.", "Move"),
    _do("table.previous-page", "left_square_bracket", "previous page", "The previous page of the result.", "Move"),
    _do("table.cell-right", "l right", "cell right", "Choose the cell on the right to filter by.", "Choose"),
    _do("table.cell-left", "h left", "cell left", "Choose the cell on the left to filter by.", "Choose"),
    _do("app.view-tasks", "1", "tasks", "External tasks.", "Move"),
    _do("app.view-incidents", "2", "incidents", "Open incidents.", "Move"),
    _do("app.view-instances", "3", "instances", "Process instances.", "Move"),
    _do("app.view-batches", "4", "batches", "Batches, also those that have ended.", "Move"),
    _do("app.view-jobs", "5", "jobs", "Jobs of the engine.", "Move"),
    _do("app.view-journal", "6", "journal", "Every launch made from here.", "Move"),
    _do("app.last-view", "minus", "last view", "Back to the view before this one.", "Move"),
    _do("list.next-pane", "tab", "next pane", "To the next pane.", "Move"),
    _do("list.previous-pane", "shift+tab", "previous pane", "To the previous pane.", "Move"),
    _do("tasks.retry", "R", "retry..", "Retry the chosen tasks as a batch.", "Change (asks first)", 1,
        changes_engine=True, previews=True),
    _do("tasks.fix", "C", "change, retry..", "Change a variable of the tasks' instances, then retry.",
        "Change (asks first)", 20, changes_engine=True, previews=True),
    _do("tasks.skip", "K", "skip..", "Let the tasks' instances go on behind their activity.",
        "Change (asks first)", 23, changes_engine=True, previews=True),
    _do("tasks.repeat", "B", "begin anew..", "Begin the activity of the tasks anew, with new tasks.",
        "Change (asks first)", 24, changes_engine=True, previews=True),
    _do("tasks.suspend", "S", "suspend..", "Suspend the tasks' instances: no worker gets their tasks.",
        "Change (asks first)", 25, changes_engine=True, previews=True),
    _do("tasks.activate", "V", "activate..", "Activate the tasks' instances that are suspended.",
        "Change (asks first)", 26, changes_engine=True, previews=True),
    _do("incidents.retry", "R", "retry group..", "Retry the tasks or jobs of the groups chosen.",
        "Change (asks first)", 1, changes_engine=True, previews=True),
    _do("incidents.note", "N", "note..", "Write a note on the incidents of the group.", "Change (asks first)", 3,
        changes_engine=True),
    _do("incidents.sample", "n", "next message", "The next raw message of the group.", "Look", 4),
    _do("incidents.details", "e", "details", "Error details or stack trace of one, in full.", "Look", 5),
    _do("incidents.split", "vertical_line", "split", "Keep apart two causes that were folded into one.", "Choose"),
    _do("incidents.join", "plus", "join", "Join again what was split last.", "Choose"),
    _do("members.retry", "R", "retry..", "Retry the tasks or jobs of the members chosen.", "Change (asks first)", 1,
        changes_engine=True, previews=True),
    _do("instances.retry", "R", "retry tasks..", "Retry the tasks without retries of the chosen ones.",
        "Change (asks first)", 1, changes_engine=True, previews=True),
    _do("instances.suspend", "S", "suspend..", "Suspend the chosen instances: no worker gets their tasks.",
        "Change (asks first)", 2, changes_engine=True, previews=True),
    _do("instances.activate", "V", "activate..", "Activate the chosen instances that are suspended.",
        "Change (asks first)", 3, changes_engine=True, previews=True),
    _do("instances.cancel", "D", "cancel..", "Cancel the chosen instances for good, with a reason.",
        "Change (asks first)", 4, changes_engine=True, previews=True),
    _do("instances.set", "C", "change..", "Change a variable of the chosen instances, in waves.",
        "Change (asks first)", 20, changes_engine=True, previews=True),
    _do("instances.variables", "d", "variables", "Tasks and variables of the instance, in full.", "Look", 5),
    _do("instances.incidents", "i", "incidents", "The open incidents of the instance.", "Look", 6),
    _do("task.details", "e", "full error", "What the worker said, in full.", "Look", 8),
    _do("task.variables", "d", "variables", "Variables of its process instance.", "Look", 10),
    _do("task.incidents", "i", "its incidents", "The open incidents of the row.", "Look"),
    _do("task.instance", "J", "its instance", "Jump to its process instance.", "Look"),
    _do("task.unlock", "U", "unlock..", "Take the lock off the task, or off the marked ones.",
        "Change (asks first)", 15, changes_engine=True),
    _do("task.work", "W", "by hand..", "Complete the task, fail it or raise its BPMN error.",
        "Change (asks first)", 16, changes_engine=True),
    _do("task.batch", "c", "its batch", "The batch from here that last set its retries.", "Look"),
    _do("incident.instance", "J", "its instance", "Jump to its process instance.", "Look", 7),
    _do("incident.failed", "c", "what failed", "The task or job that failed, in full.", "Look", 7),
    _do("list.filter", "slash", "filter", "Type what the rows must match.", "Choose", 3),
    _do("marks.mark", "space", "mark", "Mark the row, or unmark it.", "Choose", 4),
    _do("marks.range", "v", "range", "Range on or off: moving marks rows.", "Choose", 8),
    _do("marks.range-down", "shift+down", "range down", "Mark this row and the next one.", "Choose"),
    _do("marks.range-up", "shift+up", "range up", "Mark this row and the one before.", "Choose"),
    _do("marks.mark-page", "a", "mark page", "Mark all rows in sight.", "Choose"),
    _do("marks.mark-all", "A", "all", "Take all that match, in sight or not.", "Choose", 5),
    _do("marks.unmark", "u", "unmark", "Unmark all rows.", "Choose", 12),
    _do("list.only", "f", "only like this", "Only rows like this one in the chosen cell.", "Choose", 9),
    _do("list.without", "F", "none like this", "No rows like this one in the chosen cell.", "Choose"),
    _do("list.sort", "o", "sort", "Sort by the next sort key.", "Choose", 12),
    _do("list.reverse", "O", "reverse", "Reverse the order.", "Choose"),
    _do("list.open", "enter", "open", "Everything about the row, in full.", "Look", 6),
    _do("list.copy", "y", "copy id", "Copy the id of the row (OSC 52).", "Look", 10),
    _do("list.copy-curl", "Y", "copy curl", "Copy the request for the row as curl; again: its JSON.", "Look"),
    _do("list.export", "x", "write rows", "Write the rows to a CSV or JSON file.", "Look", 13),
    _do("list.zoom", "z", "zoom", "Cycle the layout: list, detail, both.", "Look", 11),
    _do("list.columns", "s", "columns", "Choose which columns are shown; remembered.", "Look"),
    _do("list.jump", "semicolon", "jump", "To a pane by its number.", "Move"),
    _do("list.slower", "greater_than_sign", "slower", "Read less often.", "Live"),
    _do("list.faster", "less_than_sign", "faster", "Read more often.", "Live"),
    _do("list.pause", "p", "pause", "Stop reading, or go on reading.", "Live", 13),
    _do("list.refresh", "r", "refresh", "Read now.", "Live", 14),
    _do("batches.suspend", "S", "suspend", "Suspend the batch, or resume it.", "Change (asks first)", 1,
        changes_engine=True),
    _do("batches.retry-jobs", "T", "retry failed jobs", "Let failed jobs of the batch try again.",
        "Change (asks first)", 2, changes_engine=True),
    _do("batches.delete", "D", "delete..", "Delete the batch; set tasks stay set.", "Change (asks first)", 2,
        changes_engine=True),
    _do("batch.outcomes", "d", "outcomes", "What has become of its tasks, one by one.", "Look", 3),
    _do("outcomes.retry", "R", "retry..", "Launch the marked tasks again, or those that failed again.",
        "Change (asks first)", 1, changes_engine=True, previews=True),
    _do("outcomes.next-state", "f", "next outcome", "Only tasks with the next outcome.", "Choose", 2),
    _do("outcomes.previous-state", "F", "previous outcome", "Only tasks with the previous outcome.", "Choose"),
    _do("outcomes.open", "enter", "open", "The task in full.", "Look", 7),
    _do("job.retry-in-waves", "R", "retry..", "Retry the failed ones of the chosen jobs in waves.",
        "Change (asks first)", 1, changes_engine=True, previews=True),
    _do("job.retry", "T", "try again..", "Let the job try once more; marked jobs as a batch.", "Change (asks first)", 2,
        changes_engine=True),
    _do("job.execute", "X", "run now..", "Run the job now, whatever its retries.", "Change (asks first)", 2,
        changes_engine=True),
    _do("job.suspend", "S", "suspend..", "Suspend the job, or resume it.", "Change (asks first)", 4,
        changes_engine=True),
    _do("job.delete", "D", "delete..", "Delete the job: its work is never done.", "Change (asks first)", 5,
        changes_engine=True),
    _do("job.owner", "J", "its instance", "Jump to its process instance, or open its batch.", "Look", 7),
    _do("job.incidents", "i", "incident", "The open incident of the job.", "Look", 8),
    _do("failures.open", "enter", "open", "One of these failures in full.", "Look", 7),
    _do("live.pause", "p", "pause", "Stop reading, or go on reading.", "Live", 23),
    _do("live.refresh", "r", "refresh", "Read now.", "Live", 24),
    _do("detail.copy", "y", "copy id", "Copy the id (OSC 52).", "Look", 9),
    _do("detail.back", "escape", "back", "Back to the list.", "Anywhere", 10),
    _do("list.build", "b", "builder", "Build the query as text, form or JSON.", "Choose", 10),
    _do("build.retry", "R", "retry these..", "Retry what the query selects as a batch.", "Change (asks first)", 2,
        changes_engine=True, previews=True),
    _do("build.apply", "enter", "apply", "Show in the list what matches.", "Choose", 3),
    _do("build.text", "slash f2 shift+tab", "text", "To the text of the query.", "Move", 5),
    _do("build.json", "e f4 tab", "JSON", "To the JSON of the query.", "Move", 6),
    _do("build.form", "f f3", "form", "To the form.", "Move"),
    _do("build.next-source", "right_square_bracket", "next source", "The next source of the request.", "Move", 7),
    _do("build.previous-source", "left_square_bracket", "previous source", "The request's previous source.", "Move"),
    _do("build.copy", "y", "JSON", "Copy the JSON.", "Look", 8),
    _do("build.curl", "Y", "curl", "Copy the request as a curl command, without a password.", "Look", 9),
    _do("build.save", "s", "save", "Give the query a name.", "Look", 10),
    _do("build.saved", "l", "saved", "Queries that have a name.", "Look", 11),
    _do("build.refresh", "r", "count", "Count again.", "Live"),
    _do("build.back", "escape", "back", "Back to the list; what was built is kept.", "Anywhere", 12),
    _do("build-form.change", "space", "change", "Switch the flag, or type the value.", "Choose", 1),
    _do("build-form.clear", "backspace delete", "clear", "Remove the value.", "Choose", 4),
    _do("build-form.down", "j down", "down", "One row down.", "Move"),
    _do("build-form.up", "k up", "up", "One row up.", "Move"),
    _do("build-form.first", "g home", "first row", "To the first row.", "Move"),
    _do("build-form.last", "G end", "last row", "To the last row.", "Move"),
    _do("build-form.page-down", "pagedown", "screen down", "One screen down.", "Move"),
    _do("build-form.page-up", "pageup", "screen up", "One screen up.", "Move"),
    _do("build-text.apply", "enter", "apply", "Show in the list what matches.", "Choose", 1),
    _do("build-text.complete", "tab", "complete, form", "Take the first word offered; else to the form.", "Choose", 2),
    _do("build-text.older", "up", "older", "The query used before.", "Choose", 3),
    _do("build-text.newer", "down", "newer", "The query used after.", "Choose"),
    _do("build-text.back", "escape", "back", "Back to the list; what was built is kept.", "Anywhere", 4),
    _do("build-value.take", "enter", "keep", "Keep the value.", "Choose", 1),
    _do("build-value.next", "tab", "next value", "Keep the value, and type the next one.", "Choose", 2),
    _do("build-value.previous", "shift+tab", "previous value", "Keep the value, and type the previous one.", "Choose"),
    _do("build-value.leave", "escape", "leave", "Keep the value that was there before.", "Choose", 3),
    _do("build-json.next", "tab", "text", "On to the text.", "Move", 1),
    _do("build-json.previous", "shift+tab", "form", "Back to the form.", "Move", 2),
    _do("build-json.back", "escape", "back", "Drop what cannot be read, or back to the list.", "Anywhere", 3),
    _do("typing.apply", "enter", "apply", "Show what matches.", "Choose", 1),
    _do("typing.complete", "tab", "complete", "Take the word chosen, or the first one offered.", "Choose", 2),
    _do("typing.newer", "down", "choose", "The next word offered, or the filter used after.", "Choose", 3),
    _do("typing.older", "up", "older", "The previous word offered, or the filter used before.", "Choose", 4),
    _do("typing.leave", "escape", "leave", "Close the line without a change.", "Choose", 5),
    _do("field.submit", "enter", "go on", "On to the next field, or do what is asked.", "Choose", 2),
    _do("text.down", "j down", "down", "One line down.", "Move"),
    _do("text.up", "k up", "up", "One line up.", "Move"),
    _do("text.first", "g home", "top", "To the top.", "Move"),
    _do("text.last", "G end", "end", "To the end.", "Move"),
    _do("text.page-down", "pagedown space", "screen down", "One screen down.", "Move"),
    _do("text.page-up", "pageup", "screen up", "One screen up.", "Move"),
    _do("journal.undo", "Z", "undo..", "Restore the retries that the tasks of the launch had.",
        "Change (asks first)", 2, changes_engine=True),
    _do("journal.again", "R", "again..", "Launch the same tasks once more.", "Change (asks first)", 1,
        changes_engine=True, previews=True),
    _do("journal.batch", "b", "batch", "To the batch of the launch.", "Look", 8),
    _do("launches.open", "enter", "open", "The launch with its request and its tasks.", "Look", 7),
    _do("launches.copy", "y", "copy JSON", "Copy the request's JSON, all ids in it.", "Look", 9),
    _do("journal.copy-curl", "Y", "copy curl", "Copy the request as a curl command, all ids in it.", "Look", 10),
    _do("launch.launch", "L", "launch", "Send the request that is shown.", "Change (asks first)", 3,
        changes_engine=True),
    _do("launch.waves", "W", "waves", "In waves, each judged before the next, or all at once.", "Choose", 4),
    _do("launch.new-cause", "n", "new cause holds", "Hold the waves on a new error too, or not.", "Choose"),
    _do("launch.include", "space", "include", "Take the tasks of this line in, or leave them out.", "Choose", 5),
    _do("launch.next-field", "tab down", "next field", "To the next field.", "Choose", 4),
    _do("launch.previous-field", "shift+tab up", "previous field", "To the previous field.", "Choose"),
    _do("launch.page-down", "pagedown", "page down", "The lines below, where the window is low.", "Look"),
    _do("launch.page-up", "pageup", "page up", "The lines above, where the window is low.", "Look"),
    _do("launch.freeze", "F", "refresh selection", "Count and read the chosen tasks again.", "Live", 6),
    _do("launch.copy-json", "y", "copy JSON", "Copy the request's JSON, all ids in it.", "Look", 7),
    _do("launch.copy-curl", "Y", "curl", "Copy the request as a curl command.", "Look", 8),
    _do("launch.copy-command", "c", "command", "Copy the command that does the same.", "Look", 10),
    _do("launch.save", "x", "save", "Write the request's JSON to a file.", "Look", 9),
    _do("launch.every-task", "E", "every task", "Yes, every task of the engine is meant.", "Choose"),
    _do("launch.arm", "exclamation_mark", "safety", "Take the safety off for ten minutes, or put it back.",
        "Anywhere", 2),
    _do("launch.help", "question_mark", "help", "The keys of this page.", "Anywhere"),
    _do("launch.cancel", "escape", "cancel", "Launch nothing.", "Anywhere", 1),
    _do("operation.begin", "L", "begin", "Begin what is shown, in the waves that are shown.", "Change (asks first)", 3,
        changes_engine=True),
    _do("operation.next-field", "tab down", "next field", "To the next field.", "Choose", 4),
    _do("operation.previous-field", "shift+tab up", "previous field", "To the previous field.", "Choose"),
    _do("operation.page-down", "pagedown", "page down", "The lines below, where the window is low.", "Look"),
    _do("operation.page-up", "pageup", "page up", "The lines above, where the window is low.", "Look"),
    _do("operation.freeze", "F", "refresh selection", "Read what was chosen again.", "Live", 6),
    _do("operation.copy-json", "y", "copy JSON", "Copy the JSON of the first wave's request.", "Look", 7),
    _do("operation.copy-command", "c", "command", "Copy the command that does the same.", "Look", 8),
    _do("operation.new-cause", "n", "new cause", "Hold on a new cause too, or not, where units may fail again.",
        "Choose"),
    _do("operation.new-name", "w", "new name", "Yes, a variable that no instance has yet is meant.", "Choose"),
    _do("operation.local", "h", "hidden too", "Set local variables that hide the value too, or leave them.", "Choose"),
    _do("operation.every", "E", "every one", "Yes, every one of the engine is meant.", "Choose"),
    _do("operation.arm", "exclamation_mark", "safety", "Take the safety off for ten minutes, or put it back.",
        "Anywhere", 2),
    _do("operation.help", "question_mark", "help", "The keys of this page.", "Anywhere"),
    _do("operation.cancel", "escape", "cancel", "Change nothing.", "Anywhere", 1),
    _do("run.release", "R", "go on..", "Resume a held run.",
        "Change (asks first)", 1, changes_engine=True),
    _do("run.skip", "K", "skip the watch..", "Stop watching the wave that is at work.", "Change (asks first)", 2,
        changes_engine=True),
    _do("run.stop", "X", "stop..", "Drop the waves that are not sent.", "Change (asks first)", 3, changes_engine=True,
        previews=True),
    _do("run.change", "C", "change the rest..", "Other sizes, gate or retries for what has not begun.",
        "Change (asks first)", 4, changes_engine=True),
    _do("run.undo", "Z", "undo..", "Restore the retries that its tasks had.", "Change (asks first)",
        5, changes_engine=True),
    _do("waves.open", "enter", "its batch", "To the batch of the wave.", "Look", 6),
    _do("run.copy-command", "c", "command", "Copy the command that continues the run.", "Look", 8),
    _do("app.run", "7", "run", "To the run that is at work or held.", "Move"),
    _do("app.arm", "exclamation_mark", "safety", "Take the safety off for ten minutes, or put it back.", "Anywhere"),
    _do("app.palette", "colon", "actions", "Any action by name.", "Anywhere", 7),
    _do("app.help", "question_mark", "help", "The keys of this screen.", "Anywhere"),
    _do("app.engine", "w", "this engine", "Its capabilities, its history, your permissions.", "Anywhere"),
    _do("app.other-engine", "9", "other engine", "Switch the engine: a profile, or an address.", "Anywhere"),
    _do("app.snapshot", "8", "snapshot", "Write a snapshot, a file that opens without the engine.",
        "Look"),
    _do("app.events", "m", "events", "All events, each with its time.", "Anywhere"),
    _do("demo.batches-slower", "comma", "batches slower", "Batches and workers of the demo go half as fast.", "Live"),
    _do("demo.batches-faster", "full_stop", "faster", "Batches and workers of the demo go twice as fast.", "Live", 16),
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
