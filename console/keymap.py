"""The operator's own keys: a TOML file with a table ``[keys]``, action by action.

::

    [keys]
    "list.filter" = "slash f"
    "app.theme" = "w"

What cannot be used is said in one sentence each, and everything else of the file works.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from textual.keys import format_key

from retriage.console.actions import ACTIONS, Action, shown
from retriage.console.terminal.textual_private import key_name
from retriage.console.text.nearest import nearest
from retriage.console.text.toml import parse_toml

FILE = "keys.toml"
_NAMED = frozenset({
    "space", "enter", "escape", "tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert",
    "delete", "backspace", "shift+tab", "shift+up", "shift+down", "shift+left", "shift+right",
})  # fmt: skip
_TYPING = frozenset({"typing", "field"})
_BY_HAND = ("ctrl+", "alt+", "super+", "hyper+", "meta+")


@dataclass
class Keymap:
    """Keys by the name of the action, and sentences about what was not taken."""

    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_keymap(path: Path) -> Keymap:
    """The operator's keys; none if there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Keymap()
    except (OSError, UnicodeDecodeError) as problem:
        return Keymap(problems=[f"{path} cannot be read: {getattr(problem, 'strerror', None) or 'it is not text'}."])
    try:
        table = parse_toml(text).get("keys", {})
    except ValueError as problem:
        return Keymap(problems=[f"{path} is not TOML: {problem}."])
    if not isinstance(table, dict):
        return Keymap(problems=[f"{path}: [keys] has to be a table of actions and keys."])
    return check(table)


def check(table: dict[str, Any]) -> Keymap:
    """The keys of a table, those left out that cannot be.

    Args:
        table: name of an action -> its keys, separated by spaces.
    """
    found = Keymap()
    actions = {action.name: action for action in ACTIONS}
    for name, value in table.items():
        action = actions.get(name)
        if action is None:
            near = nearest(name, actions)
            found.problems.append(f"{FILE}: {name} is not an action{f'; {near} is one' if near else ''}.")
        elif not isinstance(value, str) or not value.split():
            found.problems.append(f'{FILE}: keys of {name} are written like "slash f".')
        else:
            _take(found, action, tuple(dict.fromkeys(map(_named, value.split()))))
    _without_clashes(found, actions)
    return found


def _take(found: Keymap, action: Action, keys: tuple[str, ...]) -> None:
    problem = _forbidden(action, keys)
    if problem:
        found.problems.append(f"{FILE}: {problem}")
    elif keys != action.keys:
        found.keys[action.name] = keys


def _named(key: str) -> str:
    """A key as Textual spells it."""
    return key_name(key) if len(key) == 1 and not key.isalnum() else key


def _forbidden(action: Action, keys: tuple[str, ...]) -> str:
    """Why these keys cannot be, or nothing."""
    for key in keys:
        if not _is_key(key):
            return f"{key} is not a key."
    plain = [key for key in keys if not key.startswith(_BY_HAND) and not _function_key(key)]
    if not plain:
        return f"{action.name} needs a key that every terminal sends, beside {' '.join(keys)}."
    if action.changes_engine and not all(len(key) == 1 and key.isupper() for key in keys):
        return f"{action.name} changes the engine: only a capital letter may do that."
    if action.place in _TYPING and any(_printed(key) for key in plain):
        return f"{action.name} is for typing: a key that writes something cannot be its key."
    return ""


def _is_key(key: str) -> bool:
    bare = key
    for prefix in _BY_HAND:
        bare = bare.removeprefix(prefix)
    return _printed(bare) or bare in _NAMED or _function_key(bare)


def _function_key(key: str) -> bool:
    return key.startswith("f") and key[1:].isdigit() and 1 <= int(key[1:]) <= 24


def _printed(key: str) -> bool:
    """The key writes a character: a letter, a digit, or a sign by its name."""
    if key in _NAMED:
        return key == "space"
    character = format_key(key)
    return len(character) == 1 and character.isprintable()


def _without_clashes(found: Keymap, actions: dict[str, Action]) -> None:
    """Give up changes whose key is taken where both can be meant, until none is."""
    while True:
        for name, keys in found.keys.items():
            taken = _taken_by(actions[name], keys, found.keys, actions)
            if taken is not None:
                key, other = taken
                found.problems.append(f"{FILE}: {shown(key)} cannot be {name}, it is {other} there already.")
                del found.keys[name]
                break
        else:
            return


def _taken_by(
    action: Action, keys: tuple[str, ...], changed: dict[str, tuple[str, ...]], actions: dict[str, Action]
) -> tuple[str, str] | None:
    for other in actions.values():
        if other is action or not _meet(action.place, other.place):
            continue
        for key in changed.get(other.name, other.keys):
            if key in keys:
                return key, other.name
    return None


@cache
def _meet(one: str, other: str) -> bool:
    """Actions of both places can be in reach at the same time.

    Those of the table that are never share a key; places that do are never in reach together. While text is typed
    nothing else is.
    """
    if one == other:
        return True
    if _TYPING & {one, other}:
        return False
    return not _keys_at(one) & _keys_at(other)


def _keys_at(place: str) -> set[str]:
    return {key for action in ACTIONS if action.place == place for key in action.keys}
