"""Verbs begin their questions and orders in workers: one that is ended before it begins leaves nothing behind."""

import gc
from contextlib import suppress
from functools import partial
from typing import Any, cast

from textual.app import App
from textual.screen import Screen
from textual.worker import WorkerCancelled

from retriage.console.screens.verbs import Verbs


class Bare(Screen[None]):
    """A screen with nothing on it."""

    session: Any = None


async def test_of_two_questions_in_one_breath_the_first_never_begins_and_nothing_is_left_of_it() -> None:
    begun: list[str] = []

    async def question(name: str) -> None:
        begun.append(name)

    app: App[None] = App()
    async with app.run_test():
        screen = Bare()
        await app.push_screen(screen)
        verbs = Verbs[Any](cast("Any", screen))
        verbs.look_up(partial(question, "first"), "test.question")
        verbs.look_up(partial(question, "second"), "test.question")
        for worker in list(app.workers):
            with suppress(WorkerCancelled):
                await worker.wait()
        # A coroutine that nobody awaits is complained of when it is collected, which fails this test.
        gc.collect()
    assert begun[-1] == "second"


async def test_an_order_is_carried_through_when_its_screen_is_left() -> None:
    carried: list[str] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        screen = Bare()
        await app.push_screen(screen)

        async def order() -> None:
            await app.pop_screen()
            carried.append("through")

        Verbs[Any](cast("Any", screen)).order(order, "test.order")
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert carried == ["through"]
