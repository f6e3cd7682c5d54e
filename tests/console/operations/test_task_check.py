"""What is left out before a wave is sent: only what the engine's records and its log prove."""

from datetime import timedelta

import pytest

from retriage.console.batches.task_state import failure_of
from retriage.console.operations.operation import CheckedUnits
from retriage.console.operations.task_check import check
from retriage.console.reading.task_history import TaskLog
from retriage.store.journal import RunTask
from tests.console.task_shop import AFTER, BEFORE, SINCE, TaskShop


async def left_out(shop: TaskShop, retries: int = 0) -> dict[str, str]:
    """Ids of the tasks that are left out, with the reason; frozen with so many retries."""
    frozen = [
        RunTask(
            ordinal=index, wave=1, task_id=f"t{index:05}", retries=retries, failure=failure_of("HTTP 503"),
            left_out="", outcome="",
        )
        for index in range(4)
    ]  # fmt: skip
    checked = CheckedUnits(shop.engine_now())
    await check(shop, checked, frozen, TaskLog(SINCE))
    assert len(checked.before) + len(checked.left_out) == len(frozen)
    return {frozen[ordinal].task_id: why for ordinal, why in checked.left_out.items()}


async def test_a_retry_time_of_tasks_without_retries_leaves_nothing_out() -> None:
    shop = TaskShop(4)
    for index in range(4):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=1800)
    assert await left_out(shop) == {}


@pytest.mark.parametrize(("level", "why"), [("full", "locked"), ("audit", "maybe-locked")])
async def test_a_lock_is_told_from_a_retry_time_by_the_log(level: str, why: str) -> None:
    shop = TaskShop(4, level)
    for index in range(4):
        shop.fail(index, "HTTP 503", at=BEFORE, timeout=3600, retries=2)
    shop.change(1, worker_id="w2")
    shop.change(2, lock_expiration_time=AFTER + timedelta(hours=1, milliseconds=337))
    expected = {"t00001": why, "t00002": why} | ({} if level == "full" else {"t00000": why, "t00003": why})
    assert await left_out(shop, retries=2) == expected


@pytest.mark.parametrize("level", ["full", "audit"])
async def test_fewer_retries_are_a_failure_only_where_a_worker_failed_it(level: str) -> None:
    shop = TaskShop(4, level)
    for index in range(4):
        shop.fail(index, "HTTP 503", at=BEFORE, retries=2)
    shop.fail(0, "HTTP 503", retries=1)
    shop.set_by_hand(1, 1)
    shop.set_by_hand(2, 5)
    del shop.tasks["t00003"]
    assert await left_out(shop, retries=2) == {
        "t00000": "newer-incident",
        "t00001": "lowered",
        "t00002": "raised",
        "t00003": "gone",
    }
