"""Another engine chosen inside: what is offered, what is asked first, and what is opened then."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from retriage.console.app import RetriageApp
from retriage.console.cli.screen import chosen_connection
from retriage.console.connections import to_address
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.dialogs.engines import ChosenEngine, EngineDialog
from tests.console.fake import FakeEngine
from tests.console.settle import console, lines, text, until

PROFILES = """
[bpm-prod]
url = "https://bpm.example/engine-rest"
environment = "prod"

[bpm-test]
url = "https://test.example"
environment = "test"
readonly = true

[broken]
url = "https://x.example"
password = "p"

[no-secret]
url = "https://x.example"
password_env = "RETRIAGE_NOT_SET"
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path))
    (tmp_path / "profiles.toml").write_text(PROFILES)
    return tmp_path


async def dialog(app: RetriageApp, pilot: Pilot[None]) -> None:
    await pilot.press("colon", *"other", "enter")
    await until(pilot, lambda: isinstance(app.screen, EngineDialog) and "bpm-prod" in text(app))


async def test_a_profile_is_chosen_by_the_palette_unless_it_is_broken() -> None:
    async with console(FakeEngine(5)) as (app, pilot):
        await dialog(app, pilot)
        assert "broken: The profile broken holds its password" in text(app)
        await pilot.press(*"broken", "enter")
        await until(pilot, lambda: "and take it out" in lines(app)[-8] or "holds its password" in text(app))
        assert isinstance(app.screen, EngineDialog)
        app.screen.query_one(Input).value = "test"
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: app.chosen_engine is not None)
    assert app.chosen_engine == ChosenEngine(profile="bpm-test")
    assert not app.is_running


async def test_a_profile_whose_secret_is_not_there_is_refused_before_this_engine_is_left() -> None:
    async with console(FakeEngine(5)) as (app, pilot):
        await dialog(app, pilot)
        app.screen.query_one(Input).value = "no-secret"
        await until(pilot, lambda: "broken: The profile no-secret" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: "password should be in RETRIAGE_NOT_SET" in text(app))
        assert isinstance(app.screen, EngineDialog)


async def test_an_address_is_typed_and_what_still_runs_is_asked_about_first() -> None:
    async with console(FakeEngine(5)) as (app, pilot):
        app.session.watch.launched.add("b")
        await dialog(app, pilot)
        app.screen.query_one(Input).value = "http://ann:s3cret@localhost:8080"
        await until(pilot, lambda: "http://localhost:8080/engine-rest" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert app.chosen_engine is None
        await dialog(app, pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, EngineDialog))
        assert app.chosen_engine is None


def test_what_cannot_be_opened_leads_back_with_a_sentence() -> None:
    here = to_address("http://localhost:8080", None, None, False, None, True)
    connection, notice = chosen_connection(ChosenEngine(profile="no-secret"), here)
    assert connection is here
    assert "RETRIAGE_NOT_SET, which is not set" in notice
    connection, notice = chosen_connection(ChosenEngine(profile="bpm-prod"), here)
    assert (connection.profile, connection.environment, notice) == ("bpm-prod", "PROD", "")
    assert connection.readonly, "--read-only was typed for everything that is opened"
    connection, _ = chosen_connection(ChosenEngine(address="https://ann:p@bpm.example"), here)
    assert (connection.environment, connection.url) == ("PROD?", "https://bpm.example/engine-rest")
