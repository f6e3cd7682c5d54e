"""The help: keys, the words of the filter made from their declarations, this terminal, this engine."""

from typing import Any

import pytest
from rich.cells import cell_len

from console.app import RetriageApp
from console.language import SUBJECTS, Subject
from console.screens.help.screen import HelpScreen
from console.screens.help.words_page import words_page
from store.contract.queries import Query
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
        await until(pilot, lambda: "[keys]" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))


async def test_a_search_without_a_hit_says_so() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("question_mark", "tab", "slash", *"zebra")
        await until(pilot, lambda: 'No line of this page holds "zebra".' in shown(app))
        screen: Any = app.screen
        await pilot.press("enter", "q")
        await until(pilot, lambda: "zebra" not in shown(app))
        await pilot.press("q")
        await until(pilot, lambda: app.screen is not screen)
