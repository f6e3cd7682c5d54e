"""The tasks view: reading, filter, marks."""

import pytest
from textual.pilot import Pilot

from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import CauseGroups
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.task_states import error_said
from retriage.console.screens.tasks.causes import LEGEND, causes_of, row_of
from retriage.console.widgets.filter_line import Advice, FilterInput, FilterLine, spans
from retriage.console.widgets.pane import Pane
from tests.console.fake import FakeEngine, ids, task
from tests.console.incidents_of import NOON, incident
from tests.console.settle import console, lines, loaded, said, screen, until


async def type_filter(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash", *("space" if letter == " " else letter for letter in text))


async def test_an_order_of_the_filter_is_told_in_place_of_the_list_s_own() -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        own = f"sort {screen(app).sort.label}"
        assert own in "\n".join(lines(app))
        await pilot.press("slash", *"sort:priority", "enter")
        await until(pilot, lambda: "sort: as the filter says" in "\n".join(lines(app)))
        assert own not in "\n".join(lines(app))


async def test_no_count_stands_beside_a_filter_that_it_does_not_count() -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        await until(pilot, lambda: "[1 Tasks 60]" in lines(app)[1])
        await type_filter(pilot, "retries:0")
        await pilot.press("enter")
        await until(pilot, lambda: "36 match of 60" in lines(app)[2])
        await pilot.press("slash", *"x locked")
        await until(pilot, lambda: lines(app)[2].split()[-1] == "…" and "36" not in lines(app)[2])
        await pilot.press("escape")
        await until(pilot, lambda: "36 match of 60" in lines(app)[2])


@pytest.mark.parametrize("width", [40, 80, 200])
def test_words_that_do_not_fit_are_counted(width: int) -> None:
    words = [f"topic:charge-card-{number}" for number in range(10)]
    line = "".join(text for text, _ in spans("topic:", Advice(words=words), width))
    shown = [word for word in words if word in line.split()]
    assert shown == words[: len(shown)]
    assert shown
    assert line.endswith(f"+{10 - len(shown)} more")
    assert len(line) <= width


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("choice", [0, 4, 9])
def test_the_word_that_is_chosen_is_in_sight(width: int, choice: int) -> None:
    words = [f"topic:charge-card-{number}" for number in range(10)]
    said = spans("topic:", Advice(words=words), width, choice)
    assert [text for text, ink in said if ink == "chip"] == [words[choice]]
    assert sum(len(text) for text, _ in said) <= width


async def test_rows_count_and_the_task_under_the_cursor_are_shown() -> None:
    async with console(FakeEngine(5214)) as (app, pilot):
        await until(
            pilot, lambda: app.session.watch.counts.get("jobs") is not None and app.session.connection.identity.engine
        )
        await until(pilot, lambda: "charge-card" in screen(app).query_one("#detail", Pane).text)
        text = "\n".join(lines(app))
        assert "TEST" in text
        assert "[1 Tasks 5,214]" in text
        assert "ord-88000" in text
        assert "5,214" not in lines(app)[2] + lines(app)[-1], "one total, not three"


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
        await until(pilot, lambda: app.session.watch.counts.get("tasks") == 100)
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
        assert not app.session.watch.paused
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


async def test_words_that_are_offered_are_chosen_with_up_and_down_and_no_text_is_lost() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await until(pilot, lambda: "charge-card" in app.session.watch.known_values.values("tasks").get("topic", ()))
        line = screen(app).query_one(FilterLine)
        field = line.query_one(FilterInput)
        await type_filter(pilot, "topic:")
        offered = line._offered
        assert len(offered) > 2
        await pilot.press("down")
        assert field.value == "topic:"
        await pilot.press("down", "down", "up")
        await pilot.press("enter")
        assert field.value == offered[1]
        assert line.typing
        await pilot.press("down", "down")  # nothing more is offered
        assert field.value == offered[1]
        await pilot.press("escape", "slash", "up")
        assert field.value == offered[1]
        await pilot.press("down")
        assert field.value == ""


async def test_older_filters_are_above_what_is_typed_and_below_them_it_stands_again() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        field = screen(app).query_one(FilterInput)
        await type_filter(pilot, "retries:0")
        await pilot.press("enter")
        await type_filter(pilot, "sort:key")
        typed = field.value
        await pilot.press("up")
        assert field.value == "retries:0"
        await pilot.press("down")
        assert field.value == typed


async def test_a_word_without_a_qualifier_searches_the_error_text() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await type_filter(pilot, "/503")
        await pilot.press("enter")
        await until(pilot, lambda: screen(app).filtered_list is not None and screen(app).filtered_list.exact)
        assert screen(app).matching == 0
        await pilot.press("escape")
        await type_filter(pilot, "http 503")
        await pilot.press("enter")
        await until(pilot, lambda: bool(screen(app).matching))
        await until(pilot, lambda: loaded(app))
        assert all("HTTP 503" in row.item.error_message for row in screen(app).table.loaded())


async def test_a_mistake_that_is_asked_for_is_told_with_its_whole_sentence() -> None:
    async with console(FakeEngine(100), size=(80, 24)) as (app, pilot):
        await type_filter(pilot, "psp or")
        await pilot.press("enter")
        await until(pilot, lambda: "to search for it, quote it." in "\n".join(lines(app)))


async def test_nothing_to_show_says_why_and_what_to_press() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await until(pilot, lambda: app.session.watch.counts.get("tasks") == 100)
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
        assert "unmarked" in app.session.news.newest.sentence


async def test_marks_by_id_survive_filter_and_sort() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press("space", "space")
        await type_filter(pilot, "retries:0")
        await pilot.press("enter", "O")
        await until(pilot, lambda: screen(app).matching == 60 and loaded(app))
        assert screen(app).table.marks.ids == set(ids([0, 1]))


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


async def test_a_row_that_is_not_read_yet_is_not_said_to_be_no_task() -> None:
    engine = FakeEngine(1000)
    async with console(engine) as (app, pilot):
        await until(pilot, lambda: screen(app).table.total == 1000)
        engine.held = True
        await pilot.press("G", "R")
        await until(pilot, lambda: "The row under the cursor is still being read" in said(app))
        engine.held = False
        await until(pilot, lambda: screen(app).table.row is not None)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))


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


