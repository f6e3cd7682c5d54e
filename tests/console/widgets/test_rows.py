"""Columns, the page cache, marks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriage.console.screens.instances.subject import InstanceSubject
from retriage.console.screens.subject import ListSubject
from retriage.console.screens.tasks.subject import TaskSubject
from retriage.console.text.words import until
from retriage.console.widgets.columns import GAP, Column, fit
from retriage.console.widgets.marks import Marks
from retriage.console.widgets.pane import Fact, laid_out
from retriage.console.widgets.rows import PAGE, Cell, PageCache, Part, Row, drawn_parts

NOW = datetime.now(UTC)
COLUMNS = (
    Column("S", 1, keep=10),
    Column("topic", 10, share=1, most=14, keep=7),
    Column("lock", 5, keep=1),
    Column("error", 10, share=3, keep=8),
)


def row(index: int, text: str = "") -> Row:
    return Row(f"id-{index}", (Cell(text or str(index)),))


@given(st.integers(0, 300))
def test_columns_never_take_more_than_there_is(width: int) -> None:
    fitted = fit(COLUMNS, width)
    used = sum(cells for _, cells in fitted) + GAP * (len(fitted) - 1)
    assert used <= max(width, 1)
    assert fitted[0][0] == 0


def test_the_least_important_column_goes_first() -> None:
    assert [index for index, _ in fit(COLUMNS, 60)] == [0, 1, 2, 3]
    assert [index for index, _ in fit(COLUMNS, 28)] == [0, 1, 3]
    assert [index for index, _ in fit(COLUMNS, 14)] == [0, 3]


def test_hidden_columns_leave_their_room_to_the_others_and_one_is_always_shown() -> None:
    assert [index for index, _ in fit(COLUMNS, 28, {1})] == [0, 2, 3]
    assert [index for index, _ in fit(COLUMNS, 60, {0, 1, 2, 3})] == [0]


def test_a_column_that_wants_room_to_spare_waits_for_it() -> None:
    columns = (*COLUMNS, Column("process", 10, keep=0, spare=20))
    needed = 1 + 10 + 5 + 10 + 10 + 4 * GAP
    assert [index for index, _ in fit(columns, needed + 19)] == [0, 1, 2, 3]
    assert [index for index, _ in fit(columns, needed + 20)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("subject", "title"), [(TaskSubject(), "lock"), (InstanceSubject(), "age"), (InstanceSubject(), "inc")]
)
def test_what_decides_at_night_is_a_column_beside_the_pane_at_100_cells(subject: ListSubject[Any], title: str) -> None:
    beside_the_pane = 58
    shown = [subject.columns[index].title for index, _ in fit(subject.columns, beside_the_pane)]
    assert title in shown


def test_an_hour_of_a_lock_is_not_cut() -> None:
    widths = {TaskSubject.columns[index].title: width for index, width in fit(TaskSubject.columns, 58)}
    assert widths["lock"] >= len(until(NOW + timedelta(hours=1, minutes=30), NOW))


def test_what_is_left_over_is_shared_and_a_full_column_passes_it_on() -> None:
    assert dict(fit(COLUMNS, 100)) == {0: 1, 1: 14, 2: 5, 3: 74}


def test_the_cache_says_which_rows_look_different() -> None:
    cache = PageCache()
    assert cache.put(10, [row(10), row(11)]) == [10, 11]
    assert cache.put(10, [row(10), row(11, "new")]) == [11]
    assert cache.get(11) == row(11, "new")
    assert cache.get(9) is None


def test_missing_rows_are_unknown_or_stale_ones() -> None:
    cache = PageCache()
    cache.put(0, [row(index) for index in range(10)])
    assert cache.missing(0, 9) is None
    assert cache.missing(0, 12) == (10, 12)
    cache.age()
    assert cache.missing(0, 9) == (0, 9)
    assert cache.get(3) == row(3)
    cache.put(2, [row(2)])
    assert cache.missing(1, 3) == (1, 3)


def test_the_cache_is_bounded_however_far_one_scrolls() -> None:
    cache = PageCache(most_pages=4)
    for number in range(100):
        cache.put(number * PAGE, [row(number * PAGE)])
    assert len(list(cache)) == 4
    assert cache.get(99 * PAGE) is not None
    assert cache.get(0) is None


def test_rows_beyond_the_end_are_forgotten() -> None:
    cache = PageCache()
    cache.put(0, [row(index) for index in range(PAGE + 5)])
    cache.cut_off(3)
    assert sorted(index for index, _ in cache) == [0, 1, 2]


def test_a_stale_row_does_not_tell_where_an_id_is() -> None:
    cache = PageCache()
    cache.put(0, [row(0), row(1)])
    assert cache.find("id-1", 0) == 1
    cache.age()
    assert cache.find("id-1", 0) is None


def test_marks_are_ids_or_everything_but_ids() -> None:
    some = Marks().toggled("a").with_all(["b"])
    assert "a" in some
    assert "c" not in some
    assert some.count(100) == 2
    most = Marks(everything=True).toggled("a")
    assert "a" not in most
    assert "c" in most
    assert most.count(100) == 99
    assert "a" in most.with_all(["a"])
    assert not Marks()


def test_a_fact_that_does_not_fit_goes_on_below_its_label() -> None:
    told = laid_out([Fact("created", "24d   2026-11-01 10:00:00Z")], 31)
    assert ["".join(text for text, _ in line).rstrip() for line in told] == [
        "created   24d   2026-11-01",
        "          10:00:00Z",
    ]


@pytest.mark.parametrize("cells", [1, 2, 5, 17, 40, 133])
@pytest.mark.parametrize("numbers", [(1, 0, 0), (1, 1, 1), (281, 31, 188), (1, 99_999, 1), (3, 3, 100_000), (0, 0, 0)])
def test_a_bar_fills_its_cells_and_what_is_there_at_all_is_seen(cells: int, numbers: tuple[int, ...]) -> None:
    drawn = drawn_parts([Part(number, sign, "good") for number, sign in zip(numbers, "abc", strict=True)], cells)
    line = "".join(text for text, _ in drawn)
    assert len(line) == cells
    there = [sign for number, sign in zip(numbers, "abc", strict=True) if number]
    assert "".join(sorted(line)) == line, "a part stands in two places"
    if cells >= len(there):
        assert set(line) == set(there or " ")
