"""The help: keys, the words of the filter made from their declarations, this terminal, this engine."""

from typing import Any

import pytest
from rich.cells import cell_len

from retriage.console.actions import at
from retriage.console.app import RetriageApp
from retriage.console.language import SUBJECTS, Subject
from retriage.console.screens.help.here_page import engine_page
from retriage.console.screens.help.keys_page import page
from retriage.console.screens.help.ranked import ranked
from retriage.console.screens.help.screen import HelpScreen
from retriage.console.screens.help.words_page import words_page
from retriage.store.contract.queries import Query
from tests.console.fake import FakeEngine
from tests.console.settle import console, lines, until


def shown(app: RetriageApp) -> str:
    return "\n".join(lines(app))


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=lambda subject: subject.name)
@pytest.mark.parametrize("width", [74, 128])
def test_every_word_and_every_description_of_the_contract_is_on_the_page(subject: Subject[Query], width: int) -> None:
    page = words_page(subject.name, width)
    assert all(sum(cell_len(text) for text, _ in line) <= width for line in page)
    text = " ".join("".join(text for text, _ in line) for line in page)
    said = " ".join(text.split())
    for word in subject.words:
        assert f" {word.name}" in said or f"-{word.name}" in said
        for name in word.fields():
            assert " ".join((subject.query.model_fields[name].description or "?").split()) in said, name
    for local in subject.local:
        assert local.help in said


def test_a_view_without_a_filter_of_its_own_shows_the_words_of_tasks() -> None:
    assert words_page("journal", 80) == words_page("tasks", 80)


async def test_tab_turns_the_pages_and_slash_searches_one() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen) and "[keys]" in shown(app))
        await pilot.press("tab")
        await until(pilot, lambda: "Words that the engine filters by" in shown(app))
        await pilot.press("slash", *"never", "space", *"failed")
        await until(pilot, lambda: "retries:>0" in shown(app) and "topic:value" not in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: "topic:value" in shown(app))
        await pilot.press("tab")
        await until(pilot, lambda: "100x30" in shown(app) and "OSC 52" in shown(app))
        await pilot.press("tab")
        await until(pilot, lambda: "in this process" in shown(app) and "TEST" in shown(app))
        await pilot.press("tab")
        await until(pilot, lambda: "keys.toml" in shown(app) and "password_command" in shown(app))
        await pilot.press("tab")
        await until(pilot, lambda: "[keys]" in shown(app))
        app.session.watch.counts["jobs"], app.session.watch.failed_jobs = 32, 7
        said = ["".join(text for text, _ in line).split() for line in engine_page(app.session, 100)]
        assert ["jobs", "32,", "7", "without", "retries"] in said, "all jobs are not those without retries"
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))


async def test_a_search_without_a_hit_says_so() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("question_mark", "tab", "slash", *"zebra")
        await until(pilot, lambda: 'No page holds "zebra".' in shown(app))
        screen: Any = app.screen
        await pilot.press("enter", "q")
        await until(pilot, lambda: "zebra" not in shown(app))
        await pilot.press("q")
        await until(pilot, lambda: app.screen is not screen)


async def test_a_search_finds_on_every_page_and_says_on_which() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("question_mark", "slash", *"retries", "space", *"left")
        await until(pilot, lambda: "In keys" in shown(app) and "In filter words" in shown(app))
        assert "no retries left: an incident is open" in shown(app)


@pytest.mark.parametrize("width", [74, 100, 130])
@pytest.mark.parametrize("view", ["tasks", "incidents", "batches", "instances", "jobs", "journal", ""])
def test_the_signs_come_first_and_every_key_stands_on_the_page(view: str, width: int) -> None:
    places = ("table", "marks", "tasks", "task", "list", "app")
    lines = ["".join(text for text, _ in line) for line in page(places, width, view)]
    assert lines[0].startswith("Signs")
    assert all(cell_len(line) <= width for line in lines[:-2])
    text = "\n".join(lines)
    for action in at(places):
        assert action.help[:24] in text, action.name
    assert "…" not in text


def test_the_list_of_actions_begins_with_what_one_would_do_here() -> None:
    places = ("table", "marks", "tasks", "task", "list", "app")
    names = [action.name for action in ranked(at(places), "")]
    assert names[0] == "tasks.retry"
    assert names.index("list.filter") < names.index("table.down")
    assert [action.name for action in ranked(at(places), "", {"tasks.retry"})][-1] == "tasks.retry"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("retry", "tasks.retry"), ("rtry", "tasks.retry"), ("thme", "app.theme"), ("unlck", "task.unlock"),
     ("clmns", "list.columns"), ("full err", "task.details"), ("journal", "app.view-journal"),
     ("incidents", "app.view-incidents")],
)  # fmt: skip
def test_letters_that_are_left_out_are_no_matter(typed: str, meant: str) -> None:
    assert ranked(at(("table", "marks", "tasks", "task", "list", "app")), typed)[0].name == meant


def test_what_no_action_is_like_finds_none() -> None:
    assert ranked(at(("list", "app")), "xylophone") == []