async def test_another_order_of_the_rows_keeps_what_is_marked() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A", "space", "o")
        await until(pilot, lambda: loaded(app))
        marks = screen(app).table.marks
        assert marks.everything
        assert len(marks.ids) == 1


async def test_the_cursor_stays_on_its_task_through_filter_and_sort() -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        await pilot.press(*"jjjjjj")
        await until(pilot, lambda: screen(app).table.row.id == ids([6])[0])
        for keys in (("f",), ("o",), ("o",)):
            await pilot.press(*keys)
            await until(pilot, lambda: loaded(app) and screen(app).matching)
            assert screen(app).table.row.id == ids([6])[0]
        screen(app).show_filter("retries:-")
        await until(pilot, lambda: screen(app).filter_text == "retries:-" and loaded(app))
        assert screen(app).table.cursor == 0


@pytest.mark.parametrize(
    ("retries", "message", "said"),
    [
        (None, None, "has never failed"),
        (0, None, "no error message"),
        (2, None, "no error message"),
        (0, "", "(an empty message)"),
    ],
)
def test_a_task_without_a_message_is_not_said_never_to_have_failed(
    retries: int | None, message: str | None, said: str
) -> None:
    assert error_said(task(0).model_copy(update={"retries": retries, "error_message": message})) == said


@pytest.mark.parametrize(("whole", "sign"), [(True, "="), (False, "+")])
def test_the_number_of_a_cause_is_whole_or_says_that_it_is_not(whole: bool, sign: str) -> None:
    groups = CauseGroups()
    groups.put(map(group_member_of, [incident(1), incident(2)]))
    (cause,) = causes_of(groups, NOON, drifts=whole)
    assert row_of(cause, NOON).cells[0].text == f"2{sign}"
    assert sign in LEGEND
