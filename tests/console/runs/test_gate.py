"""The gate: judged by finished tasks, early where that is sound, plainly when all are decided."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.runs.gate import FEWEST, Gate, Verdict, WorkCounts, judge, wilson

FIVE_PERCENT = Gate(0.05)


def said(verdict: Verdict) -> tuple[str, str]:
    return verdict.judgement, verdict.cause


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    # Known values of the interval for z = 1.959964.
    [(0, 10, 0.0, 0.2775328), (1, 10, 0.0178762, 0.4041500), (5, 10, 0.2365931, 0.7634069), (10, 10, 0.7224672, 1.0)],
)
def test_the_interval(hits: int, number: int, low: float, high: float) -> None:
    assert wilson(hits, number) == pytest.approx((low, high), abs=1e-6)


def test_it_holds_early_when_too_many_have_failed_for_certain() -> None:
    assert said(judge(FIVE_PERCENT, WorkCounts(done=2, again=3, waiting=95), watch_over=False)) == (
        "hold",
        "failed-again",
    )


def test_it_passes_early_when_few_enough_have_failed_for_certain() -> None:
    assert said(judge(FIVE_PERCENT, WorkCounts(done=400, again=5, waiting=95), watch_over=False)) == ("pass", "passed")


def test_the_last_wave_is_watched_to_the_end_as_nothing_waits_for_an_early_pass() -> None:
    counts = WorkCounts(done=400, again=5, waiting=40, not_set=55)
    assert said(judge(FIVE_PERCENT, counts, watch_over=False, last=True)) == ("watch", "early")
    assert said(judge(FIVE_PERCENT, counts, watch_over=True, last=True)) == ("pass", "passed")
    assert said(judge(FIVE_PERCENT, WorkCounts(done=400, again=5), watch_over=False, last=True)) == ("pass", "passed")
    failing = WorkCounts(done=2, again=3, waiting=95)
    assert said(judge(FIVE_PERCENT, failing, watch_over=False, last=True)) == ("hold", "failed-again")


@pytest.mark.parametrize("counts", [WorkCounts(again=4, waiting=6), WorkCounts(done=60, again=2, waiting=38)])
def test_it_watches_on_while_neither_is_certain(counts: WorkCounts) -> None:
    assert said(judge(FIVE_PERCENT, counts, watch_over=False)) == ("watch", "early")


@pytest.mark.parametrize(
    ("done", "again", "judgement"), [(95, 5, "pass"), (94, 6, "hold"), (3, 1, "hold"), (1, 0, "pass")]
)
def test_the_plain_share_decides_when_all_are_decided(done: int, again: int, judgement: str) -> None:
    assert judge(FIVE_PERCENT, WorkCounts(done=done, again=again), watch_over=False).judgement == judgement


def test_a_limit_of_nothing_holds_at_one_failure_and_passes_only_when_all_are_done() -> None:
    gate = Gate(0.0)
    assert judge(gate, WorkCounts(done=400, waiting=1), watch_over=False).judgement == "watch"
    assert judge(gate, WorkCounts(done=400, again=1, waiting=1), watch_over=False).judgement == "hold"
    assert judge(gate, WorkCounts(done=400), watch_over=False).judgement == "pass"


def test_a_new_cause_holds_by_itself_where_that_is_wanted() -> None:
    counts = WorkCounts(done=99, again=1, new_cause=1, waiting=400)
    assert said(judge(Gate(0.5, new_cause=True), counts, watch_over=False)) == ("hold", "new-cause")
    assert judge(Gate(0.5), counts, watch_over=False).judgement == "pass"


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        (WorkCounts(waiting=10), "nobody-works"),
        (WorkCounts(not_set=10), "nobody-works"),
        (WorkCounts(waiting=5, locked=5), "still-locked"),
        (WorkCounts(done=3, waiting=7), "undecided"),
    ],
)
def test_a_watch_that_ends_undecided_holds_and_says_why(counts: WorkCounts, cause: str) -> None:
    assert said(judge(FIVE_PERCENT, counts, watch_over=True)) == ("hold", cause)
    assert judge(FIVE_PERCENT, counts, watch_over=False).judgement == "watch"


def test_cancelled_tasks_decide_nothing_and_unknown_ones_do_not_pass() -> None:
    for counts in (WorkCounts(), WorkCounts(cancelled=10)):
        assert said(judge(FIVE_PERCENT, counts, watch_over=False)) == ("hold", "nothing-decided")
        assert said(judge(FIVE_PERCENT, counts, watch_over=False, last=True)) == ("pass", "nothing-decided")
    assert said(judge(FIVE_PERCENT, WorkCounts(unknown=10), watch_over=False)) == ("hold", "nothing-decided")


@given(
    st.builds(WorkCounts, **dict.fromkeys(("done", "again", "waiting", "locked", "cancelled"), st.integers(0, 500))),
    st.floats(0, 1),
    st.booleans(),
)
def test_more_failures_never_let_a_run_go_on(counts: WorkCounts, limit: float, over: bool) -> None:
    verdict = judge(Gate(limit), counts, watch_over=over)
    if verdict.judgement == "hold" and verdict.cause == "failed-again" and counts.done:
        worse = WorkCounts(counts.done - 1, counts.again + 1, 0, counts.waiting, counts.locked, 0, counts.cancelled)
        assert judge(Gate(limit), worse, watch_over=over).judgement == "hold"
    if over:
        assert verdict.judgement != "watch"
    if counts.decided < FEWEST and counts.open and not over:
        assert verdict.judgement == "watch"
