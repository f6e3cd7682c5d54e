"""Safety on the screen: SAFE, ARMED, read-only; the one gate that every changing action passes; line 1."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

import retriage.console.session.safety as safety_module
from retriage.console.actions import ACTIONS, Action
from retriage.console.app import RetriageApp
from retriage.console.reading.selection import Marked
from retriage.console.screens.chrome import IdentityLine
from retriage.console.screens.dialogs.arm import ArmDialog
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.launch.flow import open_launch
from retriage.console.session.connection_identity import ConnectionIdentity
from tests.console.fake import FakeEngine, connecting, ids, statistics
from tests.console.settle import loaded, said, said_last, screen, text, until

PROD = ConnectionIdentity("PROD", "https://bpm.example/engine-rest", "ann", profile="bpm-prod")


@asynccontextmanager
async def on(
    identity: ConnectionIdentity, engine: FakeEngine, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[RetriageApp, Pilot[None]]]:
    app = RetriageApp(connecting(engine), identity)
    async with app.run_test(size=size) as pilot:
        await until(
            pilot,
            lambda: (
                app.session.connection.client is not None and loaded(app) and app.session.connection.identity.engine
            ),
        )
        yield app, pilot


async def arm(app: RetriageApp, pilot: Pilot[None]) -> None:
    await pilot.press("exclamation_mark")
    await until(pilot, lambda: isinstance(app.screen, ArmDialog))
    await pilot.press(*("minus" if letter == "-" else letter for letter in "bpm-prod"), "enter")
    await until(pilot, lambda: app.session.connection.safety.armed and not isinstance(app.screen, ArmDialog))


CHANGING = [action for action in ACTIONS if action.changes_engine]


class Place(Widget):
    """A widget at the place of an action; it remembers whether the action came through."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.PLACES = (action.place,)
        self.came: list[str] = []
        setattr(self, f"action_{action.method}", lambda: self.came.append(action.name))


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        (PROD, "! takes the safety off"),
        (ConnectionIdentity("DEMO", readonly=True), "read-only"),
        (ConnectionIdentity("DEV"), ""),
    ],
    ids=["safe", "read-only", "relaxed"],
)
async def test_every_action_that_changes_the_engine_passes_the_gate(
    identity: ConnectionIdentity, sentence: str
) -> None:
    assert len(CHANGING) > 12
    async with on(identity, FakeEngine(10)) as (app, _pilot):
        for action in CHANGING:
            place = Place(action)
            app.session.news.say("-")
            await app.run_action(action.method, place)
            refused = bool(sentence) and not action.previews
            assert place.came == ([] if refused else [action.name]), action.name
            told = said_last(app)
            assert told == "-" if not refused else sentence in told, (action.name, told)


async def test_the_gate_opens_when_armed_and_closes_when_the_engine_is_lost() -> None:
    engine = FakeEngine(10)
    async with on(PROD, engine) as (app, pilot):
        await arm(app, pilot)
        for action in CHANGING:
            place = Place(action)
            await app.run_action(action.method, place)
            assert place.came == [action.name]
        engine.gone = True
        await pilot.press("r")
        await until(pilot, lambda: app.session.connection.stale)
        assert not app.session.connection.safety.armed
        assert "SAFE again, nothing can be changed. The engine does not answer. Its last answer came at " in said(app)
        for action in CHANGING:
            place = Place(action)
            await app.run_action(action.method, place)
            assert place.came == [], "an engine that does not answer hears no order"


async def test_a_question_that_sends_nothing_is_no_sign_of_life() -> None:
    engine = FakeEngine(10)
    async with on(PROD, engine) as (app, pilot):
        engine.gone = True
        await pilot.press("r")
        await until(pilot, lambda: app.session.connection.stale)

        async def nothing(_client: object) -> int:
            return 0

        await app.session.connection.ask(nothing)  # type: ignore[arg-type]
        assert app.session.connection.stale
        assert app.session.connection.why_unheard()


async def test_a_preview_is_shown_while_safe_and_its_launch_is_refused() -> None:
    engine = FakeEngine(100)
    async with on(PROD, engine) as (app, pilot):
        await pilot.press("R")
        await until(pilot, lambda: "in the launch" in text(app) and "SAFE: this is PROD" in text(app))
        await until(pilot, lambda: screen(app).preparation.complete and screen(app).delay.over)
        await pilot.press("L")
        await until(pilot, lambda: "! takes the safety off" in said(app))
        screen(app).set_focus(screen(app).query_one("#launch"))
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, LaunchDialog)
        assert engine.orders == []


