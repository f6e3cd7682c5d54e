"""Escape cancels, whatever follows it."""

from typing import Any

import pytest
from textual.app import App
from textual.screen import Screen

from retriage.console.driver import ESCAPE, separate
from retriage.console.runs.change import RestChange
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.runs.change import ChangeRest
from retriage.console.screens.runs.stop import StopRun
from retriage.console.widgets.themes import DEFAULTS
from tests.console.runs.test_next_step import view

RUN = view("running", ("watching", 10, {}), ("planned", 600, {}))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("\x1bL", [ESCAPE, "L"]),
        ("D\x1bLj", ["D", ESCAPE, "Lj"]),
        ("\x1b2", [ESCAPE, "2"]),
        ("\x1b[A", ["\x1b[A"]),
        ("\x1bOP", ["\x1bOP"]),
        ("x\x1b[Ay", ["x\x1b[Ay"]),
        ("abc", ["abc"]),
        ("", []),
    ],
)
def test_an_escape_before_an_ordinary_key_stands_alone(text: str, parts: list[str]) -> None:
    assert separate(text) == parts


class Asking(App[None]):
    def __init__(self, question: Screen[Any]) -> None:
        super().__init__()
        self.question = question
        self.answers: list[object] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def on_mount(self) -> None:
        self.push_screen(self.question, self.answers.append)


async def answers_to(question: Screen[Any], *keys: str) -> list[object]:
    app = Asking(question)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        return app.answers


@pytest.mark.parametrize(("key", "answers"), [("alt+L", []), ("ctrl+l", []), ("L", [True]), ("escape", [False])])
async def test_only_the_key_alone_orders(key: str, answers: list[bool]) -> None:
    assert await answers_to(Confirm("Delete?", ["It goes."], "delete", "L"), key) == answers


@pytest.mark.parametrize(
    ("key", "answers", "took_instead"),
    [("L", [True], False), ("b", [True], True), ("B", [], False), ("alt+b", [], False), ("escape", [False], False)],
)
async def test_another_order_has_a_key_of_its_own(key: str, answers: list[bool], took_instead: bool) -> None:
    question = Confirm("Leave?", ["It is held."], "Leave", "L", instead=("Let it go on", "b"))
    assert (await answers_to(question, key), question.took_instead) == (answers, took_instead)


@pytest.mark.parametrize(("key", "answers"), [("alt+D", []), ("D", ["delete"]), ("escape", [None])])
async def test_a_run_is_stopped_by_the_key_alone(key: str, answers: list[object]) -> None:
    assert await answers_to(StopRun(RUN), key) == answers


@pytest.mark.parametrize(("keys", "answers"), [(["alt+L"], []), (["L"], [RestChange(retries=2)]), (["escape"], [None])])
async def test_the_rest_of_a_run_is_changed_by_the_key_alone(keys: list[str], answers: list[object]) -> None:
    typed = ["shift+tab", "shift+tab", "shift+tab", "2"]  # from the waves over the choices to the retries
    assert await answers_to(ChangeRest(RUN), *typed, *keys) == answers
