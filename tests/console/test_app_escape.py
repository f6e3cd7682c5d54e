"""Escape cancels, whatever follows it."""

import pytest
from textual.app import App

from console.driver import ESCAPE, separate
from console.screens.dialogs.confirm import Confirm
from console.widgets.themes import DEFAULTS


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
    answers: list[bool | None]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def on_mount(self) -> None:
        self.answers = []
        self.push_screen(Confirm("Delete?", ["It goes."], "delete", "L"), self.answers.append)


@pytest.mark.parametrize(("key", "answers"), [("alt+L", []), ("ctrl+l", []), ("L", [True]), ("escape", [False])])
async def test_only_the_key_alone_orders(key: str, answers: list[bool]) -> None:
    app = Asking()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(key)
        await pilot.pause()
        assert app.answers == answers
