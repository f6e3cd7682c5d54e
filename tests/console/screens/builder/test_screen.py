"""The builder: three faces of one query, counted while it is written."""

import json
from typing import Any

import pytest
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.launch.draft import SOURCES
from retriage.console.reading.selection import Composed, Everything, Marked
from retriage.console.screens.builder.form import FormView
from retriage.console.screens.builder.form_face import ValueInput
from retriage.console.screens.builder.json_face import JsonArea
from retriage.console.screens.builder.screen import BuilderScreen
from retriage.console.screens.builder.text_face import QueryInput, put
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.widgets.line import Line
from retriage.console.widgets.pane import Pane
from retriage.store.contract.queries import ExternalTaskQuery
from tests.console.fake import FakeEngine, ids
from tests.console.settle import console, lines, said, until


def builder(app: RetriageApp) -> BuilderScreen:
    assert isinstance(app.screen, BuilderScreen)
    return app.screen


async def opened(app: RetriageApp, pilot: Pilot[None], text: str | None = None) -> BuilderScreen:
    await pilot.press("b")
    await until(pilot, lambda: isinstance(app.focused, QueryInput))
    if text is not None:
        put(builder(app).query_one(QueryInput), text)
        await until(pilot, lambda: builder(app).edited.draft.text(builder(app).edited.source) == text)
    return builder(app)


async def to_row(app: RetriageApp, pilot: Pilot[None], name: str, *, here: bool = False) -> None:
    form = builder(app).query_one(FormView)
    index = next(at for at, row in enumerate(form.rows) if row.name == name and row.here == here)
    form.move_to(index)
    await pilot.pause()


def advice(app: RetriageApp) -> str:
    return app.screen.query_one("#advice", Line).text


def counted(app: RetriageApp) -> str:
    return app.screen.query_one("#count", Pane).text


def form(app: RetriageApp) -> dict[str, str]:
    return {row.name: row.value for row in builder(app).query_one(FormView).rows if row.value}


def body(app: RetriageApp) -> Any:
    return json.loads(builder(app).query_one(JsonArea).text)


async def test_text_form_and_json_follow_each_other() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "topic:charge-card")
        await until(pilot, lambda: form(app) == {"retries": "1", "topicName": "charge-card"})
        assert body(app) == {"retries": 1, "externalTaskQuery": {"topicName": "charge-card"}}
        await pilot.press("f3")
        await to_row(app, pilot, "noRetriesLeft")
        await pilot.press("space")
        await until(pilot, lambda: builder(app).query_one(QueryInput).value == "topic:charge-card retries:0")
        assert body(app)["externalTaskQuery"] == {"topicName": "charge-card", "noRetriesLeft": True}
        await pilot.press("f4")
        area = builder(app).query_one(JsonArea)
        area.load_text('{"retries": 3, "externalTaskQuery": {"locked": true}}')
        await until(pilot, lambda: builder(app).query_one(QueryInput).value == "locked")
        assert form(app) == {"retries": "3", "locked": "yes"}
        assert area.text == '{"retries": 3, "externalTaskQuery": {"locked": true}}'


async def test_values_are_typed_in_their_row_and_tab_goes_on_to_the_next_value() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "")
        await pilot.press("tab")
        await to_row(app, pilot, "topicName")
        await pilot.press("space")
        assert isinstance(app.focused, ValueInput)
        await pilot.press(*"ship", "tab")
        await until(pilot, lambda: form(app).get("topicName") == "ship")
        assert isinstance(app.focused, ValueInput)
        await pilot.press(*"order", "enter")
        await until(pilot, lambda: form(app).get("processDefinitionKey") == "order")
        assert builder(app).query_one(QueryInput).value == "topic:ship process:order"
        assert isinstance(app.focused, FormView)
        await pilot.press("space", *"zzz", "escape")
        assert form(app)["processDefinitionKey"] == "order"
        await pilot.press("backspace")
        await until(pilot, lambda: "processDefinitionKey" not in form(app))


async def test_a_mistake_in_the_text_is_explained_and_the_other_faces_wait() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "topic:charge-card retires:0 ")
        assert "did you mean retries:?" in advice(app)
        assert form(app)["topicName"] == "charge-card"
        await pilot.press("f3")
        await to_row(app, pilot, "locked")
        await pilot.press("space")
        await until(
            pilot,
            lambda: app.session.news.newest and "correct it first" in app.session.news.newest.sentence,
        )
        assert builder(app).query_one(QueryInput).value == "topic:charge-card retires:0 "
        assert "did you mean retries:?" in counted(app)


