"""Waves: what can be typed, how a run is cut, what is proposed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriage.console.runs.waves import ONE_WAVE, WaveMistake, proposed, waves_of


@pytest.mark.parametrize(
    ("text", "total", "sizes"),
    [
        ("10, 100, 500, rest", 4600, [10, 100, 500, 3990]),
        ("10 100 REST", 4600, [10, 100, 4490]),
        ("10,100,500,rest", 50, [10, 40]),
        ("1%, 10%, rest", 4601, [47, 461, 4093]),
        ("0.5%, rest", 100, [1, 99]),
        ("60%, 60%", 10, [6, 4]),
        ("rest", 7, [7]),
        ("5, 5", 10, [5, 5]),
    ],
)
def test_a_run_is_cut(text: str, total: int, sizes: list[int]) -> None:
    assert waves_of(text).cut(total) == sizes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "numbers of tasks"),
        ("ten", "ten is not a wave"),
        ("-5, rest", "-5 is not a wave"),
        ("rest, 10", "Only the last wave can be rest"),
        ("0, rest", "at least one task"),
        ("101%", "more than all"),
        ("1.5, rest", "not a whole number"),
        ("1 " * 201, "a pace spreads"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(WaveMistake) as mistake:
        waves_of(text)
    assert said in mistake.value.sentence


def test_tasks_in_no_wave_are_told() -> None:
    with pytest.raises(WaveMistake) as mistake:
        waves_of("10, 100").cut(4600)
    assert "take 110 of 4,600" in mistake.value.sentence


def test_waves_are_written_as_they_are_read() -> None:
    assert str(waves_of("10 0.5%,REST")) == "10, 0.5%, rest"


@pytest.mark.parametrize(
    ("total", "waves"),
    [
        (1, "rest"),
        (20, "rest"),
        (300, "10, 50, rest"),
        (2600, "10, 100, 500, rest"),
        (12_000, "10, 100, 1000, rest"),
        (100_000, "100, 1000, 10000, rest"),
    ],
)
def test_a_proposal_fits_the_size(total: int, waves: str) -> None:
    assert str(proposed(total)) == waves


@given(st.integers(1, 2_000_000))
def test_every_proposal_takes_every_task_and_its_first_wave_is_small(total: int) -> None:
    sizes = proposed(total).cut(total)
    assert sum(sizes) == total
    assert sizes[0] <= 100
    assert len(sizes) == 1 or sizes == sorted(sizes)
    assert ONE_WAVE.cut(total) == [total]
