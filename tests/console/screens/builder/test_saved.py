"""Queries that are saved and used again, kept in the operator's journal."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from retriage.console.app import RetriageApp
from retriage.console.launch.draft import SOURCES, Draft, Source
from retriage.console.screens.builder.faces import from_saved, saved_text
from retriage.console.screens.builder.saved import SavedQueries, SaveQuery
from retriage.console.screens.builder.screen import BuilderScreen
from retriage.console.screens.builder.text_face import QueryInput, put
from retriage.console.widgets.filter_line import FilterInput, FilterLine
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Pane
from retriage.store.journal import Journal, NewLaunch
from tests.console.fake import FakeEngine, ids
from tests.console.settle import console, filter_by, said, screen, until


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


async def builder(app: RetriageApp, pilot: Pilot[None], text: str) -> BuilderScreen:
    await pilot.press("b")
    await until(pilot, lambda: isinstance(app.focused, QueryInput))
    assert isinstance(app.screen, BuilderScreen)
    put(app.screen.query_one(QueryInput), text)
    await until(pilot, lambda: screen(app).edited.draft.text(SOURCES[0]) == text)
    return app.screen


async def test_a_query_is_saved_taken_again_and_forgotten(journal: Journal) -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        app.session.memory.keep_journal(journal)
        built = await builder(app, pilot, "retries:0 error~card")
        await pilot.press("f3", "s")
        await until(pilot, lambda: isinstance(app.screen, SaveQuery) and isinstance(app.focused, Input))
        await pilot.press("enter", *"cards", "enter")
        await until(pilot, lambda: app.screen is built)
        await until(
            pilot,
            lambda: app.session.news.newest and "Saved as cards" in app.session.news.newest.sentence,
        )
        (kept,) = await journal.saved_queries(app.session.memory.engine_name, "tasks")
        assert (kept.name, kept.text) == ("cards", "retries:0 error~card")
        put(built.query_one(QueryInput), "locked")
        await pilot.press("f3", "l")
        await until(pilot, lambda: isinstance(app.screen, SavedQueries) and screen(app).query_one(LineTable).row)
        await pilot.press("enter")
        await until(pilot, lambda: built.query_one(QueryInput).value == "retries:0 error~card")
        await pilot.press("f3", "l")
        await until(pilot, lambda: isinstance(app.screen, SavedQueries) and screen(app).query_one(LineTable).row)
        await pilot.press("x")
        await until(pilot, lambda: screen(app).query_one(LineTable).total == 0)
        assert await journal.saved_queries(app.session.memory.engine_name, "tasks") == []
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is built)


async def test_a_request_with_several_sources_is_saved_whole(journal: Journal) -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        app.session.memory.keep_journal(journal)
        built = await builder(app, pilot, "retries:0")
        await pilot.press("f3", "left_square_bracket")
        await until(pilot, lambda: built.edited.source == SOURCES[-1])
        put(built.query_one(QueryInput), "process:OrderProcess")
        await until(pilot, lambda: len(built.edited.draft.chosen) == 2)
        before = dict(built.edited.draft.texts)
        await pilot.press("f3", "s")
        await until(pilot, lambda: isinstance(app.screen, SaveQuery) and isinstance(app.focused, Input))
        await pilot.press(*"both", "enter")
        await until(pilot, lambda: app.screen is built and "Saved as both" in said(app))
        put(built.query_one(QueryInput), "")
        await pilot.press("f3", "l")
        await until(pilot, lambda: isinstance(app.screen, SavedQueries) and screen(app).query_one(LineTable).row)
        await pilot.press("enter")
        await until(pilot, lambda: dict(built.edited.draft.texts) == before)


@pytest.mark.parametrize(
    "text",
    [
        '{"retries": 3, "externalTaskQuery": "retries:0 error~card", "processInstanceIds": "a b"}',
        '{"retries": 3, "external_task_query": "retries:0 error~card", "process_instance_ids": "a b"}',
    ],
)
def test_a_saved_request_is_json_with_its_queries_in_words(text: str) -> None:
    draft = from_saved(text, Draft(SOURCES))
    assert draft.retries == 3
    assert dict(draft.texts) == {"external_task_query": "retries:0 error~card", "process_instance_ids": "a b"}
    assert json.loads(saved_text(draft)) == {
        "retries": 3,
        "externalTaskQuery": "retries:0 error~card",
        "processInstanceIds": "a b",
    }
    assert from_saved(saved_text(draft), Draft(SOURCES)) == draft


def test_a_request_as_the_engine_is_told_it_is_taken_too() -> None:
    draft = from_saved('{"retries": 2, "externalTaskQuery": {"noRetriesLeft": true}}', Draft(SOURCES))
    assert (draft.retries, draft.text(SOURCES[0])) == (2, "retries:0")
    for text in ("retries:0 error~{x}", "{no json", '{"retries": 1, "externalTaskQuery": {"topc": 1}}'):
        assert from_saved(text, Draft(SOURCES)).text(SOURCES[0]) == text
    jobs = Source("query", "jobs", "jobs")
    assert from_saved('{"noRetriesLeft": true}', Draft((jobs,))).text(jobs) == "retries:0"
    assert from_saved('{"retries": 0}', Draft((jobs,))).text(jobs) == '{"retries": 0}'


async def test_without_a_journal_saving_says_so() -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        built = await builder(app, pilot, "retries:0")
        await pilot.press("f3", "s")
        await until(
            pilot,
            lambda: app.session.news.newest and "nothing is remembered" in app.session.news.newest.sentence,
        )
        assert app.screen is built


async def test_filters_of_earlier_days_come_back_with_up(journal: Journal) -> None:
    async with console(FakeEngine(60)) as (app, pilot):
        await journal.remember(app.session.memory.engine_name, "tasks", "topic:yesterday")
        app.session.memory.keep_journal(journal)
        await until(pilot, lambda: screen(app).query_one("#filter", FilterLine).history == ["topic:yesterday"])
        await pilot.press("slash", "up")
        assert screen(app).query_one(FilterInput).value == "topic:yesterday"
        await pilot.press("escape", "slash", *"locked", "enter")
        await until(pilot, lambda: screen(app).filter_text == "locked")

        async def used() -> list[str]:
            return await journal.recent(app.session.memory.engine_name, "tasks", 10)

        while await used() != ["locked", "topic:yesterday"]:
            await pilot.pause()


async def test_again_finds_what_was_launched_from_here_and_failed_once_more(journal: Journal) -> None:
    engine = FakeEngine(60)
    async with console(engine) as (app, pilot):
        app.session.memory.keep_journal(journal)
        number = await journal.begin(
            NewLaunch(engine=app.session.memory.engine_name, url="", user="ann", retries=1, request="{}", tasks=3)
        )
        await journal.add_tasks(number, [(id, 0) for id in ids([0, 1, 3])])
        await journal.sent(number, 3)
        await journal.ended(number, "launched", batch_id="ended long ago", jobs=3)
        await filter_by(app, pilot, "again")
        await until(pilot, lambda: screen(app).filtered_list and screen(app).filtered_list.exact)
        assert screen(app).filtered_list.ids == set(ids([0, 1]))
        await builder(app, pilot, "again topic:charge-card")
        await until(pilot, lambda: "here 1 exact" in screen(app).query_one("#count", Pane).text)
