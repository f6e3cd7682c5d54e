"""The launch dialog: what it says, what its keys do, what is sent."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.timer import Timer

from retriage.console.app import RetriageApp
from retriage.console.engine.errors import Refused, Unanswered
from retriage.console.journal import journal_at
from retriage.console.launch import send as sending
from retriage.console.operations.preview import Kind
from retriage.console.reading.selection import Composed, Marked
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.dialogs import confirm_delay
from retriage.console.screens.dialogs.choice import Choice
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.order_dialog import TOO_EARLY
from retriage.console.screens.events.screen import EventsScreen
from retriage.console.screens.help.screen import HelpScreen
from retriage.console.screens.launch import waiting
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.launch.flow import open_launch
from retriage.console.screens.launch.tick import Tick
from retriage.console.screens.tasks.screen import TasksScreen
from retriage.console.screens.tour import TourGuide
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.tour import Tour
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import Batch, BatchStatistics
from tests.console.fake import FakeEngine, connecting, ids, statistics
from tests.console.settle import console, filter_by, lines, loaded, said, screen, text, until


async def type_filter(app: RetriageApp, pilot: Pilot[None], words: str, matching: int) -> None:
    await filter_by(app, pilot, words)
    await until(pilot, lambda: screen(app).matching == matching and loaded(app))


async def dialog(app: RetriageApp, pilot: Pilot[None], *see: str) -> LaunchDialog:
    """Press R, and wait until everything was counted and read."""
    await pilot.press("R")
    return await opened(app, pilot, *see)


async def opened(app: RetriageApp, pilot: Pilot[None], *see: str) -> LaunchDialog:
    await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and app.screen.plan is not None)
    found = app.screen
    assert isinstance(found, LaunchDialog)
    words = (*see, "in the launch")
    # Keys count from the frame on; where the test makes that later it waits by itself.
    await until(
        pilot,
        lambda: (
            found.preparation.complete
            and (found.delay.over or confirm_delay.DELAY)
            and all(word in text(app) for word in words)
        ),
    )
    return found


def held_launches(engine: FakeEngine) -> asyncio.Event:
    """No launch is answered before this is set."""
    answer = asyncio.Event()
    launch = engine.set_retries_async

    async def slow(order: SetExternalTaskRetries) -> Batch:
        await answer.wait()
        return await launch(order)

    engine.set_retries_async = slow  # type: ignore[method-assign]
    return answer


async def test_what_would_become_of_the_tasks_and_cancel_has_the_focus() -> None:
    async with console(FakeEngine(100), size=(80, 24)) as (app, pilot):
        await type_filter(app, pilot, "retries:0", 60)
        await pilot.press("A")
        shown = await dialog(app, pilot, "60  tries 0 -> 1", '"noRetriesLeft": true', "60 batch jobs, 1 seed run")
        assert shown.focused is not None
        assert shown.focused.id == "cancel"
        assert "by query: takes what matches" in text(app)
        assert lines(app)[0].startswith(" TEST ")
        assert lines(app)[-1].startswith(" ? help")
        assert "counted" in text(app)
        assert "ord-88000" in text(app), "no sample"


async def test_enter_on_cancel_and_escape_and_r_launch_nothing() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        for key in ("enter", "escape"):
            await dialog(app, pilot)
            await pilot.press("R")
            assert isinstance(app.screen, LaunchDialog)
            await pilot.press(key)
            await until(pilot, lambda: not isinstance(app.screen, LaunchDialog))
        assert engine.orders == []
        assert screen(app).table.marks


async def test_digits_go_to_the_retries_field_wherever_the_focus_is() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space")
        shown = await dialog(app, pilot)
        assert shown.retries == 1
        await pilot.press("2", "5")
        assert shown.retries == 25
        await until(pilot, lambda: "tries 0 -> 25" in text(app))
        await pilot.press("backspace")
        assert shown.retries == 2
        await until(pilot, lambda: '"retries": 2' in text(app))
        await pilot.press("backspace", "L")
        assert shown.retries is None
        await until(pilot, lambda: "Type the number of retries to set." in text(app))
        await pilot.press("0", "7")
        assert shown.retries == 7


async def test_what_is_typed_into_the_retries_field_takes_the_place_of_what_stood_there() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space")
        shown = await dialog(app, pilot)
        field = shown.query_one("#retries", Field)
        while not field.active:
            await pilot.press("tab")
        assert shown.retries == 1
        await pilot.press("5", "0")
        assert shown.retries == 50
        await pilot.press("tab", "shift+tab", "3")
        assert shown.retries == 3
        await pilot.press("tab", "shift+tab", "end", "2")
        assert shown.retries == 32
        await pilot.press("tab", "tab", "7")
        assert shown.retries == 7


async def test_a_number_that_is_too_large_is_told_and_kept() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        shown = await dialog(app, pilot)
        await pilot.press(*"999999999999")
        await until(pilot, lambda: "at most 2,147,483,647" in text(app))
        assert shown.query_one("#retries", Field).value == "999999999999"
        await pilot.press("L", "enter")
        assert engine.orders == []
        assert isinstance(app.screen, LaunchDialog)


async def test_more_attempts_than_are_usual_are_doubted() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space")
        shown = await dialog(app, pilot)
        await pilot.press("2", "0")
        await until(pilot, lambda: shown.retries == 20 and "attempts each task is given" in text(app))
        await pilot.press("8")
        await until(pilot, lambda: "208 attempts for each task: is that meant?" in text(app))


async def test_with_0_retries_one_thing_is_said() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot)
        await pilot.press("0")
        await until(pilot, lambda: "They all have 0 retries already: this changes nothing." in text(app))
        assert "raises an incident" not in text(app)


async def back(app: RetriageApp, pilot: Pilot[None]) -> None:
    """From the page of the batch that was launched to where it was launched from."""
    await until(pilot, lambda: isinstance(app.screen, BatchDetail))
    await pilot.press("escape")
    await until(pilot, lambda: not isinstance(app.screen, BatchDetail))


async def test_what_was_launched_does_not_come_in_front_of_what_was_opened_meanwhile() -> None:
    engine = FakeEngine(100)
    answer = held_launches(engine)
    async with console(engine) as (app, pilot):
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: app.session.connection.launching)
        await pilot.press("5")
        await until(pilot, lambda: screen(app).VIEW == "jobs")
        answer.set()
        await until(pilot, lambda: app.session.watch.launched and "view 4" in said(app))
        assert screen(app).VIEW == "jobs"


@pytest.mark.parametrize(("key", "lands"), [("4", "batches"), ("m", ""), ("6", "journal")])
async def test_the_page_of_a_batch_that_is_still_read_does_not_open_on_top_of_what_was_gone_to(
    key: str, lands: str
) -> None:
    engine = FakeEngine(100)
    answer, asked = asyncio.Event(), asyncio.Event()
    launch, batches = engine.set_retries_async, engine.batches

    async def late(query: Any, first: int, size: int) -> list[BatchStatistics]:
        if app.session.connection.launching:
            return []  # the engine does not list it yet
        asked.set()
        await answer.wait()
        return await batches(query, first, size)

    async def launched(order: SetExternalTaskRetries) -> Batch:
        batch = await launch(order)
        engine.batches = late  # type: ignore[method-assign]
        return batch

    engine.set_retries_async = launched  # type: ignore[method-assign]
    async with console(engine) as (app, pilot):
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: asked.is_set() and not app.session.connection.launching)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, EventsScreen) if key == "m" else screen(app).VIEW == lands)
        front = app.screen
        answer.set()
        await until(pilot, lambda: "view 4" in said(app))
        assert app.screen is front


async def test_the_key_of_a_view_shows_that_view_and_not_a_page_of_another_that_was_opened_there() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail))
        await pilot.press("4")
        await until(pilot, lambda: not isinstance(app.screen, BatchDetail) and screen(app).VIEW == "batches")
        await pilot.press("1")
        await until(pilot, lambda: screen(app).VIEW == "tasks")
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, TasksScreen))
        page = app.screen
        await pilot.press("2", "1")
        await until(pilot, lambda: app.screen is page)


async def test_l_launches_the_marked_tasks_and_clears_the_marks() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("space", "j", "space")
        await dialog(app, pilot, "by ids: exactly these")
        await pilot.press("3", "L")
        await until(pilot, lambda: engine.orders)
        (name, order) = engine.orders[0]
        assert name == "set_retries_async"
        assert order.retries == 3
        assert order.external_task_ids == ids([0, 2])
        await until(pilot, lambda: "launched: 2 jobs" in said(app))
        assert app.session.watch.launched == {"batch-1"}
        await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "batch-1" in text(app))
        await back(app, pilot)
        assert not screen(app).table.marks


async def test_keys_that_were_pressed_before_it_could_be_read_do_nothing_and_are_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(confirm_delay, "DELAY", 1e9)
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(app, pilot, "retries:0", 60)
        await pilot.press("A", "R", "3", "L")
        shown = await opened(app, pilot, '"retries": 3', TOO_EARLY)
        assert not shown.query_one("#launch", Choice).enabled
        await pilot.press("L")
        shown.query_one("#launch", Choice).focus()
        await pilot.press("enter")
        await pilot.click("#launch")
        monkeypatch.setattr(confirm_delay, "DELAY", 0.0)
        shown.write()
        await until(pilot, lambda: shown.query_one("#launch", Choice).enabled)
        assert engine.orders == []
        assert app.screen is shown
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].retries == 3
        assert engine.orders[0][1].external_task_query == ExternalTaskQuery(no_retries_left=True)


async def test_what_is_counted_after_a_key_is_not_launched_by_it() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.delay = 0.3
        await pilot.press("A", "R", "1", "L")
        await until(pilot, lambda: TOO_EARLY in text(app))
        engine.delay = 0.0
        await opened(app, pilot)
        assert engine.orders == []
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)


async def test_another_number_and_another_group_have_to_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A")
        shown = await dialog(app, pilot)
        await until(pilot, lambda: shown.delay.over)
        monkeypatch.setattr(confirm_delay, "DELAY", 1e9)
        shown.delay._written_at = -1e10  # read long ago
        for change in (lambda: pilot.press("4"), lambda: pilot.press("F")):
            await pilot.pause()
            shown.delay._written_at = -1e10
            assert shown.delay.over
            await change()
            await until(pilot, lambda: not shown.delay.over)
            await opened(app, pilot)
        await pilot.press("L")
        assert engine.orders == []


async def test_without_marks_the_task_under_the_cursor_is_named() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("j", "j")
        await dialog(app, pilot, "Retry ord-88002", "reserve-stock")
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_ids == ids([2])


async def test_all_but_some_is_sent_as_ids() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(app, pilot, "retries:0", 60)
        await pilot.press("A", "space")
        await dialog(app, pilot, "selection as of")
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        order = engine.orders[0][1]
        assert len(order.external_task_ids) == 59
        assert order.external_task_query is None


async def take_in(pilot: Pilot[None], shown: LaunchDialog, kind: Kind) -> None:
    before = shown.preparation.included
    shown.set_focus(shown.query_one(f"#{kind}"))
    await pilot.press("space")
    await until(pilot, lambda: shown.preparation.included == before ^ {kind})


async def test_what_has_no_need_of_it_is_left_out_of_a_query_unless_taken_in() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A")
        shown = await dialog(app, pilot, "20  now have 2 tries", "20  never failed (-) -> 1", "[ ] include")
        assert shown.plan is not None
        assert (shown.plan.count, shown.plan.everything) == (60, False)
        assert '"noRetriesLeft": true' in text(app)
        await take_in(pilot, shown, "lowered")
        await until(pilot, lambda: "80  tasks in the launch" in text(app) and "for no query leaves" in text(app))
        await take_in(pilot, shown, "never_failed")
        await until(pilot, lambda: "EVERY external task of the engine" in text(app))
        await pilot.press("L")
        await until(pilot, lambda: "Press E" in text(app))
        assert engine.orders == []
        await pilot.press("E", "L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_query == ExternalTaskQuery()


async def test_nothing_is_lowered_when_all_get_more_but_what_never_failed_is_left_out() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A")
        shown = await dialog(app, pilot)
        await pilot.press("5")
        await until(pilot, lambda: "tries 2 -> 5" in text(app) and not shown.query_one("#lowered", Tick).display)
        assert shown.plan is not None
        assert shown.plan.count == 80
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_ids == [id for n, id in enumerate(ids(range(100))) if n % 5 != 3]


async def test_ids_of_all_groups_are_left_out_unless_taken_in() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        wanted = Marked(frozenset([*ids(range(10)), "gone-1"]))
        open_launch(app, app.session, wanted)
        shown = await opened(app, pilot, "now have 2 tries", "gone since listing", "never failed (-)")
        assert shown.plan is not None
        assert shown.plan.count == 6
        await take_in(pilot, shown, "gone")
        await take_in(pilot, shown, "never_failed")
        await take_in(pilot, shown, "lowered")
        await take_in(pilot, shown, "lowered")
        assert shown.plan.count == 9
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_ids == sorted({*ids(range(10)), "gone-1"}.difference(ids([4, 9])))


async def test_on_an_engine_without_tasks_one_sentence_says_so() -> None:
    async with console(FakeEngine(0)) as (app, pilot):
        await pilot.press("A", "R")
        await opened(app, pilot, "There is nothing to launch: no task matches.")
        assert "EVERY" not in text(app)
        await pilot.press("3", "enter", "L")
        assert isinstance(app.screen, LaunchDialog)


async def test_another_batch_over_the_same_tasks_is_told_with_who_launched_it() -> None:
    engine = FakeEngine(100)
    engine.running["batch-b40"] = statistics("batch-b40", 4740, 4740, 1000).model_copy(
        update={"create_user_id": "bob", "type": "set-external-task-retries"}
    )
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot, "! bob's batch batch-b40", "3,740 to go) may hold some of these tasks")


async def test_a_topic_without_workers_is_told() -> None:
    engine = FakeEngine(100)
    counted = engine.count_external_tasks

    async def nobody(query: ExternalTaskQuery) -> int:
        return 0 if query.lock_expiration_after is not None else await counted(query)

    async def no_log(query: Any, first: int, size: int) -> list[Any]:
        return []

    engine.count_external_tasks = nobody  # type: ignore[method-assign]
    engine.external_task_log = no_log  # type: ignore[method-assign]
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot, "no worker seen in 15 min on charge-card")


async def test_it_is_frozen_until_f_counts_again() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(app, pilot, "retries:0", 60)
        await pilot.press("A")
        shown = await dialog(app, pilot)
        engine.removed.update(ids([0, 1]))
        await shown.preparation.look_again()
        await until(pilot, lambda: "2 fewer match by now" in text(app))
        assert "60  tasks in the launch" in text(app)
        await pilot.press("F")
        await until(pilot, lambda: "58  tasks in the launch" in text(app))


async def test_tasks_that_came_to_match_after_the_count_are_named() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(app, pilot, "retries:0", 60)
        await pilot.press("A")
        await dialog(app, pilot)
        launch = engine.set_retries_async

        async def grown(order: SetExternalTaskRetries) -> Batch:
            batch = await launch(order)
            return batch.model_copy(update={"total_jobs": batch.total_jobs + 30})

        engine.set_retries_async = grown  # type: ignore[method-assign]
        await pilot.press("L")
        await until(pilot, lambda: "30 more than were counted" in said(app))


@pytest.mark.parametrize("carried_out", [True, False])
async def test_an_unanswered_launch_is_looked_for_and_never_sent_again(
    carried_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BETWEEN_LOOKS", 0.05)
    engine = FakeEngine(100)
    sent: list[object] = []

    async def unanswered(order: object) -> None:
        sent.append(order)
        if carried_out:
            engine.running["lost"] = statistics("lost", 1)
        raise Unanswered("The launch of the batch was not answered.", "launch of the batch", datetime.now(UTC))

    engine.set_retries_async = unanswered  # type: ignore[method-assign, assignment]
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        tasks = screen(app)
        await dialog(app, pilot)
        await pilot.press("L")
        await until(
            pilot,
            lambda: (
                ("probably belongs to the launch: 1 job" if carried_out else "its batch was not there") in said(app)
            ),
        )
        assert len(sent) == 1
        await until(pilot, lambda: bool(tasks.table.marks) is not carried_out)


@pytest.mark.parametrize("what", ["the look before sending", "the engine's answer"])
async def test_what_was_typed_is_there_again_when_a_launch_was_not_sent(what: str) -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        shown = await dialog(app, pilot)
        await pilot.press("3")
        shown.query_one("#reason", Field).value = "PSP back, INC-4412"
        launch, batches = engine.set_retries_async, engine.batches
        of_proxy = what != "the engine's answer"

        async def refused(*_: object) -> Any:
            raise Refused("Bad Gateway.", 502) if of_proxy else Refused("No.", 500, "ProcessEngineException")

        if of_proxy:
            engine.batches = refused  # type: ignore[method-assign]
        else:
            engine.set_retries_async = refused  # type: ignore[method-assign]
        await pilot.press("L")
        await until(pilot, lambda: app.session.memory.unsent is not None and not app.session.connection.launching)
        assert engine.orders == []
        engine.set_retries_async, engine.batches = launch, batches  # type: ignore[method-assign]
        await pilot.press("r")
        await until(pilot, lambda: not app.session.connection.state.silent)
        again = await dialog(app, pilot)
        assert [again.query_one(name, Field).value for name in ("#retries", "#reason")] == ["3", "PSP back, INC-4412"]
        if not of_proxy:
            return
        # What it was not typed for does not get it.
        await pilot.press("escape", "u")  # the cursor is on the next row
        other = await dialog(app, pilot)
        assert [other.query_one(name, Field).value for name in ("#retries", "#reason")] == ["1", ""]
        await pilot.press("escape", "g", "space")
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].retries == 3
        await until(pilot, lambda: app.session.watch.launched and not app.session.connection.launching)
        await back(app, pilot)
        await pilot.press("u", "g", "space")
        after = await dialog(app, pilot)
        assert after.query_one("#reason", Field).value == "", "it was launched"


async def test_no_second_launch_begins_while_one_is_on_its_way() -> None:
    engine = FakeEngine(100)
    answer = held_launches(engine)
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: app.session.connection.launching)
        await pilot.press("R")
        await until(pilot, lambda: "still on its way" in said(app))
        assert not isinstance(app.screen, LaunchDialog)
        answer.set()
        await until(pilot, lambda: app.session.watch.launched)
        assert len(engine.orders) == 1
        await until(pilot, lambda: not app.session.connection.launching)
        await back(app, pilot)
        await dialog(app, pilot)


async def test_an_engine_that_takes_its_time_is_waited_for_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.05)
    engine = FakeEngine(100)
    answer = held_launches(engine)
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: "waiting for the engine … 1 s" in text(app))
        assert "is not sent again by itself" in text(app)
        assert app.session.connection.launching
        answer.set()
        await until(pilot, lambda: not isinstance(app.screen, waiting.Waiting))
        await until(pilot, lambda: "launched: 1 job" in said(app))
        await back(app, pilot)
        answer.clear()
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, waiting.Waiting))
        shown = app.screen
        app.push_screen(HelpScreen(("list",)))
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        answer.set()
        await until(pilot, lambda: not app.session.connection.launching)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not shown and not isinstance(app.screen, HelpScreen))
        assert not isinstance(app.screen, waiting.Waiting)
        for key, view in (("4", "batches"), ("6", "journal")):
            await pilot.press("1")
            await until(pilot, lambda: getattr(app.screen, "VIEW", "") == "tasks")
            answer.clear()
            await dialog(app, pilot)
            await pilot.press("L")
            await until(pilot, lambda: isinstance(app.screen, waiting.Waiting))
            await pilot.press(key)
            await until(pilot, lambda view=view: getattr(app.screen, "VIEW", "") == view)
            assert app.session.connection.launching
            answer.set()
            await until(pilot, lambda: not app.session.connection.launching)
            assert screen(app).VIEW == view
        assert len(engine.orders) == 4


async def test_letters_typed_into_the_reason_are_no_keys() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        shown = await dialog(app, pilot)
        shown.query_one("#reason", Field).enter()
        await pilot.press(*"LFYx", "space", "3")
        assert shown.query_one("#reason", Field).value == "LFYx 3"
        assert shown.retries == 1
        assert engine.orders == []


@pytest.mark.parametrize("waves", [False, True])
async def test_enter_in_a_field_launches_nothing_and_makes_keys_act_again(waves: bool) -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A")
        shown = await dialog(app, pilot)
        await pilot.press("3", *("W" if waves else ""))
        await until(pilot, lambda: shown.delay.over)
        await pilot.press(*["enter"] * 9)
        shown.query_one("#reason", Field).enter()
        await pilot.press("L", *["enter"] * 9)
        assert (app.screen, shown.waves.on) == (shown, waves)
        assert (shown.query_one("#reason", Field).value, shown.retries, engine.orders) == ("L", 3, [])
        await until(pilot, lambda: "L launch" in lines(app)[-1])
        await pilot.press("L")
        await until(pilot, lambda: "Waves need a journal" in text(app) if waves else engine.orders)


async def test_while_text_is_typed_only_keys_are_told_that_write_nothing() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space")
        shown = await dialog(app, pilot)
        assert "L launch" in lines(app)[-1]
        shown.query_one("#reason", Field).enter()
        await until(
            pilot,
            lambda: lines(app)[-1].split() == ["esc", "cancel", "enter", "leave", "field", "tab", "next", "field"],
        )
        shown.query_one("#retries", Field).enter()
        await until(pilot, lambda: "? help" in lines(app)[-1] and "L launch" in lines(app)[-1])
        await pilot.press("escape")
        await until(pilot, lambda: loaded(app))
        await pilot.press("slash")
        await until(pilot, lambda: lines(app)[-1].startswith(" enter apply"))


async def test_the_request_is_copied_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIAGE_HOME", str(tmp_path))
    copied: list[str] = []
    async with console(FakeEngine(100)) as (app, pilot):
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await pilot.press("space", "j", "space")
        await dialog(app, pilot)
        for key, what in (("y", "Copied the request's JSON"), ("Y", "Copied the request as curl")):
            await pilot.press(key)
            await until(pilot, lambda what=what: what in said(app))
        assert json.loads(copied[0]) == {"retries": 1, "externalTaskIds": ids([0, 2])}
        assert copied[1].startswith("curl -X POST")
        await pilot.press("x")
        await until(pilot, lambda: "is written to" in said(app))
        (file,) = (tmp_path / "launches").iterdir()
        assert json.loads(file.read_text()) == {"retries": 1, "externalTaskIds": ids([0, 2])}


async def test_a_composed_request_is_counted_as_a_union_and_sent_as_it_is() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        sources = SetExternalTaskRetries(
            external_task_ids=ids([0, 1]), external_task_query=ExternalTaskQuery(no_retries_left=True)
        )
        open_launch(app, app.session, Composed(sources, "two and all that failed"))
        await opened(app, pilot, "60  tasks in the launch", "two and all that failed")
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        order = engine.orders[0][1]
        assert order.external_task_ids == ids([0, 1])
        assert order.external_task_query == ExternalTaskQuery(no_retries_left=True)


async def test_an_engine_that_does_not_answer_is_told_and_can_be_asked_again() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(app, pilot, "retries:0", 60)
        await pilot.press("A")
        engine.gone = True
        open_launch(app, app.session, Marked(frozenset(ids([0]))))
        await until(pilot, lambda: "F tries again" in text(app))
        engine.gone = False
        await pilot.press("F")
        await opened(app, pilot, "1  task in the launch")


@pytest.mark.parametrize(("user", "who"), [("ann", "ann"), ("", "this console")])
async def test_a_batch_launched_here_over_the_same_tasks_is_told_with_their_number(
    tmp_path: Path, user: str, who: str
) -> None:
    engine = FakeEngine(100)
    app = RetriageApp(
        connecting(engine), ConnectionIdentity("TEST", user=user), journal=lambda: journal_at(tmp_path / "j.db")
    )
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.session.memory.journal is not None and loaded(app))
        for number, chosen in enumerate(([0, 1, 2], [7]), 1):
            open_launch(app, app.session, Marked(frozenset(ids(chosen))))
            await opened(app, pilot)
            await pilot.press("L")
            await until(
                pilot, lambda number=number: not app.session.connection.launching and len(engine.running) == number
            )
        for batch in engine.running:
            engine.running[batch] = engine.running[batch].model_copy(
                update={"type": "set-external-task-retries", "suspended": True}
            )
        open_launch(app, app.session, Marked(frozenset(ids([1, 2, 5]))))
        await opened(app, pilot, f"{who} launched batch batch-1", "on 2 of these 3, suspended")
        assert "launched batch batch-2" not in text(app), "it works on none of these tasks"


async def test_waves_that_are_wanted_before_the_tasks_are_read_get_their_sizes_then() -> None:
    engine = FakeEngine(100)
    answer, find = asyncio.Event(), engine.external_tasks

    async def late(query: Any, first: int, size: int) -> list[Any]:
        await answer.wait()
        return await find(query, first, size)

    async with console(engine) as (app, pilot):
        await pilot.press("v", "G")
        engine.external_tasks = late  # type: ignore[method-assign]
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        await pilot.press("W")
        waves = app.screen.query_one("#waves", Field)
        await until(pilot, lambda: waves.active)
        assert (screen(app).plan, waves.value) == (None, "")
        answer.set()
        await opened(app, pilot)
        await until(pilot, lambda: waves.value == screen(app).waves.proposal != "")


async def test_the_keys_of_the_dialog_are_told() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Send the request that is shown." in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))


async def test_what_looks_now_and_again_bears_that_the_application_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Callable[[], object]] = []
    async with console(FakeEngine(1)) as (app, _pilot):
        monkeypatch.setattr(app, "set_timer", lambda _seconds, show: looks.append(show) or Timer(app, 1.0))
        with waiting.shown_while(app, app.session, "1 task"):
            looks.append(TourGuide(app, app.session, Tour()).look)
    assert not app.screen_stack
    for look in looks:
        look()
    assert len(looks) == 2