async def test_a_mistake_in_a_value_keeps_it_open() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "locked")
        await pilot.press("tab")
        await to_row(app, pilot, "priorityHigherThanOrEquals")
        await pilot.press("space", *"high", "enter")
        await until(pilot, lambda: "needs a whole number" in advice(app))
        assert builder(app).query_one(ValueInput).value == "high"
        await pilot.press("backspace", "backspace", "backspace", "backspace", "7", "enter")
        await until(pilot, lambda: builder(app).query_one(QueryInput).value == "locked priority>=7")


async def test_a_mistake_in_the_json_is_kept_until_it_is_mended_or_dropped() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "locked")
        await pilot.press("f4")
        area = builder(app).query_one(JsonArea)
        before = area.text
        area.load_text('{"retries": 1, "externalTaskQuery": {"topc": 1}}')
        await until(pilot, lambda: "topc is not a field of externalTaskQuery" in advice(app))
        await pilot.press("f2")
        put(builder(app).query_one(QueryInput), "suspended")
        await until(pilot, lambda: form(app).get("suspended") == "yes")
        assert "topc" in area.text
        await pilot.press("f4", "escape")
        await until(pilot, lambda: "topc" not in area.text)
        assert area.text != before
        assert body(app)["externalTaskQuery"] == {"suspended": True}
        assert isinstance(app.screen, BuilderScreen)


async def test_counting_tells_exact_numbers_and_breakdowns() -> None:
    async with console(FakeEngine(400)) as (app, pilot):
        await opened(app, pilot, "topic:charge-card retries:0")
        await until(pilot, lambda: "60 external tasks (exact)" in counted(app))
        await until(pilot, lambda: "charge-card 60" in counted(app))
        assert "OrderProcess v13 60" in counted(app)
        put(builder(app).query_one(QueryInput), "topic:charge-card retries:0 error~card")
        await until(pilot, lambda: "engine 60 exact" in counted(app) and "here 17 exact" in counted(app))
        assert "launched as a list of ids" in counted(app)


async def test_nothing_is_asked_while_keys_come_and_never_two_things_at_once() -> None:
    engine = FakeEngine(400)
    most = [0]
    under_way = [0]
    count = engine.count_external_tasks

    async def counted_slowly(query: ExternalTaskQuery) -> int:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        try:
            return await count(query)
        finally:
            under_way[0] -= 1

    async with console(engine) as (app, pilot):
        await pilot.press("p")
        await opened(app, pilot, "")
        engine.count_external_tasks = counted_slowly  # type: ignore[method-assign]
        engine.delay = 0.02
        await pilot.press(*"locked")
        put(builder(app).query_one(QueryInput), "locked retries:0")
        await until(pilot, lambda: "(exact)" in counted(app))
        assert most == [1]


async def test_an_empty_query_is_refused_unless_it_is_meant() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, "")
        await until(pilot, lambda: "EVERY external task; type all:yes to mean it" in counted(app))
        await pilot.press("tab", "R")
        await until(pilot, lambda: app.session.news.newest and "EVERY" in app.session.news.newest.sentence)
        assert not isinstance(app.screen, LaunchDialog)
        await pilot.press("slash", *"all:yes")
        await until(pilot, lambda: "40 external tasks (exact)" in counted(app))
        await pilot.press("tab", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))


async def launched(app: RetriageApp, pilot: Pilot[None]) -> Any:
    await pilot.press("f3", "R")
    await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
    assert isinstance(app.screen, LaunchDialog)
    return app.screen.preparation.selection


async def test_one_query_is_launched_as_a_query() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, "retries:0 sort:created")
        selection = await launched(app, pilot)
        assert isinstance(selection, Everything)
        assert selection.query.wire() == {"noRetriesLeft": True}
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, BuilderScreen))
        assert builder(app).query_one(QueryInput).value == "retries:0 sort:created"


async def test_the_retries_of_the_request_are_those_of_the_launch() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, "retries:0")
        await pilot.press("f3", "g", "space", "7", "enter")
        assert builder(app).edited.draft.retries == 17
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and app.screen.plan is not None)
        assert isinstance(app.screen, LaunchDialog)
        assert app.screen.retries == 17


