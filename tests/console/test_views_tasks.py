"""The tasks view: reading, filter, marks, and the launch dialog."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import RetriageApp
from console.engine.errors import Unanswered
from console.screens.launch import flow
from console.screens.launch.dialog import LaunchDialog
from console.widgets.filter_line import FilterLine
from console.widgets.pane import Pane
from store.contract.orders import SetExternalTaskRetries
from store.contract.queries import ExternalTaskQuery
from store.contract.records import Batch
from tests.console.fake import FakeEngine, ids, statistics, task
from tests.console.settle import console, lines, loaded, until


def screen(app: RetriageApp) -> Any:
    return app.screen


async def type_filter(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash", *("space" if letter == " " else letter for letter in text))


async def dialog(app: RetriageApp, pilot: Pilot[None]) -> LaunchDialog:
    await pilot.press("R")
    await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "tasks in the launch" in page(app))
    found = app.screen
    assert isinstance(found, LaunchDialog)
    return found


def page(app: RetriageApp) -> str:
    return app.screen.query_one(Pane).text


async def test_rows_count_and_the_task_under_the_cursor_are_shown() -> None:
    async with console(FakeEngine(5214)) as (app, pilot):
        await until(pilot, lambda: app.session.counts.get("jobs") is not None and app.session.identity.engine)
        await until(pilot, lambda: "charge-card" in screen(app).query_one("#detail", Pane).text)
        text = "\n".join(lines(app))
        assert "TEST" in text
        assert "[1 Tasks 5,214]" in text
        assert "ord-88000" in text
        assert "5,214 external tasks" in text


async def test_moving_asks_nothing_until_rows_are_missing() -> None:
    engine = FakeEngine(100_000)
    async with console(engine) as (app, pilot):
        await pilot.press("p")
        await pilot.pause(0.2)
        before = len(engine.reads)
        await pilot.press(*["j"] * 5)
        await pilot.pause(0.2)
        assert len(engine.reads) == before
        engine.delay = 0.3
        await pilot.press("G")
        assert screen(app).table.cursor == 99_999
        await until(pilot, lambda: screen(app).table.row is not None)
        assert screen(app).table.row.id == task(99_999).id


async def test_the_pane_follows_when_the_cursor_rests() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("j", "j", "j")
        await until(pilot, lambda: "ord-88003" in screen(app).query_one("#detail", Pane).text)


async def test_a_filter_narrows_and_stays_in_sight_and_escape_clears_it() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await until(pilot, lambda: app.session.counts.get("tasks") == 100)
        await type_filter(pilot, "retries:0")
        await pilot.press("enter")
        await until(pilot, lambda: screen(app).matching == 60)
        await until(pilot, lambda: loaded(app))
        assert "60 match of 100" in "\n".join(lines(app))
        assert "/ retries:0" in "\n".join(lines(app))
        assert {row.item.retries for row in screen(app).table.loaded()} == {0}
        await pilot.press("escape")
        await until(pilot, lambda: screen(app).matching == 100)


async def test_a_mistake_is_explained_while_typing_and_not_applied() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await type_filter(pilot, "retris:0")
        await until(pilot, lambda: "did you mean" in "\n".join(lines(app)))
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert screen(app).query_one(FilterLine).typing
        assert screen(app).filter_text == ""
        await pilot.press("escape")
        assert not screen(app).query_one(FilterLine).typing
        await until(pilot, lambda: "did you mean" not in "\n".join(lines(app)))


async def test_no_letter_typed_into_the_filter_acts_on_rows() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(pilot, "A R q u p")
        await pilot.press("backspace", "delete")
        await pilot.pause(0.1)
        assert not screen(app).table.marks
        assert app.is_running
        assert not app.session.paused
        assert len(app.screen_stack) == 1


async def test_tab_completes_the_word_and_up_brings_the_last_filter_back() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await type_filter(pilot, "top")
        await pilot.press("tab")
        field = screen(app).query_one(FilterLine).query_one("#typed")
        assert field.value.startswith("topic:")
        await pilot.press("escape")
        await type_filter(pilot, "retries:0")
        await pilot.press("enter", "escape", "slash")
        await pilot.press("up")
        assert field.value == "retries:0"


async def test_nothing_to_show_says_why_and_what_to_press() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await until(pilot, lambda: app.session.counts.get("tasks") == 100)
        await type_filter(pilot, "topic:nowhere")
        await pilot.press("enter")
        await until(pilot, lambda: "0 of 100 match.  esc clears the filter" in "\n".join(lines(app)))


async def test_all_that_match_is_no_more_when_the_filter_changes() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("A")
        assert screen(app).table.marks.everything
        await type_filter(pilot, "retries:0")
        await pilot.press("enter")
        await until(pilot, lambda: screen(app).matching == 60)
        assert not screen(app).table.marks
        assert "unmarked" in app.session.event.sentence


async def test_marks_by_id_survive_filter_and_sort() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space", "space")
        await type_filter(pilot, "retries:0")
        await pilot.press("enter", "O")
        await until(pilot, lambda: screen(app).matching == 60 and loaded(app))
        assert screen(app).table.marks.ids == set(ids([0, 1]))


async def test_the_dialog_says_what_would_become_of_the_tasks_and_cancel_has_the_focus() -> None:
    async with console(FakeEngine(100), size=(80, 24)) as (app, pilot):
        await type_filter(pilot, "retries:0")
        await pilot.press("enter")
        await until(pilot, lambda: screen(app).matching == 60)
        await pilot.press("A")
        shown = await dialog(app, pilot)
        assert "60  tries 0 -> 1" in page(app)
        assert '"noRetriesLeft": true' in page(app)
        assert "60 batch jobs, 1 seed run" in page(app)
        assert shown.focused is not None
        assert shown.focused.id == "cancel"


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
        await pilot.press("tab", "backspace")
        assert shown.retries == 2
        assert '"retries": 2' in page(app)
        await pilot.press("backspace", "L")
        assert shown.retries is None
        assert isinstance(app.screen, LaunchDialog)
        await pilot.press("0", "0", "7")
        assert shown.retries == 7


async def test_l_launches_the_marked_tasks_and_clears_the_marks() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("space", "j", "space")
        await dialog(app, pilot)
        await pilot.press("3", "L")
        await until(pilot, lambda: engine.orders)
        (name, order) = engine.orders[0]
        assert name == "set_retries_async"
        assert order.retries == 3
        assert order.external_task_ids == ids([0, 2])
        await until(pilot, lambda: app.session.event and "launched: 2 jobs" in app.session.event.sentence)
        assert not screen(app).table.marks
        assert app.session.launched == {"batch-1"}


async def test_without_marks_the_row_under_the_cursor_is_meant() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("j", "j")
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_ids == ids([2])


async def test_all_but_some_is_sent_as_ids() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await type_filter(pilot, "retries:0")
        await pilot.press("enter")
        await until(pilot, lambda: screen(app).matching == 60 and loaded(app))
        await pilot.press("A", "space")
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: engine.orders)
        order = engine.orders[0][1]
        assert len(order.external_task_ids) == 59
        assert order.external_task_query is None


async def test_everything_on_the_engine_needs_a_yes_first() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A")
        await dialog(app, pilot)
        assert "EVERY external task of the engine. Press Y" in page(app)
        await pilot.press("L")
        await pilot.pause(0.1)
        assert engine.orders == []
        await pilot.press("Y", "L")
        await until(pilot, lambda: engine.orders)
        assert engine.orders[0][1].external_task_query == ExternalTaskQuery()


async def test_what_the_dialog_shows_is_frozen() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("space", "space")
        await dialog(app, pilot)
        before, reads = page(app), len(engine.reads)
        engine.removed.update(ids([0]))
        await pilot.pause(2.5)
        assert page(app) == before
        assert len(engine.reads) == reads


async def test_the_details_of_a_task_are_shown_inert() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "SocketException" in "\n".join(lines(app)))
        assert "\x1b" not in "\n".join(lines(app))
        assert "␛[31mreset" in "\n".join(lines(app))
        await pilot.press("escape")
        await until(pilot, lambda: loaded(app))


async def test_rows_in_sight_are_read_again_and_the_cursor_stays_with_its_task() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("j", "j", "j", "j")
        engine.removed.update(ids([0, 1]))
        await pilot.press("r")
        await until(pilot, lambda: screen(app).table.cursor == 2)
        assert screen(app).table.row.id == ids([4])[0]
        assert screen(app).matching == 98


async def test_nothing_is_read_while_paused() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("p")
        await pilot.pause(0.3)
        before = len(engine.reads)
        await pilot.pause(2.6)
        assert len(engine.reads) == before
        assert "PAUSED" in lines(app)[0]
        await pilot.press("p")
        await until(pilot, lambda: len(engine.reads) > before)


@pytest.mark.parametrize("carried_out", [True, False])
async def test_an_unanswered_launch_is_looked_for_and_never_sent_again(
    carried_out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "BETWEEN_LOOKS", 0.05)
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
        await dialog(app, pilot)
        await pilot.press("L")
        said = "launched: 1 job" if carried_out else "no such batch is there"
        await until(pilot, lambda: app.session.event and said in app.session.event.sentence)
        assert len(sent) == 1
        assert bool(screen(app).table.marks) is not carried_out


async def test_no_second_launch_begins_while_one_is_on_its_way() -> None:
    engine = FakeEngine(100)
    answer = asyncio.Event()
    launch = engine.set_retries_async

    async def slow(order: SetExternalTaskRetries) -> Batch:
        await answer.wait()
        return await launch(order)

    engine.set_retries_async = slow  # type: ignore[method-assign]
    async with console(engine) as (app, pilot):
        await pilot.press("space")
        await dialog(app, pilot)
        await pilot.press("L")
        await until(pilot, lambda: app.session.launching)
        await pilot.press("R")
        await until(pilot, lambda: app.session.event and "still on its way" in app.session.event.sentence)
        assert not isinstance(app.screen, LaunchDialog)
        answer.set()
        await until(pilot, lambda: app.session.launched)
        assert len(engine.orders) == 1
        await dialog(app, pilot)


async def test_another_order_of_the_rows_keeps_what_is_marked() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A", "space", "o")
        await until(pilot, lambda: loaded(app))
        marks = screen(app).table.marks
        assert marks.everything
        assert len(marks.ids) == 1


async def test_tasks_that_came_to_match_after_the_count_are_named() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A")
        await dialog(app, pilot)
        launch = engine.set_retries_async

        async def grown(order: SetExternalTaskRetries) -> Batch:
            batch = await launch(order)
            return batch.model_copy(update={"total_jobs": batch.total_jobs + 30})

        engine.set_retries_async = grown  # type: ignore[method-assign]
        await pilot.press("Y", "L")
        await until(pilot, lambda: app.session.event and "30 more than were counted" in app.session.event.sentence)
