"""A run on the screen: begun in the launch dialog, held, released, resumed, stopped, changed, undone, found again."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from retriage.console.app import RetriageApp
from retriage.console.reading.page_limit import PageLimit
from retriage.console.runs import driver
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.runs.screen import RunScreen
from retriage.console.settings import Notify, Settings
from retriage.console.widgets.line_table import LineTable
from tests.console.operations.test_set_variables import begun as set_variables
from tests.console.operations.test_set_variables import has, operation
from tests.console.runs.a_run import OUTAGE, Scene, scene
from tests.console.screens.runs.a_run_on_screen import PROD, on_screen
from tests.console.settle import said


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits a second between two pages."""
    monkeypatch.setattr(driver, "TICK", 0.02)
    monkeypatch.setattr(driver, "PageLimit", partial(PageLimit, every=0.0))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 14) as one:
        yield one


async def test_from_the_dialog_to_a_gate_that_holds_and_on(world: Scene, tmp_path: Path) -> None:
    ids = await world.ids()
    world.fails = dict.fromkeys(ids[2:7], "card expired")
    called = tmp_path / "called"
    script = """
import json, os, sys
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(dict(os.environ), file)
os.replace(sys.argv[1] + ".new", sys.argv[1])
"""
    settings = Settings(Notify({"held": ("python3", "-c", script, str(called))}))
    async with on_screen(world, settings=settings) as seen:
        await seen.begin("2, 5, rest")
        await seen.sees("RUN 1", "Held by the gate of wave 2.", "5 of 5 decided tasks failed again", "HELD")
        assert seen.bells == 1
        await seen.so(called.exists)
        facts = json.loads(called.read_text())
        assert (facts["RETRIAGE_RUN"], facts["RETRIAGE_WAVE"], facts["RETRIAGE_CAUSE"]) == ("1", "2", "failed-again")
        assert (facts["RETRIAGE_AGAIN"], facts["RETRIAGE_ENGINE"]) == ("5", "e")
        assert world.sql("SELECT count(*) FROM batch") == [(2,)] or len(await batches(world)) == 2
        await seen.order("R", "Release run 1?", "Wave 3 goes out next with 7 tasks.")
        await seen.sees("FINISHED", "1 wave released by the operator.", "9 done, 5 failed again")
        assert seen.app.screen.query_one("#steps", LineTable).cursor == 0, "the newest step is in sight"
        # The journal lists the run as one, not its batches; the page leads to the batch of a wave.
        await seen.press("escape", "6")
        await seen.sees("run finished", "3 waves", "1 run")
        assert "run 1, wave" not in seen.text
        await seen.press("enter")
        await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)
        await seen.sees("released")
        await seen.press("p")
        await seen.sees("PAUSED")
        await seen.press("p")
        await seen.so(lambda: not seen.app.session.watch.paused)
        await seen.press("g", "enter")
        await seen.so(lambda: isinstance(seen.app.screen, BatchDetail))


def reads_only_while_not_paused(app: RetriageApp) -> None:
    """The page of a run that is driven reads the journal every second, unless the console is paused."""
    screen, session = app.screen, app.session
    assert isinstance(screen, RunScreen)
    reads: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screen, "_read", lambda: reads.append(session.watch.paused))
        session.watch.paused = True
        screen._turn()
        assert reads == []
        session.watch.paused = False
        screen._turn()
        assert reads == [False]


async def batches(world: Scene) -> list[str]:
    """Ids of all batches that the engine ever had."""
    return [one["id"] for one in (await world.http.get("/history/batch")).json()]


@pytest.mark.long
async def test_a_run_goes_on_when_the_safety_is_back_and_nothing_else_does(world: Scene) -> None:
    world.works = False
    async with on_screen(world, PROD) as seen:
        shown = await seen.dialog("4, rest")
        await seen.press("L")
        await seen.sees("SAFE: this is PROD")
        seen.app.session.connection.arm()
        shown.query_one("#reason").query_one("Input").value = "PSP back"  # type: ignore[attr-defined]
        shown.query_one("#count").query_one("Input").value = "14"  # type: ignore[attr-defined]
        await seen.so(lambda: not shown.waves.why_not("PSP back", "14"))
        shown.action_launch()
        await seen.sees("RUN 1", "watched")
        seen.app.session.connection.disarm()
        world.works = True
        await seen.sees("PASSED", "14 done")
        assert len(await batches(world)) == 2
        assert seen.app.session.connection.safety.why_not().startswith("SAFE")
        await seen.press("Z")
        await seen.sees("SAFE: this is PROD")


@pytest.mark.long
async def test_what_was_interrupted_is_told_at_the_next_start_and_resumed_by_choice(world: Scene) -> None:
    world.works = False
    async with on_screen(world) as seen:
        await seen.begin("2, rest")
        await seen.sees("Wave 1 is watched")
        reads_only_while_not_paused(seen.app)
        await seen.press("q")
        await seen.sees("Run 1 is at work, and held when you leave.")
        await seen.press("escape")
    assert await world.journal.runs.run(1) is not None
    assert (await world.view(1)).word == "held"
    world.works = True
    async with on_screen(world) as seen:
        await seen.sees("Run 1 is held after an interruption", "7 run 1 held")
        assert len(await batches(world)) == 1
        await seen.press("7")
        await seen.sees("Held after an interruption.", "R resume..")
        await seen.order("R", "Resume run 1?", "no wave is sent twice")
        await seen.sees("PASSED", "14 done")
        assert len(await batches(world)) == 2