async def test_on_prod_a_launch_needs_the_safety_off_a_reason_and_the_count() -> None:
    engine = FakeEngine(100)
    async with on(PROD, engine) as (app, pilot):
        open_launch(app, app.session, Marked(frozenset(ids([0, 1, 2]))))
        await until(pilot, lambda: "in the launch" in text(app))
        await arm(app, pilot)
        assert isinstance(app.screen, LaunchDialog)
        await until(pilot, lambda: screen(app).preparation.complete and screen(app).delay.over)
        await pilot.press("L")
        await until(pilot, lambda: "Type a reason: it is required on PROD." in text(app))
        assert screen(app).query_one("#reason", Field).active
        await pilot.press(*"INC", "enter")
        assert screen(app).query_one("#count", Field).active
        await pilot.press("4", "enter")
        await until(pilot, lambda: "Type the number of tasks, 3, to launch on PROD." in text(app))
        assert engine.orders == []
        await pilot.press("backspace", "3", "enter", "enter", "L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_ids == ids([0, 1, 2])


async def test_a_digit_and_enter_do_not_launch_on_prod() -> None:
    engine = FakeEngine(100)
    async with on(PROD, engine) as (app, pilot):
        await arm(app, pilot)
        await pilot.press("R", "3", "enter", "enter", "enter", "enter")
        await until(pilot, lambda: "in the launch" in text(app))
        assert isinstance(app.screen, LaunchDialog)
        assert engine.orders == []


async def test_the_safety_comes_back_by_itself_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety_module, "ARMED_SECONDS", 4.0)
    async with on(PROD, FakeEngine(10)) as (app, pilot):
        await arm(app, pilot)
        assert "ARMED" in screen(app).query_one(IdentityLine).text
        await until(pilot, lambda: "SAFE again: the ten minutes are over." in said(app))
        await until(pilot, lambda: "SAFE" in screen(app).query_one(IdentityLine).text)


async def test_an_order_decided_while_armed_is_held_back_when_the_safety_is_on_again() -> None:
    engine = FakeEngine(10)
    engine.running["b1"] = statistics("b1", 10, 10, 2)
    async with on(PROD, engine) as (app, pilot):
        await arm(app, pilot)
        await pilot.press("4")
        await until(pilot, lambda: screen(app).VIEW == "batches" and loaded(app))
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        app.session.connection.disarm()
        await pilot.press("L")
        await until(pilot, lambda: "! takes the safety off" in said(app))
        assert engine.orders == []


async def test_the_name_of_the_engine_must_be_typed() -> None:
    async with on(PROD, FakeEngine(10)) as (app, pilot):
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, ArmDialog) and "bpm-prod" in text(app))
        await pilot.press(*"wrong", "enter")
        await until(pilot, lambda: "That is not its name" in text(app))
        assert not app.session.connection.safety.armed
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, ArmDialog))
        assert not app.session.connection.safety.armed
        await arm(app, pilot)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: not app.session.connection.safety.armed)
        assert "SAFE again" in said(app)


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [(ConnectionIdentity("DEMO"), "has no safety"), (ConnectionIdentity("PROD", readonly=True), "read-only")],
)
async def test_there_is_nothing_to_arm(identity: ConnectionIdentity, sentence: str) -> None:
    async with on(identity, FakeEngine(10)) as (app, pilot):
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: sentence in said(app))
        assert not app.session.connection.safety.armed
        line = screen(app).query_one(IdentityLine).text
        assert ("SAFE" in line) is False
        assert ("READ-ONLY" in line) is identity.readonly


@pytest.mark.parametrize("width", [80, 90, 100, 120, 200])
async def test_line_1_keeps_environment_engine_user_and_safety(width: int) -> None:
    identity = ConnectionIdentity(
        "PROD", "https://bpm.a-rather-long-name.example/engine-rest", "ann", profile="bpm-prod"
    )
    async with on(identity, FakeEngine(10), (width, 30)) as (app, pilot):
        line = screen(app).query_one(IdentityLine).text
        assert line.startswith(" PROD ")
        assert "  bpm-prod  " in line
        assert "  ann " in line
        assert "  SAFE  ● LIVE" in line
        assert line.endswith("Z")
        # The engine's kind, which takes its place, may be told a moment later.
        await until(pilot, lambda: ("engine-rest" in screen(app).query_one(IdentityLine).text) is (width >= 120))


@pytest.mark.parametrize("width", [80, 120])
async def test_line_1_names_an_engine_without_a_name_by_its_host(width: int) -> None:
    identity = ConnectionIdentity("PROD", "https://bpm.example:8443/engine-rest", "ann")
    async with on(identity, FakeEngine(10), (width, 24)) as (app, _pilot):
        line = screen(app).query_one(IdentityLine).text
        assert app.session.connection.identity.called == "bpm.example:8443"
        assert line.startswith(" PROD   bpm.example:8443")
        assert line.count("bpm.example") == 1
        assert "default" not in line
        assert "  ann " in line


async def test_a_long_name_is_cut_on_its_right_end_only() -> None:
    identity = ConnectionIdentity("PROD", "https://h/engine-rest", "ann", profile="a-name-that-goes-on-" * 6)
    async with on(identity, FakeEngine(10), (80, 24)) as (app, _pilot):
        line = screen(app).query_one(IdentityLine).text
        assert line.startswith(" PROD   a-name-that-goes-on-")
        assert "SAFE  ● LIVE" in line
        assert line.endswith("Z")


async def test_a_number_that_must_be_typed_is_waited_for() -> None:
    async with on(PROD, FakeEngine(10)) as (app, pilot):
        answers: list[bool | None] = []
        app.push_screen(Confirm("Undo?", ["34 tasks"], "Restore", "L", typed="34"), answers.append)
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("L")
        await pilot.pause()
        assert isinstance(app.screen, Confirm)
        await pilot.press("3", "enter", "4")
        assert answers == []
        await pilot.press("enter")
        await until(pilot, lambda: answers == [True])
