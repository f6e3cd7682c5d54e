"""Going through all rows while some of them end: whatever stays is looked at, and nothing twice."""

import asyncio
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from retriage.console.reading.filtered_pages import FilteredPages


class Row(NamedTuple):
    """A row with its id."""

    id: str
    number: int


@settings(deadline=None, max_examples=300)
@given(
    st.integers(0, 60),
    st.integers(2, 9),
    st.lists(st.sets(st.integers(0, 59), max_size=8), max_size=12),
)
def test_every_row_that_stays_is_looked_at_once(rows: int, size: int, ends: list[set[int]]) -> None:
    living = [Row(f"r{number:03d}", number) for number in range(rows)]
    ending = list(ends)
    asked = [0]

    async def read(first: int, most: int) -> list[Row]:
        asked[0] += 1
        assert asked[0] < 500
        page = living[first : first + most]
        if ending:
            gone = ending.pop()
            living[:] = [row for row in living if row.number not in gone]
        return page

    async def through() -> FilteredPages[Row]:
        pages = FilteredPages(read, lambda row: row.id, lambda row: row.number % 3 == 0, size)
        looked: list[Row] = []
        while not pages.ended:
            looked += await pages.next()
        assert len(looked) == len(set(looked)) == pages.looked
        assert set(living) <= set(looked)
        assert pages.kept == [row for row in looked if row.number % 3 == 0]
        return pages

    asyncio.run(through())
