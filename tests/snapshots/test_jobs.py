"""The view of jobs: a list, none, one in full, hostile messages, an engine that is gone, orders."""

from datetime import timedelta

import pytest

from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.jobs.detail import JobDetail
from retriage.console.screens.operations.dialog import OperationDialog
from tests.snapshots.conftest import Picture
from tests.snapshots.hostile import TEXTS
from tests.snapshots.night import Night, failed_jobs, uuid, with_batches
from tests.snapshots.stage import Stage
from tests.snapshots.stopped import MOMENT


def engine() -> Night:
    """Failed jobs of a batch, and jobs of processes: due later, suspended, about to be tried again."""
    found = with_batches()
    made = failed_jobs(12)
    plain = made[0].model_copy(
        update={
            "batch_id": None,
            "process_definition_key": "OrderProcess",
            "process_definition_id": "OrderProcess:14:4b1f0c77",
            "process_instance_id": uuid(4, 1),
            "exception_message": None,
            "retries": 3,
        }
    )
    made += [
        plain.model_copy(update={"id": uuid(91), "due_date": MOMENT + timedelta(hours=6), "priority": 50}),
        plain.model_copy(update={"id": uuid(92), "suspended": True}),
        plain.model_copy(
            update={
                "id": uuid(93),
                "retries": 1,
                "exception_message": "connection refused",
                "failed_activity_id": "ChargeCard",
            }
        ),
    ]
    found.all_jobs = made
    return found


def hostile() -> Night:
    found = with_batches()
    found.all_jobs = [
        one.model_copy(update={"exception_message": text}) for one, text in zip(failed_jobs(13), TEXTS, strict=False)
    ]
    return found


async def view(stage: Stage) -> None:
    await stage.full()
    await stage.view("5")


async def marked(stage: Stage) -> None:
    await view(stage)
    stage.app.session.connection.arm()
    await stage.press("space", "space", "T")
    await stage.so(lambda: isinstance(stage.app.screen, Confirm))
    await stage.still(working=True)


async def in_waves(stage: Stage) -> None:
    await view(stage)
    stage.app.session.connection.arm()
    await stage.press("space", "R")
    await stage.so(
        lambda: isinstance(stage.app.screen, OperationDialog) and stage.app.screen.preparation.to_be_read is not None
    )
    await stage.still(working=True)


async def suspended_too(stage: Stage) -> None:
    await view(stage)
    stage.app.session.connection.arm()
    await stage.press("G", "k", "S")
    await stage.so(lambda: isinstance(stage.app.screen, Confirm))
    await stage.still(working=True)


async def in_full(stage: Stage) -> None:
    await view(stage)
    await stage.press("enter")
    await stage.so(lambda: isinstance(stage.app.screen, JobDetail))
    await stage.sees("Stack trace", "state")
    await stage.still()


async def gone(stage: Stage) -> None:
    await view(stage)
    client = stage.app.session.connection.client
    assert isinstance(client, Night)
    client.gone = True
    stage.clock.pass_by(40)
    await stage.press("o")
    await stage.sees("It is asked again.", "STALE", "again in")
    await stage.still(working=True)


@pytest.mark.parametrize("steps", [view, marked, in_waves, suspended_too, in_full, gone])
def test_jobs(picture: Picture, size: tuple[int, int], steps: object) -> None:
    assert picture(engine(), size, steps)


def test_no_jobs(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(Night(), size, view)


@pytest.mark.parametrize("steps", [view, in_full])
def test_hostile_jobs(picture: Picture, size: tuple[int, int], steps: object) -> None:
    assert picture(hostile(), size, steps)
