"""The dialog of an operation: what is suspended, what is left out, the waves and the request."""

from functools import partial

from tests.snapshots.conftest import Picture
from tests.snapshots.night import with_batches
from tests.snapshots.stage import Stage


async def all_that_match(stage: Stage, key: str = "S", path: str = "suspended-async") -> None:
    await stage.full()
    await stage.view("3")
    await stage.press("A")
    await stage.sees("marked")
    await stage.press(key)
    await stage.sees("instances in the run", f"/process-instance/{path}")
    await stage.still()


def test_instances_are_suspended(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, all_that_match)


def test_instances_are_cancelled(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, partial(all_that_match, key="D", path="delete"))
