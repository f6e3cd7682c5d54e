"""The one table of actions: what help, hints, the list of actions and the bindings are made from."""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections import Counter
from functools import cache
from typing import Any

import pytest
from textual.message_pump import MessagePump

from retriage.console import screens, widgets
from retriage.console.actions import ACTIONS, Action, at, hints, matching, named
from retriage.console.app import RetriageApp
from retriage.console.screens.app_verbs import AppVerbs
from retriage.console.screens.verbs import Verbs

HARMLESS_CAPITALS = {"G", "A", "O", "F", "J", "Y", "E", "W"}
"""Twins of a small letter, and the whole of something: they change nothing."""
TOGETHER = (
    ("table", "marks", "tasks", "task", "list", "app"),
    ("table", "marks", "incidents", "list", "app"),
    ("table", "marks", "members", "list", "app"),
    ("table", "marks", "instances", "list", "app"),
    ("text", "task", "detail", "app"),
    ("table", "list", "app"),
    ("table", "batches", "list", "app"),
    ("table", "marks", "job", "list", "app"),
    ("text", "job", "detail", "app"),
    ("table", "batches", "detail", "failures", "app"),
    ("text", "detail", "app"),
    ("table", "run", "waves", "detail", "app"),
    ("typing",),
)
"""Places that are in reach at the same time."""


@cache
def classes() -> list[type[Any]]:
    found: list[type[Any]] = [RetriageApp]
    for package in (widgets, screens):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            found += [cls for _, cls in members if cls.__module__ == module.name]
    return found


@pytest.mark.parametrize("places", TOGETHER)
def test_no_two_actions_in_reach_share_a_key(places: tuple[str, ...]) -> None:
    keys = Counter(key for action in at(places) for key in action.keys)
    assert [key for key, times in keys.items() if times > 1] == []


def test_every_action_has_a_key_that_arrives_through_every_terminal() -> None:
    for action in ACTIONS:
        plain = [key for key in action.keys if not re.match(r"ctrl\+|alt\+|f\d", key)]
        assert plain, action.name


def test_every_action_says_in_one_sentence_what_it_does() -> None:
    for action in ACTIONS:
        assert action.label, action.name
        assert action.help.endswith("."), action.name
        assert len(action.help) <= 60, action.name


def test_what_changes_the_engine_is_a_capital_letter_and_nothing_else_of_these_places_is() -> None:
    for action in ACTIONS:
        capital = any(len(key) == 1 and key.isupper() for key in action.keys)
        if action.changes_engine:
            assert all(len(key) == 1 and key.isupper() for key in action.keys), action.name
            assert action.topic == "Change (asks first)"
        elif capital:
            assert {key for key in action.keys if len(key) == 1 and key.isupper()} <= HARMLESS_CAPITALS, action.name


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_somebody_carries_every_action_out(action: Action) -> None:
    bound = [
        cls
        for cls in classes()
        if issubclass(cls, MessagePump)
        and any(getattr(b, "id", None) == action.name for b in vars(cls).get("BINDINGS", ()))
    ]
    assert bound, "nobody binds it"
    assert all(carries_out(cls, action) for cls in bound)


def carries_out(cls: type[Any], action: Action) -> bool:
    """Whether a class, or the verbs that it attaches, have the method of an action."""
    return any(callable(getattr(one, f"action_{action.method}", None)) for one in (cls, *attached_by(cls)))


@cache
def attached_by(cls: type[Any]) -> list[type[Any]]:
    """The verbs that a class attaches."""
    source = inspect.getsource(cls)
    own = [AppVerbs] if issubclass(cls, RetriageApp) else []
    return [
        *own, *(verbs for verbs in classes() if issubclass(verbs, Verbs) and f"{verbs.__name__}(" in source)
    ]  # fmt: skip


def test_the_hint_line_is_in_the_order_of_importance() -> None:
    assert [action.name for action in hints(("tasks", "list", "marks", "app"))][:3] == [
        "tasks.retry",
        "list.filter",
        "marks.mark",
    ]


def test_actions_are_found_by_words_of_their_key_label_and_help() -> None:
    assert named("tasks.retry") in matching(ACTIONS, "retry TASKS")
    assert matching(ACTIONS, "no such thing at all") == []
    with pytest.raises(KeyError):
        named("tasks.explode")


@cache
def _set_in(module: str) -> dict[str, set[str]]:
    """The attributes that each class of a module sets on itself, by the name of the class."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        cls.name: {
            node.attr
            for node in ast.walk(cls)
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        }
        for cls in ast.walk(tree)
        if isinstance(cls, ast.ClassDef)
    }


def _set_by(cls: type) -> set[str]:
    return _set_in(cls.__module__).get(cls.__name__, set())


def test_no_class_hides_an_attribute_of_textual_by_accident() -> None:
    ours = {"BINDINGS", "CSS", "CSS_PATH", "DEFAULT_CSS", "COMPONENT_CLASSES", "AUTO_FOCUS", "TITLE", "compose"}
    ours |= {"ENABLE_COMMAND_PALETTE", "HORIZONTAL_BREAKPOINTS", "VERTICAL_BREAKPOINTS", "render_line", "on_event"}
    ours |= {"watch_scroll_y", "notify_style_update", "get_driver_class", "get_default_screen", "can_replace"}
    ours |= {"get_theme_variable_defaults"}
    ours |= {"control", "virtual_size", "border_title", "theme", "animation_level", "exit", "can_focus"}
    ours |= {"refresh", "stylesheet"}
    ours |= {"can_focus_children", "run_action", "_on_key", "check_consume_key", "value", "cursor_position", "display"}
    for cls in classes():
        if not issubclass(cls, MessagePump):
            continue
        mine = {name for name in {*vars(cls), *_set_by(cls)} if not name.startswith(("__", "on_", "action_"))} - ours
        for base in cls.__mro__[1:]:
            if base.__module__.startswith("textual"):
                theirs = _set_by(base) | {name for name, value in vars(base).items() if inspect.isfunction(value)}
                assert not {name for name in mine & theirs if not name.startswith("_abc")}, (cls, base)
