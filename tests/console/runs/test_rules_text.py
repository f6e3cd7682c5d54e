"""The rules of a run as they are typed, and the form of the launch dialog that they stand in."""

from collections.abc import Callable

import pytest

from retriage.console.operations.retry import SetRetries
from retriage.console.runs.gate import Gate
from retriage.console.runs.rules_text import (
    RuleMistake,
    pace_of,
    pace_text,
    seconds_of,
    seconds_text,
    share_of,
    share_text,
)
from retriage.console.runs.run import RunOrder
from retriage.console.runs.run_form import RunForm, form_of
from retriage.console.runs.waves import WaveMistake, proposed, waves_of


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (share_of, "20%", 0.2), (share_of, "0.05", 0.05), (share_of, "0", 0.0), (share_of, "100%", 1.0),
        (seconds_of, "60s", 60.0), (seconds_of, "5m", 300.0), (seconds_of, "1h", 3600.0), (seconds_of, "90", 90.0),
        (pace_of, "200/min", 200.0), (pace_of, "5/s", 300.0), (pace_of, "600/h", 10.0), (pace_of, "200", 200.0),
    ],
)  # fmt: skip
def test_what_is_typed_is_read(read: Callable[[str], float], text: str, value: float) -> None:
    assert read(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (share_of, "120%"), (share_of, "-1"), (share_of, "nan"), (share_of, ""), (seconds_of, "0"), (seconds_of, "9d"),
        (seconds_of, "inf"), (seconds_of, "nan"), (pace_of, "0/min"), (pace_of, "3/week"), (pace_of, "nan"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_said_with_what_was_typed(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(RuleMistake) as mistake:
        read(text)
    assert mistake.value.sentence.startswith(f"{text} is no")


@pytest.mark.parametrize("seconds", [1.0, 59.0, 60.0, 90.0, 120.0, 3600.0, 5400.0, 86400.0, 0.5])
def test_seconds_are_written_as_they_are_read(seconds: float) -> None:
    assert seconds_of(seconds_text(seconds)) == seconds


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.125, 1.0])
def test_shares_are_written_as_they_are_read(share: float) -> None:
    assert share_of(share_text(share)) == pytest.approx(share)


def test_a_form_means_the_order_that_it_was_made_of() -> None:
    order = RunOrder("all", SetRetries(3), waves_of("10, 100, rest"), Gate(0.125, True), 90.0, 250.0, "why")
    form = form_of(order, str(order.waves))
    assert form == RunForm("10, 100, rest", "12.5%", True, "90s", "250/min")
    assert form.order("all", SetRetries(3), " why ") == order
    assert RunForm("rest").order("all", SetRetries(1)) == RunOrder("all", SetRetries(1), waves_of("rest"))
    assert pace_text(None) == ""


@pytest.mark.parametrize("form", [RunForm("10, 20 rest, 5"), RunForm("rest", gate="x"), RunForm("rest", pace="x")])
def test_a_form_that_cannot_be_is_no_order(form: RunForm) -> None:
    with pytest.raises((WaveMistake, RuleMistake)):
        form.order("all", SetRetries(1))


@pytest.mark.parametrize("total", [21, 60, 500, 4538, 20_000, 100_000, 1_000_000])
def test_waves_after_a_bad_run_begin_smaller_and_after_a_good_one_larger(total: int) -> None:
    unknown, bad, good = (proposed(total, record).cut(total) for record in ("unknown", "bad", "good"))
    assert sum(unknown) == sum(bad) == sum(good) == total
    assert bad[0] <= unknown[0] <= good[0]
    assert bad[0] < unknown[0] or total < 50
