"""The operator's own keys: taken from a file, checked, shown by the help."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retriage.console.actions import ACTIONS, OWN_KEYS, named
from retriage.console.app import RetriageApp
from retriage.console.keymap import Keymap, check, read_keymap
from retriage.console.screens.events.screen import EventsScreen
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.filter_line import FilterInput
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import lines, loaded, until


@pytest.fixture(autouse=True)
def table_of_keys() -> Iterator[None]:
    yield
    OWN_KEYS.clear()


def write(folder: Path, text: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_is_no_keymap_and_no_problem(tmp_path: Path) -> None:
    assert read_keymap(tmp_path / "keys.toml") == Keymap()


def test_keys_are_read_by_the_name_of_the_action(tmp_path: Path) -> None:
    found = read_keymap(write(tmp_path, '[keys]\n"list.filter" = "slash 0"\n"app.theme" = "%"\n'))
    assert found.problems == []
    assert found.keys == {"list.filter": ("slash", "0"), "app.theme": ("percent_sign",)}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('"list.filtr" = "w"', "list.filtr is not an action; list.filter is one."),
        ('"list.filter" = 7', "written like"),
        ('"list.filter" = ""', "written like"),
        ('"list.filter" = "wink"', "wink is not a key."),
        ('"list.filter" = "ctrl+f"', "needs a key that every terminal sends"),
        ('"list.filter" = "y"', "y cannot be list.filter, it is list.copy there already."),
        ('"list.filter" = "q"', "q cannot be list.filter, it is app.quit there already."),
        ('"tasks.retry" = "w"', "only a capital letter"),
        ('"typing.apply" = "a"', "a key that writes something"),
    ],
)
def test_what_cannot_be_is_said_and_the_rest_works(tmp_path: Path, entry: str, said: str) -> None:
    found = read_keymap(write(tmp_path, f'[keys]\n{entry}\n"app.theme" = "percent_sign"\n'))
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert found.keys == {"app.theme": ("percent_sign",)}


@pytest.mark.parametrize(
    ("text", "said"), [("[keys", "is not TOML"), ("keys = 3", "has to be a table"), ("[keys]\n\udcff", "")]
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    found = read_keymap(path)
    assert len(found.problems) == 1
    assert said in found.problems[0]
    assert found.keys == {}


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    assert "cannot be read" in read_keymap(tmp_path).problems[0]


def test_two_actions_can_change_places() -> None:
    found = check({"list.filter": "f", "list.only": "slash"})
    assert found == Keymap({"list.filter": ("f",), "list.only": ("slash",)})


def test_the_default_keys_of_every_action_pass_the_check() -> None:
    assert check({action.name: " ".join(action.keys) for action in ACTIONS}) == Keymap()


async def test_the_own_keys_act_the_old_ones_do_not_and_help_shows_them() -> None:
    keymap = check({"list.filter": "0", "list.filtr": "w"})
    app = RetriageApp(connecting(FakeEngine(20)), ConnectionIdentity("TEST"), keymap=keymap)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app))
        assert "list.filtr is not an action" in "\n".join(lines(app))
        await pilot.press("slash")
        assert not isinstance(app.focused, FilterInput)
        await pilot.press("0")
        await until(pilot, lambda: isinstance(app.focused, FilterInput))
        await pilot.press("escape")
        assert named("list.filter").shown_keys == "0"
        assert "0 filter" in lines(app)[-1]
        await pilot.press("m")
        await until(
            pilot, lambda: isinstance(app.screen, EventsScreen) and "list.filter is one" in "\n".join(lines(app))
        )


def test_a_file_that_is_nested_too_deeply_is_said(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(f"keys = {'[' * 5000}")
    found = read_keymap(file)
    assert (found.keys, len(found.problems)) == ({}, 1)
    assert "is not TOML: it is nested too deeply." in found.problems[0]
