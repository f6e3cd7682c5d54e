"""A list of which nothing ends and nothing appears is read with one question a page, each joined to the one before."""

from typing import NamedTuple

import pytest

from retriage.console.reading.pages import Pages


class Row(NamedTuple):
    """A row."""

    id: str


@pytest.mark.parametrize(("rows", "asked"), [(0, [0]), (9, [0]), (10, [0, 9]), (25, [0, 9, 18])])
async def test_a_quiet_list_is_asked_one_page_after_the_other(rows: int, asked: list[int]) -> None:
    every, firsts = [Row(f"{number:03}") for number in range(rows)], []

    async def read(first: int, size: int) -> list[Row]:
        firsts.append(first)
        return every[first : first + size]

    found = [row async for page in Pages(read, size=10) for row in page]
    assert found == every
    assert firsts == asked
