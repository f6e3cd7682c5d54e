"""One answer without any rows, sent where rows were asked for, changes nothing that is final: whichever it is."""

from typing import Any

import pytest

from retriage.console.batches.outcome import Outcome
from retriage.console.batches.task_state import FINAL, State
from tests.console.task_shop import SINCE, TaskShop

TRUTH: dict[str, dict[str, State]] = {
    "full": {"t00000": "done", "t00001": "again", "t00002": "gone", "t00003": "waiting", "t00004": "changed"},
    "audit": {"t00000": "done", "t00001": "again", "t00002": "gone", "t00003": "waiting", "t00004": "changed"},
    "none": {"t00000": "unkept", "t00001": "again", "t00002": "unkept", "t00003": "waiting", "t00004": "changed"},
}


class ForgetfulShop(TaskShop):
    """Leaves out all rows of one answer, counted from 1."""

    def __init__(self, number: int, level: str, empty: int) -> None:
        super().__init__(number, level)
        self.empty = empty
        self.asked = 0

    def _rows(self, rows: list[Any]) -> list[Any]:
        self.asked += 1
        return [] if self.asked == self.empty else rows

    async def external_tasks(self, query: Any, first: int, size: int) -> Any:
        return self._rows(await super().external_tasks(query, first, size))

    async def external_task_log(self, query: Any, first: int, size: int) -> Any:
        return self._rows(await super().external_task_log(query, first, size))

    async def historic_activity_instances(self, query: Any, first: int, size: int) -> Any:
        return self._rows(await super().historic_activity_instances(query, first, size))

    async def incidents(self, query: Any, first: int, size: int) -> Any:
        return self._rows(await super().incidents(query, first, size))


async def night(level: str, empty: int, early: bool) -> tuple[dict[str, State], int]:
    """States of five tasks, and the number of answers.

    Args:
        level: history level.
        empty: number of the answer without rows; 0 for none.
        early: the first look comes before anything has happened.
    """
    shop = ForgetfulShop(5, level, empty)
    alive = set(shop.tasks)
    outcome = Outcome([(id, 0) for id in shop.tasks], 1, SINCE)

    async def look() -> None:
        await outcome.look(shop, all_set=False, quiet=False)
        dead = {id for id in alive if outcome.state(id) in FINAL}
        assert dead <= alive - shop.tasks.keys(), f"alive, and called ended after answer {empty}"

    if early:
        await look()
        await look()
    shop.set_all(1)
    if early:
        await look()
    shop.end(0)
    shop.fail(1, "card expired")
    shop.end(2, "deletion")
    shop.set_by_hand(4, 5)
    for _ in range(6):
        await outcome.look(shop, all_set=True, quiet=True)
        dead = {id for id in alive if outcome.state(id) in FINAL}
        assert dead <= alive - shop.tasks.keys(), f"alive, and called ended after answer {empty}"
        assert outcome.state("t00001") != "changed", f"failed, and called changed after answer {empty}"
    states = {id: state for id in sorted(alive) if (state := outcome.state(id)) is not None}
    return states, shop.asked


@pytest.mark.parametrize("level", ["full", "audit", "none"])
async def test_one_empty_answer_ends_no_living_task(level: str) -> None:
    states, answers = await night(level, 0, early=True)
    assert states == TRUTH[level]
    for empty in range(1, answers + 1):
        assert (await night(level, empty, early=True))[0] == states, f"answer {empty} of {answers}"


async def test_one_empty_answer_buries_no_task_whose_activity_instance_is_not_known() -> None:
    """At the first look nothing but the id of each task is known."""
    states, answers = await night("full", 0, early=False)
    assert states == TRUTH["full"]
    for empty in range(1, answers + 1):
        assert (await night("full", empty, early=False))[0] == states, f"answer {empty} of {answers}"
