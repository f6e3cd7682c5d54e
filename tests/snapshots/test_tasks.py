"""The start screen."""

from retriage.console.widgets.themes import LIGHT, TERMINAL
from tests.snapshots.conftest import LOW, NARROW, WIDE, Picture
from tests.snapshots.night import Night, with_batches
from tests.snapshots.stage import Stage


async def all_failed_cards(stage: Stage) -> None:
    await stage.full()
    await stage.filter("topic:charge-card retries:0")
    await stage.press("A")
    await stage.sees("all ", "marked")
    await stage.still()


async def some_marked(stage: Stage) -> None:
    await stage.full()
    await stage.press("space", "j", "space", "space", "j", "v", "j", "j")
    await stage.sees("6 marked range")
    await stage.still()


async def mistake(stage: Stage) -> None:
    await stage.full()
    await stage.type("topic:charge-card retires:0 ")
    await stage.sees("retires")
    await stage.still()


async def completing(stage: Stage) -> None:
    await stage.full()
    await stage.type("to")
    await stage.sees("topic:")
    await stage.still()


async def one_task(stage: Stage) -> None:
    await stage.full()
    await stage.press("enter")
    await stage.sees("What the worker said", "Worker.java")
    await stage.still()


def test_start(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size)


def test_start_in_a_low_window(picture: Picture) -> None:
    assert picture(with_batches(), LOW, Stage.full)


def test_start_without_batches(picture: Picture) -> None:
    assert picture(Night(), WIDE)


def test_all_that_match_are_marked(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, all_failed_cards)


def test_some_are_marked(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, some_marked)


def test_a_mistake_in_the_filter(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, mistake)


def test_words_that_could_follow(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, completing)


def test_one_task(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, one_task)


def test_light(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, all_failed_cards, theme=LIGHT.name)


def test_colours_of_the_terminal(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, all_failed_cards, theme=TERMINAL.name)
