"""How the lines of the batch page are shared out, and how its chart uses the width."""

from datetime import UTC, datetime, timedelta

import pytest

from retriage.console.batches.timeline import Sample, Timeline
from retriage.console.screens.batches.chart import chart_lines
from retriage.console.screens.batches.shares import LISTS, SINCE, share_lines
from retriage.console.widgets.pane import laid_out

START = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize("lines", [19, 25, 40, 70])
@pytest.mark.parametrize("jobs", [1, 3, 12])
@pytest.mark.parametrize("doctor", [0, 1, 2])
def test_side_by_side_every_line_is_given_out_and_the_chart_gets_most(lines: int, jobs: int, doctor: int) -> None:
    shares = share_lines(lines, narrow=False, doctor=doctor, jobs=jobs, since=True, beside=True)
    assert shares.jobs == shares.events
    assert shares.upper + doctor + shares.since + shares.events == lines
    assert not shares.since or shares.since >= SINCE
    if lines >= 25 and jobs <= 3:
        assert shares.events == LISTS or shares.since == 18
        assert shares.since >= SINCE + 2


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("jobs", [0, 1, 12])
@pytest.mark.parametrize("lines", [10, 11, 12, 14])
def test_in_a_low_window_no_line_is_given_out_twice(lines: int, jobs: int, beside: bool, narrow: bool) -> None:
    shares = share_lines(lines, narrow=narrow, doctor=1, jobs=jobs, since=True, beside=beside)
    assert shares.upper + 1 + shares.since + shares.events + (0 if beside else shares.jobs) == lines


def drawn(samples: int, width: int = 50) -> list[str]:
    line = Timeline(START)
    for number in range(samples):
        line.note(START + timedelta(seconds=2 * number), Sample(100, number, 0, 4321 - number))
    items = chart_lines(line, 100, width, 8)
    return ["".join(text for text, _ in spans) for spans in laid_out(items, width)]


@pytest.mark.parametrize("samples", [2, 3, 7, 10, 20, 23, 44, 45, 200])
def test_the_chart_fills_at_least_half_of_its_width_from_the_beginning(samples: int) -> None:
    rows = drawn(samples)
    assert len(rows) == 8
    assert {len(row) for row in rows} == {50}
    filled = max(len(row.rstrip()) for row in rows[:-2])
    assert min(45 // 2, 12 * samples) <= filled - 5 <= 45


def test_below_the_chart_stand_the_open_incidents_and_when_it_began_and_how_long_it_is() -> None:
    *_, sparks, axis = drawn(12, 60)
    assert sparks.startswith("inc. ▇")
    assert axis.split() == ["09:15:00Z", "+24s"]
    assert axis.rstrip().endswith("+24s")
    assert len(axis.rstrip()) == len(sparks.rstrip())


def test_before_the_first_look_nothing_is_drawn() -> None:
    line = Timeline(START)
    for number in (5, 6, 7):
        line.note(START + timedelta(seconds=2 * number), Sample(100, 50, 0, 40))
    rows = ["".join(text for text, _ in spans) for spans in laid_out(chart_lines(line, 100, 25, 8), 25)]
    *drawn, sparks, axis = [row[5:] for row in rows]
    assert {row[:10].strip() for row in drawn} == {""}
    assert drawn[-1][10:12].strip()
    assert (sparks[:10].strip(), sparks[10:12]) == ("", "▇▇")
    assert axis.split() == ["09:15:00Z", "+16s"]
