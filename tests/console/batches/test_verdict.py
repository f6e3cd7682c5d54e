"""Did it help? The sentence, and how sure it is."""

import pytest

from console.batches.outcome_counts import OutcomeCounts
from console.batches.verdict import verdict


@pytest.mark.parametrize(
    ("work", "said", "ink"),
    [
        (OutcomeCounts(420, {"unknown": 420}), "Its tasks are being looked at …", "muted"),
        (OutcomeCounts(420, {"unset": 420}), "Not known yet: no retries are set.", "muted"),
        (OutcomeCounts(2, {"waiting": 1, "unset": 1}), "Not known yet: no worker has taken any of 1 task.", ""),
        (OutcomeCounts(9, {"locked": 4, "waiting": 5}), "Not known yet: workers have 4 tasks, none is through.", ""),
        (OutcomeCounts(420, {"done": 4, "waiting": 416}), "4 tasks done, none failed again: too few to tell.", ""),
        (OutcomeCounts(420, {"done": 3, "again": 1}), "1 of 4 failed again (25%): too few to tell.", "warning"),
        (OutcomeCounts(420, {"done": 420}), "It helps: 420 done, none failed again.", "good"),
        (OutcomeCounts(420, {"done": 368, "again": 9}), "It helps: 9 of 377 failed again (2%).", "good"),
        (OutcomeCounts(420, {"done": 300, "again": 77}), "It helps in part: 77 of 377 failed again (20%).", "warning"),
        (OutcomeCounts(420, {"done": 1, "again": 376}),
         "It does NOT help: 376 of 377 failed again (>98%).", "failed"),
        (OutcomeCounts(420, {"again": 420}), "It does NOT help: 420 of 420 failed again (100%).", "failed"),
        (OutcomeCounts(9, {"gone": 9}, told=False), "It helps: 9 gone, none failed again.", "good"),
        (OutcomeCounts(9, {"gone": 9}), "Not to be told: none of its tasks was done or failed since.", "muted"),
        (OutcomeCounts(9, {"undone": 9}), "Not to be told: none of its tasks was done or failed since.", "muted"),
    ],
)  # fmt: skip
def test_did_it_help(work: OutcomeCounts, said: str, ink: str) -> None:
    assert verdict(work) == (said, ink)