async def test_what_the_console_looks_for_is_launched_by_id_and_not_before_all_was_read() -> None:
    engine = FakeEngine(40)
    async with console(engine) as (app, pilot):
        engine.held = True
        await opened(app, pilot, "retries:2")
        await pilot.press("f3", "R")
        await until(pilot, lambda: "Still looking" in said(app))
        engine.held = False
        await until(pilot, lambda: "here 8 exact" in counted(app))
        selection = await launched(app, pilot)
        assert isinstance(selection, Marked)
        assert selection.ids == set(ids(range(4, 40, 5)))


async def test_a_request_of_several_sources_is_launched_as_it_was_composed() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, "retries:0")
        await pilot.press("f3", "right_square_bracket", "slash")
        await until(pilot, lambda: builder(app).edited.source == SOURCES[1])
        put(builder(app).query_one(QueryInput), " ".join(ids([0, 3, 4])))
        await until(pilot, lambda: "26 external tasks in the union (exact)" in counted(app))
        assert "2 healthy tasks too" in counted(app)
        assert "[task ids 3]" in builder(app).query_one("#sources", Line).text
        selection = await launched(app, pilot)
        assert isinstance(selection, Composed)
        assert selection.said == f"tasks retries:0 + task ids {' '.join(ids([0, 3, 4]))}"
        assert selection.sources.external_task_ids == ids([0, 3, 4])
        assert selection.sources.external_task_query == ExternalTaskQuery(no_retries_left=True)


async def test_of_several_sources_applied_the_list_shows_one_and_tells_how_all_are_launched() -> None:
    async with console(FakeEngine(40), size=(80, 24)) as (app, pilot):
        await opened(app, pilot, "retries:2")
        await pilot.press("f3", "right_square_bracket", "slash")
        await until(pilot, lambda: builder(app).edited.source == SOURCES[1])
        put(builder(app).query_one(QueryInput), ids([0])[0])
        await until(pilot, lambda: "9 external tasks in the union (exact)" in counted(app))
        await pilot.press("enter")
        await until(pilot, lambda: "is listed; b, then R, launches all sources." in "\n".join(lines(app)))
        await opened(app, pilot)
        await until(pilot, lambda: "9 external tasks in the union (exact)" in counted(app))
        await pilot.press("f3", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "9" in "\n".join(lines(app)))


async def test_a_union_of_one_task_is_said_in_the_singular() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, f"id:{ids([0])[0]},")
        await pilot.press("f3", "right_square_bracket", "slash")
        await until(pilot, lambda: builder(app).edited.source == SOURCES[1])
        put(builder(app).query_one(QueryInput), ids([0])[0])
        await until(pilot, lambda: "1 external task in the union (exact)" in counted(app))
        assert "= 1 task " in f"{builder(app).query_one('#sources', Line).text} "


async def test_enter_applies_and_escape_keeps_what_was_built() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        screen: Any = app.screen
        await opened(app, pilot, "retries:0")
        await pilot.press("enter")
        await until(pilot, lambda: screen.matching == 60)
        assert screen.filter_text == "retries:0"
        await opened(app, pilot, "retries:0 topic:x")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.filter_text == "retries:0"
        await opened(app, pilot)
        assert builder(app).query_one(QueryInput).value == "retries:0 topic:x"
        await pilot.press("up")
        await until(pilot, lambda: builder(app).query_one(QueryInput).value == "retries:0")


async def test_tab_takes_the_word_that_is_begun_and_else_goes_on() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "")
        await pilot.press(*"top", "tab")
        assert builder(app).query_one(QueryInput).value == "topic:"
        await pilot.press(*"x", "space", "tab")
        assert isinstance(app.focused, FormView)
        await pilot.press("tab")
        assert isinstance(app.focused, JsonArea)
        await pilot.press("tab")
        assert isinstance(app.focused, QueryInput)


@pytest.mark.parametrize(("key", "words"), [("y", '"noRetriesLeft": true'), ("Y", "curl -X POST")])
async def test_json_and_curl_are_copied(key: str, words: str) -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await opened(app, pilot, "retries:0")
        await pilot.press("f3", key)
        await until(pilot, lambda: words in app.clipboard)
        assert "password" not in app.clipboard


