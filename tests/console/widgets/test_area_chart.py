"""Stacked areas in blocks."""

import pytest

from retriage.console.widgets.area_chart import Area, area_chart, spark

AREAS = (Area("█", "good"), Area("▓", "failed"), Area("░", "muted", always=False))


def drawn(columns: list[tuple[int, int, int]], top: int, height: int = 4) -> list[str]:
    return ["".join(text for text, _ in row) for row in area_chart(columns, AREAS, top, height)]


def test_areas_stand_on_one_another() -> None:
    assert drawn([(0, 0, 0), (0, 0, 100), (50, 0, 50), (50, 25, 25), (100, 0, 0)], 100) == [
        " ░░░█",
        " ░░▓█",
        " ░███",
        " ░███",
    ]


def test_a_few_that_failed_again_are_seen_as_few() -> None:
    assert drawn([(330, 9, 81)], 420, 8) == ["░", "▁", "█", "█", "█", "█", "█", "█"]


def test_what_is_lower_than_a_cell_is_told_apart_without_colours() -> None:
    areas = (Area("█", "good"), Area("▓", "failed", low="!"), Area("░", "muted", always=False))
    few = ["".join(text for text, _ in row) for row in area_chart([(330, 9, 81), (330, 0, 81)], areas, 420, 8)]
    assert sum(row[0] == "!" for row in few) == 1
    assert all(row[1] != "!" for row in few)
    many = ["".join(text for text, _ in row) for row in area_chart([(200, 200, 20)], areas, 420, 8)]
    assert "▓" in many
    assert "!" not in many


@pytest.mark.parametrize("height", [1, 2, 3, 8])
@pytest.mark.parametrize("values", [(100, 1, 0), (0, 1, 99), (1, 1, 1), (300, 300, 300), (99, 1, 0)])
def test_no_column_is_higher_than_the_chart_and_what_matters_is_always_seen(
    values: tuple[int, int, int], height: int
) -> None:
    rows = area_chart([values], AREAS, 100, height)
    assert len(rows) == height
    inks = {ink for row in rows for _, ink in row}
    assert "failed" in inks
    assert height == 1 or not values[0] or "good" in inks


def test_a_chart_that_grows_changes_one_column() -> None:
    before = drawn([(10, 0, 90), (20, 0, 80)], 100)
    after = drawn([(10, 0, 90), (20, 0, 80), (30, 1, 69)], 100)
    assert [row[:2] for row in after] == before


def test_a_line_of_numbers() -> None:
    assert spark([0, 1, 50, 100]) == "·▁▄▇"
    assert spark([]) == ""
