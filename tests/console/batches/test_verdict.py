"""Did it help? The sentence, and how sure it is."""

import pytest

from retriage.console.batches.outcome_counts import OutcomeCounts
from retriage.console.batches.verdict import verdict


@pytest.mark.parametrize(
    ("work", "said", "ink"),
    [
        (OutcomeCounts(420, {"unknown": 420}), "Its tasks are being looked at …", "muted"),
        (OutcomeCounts(420, {"unset": 420}), "Not known yet: no retries are set.", "muted"),
        (OutcomeCounts(2, {"waiting": 1, "unset": 1}), "Not known yet: 1 waiting for a worker.", ""),
        (OutcomeCounts(9, {"locked": 4, "waiting": 5}), "Not known yet: workers have 4 tasks.", ""),
        (OutcomeCounts(420, {"done": 4, "waiting": 416}), "4 done, none failed again: too few to tell.", ""),
        (OutcomeCounts(420, {"done": 3, "again": 1}), "1 of 4 failed again: too few to tell.", "warning"),
        (OutcomeCounts(420, {"done": 420}), "It helps: 420 done, none failed again.", "good"),
        (OutcomeCounts(377, {"done": 368, "again": 9}), "It helps: 2% of 377 failed again.", "good"),
        (OutcomeCounts(377, {"done": 300, "again": 77}), "It helps in part: 20% of 377 failed again.", "warning"),
        (OutcomeCounts(377, {"done": 1, "again": 376}),
         "Not working: >98% of 377 failed again.", "failed"),
        (OutcomeCounts(40, {"done": 28, "locked": 12}), "It helps: 28 done, 12 open.", "good"),
        (OutcomeCounts(420, {"done": 368, "again": 9, "waiting": 40, "unset": 3}),
         "It helps: 2% again, 43 open.", "good"),
        (OutcomeCounts(420, {"done": 300, "again": 77, "locked": 43}), "It helps in part: 20% again, 43 open.",
         "warning"),
        (OutcomeCounts(420, {"done": 1, "again": 376, "unknown": 43}), "Not working: >98% again, 43 open.",
         "failed"),
        (OutcomeCounts(420, {"again": 420}), "Not working: 100% of 420 failed again.", "failed"),
        (OutcomeCounts(9, {"unkept": 9}), "It helps: 9 gone, none failed again.", "good"),
        (OutcomeCounts(9, {"gone": 9}), "No verdict: no task was done or failed.", "muted"),
        (OutcomeCounts(9, {"changed": 9}), "No verdict: no task was done or failed.", "muted"),
        (OutcomeCounts(9, {"delayed": 4, "waiting": 5}), "Not known yet: 4 in their retry time.", ""),
        (OutcomeCounts(9, {"undone": 9}), "No verdict: no task was done or failed.", "muted"),
    ],
)  # fmt: skip
def test_did_it_help(work: OutcomeCounts, said: str, ink: str) -> None:
    assert verdict(work) == (said, ink)


@pytest.mark.parametrize("name", ["done", "again", "locked", "waiting", "delayed", "unset", "gone", "unkept"])
def test_the_sentence_fits_into_half_of_a_small_screen(name: str) -> None:
    for again in (0, 1, 12_345, 99_999):
        for open in (0, 99_999):
            work = OutcomeCounts(99_999 + again + open, {name: 99_999, "again": again, "unset": open})
            assert len(verdict(work)[0]) <= 46