@pytest.mark.parametrize(("key", "copied"), [("y", "the JSON"), ("Y", "the curl command")])
async def test_what_only_the_console_can_apply_is_copied_as_the_ids_found(key: str, copied: str) -> None:
    engine = FakeEngine(400)
    async with console(engine) as (app, pilot):
        engine.held = True
        await opened(app, pilot, "topic:charge-card retries:0 error~card")
        await pilot.press("f3", key)
        await until(
            pilot,
            lambda: app.session.news.newest and "Not copied yet" in app.session.news.newest.sentence,
        )
        assert "error~card" in app.session.news.newest.sentence
        assert app.clipboard == ""
        engine.held = False
        await until(pilot, lambda: "here 17 exact" in counted(app))
        await pilot.press(key)
        await until(pilot, lambda: app.clipboard)
        found = builder(app).query_count.known
        assert found is not None
        assert len(found.ids) == 17
        assert all(id in app.clipboard for id in found.ids)
        assert "externalTaskQuery" not in app.clipboard
        await until(pilot, lambda: f"{copied} with the ids of 17 tasks" in app.session.news.newest.sentence)


async def test_nothing_is_copied_when_no_task_fits_what_the_console_looks_for() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, "error~nowhere")
        await until(pilot, lambda: "here 0 exact" in counted(app))
        await pilot.press("f3", "Y")
        await until(pilot, lambda: app.session.news.newest and "no task fits" in app.session.news.newest.sentence)
        assert app.clipboard == ""


async def test_a_list_that_the_engine_would_make_longer_is_not_copied() -> None:
    async with console(FakeEngine(40), view="instances") as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: getattr(app.screen, "matching", None) is not None)
        await opened(app, pilot, "version:14")
        await pilot.press("f3", "Y")
        await until(
            pilot,
            lambda: app.session.news.newest and "cannot filter by version:14" in app.session.news.newest.sentence,
        )
        assert app.clipboard == ""


async def test_json_that_is_not_taken_over_is_not_copied_as_something_else() -> None:
    async with console(FakeEngine(40)) as (app, pilot):
        await opened(app, pilot, "locked")
        await pilot.press("f4")
        builder(app).query_one(JsonArea).load_text('{"retries": 1, "externalTaskQuery": {"topc": 1}}')
        await until(pilot, lambda: "topc is not a field" in advice(app))
        await pilot.press("f3", "y")
        await until(
            pilot,
            lambda: app.session.news.newest and "not taken over" in app.session.news.newest.sentence,
        )
        assert app.clipboard == ""


@pytest.mark.parametrize(("digit", "text"), [("3", "key~a"), ("5", "retries:0"), ("4", "failed")])
async def test_other_lists_have_a_builder_too(digit: str, text: str) -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        await pilot.press(digit)
        await until(pilot, lambda: getattr(app.screen, "matching", None) is not None)
        screen: Any = app.screen
        await opened(app, pilot, text)
        await until(pilot, lambda: "(exact)" in counted(app))
        assert not builder(app).query_one("#sources", Line).display
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is screen)
        assert screen.filter_text == text


async def test_the_builder_fits_the_smallest_window() -> None:
    async with console(FakeEngine(100), size=(80, 24)) as (app, pilot):
        await opened(app, pilot, "topic:charge-card error~503")
        await until(pilot, lambda: "exact" in counted(app))
        text = "\n".join(lines(app))
        assert "topicName" in text
        total = len(builder(app).query_one(FormView).rows)
        assert f"1-9 of {total} fields" in text
        assert any("▐" in line for line in lines(app)[6:15])
        await pilot.press("f3", "end")
        await until(pilot, lambda: f"{total - 8}-{total} of {total} fields" in "\n".join(lines(app)))
        await pilot.press("f2")
        assert "enter apply" in lines(app)[-1]
        assert not builder(app).query_one("#sent").display
        await pilot.press("f4")
        await until(pilot, lambda: builder(app).query_one("#sent").display)
        await pilot.press("f3")
        await until(pilot, lambda: lines(app)[-1].startswith(" ? help"))
        await pilot.press("f4")
        await until(pilot, lambda: builder(app).query_one("#sent").display)
        assert not builder(app).query_one(FormView).display
