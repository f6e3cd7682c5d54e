"""What the operator likes is remembered, and a file that is broken costs nothing."""

from pathlib import Path
from typing import Any

import pytest

from retriage.console.app import RetriageApp
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.preferences import ListPreferences, Preferences, read_preferences
from retriage.console.widgets.themes import LIGHT
from tests.console.fake import FakeEngine, connecting
from tests.console.settle import lines, loaded, until


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "preferences.json"
    Preferences(path, "retriage-light", {"tasks": ListPreferences("id", True, ["lock"], 1)}).write()
    assert path.stat().st_mode & 0o077 == 0
    assert read_preferences(path) == Preferences(
        path, "retriage-light", {"tasks": ListPreferences("id", True, ["lock"], 1)}
    )


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"theme": 7, "lists": []}', '{"lists": {"tasks": 3}}', "\x00",
     '{"lists": {"tasks": {"sort": [], "descending": "yes", "hidden": "lock", "zoom": 99}}}'],
)  # fmt: skip
def test_a_broken_file_is_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "preferences.json"
    path.write_text(text)
    found = read_preferences(path)
    assert (found.theme, found.of("tasks")) == ("", ListPreferences())


def test_a_place_that_cannot_be_written_to_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Preferences(tmp_path / "file" / "preferences.json").write()


async def test_theme_sort_columns_and_zoom_are_there_again_in_the_next_console(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"

    def opened() -> RetriageApp:
        return RetriageApp(connecting(FakeEngine(40)), ConnectionIdentity("TEST"), preferences=read_preferences(path))

    app: Any = opened()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app))
        assert "topic" in lines(app)[4]
        await pilot.press("t", "O", "s")
        await until(pilot, lambda: "space show or leave out" in lines(app)[-1])
        await pilot.press("j", "space", "enter")
        await until(pilot, lambda: "topic" not in lines(app)[4] and "key" in lines(app)[4])
        await pilot.press("z")
        await until(pilot, lambda: read_preferences(path).of("tasks").zoom == 1)
    app = opened()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app))
        assert app.theme == LIGHT.name
        assert app.screen.sort.descending
        assert "topic" not in lines(app)[4]
        assert app.screen.has_class("-rows-only")


async def test_a_number_leads_to_a_pane() -> None:
    app: Any = RetriageApp(connecting(FakeEngine(40)), ConnectionIdentity("TEST"))
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: loaded(app))
        await pilot.press("semicolon")
        await until(pilot, lambda: "to that pane" in lines(app)[-1])
        await pilot.press("2")
        await until(pilot, lambda: app.focused.id == "causes")
        await pilot.press("semicolon", "x")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "causes")
