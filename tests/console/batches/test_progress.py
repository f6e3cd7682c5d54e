"""How a batch is doing: phases, sentences, odd numbers, and speed that is no guess."""

from typing import Any

import pytest

from retriage.console.batches.progress import Progress, Speed, progress
from retriage.store.contract.records import BatchStatistics
from tests.console.engine.test_client import BATCH


def batch(total: int, created: int, completed: int, failed: int = 0, **more: Any) -> BatchStatistics:
    counts = {"totalJobs": total, "jobsCreated": created, "completedJobs": completed, "failedJobs": failed}
    return BatchStatistics.model_validate({**BATCH, **counts, "remainingJobs": total - completed, **more})


def look(*counts: int, **more: Any) -> Progress:
    return progress(batch(*counts, **more))


def states(seen: Progress) -> list[str]:
    return [step.state for step in seen.steps()]


@pytest.mark.parametrize(
    ("seen", "phase", "steps", "sentence"),
    [
        (look(250, 0, 0), "seed", ["running", "waiting", "waiting"],
         "Jobs are being made, and run as they come."),
        (look(250, 200, 152, 2), "seed", ["running", "running", "waiting"],
         "Jobs are being made, and run as they come."),
        (look(250, 250, 152, 2), "execute", ["done", "running", "waiting"], "96 to go, 2 failed."),
        (look(250, 250, 250), "close", ["done", "done", "running"],
         "All done: waits up to 30 s for its monitor job to close it."),
        (look(250, 250, 248, 2), "execute", ["done", "held", "waiting"],
         "2 failed jobs keep the batch open until retried or deleted."),
        (look(1, 1, 0, 1), "execute", ["done", "held", "waiting"],
         "1 failed job keeps the batch open until retried or deleted."),
        (look(250, 200, 10, suspended=True), "seed", ["held", "held", "waiting"],
         "Suspended: nothing goes on until it is resumed."),
        (look(250, 250, 250, suspended=True), "close", ["done", "done", "held"],
         "Suspended: nothing goes on until it is resumed."),
        (look(0, 0, 0), "close", ["done", "done", "running"],
         "All done: waits up to 30 s for its monitor job to close it."),
    ],
)  # fmt: skip
def test_phases(seen: Progress, phase: str, steps: list[str], sentence: str) -> None:
    assert seen.phase == phase
    assert states(seen) == steps
    assert seen.sentence() == sentence


def test_closing_waits_for_the_rest_and_then_for_the_monitor_of_that_engine() -> None:
    assert look(10, 10, 7).steps(5)[2].sentence == "Waits for 3 jobs, then up to 5 s for its monitor job."
    assert "up to 5 s" in look(10, 10, 10).sentence(5)


@pytest.mark.parametrize(
    ("counts", "completed", "failed", "waiting"),
    [
        ((3, 4, 4), 3, 0, 0),
        ((3, 3, -1), 0, 0, 3),
        ((3, 3, 2, 5), 2, 1, 0),
        ((-1, 0, 0), 0, 0, 0),
    ],
    ids=["more jobs than announced", "below nothing", "more failed than remain", "negative total"],
)
def test_odd_statistics_are_kept_within_the_bar(
    counts: tuple[int, ...], completed: int, failed: int, waiting: int
) -> None:
    seen = look(*counts)
    assert (seen.completed, seen.failed, seen.waiting) == (completed, failed, waiting)
    assert 0 <= seen.created <= seen.total
    assert 0 <= seen.percent <= 100


def test_99_9_percent_is_not_100() -> None:
    assert look(1000, 1000, 999).percent == 99


def test_speed_is_told_when_enough_was_seen() -> None:
    speed = Speed()
    for second in range(4):
        speed.note(float(second), look(1000, 1000, second * 10))
        assert speed.per_second() is None
    speed.note(6.0, look(1000, 1000, 60, 40))
    assert speed.per_second() == 10.0
    assert speed.seconds_left() == 90.0


def test_speed_of_a_standstill_is_not_told() -> None:
    speed = Speed()
    for second in range(10):
        speed.note(float(second), look(100, 100, 50))
    assert (speed.per_second(), speed.seconds_left()) == (None, None)


def test_speed_forgets_what_is_older_than_two_minutes() -> None:
    speed = Speed()
    for second in range(0, 400, 10):
        fast = second * 10 if second < 200 else 2000 + (second - 200)
        speed.note(float(second), look(100_000, 100_000, fast))
    assert speed.per_second() == 1.0


def test_a_standstill_between_is_no_part_of_the_speed() -> None:
    speed, done = Speed(), 0
    for second in range(0, 90, 2):
        moves = second < 20 or second >= 70
        done += 20 if moves else 0
        speed.note(float(second), look(100_000, 100_000, done))
        if 50 <= second < 70:
            assert (speed.per_second(), speed.seconds_left()) == (None, None)
    assert speed.per_second() == 10.0


def test_a_slow_batch_does_not_stand_still() -> None:
    speed = Speed()
    for second in range(0, 120, 2):
        speed.note(float(second), look(100, 100, second // 15))
    told = speed.per_second()
    assert told is not None
    assert 0.05 < told < 0.07


def test_speed_begins_anew_after_a_suspension_and_when_numbers_go_back() -> None:
    for interruption in (look(1000, 1000, 50, suspended=True), look(1000, 1000, 5)):
        speed = Speed()
        for second in range(10):
            speed.note(float(second), look(1000, 1000, second * 5))
        assert speed.per_second() is not None
        speed.note(10.0, interruption)
        assert speed.per_second() is None