@pytest.mark.long
async def test_what_another_console_does_with_a_held_run_is_seen(world: Scene) -> None:
    world.fail_all = OUTAGE
    async with on_screen(world) as seen:
        await seen.begin("5, rest")
        await seen.sees("Held by the gate of wave 1", "7 run 1 held", "R release..")
        other = world.driver(1)
        other.wish("stop:goes-on")
        await other.drive()
        await seen.sees("RUN 1  STOPPED")
        await seen.so(lambda: "run 1 held" not in seen.text)


@pytest.mark.long
async def test_the_rest_is_changed_and_then_stopped(world: Scene) -> None:
    world.fail_all = OUTAGE
    async with on_screen(world) as seen:
        await seen.begin("5, rest")
        await seen.sees("Held by the gate of wave 1.")
        await seen.press("C")
        await seen.sees("The rest of run 1: 9 tasks", "Nothing is changed yet.")
        await seen.press("2", "comma", "3", "comma")
        await seen.sees("The waves 2, 3 take 5 of 9 tasks: end them with rest.")
        await seen.press("4", "L")
        await seen.sees("The rest of run 1 is changed.", "waves 2, 3, 4")
        assert [wave.tasks for wave in (await world.view(1)).waves] == [5, 2, 3, 4]
        await seen.press("X")
        await seen.sees("3 waves with 9 tasks are dropped.")
        await seen.press("S")
        await seen.sees("STOPPED", "dropped")
    view = await world.view(1)
    assert [wave.state for wave in view.waves] == ["stopped", "dropped", "dropped", "dropped"]
    assert world.remembered("SELECT count(*) FROM launch") == [(1,)]


@pytest.mark.long
async def test_undo_tells_what_it_can_and_what_it_cannot(world: Scene) -> None:
    ids = await world.ids()
    world.idle = set(ids[:3])
    world.fails = dict.fromkeys(ids[3:8], OUTAGE)
    async with on_screen(world) as seen:
        await seen.begin("8, rest")
        await seen.sees("Held by the gate of wave 1.")
        world.works = False
        await seen.press("Z")
        await seen.sees("Undo run 1?", "3 tasks get back 0 retries.", "5 failed again since", "The run ends:")
        await seen.press("L")
        await seen.so(lambda: world.sql("SELECT count(*) FROM external_task WHERE retries > 0") == [(0,)])
        await seen.so(lambda: "launched: 3 jobs, retries 0." in said(seen.app))
        await seen.sees("RUN 1  STOPPED")
        await seen.press("R")
        await seen.sees("Run 1 is over.")
    assert len(await batches(world)) == 2


@pytest.mark.long
async def test_a_run_that_another_console_goes_on_with_meanwhile_is_not_undone(world: Scene) -> None:
    world.fail_all = OUTAGE
    world.idle = set((await world.ids())[:3])
    async with on_screen(world) as seen:
        await seen.begin("8, rest")
        await seen.sees("Held by the gate of wave 1.")
        world.works = False
        # What a worker holds at this moment would not be restored.
        held = "SELECT 1 FROM external_task WHERE retries > 0 AND lock_expiration_time IS NOT NULL"
        await seen.so(lambda: not world.sql(held))
        await seen.press("Z")
        await seen.sees("Undo run 1?")
        await world.journal.runs.take(1, "elsewhere:1:x")
        await seen.press("L")
        await seen.so(lambda: "Run 1 is driven by another console now." in said(seen.app))
    assert world.sql("SELECT count(*) FROM external_task WHERE retries > 0") == [(3,)]
    assert (await world.view(1)).run.state == "held"


@pytest.mark.long
async def test_variables_come_back_one_by_one_and_it_is_said_how_far(world: Scene) -> None:
    world.works = False
    await world.drive(await set_variables(world, operation("amount:Integer=130", new=True)))
    async with on_screen(world) as seen:
        await seen.press("6")
        await seen.sees("1 run")
        await seen.press("enter")
        await seen.so(lambda: isinstance(seen.app.screen, RunScreen) and seen.app.screen.view() is not None)
        await seen.press("Z")
        await seen.sees(
            "Undo run 1?", "14 instances get back what was in amount.", "14 requests, one for each instance"
        )
        await seen.press("L")
        await seen.so(lambda: "14 of 14 instances got back what they had." in said(seen.app))
        await seen.sees("undone", "14 instances to get back what each had in amount, one by one")
        assert set((await has(world)).values()) == {None}
        await seen.press("Z")
        await seen.so(lambda: "Nothing can be restored: 14 set back already" in said(seen.app))


@pytest.mark.long
async def test_waves_that_cannot_be_are_said_and_launch_nothing(world: Scene) -> None:
    async with on_screen(world) as seen:
        shown = await seen.dialog("2, 3")
        await seen.sees("The waves 2, 3 take 5 of 14 tasks: end them with rest.")
        await seen.press("L")
        assert seen.app.screen is shown
        await seen.press("comma", "r", "e", "s", "t")
        await seen.sees("3 waves: 2 + 3 + 9", "hold on a new cause too")
        await seen.press("n")
        await seen.sees("holds on a new cause too")
        await seen.press("W")
        await seen.sees('"retries": 1')
        assert not shown.waves.on
    assert world.remembered("SELECT count(*) FROM run") == [(0,)]
