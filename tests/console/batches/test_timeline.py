"""What was seen of a batch at equal steps of time, however long it goes on."""

from datetime import UTC, datetime, timedelta

from retriage.console.batches.timeline import HELD, LATE, MOST, STEP, Sample, Timeline

START = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_each_step_is_what_was_seen_last_in_it_and_a_step_without_is_like_the_one_before() -> None:
    line = Timeline(START)
    for seconds, done in ((0, 0), (1, 5), (2, 7), (8.5, 20)):
        line.note(after(seconds), Sample(50, done, 0))
    step, seen = line.steps(40)
    assert step == STEP
    assert [sample and sample.done for sample in seen] == [5, 7, 7, 7, 20]


def test_where_there_is_too_little_room_steps_are_longer_and_old_ones_do_not_move() -> None:
    line = Timeline(START)
    for number in range(40):
        line.note(after(number * STEP), Sample(50, number, 0))
    step, seen = line.steps(20)
    assert (step, len(seen)) == (STEP * 2, 20)
    assert [sample and sample.done for sample in seen[:3]] == [1, 3, 5]
    line.note(after(40 * STEP), Sample(50, 40, 0))
    assert line.steps(20)[0] == STEP * 4
    assert [sample and sample.done for sample in line.steps(20)[1]][:3] == [3, 7, 11]


def test_it_keeps_no_more_however_long_it_goes_on() -> None:
    line = Timeline(START)
    for number in range(5 * MOST):
        line.note(after(number * STEP), Sample(5 * MOST, number, 0))
    step, seen = line.steps(10 * MOST)
    assert len(seen) <= MOST
    assert step == STEP * 8
    known = [one.done for one in seen if one is not None]
    assert known[-1] == 5 * MOST - 1
    assert known == sorted(known)
    assert len(known) == len(seen)


def test_a_batch_that_was_first_seen_late_is_drawn_from_then_on() -> None:
    line = Timeline(START)
    line.note(after(3600), Sample(9, 3, 0))
    assert line.since == after(3600)
    soon = Timeline(START)
    soon.note(after(LATE / 2), Sample(9, 3, 0))
    assert soon.since == START
    assert [one and one.done for one in soon.steps(100)[1]] == [*[None] * int(LATE / 2 / STEP), 3]


def test_where_nobody_looked_for_long_nothing_is_drawn() -> None:
    line = Timeline(START)
    line.note(after(0), Sample(9, 3, 0))
    line.note(after(60), Sample(9, 8, 0))
    held, blank = int(HELD / STEP), int((60 - HELD) / STEP) - 1
    assert [one and one.done for one in line.steps(100)[1]] == [3, *[3] * held, *[None] * blank, 8]


def test_an_engine_whose_clock_is_ahead_of_ours() -> None:
    line = Timeline(after(30))
    line.note(after(0), Sample(1, 0, 0))
    line.note(after(10), Sample(1, 1, 0))
    assert [sample and sample.done for sample in line.steps(50)[1]] == [0, 0, 0, 0, 0, 1]


def test_nothing_was_seen() -> None:
    assert Timeline(START).steps(40)[1] == []
