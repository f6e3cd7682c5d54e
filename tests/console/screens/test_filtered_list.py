"""Filters that the engine does not know: rows are sought page by page behind the screen, counted honestly, launched
by id."""

import asyncio
from functools import partial

from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.reading import pages
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.widgets.filter_line import FilterInput
from retriage.console.widgets.line import Line
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.records import ExternalTask
from tests.console.fake import FakeEngine, task
from tests.console.settle import console, screen, text, until


class Held(FakeEngine):
    """Answers pages of the sieve only as far as it is told."""

    def __init__(self, tasks: int) -> None:
        super().__init__(tasks)
        self.pages = asyncio.Semaphore(0)

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        if size == pages.PAGE:
            await self.pages.acquire()
        return await super().external_tasks(query, first, size)


async def apply(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash")
    pilot.app.screen.query_one(FilterInput).value = text
    await pilot.press("enter")


def advised(app: RetriageApp, word: str) -> bool:
    return word in app.screen.query_one("#advice", Line).text


def fitting(tasks: int, words: str) -> set[str]:
    return {one.id for index in range(tasks) if words in ((one := task(index)).error_message or "")}


async def test_rows_come_as_they_are_found_and_the_count_says_so_far_until_all_were_read() -> None:
    engine = Held(1200)
    async with console(engine) as (app, pilot):
        await apply(pilot, 'topic:charge-card error~"card"')
        await until(pilot, lambda: "0 so far 0/300 read" in text(app))
        engine.pages.release()
        expected = {one.id for i in range(1200) if i % 4 == 0 and "card" in ((one := task(i)).error_message or "")}
        await until(pilot, lambda: screen(app).filtered_list.exact)
        await until(pilot, lambda: f"{len(expected)} of 300 external tasks" in text(app))
        assert screen(app).filtered_list.ids == expected
        assert screen(app).table.row.id in expected


async def test_what_is_found_is_shown_at_once_and_the_cursor_stays() -> None:
    engine = Held(1200)
    async with console(engine) as (app, pilot):
        await apply(pilot, "error~card")
        engine.pages.release()
        await until(pilot, lambda: "so far 500/1,200 read" in text(app))
        await pilot.press("j", "j", "j")
        under = screen(app).table.row.id
        engine.pages.release()
        engine.pages.release()
        await until(pilot, lambda: screen(app).filtered_list.exact)
        assert screen(app).table.row.id == under
        assert screen(app).table.total == len(fitting(1200, "card"))


async def test_all_that_match_is_launched_by_id_and_not_before_all_were_read() -> None:
    engine = Held(1200)
    async with console(engine) as (app, pilot):
        await apply(pilot, "error~card")
        engine.pages.release()
        await until(pilot, lambda: "so far 500/1,200 read" in text(app))
        await pilot.press("A", "R")
        await until(pilot, lambda: app.session.news.newest and "Still looking" in app.session.news.newest.sentence)
        assert not isinstance(app.screen, LaunchDialog)
        for _ in range(3):
            engine.pages.release()
        await until(pilot, lambda: screen(app).filtered_list.exact)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        selection = screen(app).preparation.selection
        assert selection.ids == fitting(1200, "card")


async def test_another_filter_ends_the_search() -> None:
    engine = Held(1200)
    async with console(engine) as (app, pilot):
        await apply(pilot, "error~card")
        await until(pilot, lambda: "so far" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: screen(app).filtered_list is None and screen(app).table.total == 1200)


async def test_refresh_looks_at_all_rows_again() -> None:
    engine = FakeEngine(600)
    async with console(engine) as (app, pilot):
        await apply(pilot, "retries:2")
        await until(pilot, lambda: screen(app).filtered_list and screen(app).filtered_list.exact)
        before = screen(app).matching
        engine.retries[task(4).id] = 0
        await pilot.press("r")
        await until(pilot, lambda: screen(app).matching == before - 1)


async def test_the_advice_marks_what_is_sought_here() -> None:
    async with console(FakeEngine(10)) as (app, pilot):
        await pilot.press("slash")
        screen(app).query_one(FilterInput).value = "topic:a error~x "
        screen(app).query_one(FilterInput).cursor_position = 16
        await until(pilot, lambda: "C error~x filtered in the console" in screen(app).query_one("#advice", Line).text)


async def test_values_that_exist_are_offered() -> None:
    async with console(FakeEngine(100)) as (app, pilot):
        for typed, offered in (
            ("topic:ch", "topic:charge-card"),
            ("process:O", "process:OrderProcess"),
            ("worker:w", "worker:worker-3"),
            ("version:1", "version:14"),
        ):
            await pilot.press("slash", *typed[:-1])
            await app.session.watch.known_values.answered()
            await pilot.press(typed[-1])
            await until(pilot, partial(advised, app, offered))
            await pilot.press("escape")


async def test_an_engine_that_does_not_tell_its_values_is_no_hindrance() -> None:
    engine = FakeEngine(100)
    async with console(engine) as (app, pilot):
        engine.gone = True
        await pilot.press("slash", *"topic")
        await app.session.watch.known_values.answered()
        await until(pilot, lambda: "topic:" in screen(app).query_one("#advice", Line).text)
