"""Incidents, instances, batches, jobs, and what is the same on all screens."""

from tests.snapshots.conftest import NARROW, WIDE, Picture
from tests.snapshots.night import ENDED, RUNNING, Night, batch, ended, with_batches
from tests.snapshots.stage import Stage


async def incidents(stage: Stage) -> None:
    await stage.full()
    await stage.view("2")


async def instances(stage: Stage) -> None:
    await stage.full()
    await stage.view("3")


async def jobs(stage: Stage) -> None:
    await stage.full()
    await stage.view("5")


async def one_instance(stage: Stage) -> None:
    await instances(stage)
    await stage.press("d")
    await stage.sees("2 variables")
    await stage.still()


async def work_goes_on(stage: Stage) -> None:
    """One batch is watched long enough to tell its speed; another one ended in the meantime."""
    await stage.full()
    engine, follower = stage.app.session.connection.client, stage.app.session.watch
    assert isinstance(engine, Night)
    engine.ended[ENDED] = ended()
    await follower.follow(ENDED)
    await follower.look_at_work()
    for done in (2150, 2200, 2250, 2300):
        stage.clock.pass_by(5)
        engine.running[RUNNING] = batch(RUNNING, 4740, 4740, done, 0, 4)
        await follower.look()


async def batches(stage: Stage) -> None:
    await work_goes_on(stage)
    await stage.view("4")
    await stage.sees("ended", "48%")
    await stage.still()


async def ended_batch(stage: Stage) -> None:
    await batches(stage)
    await stage.press("G")
    await stage.sees("ended")
    await stage.still()


async def deleting(stage: Stage) -> None:
    await batches(stage)
    stage.app.session.connection.arm()
    await stage.press("D")
    await stage.sees("Delete this batch?")
    await stage.still(working=True)


async def help_page(stage: Stage) -> None:
    await stage.full()
    await stage.press("question_mark")
    await stage.sees("Retry the chosen tasks")
    await stage.still()


async def actions(stage: Stage) -> None:
    await stage.full()
    await stage.press("colon")
    await stage.sees("what it does", "Retry the chosen tasks")
    await stage.still(working=True)


def test_incidents(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, incidents)


def test_instances(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, instances)


def test_one_instance(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, one_instance)


def test_jobs(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, jobs)


def test_batches(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, batches)


def test_an_ended_batch(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, ended_batch)


def test_deleting_a_batch(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, deleting)


def test_help(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, help_page)


def test_actions_by_name(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_batches(), size, actions)
