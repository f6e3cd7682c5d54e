"""What stands on the screen when something is wrong, or not there yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.snapshots.conftest import NARROW, WIDE, Picture
from tests.snapshots.hostile import Hostile
from tests.snapshots.night import Night, with_batches
from tests.snapshots.stage import Stage


@asynccontextmanager
async def never() -> AsyncIterator[Any]:
    """An engine that is being opened for ever."""
    await asyncio.Event().wait()
    yield None


@asynccontextmanager
async def refused() -> AsyncIterator[Any]:
    """An engine that cannot be opened."""
    raise OSError("the file night.db is no database of this program: it has a table [red]x[/red]\x1b[2J\u202e")
    yield None


async def opening(stage: Stage) -> None:
    await stage.sees("opening the engine", "External tasks")
    await stage.still(working=True)


async def not_opened(stage: Stage) -> None:
    await stage.sees("NO ENGINE", "could not be opened")
    await stage.still(working=True)


async def first_page_on_its_way(stage: Stage) -> None:
    await stage.sees("reading …", "44%")
    await stage.still(working=True)


async def far_page_on_its_way(stage: Stage) -> None:
    await stage.full()
    client = stage.app.session.connection.client
    assert isinstance(client, Night)
    client.held_back = {"external_tasks"}
    await stage.press("G")
    await stage.so(lambda: stage.app.screen.table.cursor == 1239)
    await stage.still(working=True)


async def lost(stage: Stage) -> None:
    await stage.full()
    client = stage.app.session.connection.client
    assert isinstance(client, Night)
    client.gone = True
    stage.clock.pass_by(134)
    await stage.press("r")
    await stage.sees("STALE 2m", "Nothing can be changed")
    await stage.still(working=True)


async def nothing_matches(stage: Stage) -> None:
    await stage.full()
    await stage.filter("topic:nowhere")
    await stage.sees("esc clears the filter")
    await stage.still()


async def paused(stage: Stage) -> None:
    await stage.full()
    await stage.press("p")
    stage.clock.pass_by(75)
    await stage.sees("PAUSED 1m")
    await stage.still()


async def small(stage: Stage) -> None:
    await stage.full()
    await stage.pilot.resize_terminal(58, 18)
    await stage.sees("58x18", "44%")
    await stage.still()


async def hostile_details(stage: Stage) -> None:
    await stage.full()
    await stage.press("enter")
    await stage.sees("What the worker said", "[bold]markup")
    await stage.still()


async def hostile_incidents(stage: Stage) -> None:
    await stage.full()
    await stage.view("2")


async def hostile_instance(stage: Stage) -> None:
    await stage.full()
    await stage.view("3")
    await stage.press("j")
    await stage.press("d")
    await stage.sees("13 variables")
    await stage.still()


def test_opening(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(never, size, opening)


def test_not_opened(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(refused, size, not_opened)


def test_empty(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Night(0), size)


def test_nothing_matches(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, nothing_matches)


def test_first_page_on_its_way(picture: Picture, size: tuple[int, int]) -> None:
    engine = with_batches()
    engine.held_back = {"external_tasks", "count_external_tasks"}
    assert picture(engine, size, first_page_on_its_way)


def test_far_page_on_its_way(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, far_page_on_its_way)


def test_engine_does_not_answer(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, lost)


def test_paused(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, paused)


def test_window_too_small(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, small)


def test_hostile_tasks(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Hostile(), size)


def test_hostile_details(picture: Picture) -> None:
    assert picture(Hostile(), WIDE, hostile_details)


def test_hostile_incidents(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Hostile(), size, hostile_incidents)


def test_hostile_instance(picture: Picture) -> None:
    assert picture(Hostile(), WIDE, hostile_instance)
