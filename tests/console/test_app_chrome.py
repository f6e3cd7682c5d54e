"""What is on every screen: identity, views, hints, help, the list of actions, leaving, small windows, lost engines."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from retriage.console.app import RetriageApp
from retriage.console.screens.chrome import HintLine, IdentityLine
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.help.palette import Palette
from retriage.console.screens.help.screen import HelpScreen
from retriage.console.screens.small import TooSmall
from retriage.console.session import freshness
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.themes import THEMES
from tests.console.fake import FakeEngine, connecting, ids, job, statistics
from tests.console.settle import console, lines, loaded, said, screen, text, until


async def test_the_first_frame_is_there_before_the_engine_is_opened() -> None:
    opened: list[str] = []
    engine = FakeEngine(10)

    def connect() -> Any:
        opened.append("\n".join(lines(app)))
        return connecting(engine)()

    app = RetriageApp(connect, ConnectionIdentity("TEST"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.connection.client is not None and loaded(app))
        assert "opening the engine …" in opened[0]
        assert "TEST" in opened[0]
        assert "opening the engine" not in text(app)


async def test_an_engine_that_cannot_be_opened_is_one_sentence() -> None:
    def connect() -> Any:
        raise OSError("the store\x1b[2J is no database")

    app = RetriageApp(connect, ConnectionIdentity("TEST"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "NO ENGINE" in text(app))
        assert "is no database" in text(app)
        assert "\x1b" not in text(app)
        await pilot.press("R", "slash", "4", "1", "r", "p", "enter", "y")
        assert app.is_running


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 36), (200, 60)])
async def test_every_line_fits_and_the_words_that_matter_are_never_hidden(size: tuple[int, int]) -> None:
    async with console(FakeEngine(5214), size=size) as (app, pilot):
        for key in ("1", "2", "3", "4", "5"):
            await pilot.press(key)
            await until(pilot, lambda: loaded(app))
            await until(pilot, lambda: lines(app)[-1].startswith(" ? help"))
            shown = lines(app)
            assert len(shown) == size[1]
            assert shown[0].startswith(" TEST ")
            assert "LIVE" in shown[0]
            assert f"[{key} " in shown[1]


async def test_a_is_labelled_with_the_number_it_takes() -> None:
    async with console(FakeEngine(5214)) as (app, pilot):
        await pilot.press("slash", *"retries:0", "enter")
        await until(pilot, lambda: screen(app).matching not in (None, 5214))
        await until(pilot, lambda: f"A all {screen(app).matching:,}" in screen(app).query_one(HintLine).text)


async def test_a_digit_leads_to_its_list_whatever_was_opened_over_it() -> None:
    engine = FakeEngine(20)
    engine.running["batch-7"] = statistics("batch-7", 5, 5, 2)
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: app.session.watch.known_batches.get("batch-7") is not None)
        app.navigator.show("batch", app.session.watch.known_batches.get("batch-7"))
        await until(pilot, lambda: "[4 Batches" in lines(app)[1])
        await pilot.press("1")
        await until(pilot, lambda: "[1 Tasks" in lines(app)[1] and len(app.screen_stack) == 1)


async def test_keys_that_would_do_nothing_are_not_offered() -> None:
    async with console(FakeEngine(0), (140, 40)) as (app, pilot):
        for view in "135":
            await pilot.press(view)
            await until(pilot, lambda: loaded(app) and screen(app).matching == 0)
            await until(pilot, lambda: "? help" in lines(app)[-1])
            shown = lines(app)[-1]
            assert not {"A", "R", "T", "X", "D", "S", "Z", "space", "enter", "y"} & set(shown.split()), (view, shown)


async def test_where_nothing_may_be_changed_no_order_is_offered() -> None:
    engine = FakeEngine(10)
    engine.running["batch-1"] = statistics("batch-1", 500, 500, 498, 2)
    engine.all_jobs = [job("job-1"), job("job-2")]
    async with console(engine, (140, 40)) as (app, pilot):
        app.session.connection.safety.readonly = True
        await pilot.press("2", "1")
        await until(pilot, lambda: "R retry (preview)" in lines(app)[-1])
        for view in "45":
            await pilot.press(view)
            await until(pilot, lambda: loaded(app) and "? help" in lines(app)[-1])
            assert not {"T", "X", "D", "S"} & set(lines(app)[-1].split())
        await pilot.press("4")
        await until(pilot, lambda: screen(app).VIEW == "batches" and loaded(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Cannot find external task" in text(app))
        await until(pilot, lambda: "Not from here, read-only: All 2 jobs left have failed" in text(app))
        assert "D drop these jobs" not in text(app)
        assert not {"T", "D", "S"} & set(lines(app)[-1].split())
        await pilot.press("question_mark")
        await until(pilot, lambda: "off: this connection is read-only" in text(app))


async def test_numbers_of_the_views_that_were_counted_long_ago_say_so() -> None:
    async with console(FakeEngine(40), (80, 24)) as (app, pilot):
        await until(pilot, lambda: app.session.watch.counts.get("jobs") is not None)
        assert " old" not in lines(app)[1]
        await pilot.press("p")
        await until(pilot, lambda: app.session.watch.paused)
        app.session.watch._counted["incidents"] -= 200
        await until(pilot, lambda: "3m old" in lines(app)[1])


async def test_rows_stay_and_orders_are_off_while_the_engine_does_not_answer() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.gone = True
        await pilot.press("r")
        await until(pilot, lambda: "STALE" in screen(app).query_one(IdentityLine).text)
        assert "ord-88000" in text(app)
        assert app.session.news.newest.sentence.startswith("Nothing can be changed. ")
        await pilot.press("R")
        await pilot.pause(0.1)
        assert len(app.screen_stack) == 1
        engine.gone = False
        await pilot.press("r")
        await until(pilot, lambda: "LIVE" in screen(app).query_one(IdentityLine).text)
        assert "answers again" in app.session.news.newest.sentence


async def test_an_engine_that_is_silent_is_said_to_be_stale_before_its_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(freshness, "SILENT", 0.2)
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.delay = 3600.0
        await pilot.press("r")
        await until(pilot, lambda: ", asking" in screen(app).query_one(IdentityLine).text)
        assert "STALE" in screen(app).query_one(IdentityLine).text
        assert app.session.connection.why_no_orders() == "Nothing can be changed until the engine answers."
        engine.delay = 0.0
        await pilot.press("r")
        await until(pilot, lambda: "LIVE" in screen(app).query_one(IdentityLine).text)


async def test_line_1_says_when_a_lost_engine_is_asked_again() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.gone = True
        await pilot.press("r")
        await until(pilot, lambda: ", again in " in screen(app).query_one(IdentityLine).text)


async def test_a_question_that_takes_too_long_while_others_are_answered_loses_nothing() -> None:
    from retriage.console.engine.errors import Slow

    async with console(FakeEngine(100)) as (app, pilot):

        async def slow(client: object) -> None:
            answered = app.session.connection.state._answered
            await until(pilot, lambda: app.session.connection.state._answered > answered)
            raise Slow("It did not answer in time.")

        with pytest.raises(Slow):
            await app.session.connection.ask(slow)
        assert not app.session.connection.stale


async def test_help_shows_the_keys_of_this_screen_and_escape_closes_it() -> None:
    engine = FakeEngine(10)
    engine.running["batch-1"] = statistics("batch-1", 500, 500, 310, 2)
    async with console(engine) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and "Retry the chosen tasks" in text(app))
        await pilot.press("escape", "4")
        await until(pilot, lambda: screen(app).VIEW == "batches" and loaded(app))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and "Suspend the batch" in text(app))
        assert "Retry the chosen tasks" not in text(app)


async def test_the_list_of_actions_narrows_and_runs_one() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.focused is not None)
        await pilot.press(*"scrndown", "enter")
        await until(pilot, lambda: not isinstance(app.screen, Palette))
        await until(pilot, lambda: screen(app).table.cursor > 0)
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.focused is not None)
        await pilot.press(*"incidents")
        await pilot.press("enter")
        await until(pilot, lambda: getattr(app.screen, "VIEW", "") == "incidents")


async def test_y_copies_the_id_and_says_so() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("j", "y")
        await until(pilot, lambda: ids([1])[0] in said(app))
        assert app.clipboard == ids([1])[0]


async def test_q_leaves_and_escape_never_does() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("escape", "escape", "escape")
        await pilot.pause(0.1)
        assert app.is_running
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_asks_while_a_batch_launched_here_runs(key: str) -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.running["mine"] = statistics("mine", 5)
        await app.session.watch.follow("mine")
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert app.is_running
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("l")
        await until(pilot, lambda: not app.is_running)


async def test_a_batch_that_is_seen_ended_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.running["mine"] = statistics("mine", 5)
        await app.session.watch.follow("mine")
        view = app.session.watch.known_batches.get("mine")
        assert view is not None
        # A list has read its end in the history before the next look at what runs.
        monkeypatch.setattr(app.session.watch.known_batches, "get", lambda id: replace(view, end=datetime.now(UTC)))
        assert "mine" in app.session.watch.launched
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)


async def test_a_small_window_takes_no_keys_but_q_and_help_and_recovers() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.resize_terminal(58, 18)
        await until(pilot, lambda: isinstance(app.screen, TooSmall) and "58x18" in text(app))
        await pilot.press("A", "R", "4", "space", "D")
        await pilot.pause(0.1)
        assert isinstance(app.screen, TooSmall)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen | TooSmall))
        assert screen(app).VIEW == "tasks"
        assert not screen(app).table.marks


@pytest.mark.parametrize(("name", "width"), [("localhost:18556", 58), ("bpm-prod-" + "x" * 60, 44)])
async def test_a_small_window_tells_whether_the_engine_can_be_changed(name: str, width: int) -> None:
    app = RetriageApp(connecting(FakeEngine(100)), ConnectionIdentity("PROD", user="ann", profile=name))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: loaded(app))
        app.session.connection.arm()
        await pilot.resize_terminal(width, 18)
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        await until(pilot, lambda: lines(app)[0].startswith(f" PROD   {name[:9]}") and "ARMED 9m" in lines(app)[0])
        app.session.connection.safety._clock = lambda: time.monotonic() + 601
        await until(pilot, lambda: "SAFE " in lines(app)[0] and "ARMED" not in lines(app)[0])
        assert "SAFE again: the ten minutes are over." in str(app.session.news.newest)


async def test_every_theme_tells_the_states_apart_without_colour() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        seen = set()
        for _ in THEMES:
            await pilot.press("t")
            await pilot.pause(0.1)
            seen.add(app.theme)
            states = {row.cells[0].text for row in screen(app).table.loaded()}
            assert {"X", "r", "w", "·", "S"} <= states
            assert "❯" in text(app)
        assert seen == {theme.name for theme in THEMES}


async def test_tab_goes_round_the_panes_that_can_be_used() -> None:
    async with console(FakeEngine(100), size=(100, 30)) as (app, pilot):
        await pilot.press("tab")
        assert app.focused is screen(app).query_one("#causes")
        await pilot.press("tab")
        assert app.focused is screen(app).query_one("#live")
        await pilot.press("tab")
        assert app.focused is screen(app).table
        await pilot.press("shift+tab", "tab")
        assert app.focused is screen(app).table
