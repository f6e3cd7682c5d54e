"""The gate: passes in the worst case only, holds early where that is certain, and says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriage.console.operations.work_counts import Obstacles, WorkCounts
from retriage.console.runs.gate import FEWEST, Gate, Verdict, judge, sentence, wilson

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


def test_it_passes_early_when_all_that_is_undecided_may_fail_too() -> None:
    assert said(judge(FIVE_PERCENT, WorkCounts(done=475, again=5, waiting=20), watch_over=False)) == ("pass", "passed")
    for more in ("waiting", "delayed", "locked", "not_set"):
        counts = WorkCounts(**{"done": 475, "again": 5, "waiting": 20, more: 21})
        assert judge(FIVE_PERCENT, counts, watch_over=False).judgement == "watch"


@pytest.mark.parametrize(
    "counts",
    # Seen on engines: successes of 0.05 s, failures of 10 s; the gate was 20 %.
    [WorkCounts(done=39, locked=61), WorkCounts(done=44, locked=84, waiting=63, not_set=109)],
)
def test_fast_successes_do_not_pass_a_wave_whose_failures_are_slow(counts: WorkCounts) -> None:
    assert said(judge(Gate(0.2), counts, watch_over=False)) == ("watch", "early")
    assert said(judge(Gate(0.2), counts, watch_over=True)) == ("hold", "still-locked")


def test_the_last_wave_is_watched_to_the_end_as_nothing_waits_for_an_early_pass() -> None:
    counts = WorkCounts(done=475, again=5, waiting=4, not_set=16)
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


def test_rounding_does_not_hold_a_wave_at_its_limit() -> None:
    assert 0.29 * 100 < 29
    assert judge(Gate(0.29), WorkCounts(done=71, again=29), watch_over=False).judgement == "pass"


def test_a_limit_of_all_passes_when_something_is_decided() -> None:
    assert judge(Gate(1.0), WorkCounts(not_set=10), watch_over=False).judgement == "watch"
    assert judge(Gate(1.0), WorkCounts(again=1, waiting=9), watch_over=False).judgement == "pass"


def test_a_new_cause_holds_by_itself_where_that_is_wanted() -> None:
    counts = WorkCounts(done=99, again=1, new_cause=1, waiting=400)
    assert said(judge(Gate(0.5, new_cause=True), counts, watch_over=False)) == ("hold", "new-cause")
    assert judge(Gate(0.5), counts, watch_over=False).judgement == "watch"


@pytest.mark.parametrize(
    ("counts", "obstacles", "cause", "words"),
    [
        (WorkCounts(waiting=10), Obstacles(), "nobody-works", "Nobody works on these topics: after 60 s no task was"),
        (WorkCounts(waiting=10, suspended=3), Obstacles(), "nobody-works", "3 of them are suspended"),
        (WorkCounts(waiting=10), Obstacles(taken=True), "undecided", "Not decided after 60 s: 10 tasks"),
        (WorkCounts(waiting=5, locked=5), Obstacles(), "still-locked", "Still locked after 60 s: 5 tasks"),
        (WorkCounts(waiting=2, delayed=8), Obstacles(), "retry-time", "After 60 s 8 tasks wait for their retry time"),
        (WorkCounts(done=3, waiting=7), Obstacles(), "undecided", "Not decided after 60 s: 7 tasks"),
        (WorkCounts(waiting=9, suspended=9), Obstacles(), "instances-suspended", "9 open tasks are suspended with"),
        (WorkCounts(not_set=10), Obstacles(jobs_left=10), "jobs-left",
         "10 jobs of its batch have not run after 60 s: the job executor is off, or busy elsewhere; 10 tasks are not"),
        (WorkCounts(not_set=10), Obstacles(suspended="b7", jobs_left=10), "batch-suspended",
         "Batch b7 is suspended: after 60 s 10 tasks are not set"),
        (WorkCounts(not_set=1), Obstacles(failed_jobs=1), "jobs-failed", "1 job of its batch failed: after 60 s"),
        (WorkCounts(not_set=10), Obstacles(), "undecided", "Not decided after 60 s: 10 tasks"),
    ],
)  # fmt: skip
def test_a_watch_that_ends_undecided_holds_and_says_why(
    counts: WorkCounts, obstacles: Obstacles, cause: str, words: str
) -> None:
    verdict = judge(FIVE_PERCENT, counts, watch_over=True, obstacles=obstacles)
    assert said(verdict) == ("hold", cause)
    assert words in sentence(verdict, FIVE_PERCENT, 60.0)
    assert judge(FIVE_PERCENT, counts, watch_over=False, obstacles=obstacles).judgement == "watch"


def test_a_deleted_batch_holds_at_once() -> None:
    verdict = judge(FIVE_PERCENT, WorkCounts(not_set=40), watch_over=False, obstacles=Obstacles("b7", "bob"))
    assert said(verdict) == ("hold", "batch-deleted")
    assert (
        sentence(verdict, FIVE_PERCENT, 60.0) == "Batch b7 was deleted by bob: 40 tasks are not set, and will not be."
    )


def test_a_wave_most_of_which_was_cancelled_tells_nothing() -> None:
    for counts in (WorkCounts(), WorkCounts(cancelled=10), WorkCounts(done=1, cancelled=2)):
        assert said(judge(FIVE_PERCENT, counts, watch_over=False)) == ("hold", "nothing-decided")
    assert judge(FIVE_PERCENT, WorkCounts(done=2, cancelled=2), watch_over=False).judgement == "pass"
    assert said(judge(FIVE_PERCENT, WorkCounts(cancelled=10), watch_over=False, last=True)) == (
        "hold",
        "nothing-decided",
    )
    assert said(judge(FIVE_PERCENT, WorkCounts(), watch_over=False, last=True)) == ("pass", "nothing-decided")


@pytest.mark.parametrize("last", [False, True])
def test_without_a_history_a_wave_is_judged_by_what_is_still_there_and_says_so(last: bool) -> None:
    assert judge(FIVE_PERCENT, WorkCounts(unknown=95, again=5), watch_over=False, last=last).judgement == "pass"
    assert judge(FIVE_PERCENT, WorkCounts(unknown=9, waiting=1), watch_over=False, last=last).judgement == "watch"
    verdict = judge(FIVE_PERCENT, WorkCounts(unknown=80, again=20), watch_over=False, last=last)
    assert said(verdict) == ("hold", "failed-again")
    assert sentence(verdict, FIVE_PERCENT, 60.0) == (
        "20 of 100 decided tasks failed again (80 gone, outcome not kept) (20.0%, limit 5%)."
    )


def test_a_wave_is_judged_without_the_tasks_that_somebody_changed_and_says_how_many() -> None:
    counts = WorkCounts(done=60, again=6, changed=34)
    verdict = judge(FIVE_PERCENT, counts, watch_over=False)
    assert said(verdict) == ("hold", "failed-again")
    assert "6 of 66 decided tasks failed again (34 changed by somebody)" in sentence(verdict, FIVE_PERCENT, 60.0)
    assert judge(Gate(0.1), counts, watch_over=False).judgement == "pass"
    all_of_them = judge(FIVE_PERCENT, WorkCounts(changed=10), watch_over=False)
    assert said(all_of_them) == ("hold", "nothing-decided")
    assert "10 changed by somebody" in sentence(all_of_them, FIVE_PERCENT, 60.0)


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


@pytest.mark.parametrize(
    ("counts", "obstacles", "over", "verdict"),
    [
        (WorkCounts(done=3, not_set=7), Obstacles(), False, ("watch", "early")),
        (WorkCounts(done=10), Obstacles(), False, ("pass", "passed")),
        (WorkCounts(gone=8, changed=2), Obstacles(), False, ("pass", "passed")),
        (WorkCounts(done=3, not_set=7), Obstacles(deleted="b1"), False, ("hold", "batch-deleted")),
        (WorkCounts(done=10), Obstacles(deleted="b1"), False, ("pass", "passed")),
        (WorkCounts(not_set=7), Obstacles(suspended="b1"), True, ("hold", "batch-suspended")),
        (WorkCounts(not_set=7), Obstacles(failed_jobs=7), True, ("hold", "jobs-failed")),
        (WorkCounts(not_set=7), Obstacles(), True, ("hold", "undecided")),
    ],
)
def test_without_a_gate_all_have_to_be_reached(
    counts: WorkCounts, obstacles: Obstacles, over: bool, verdict: tuple[str, str]
) -> None:
    found = judge(None, counts, watch_over=over, obstacles=obstacles)
    assert said(found) == verdict
    if found.judgement == "hold":
        assert "7 instances are not set" in sentence(found, None, 60.0, "instance")
