"""The launch dialog, and the question that an empty filter raises."""

from tests.snapshots.conftest import NARROW, Picture
from tests.snapshots.night import Night, with_batches
from tests.snapshots.stage import Stage


async def asked(stage: Stage) -> None:
    await stage.press("R")
    await stage.sees("in the launch")
    await stage.still()


async def all_that_match(stage: Stage) -> None:
    await stage.full()
    await stage.filter("retries:0")
    await stage.press("A")
    await asked(stage)
    await stage.press("3")
    await stage.sees('"retries": 3')
    await stage.still()


async def marked_ids(stage: Stage) -> None:
    await stage.full()
    await stage.press("space", "space", "space", "space", "space", "space", "space")
    await stage.sees("7 marked")
    await asked(stage)


async def lowered(stage: Stage) -> None:
    await stage.full()
    await stage.press("a")
    await stage.sees("marked")
    await asked(stage)
    await stage.press("0")
    await stage.sees("With 0 retries")
    await stage.still()


async def every_task(stage: Stage) -> None:
    await stage.full()
    await stage.press("A")
    await stage.sees("all 1,240 marked")
    await asked(stage)


async def counting(stage: Stage) -> None:
    await stage.full()
    await stage.press("A")
    await stage.sees("marked")
    client = stage.app.session.connection.client
    assert isinstance(client, Night)
    client.held_back = {"count_external_tasks"}
    await stage.press("R")
    await stage.sees("counting what this would change")
    await stage.still(working=True)


def test_all_that_match(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, all_that_match)


def test_marked_ids(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, marked_ids)


def test_lowered_to_nothing(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, lowered)


def test_every_task_needs_a_yes(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, every_task)


def test_counting(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, counting)
