"""Events of a batch are told to whoever looks at something else in one whole sentence, made from what has happened."""

from datetime import UTC, datetime, timedelta

import pytest

from retriage.console.batches.batch_end import BatchEnd
from retriage.console.batches.batch_events import (
    BatchEvent,
    Ended,
    FirstJobDone,
    JobFailed,
    NewCauses,
    NoJobLeft,
    Started,
    What,
    announcement,
    ending,
    newest_first,
)


@pytest.mark.parametrize(
    ("what", "said", "ink"),
    [
        (Ended(500, BatchEnd("done", 500)), "Batch b41 has ended: all 500 jobs done.", "good"),
        (Ended(500, BatchEnd("done", 497, 3, 3)), "Batch b41 has ended: 497 jobs done, 3 failed dropped.", "warning"),
        (Ended(500, BatchEnd("deleted", 310, 190, 2)),
         "Batch b41 was deleted by somebody at 310 of 500, 2 jobs failed.", "warning"),
        (Ended(500, BatchEnd("gone")), "Batch b41 is gone: neither running nor in the history.", "warning"),
        (Ended(500, None), "Batch b41 has ended; no job log that this user may read says how.", ""),
        (NewCauses(3, ("card <*> expired",)),
         "Batch b41: 3 tasks failed again with a NEW error: card <*> expired.", "failed"),
        (NewCauses(1, ("a", "b", "c", "d")), "Batch b41: 1 task failed again with a NEW error: a, b, c.", "failed"),
        (NoJobLeft(), "Batch b41: no job is left.", "good"),
    ],
)  # fmt: skip
def test_an_event_as_a_sentence_about_its_batch(what: What, said: str, ink: str) -> None:
    assert announcement("b41", what) == (said, ink)


def test_a_worker_who_says_that_a_batch_has_ended_does_not_end_it() -> None:
    said = "ended: all 500 jobs done. NEW error"
    event = BatchEvent(datetime(2026, 3, 1, tzinfo=UTC), JobFailed(said))
    assert event.sentence == f"a batch job failed: {said}"
    assert announcement("b41", event.what) == (f"Batch b41: a batch job failed: {said}.", "failed")


def test_a_batch_that_nobody_is_known_to_have_begun() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert BatchEvent(at, Started(1, "")).sentence == "started: 1 job"
    assert BatchEvent(at, FirstJobDone()).ink == ""
    assert ending(1, BatchEnd("untold"))[1] == "warning"


def test_the_end_of_a_batch_is_its_newest_event_but_for_what_became_of_its_tasks() -> None:
    began = datetime(2026, 3, 1, tzinfo=UTC)
    started, first = BatchEvent(began, Started(3, "")), BatchEvent(began + timedelta(seconds=2), FirstJobDone())
    ended = BatchEvent(began + timedelta(seconds=7), Ended(3, BatchEnd("done", 3)))
    left = BatchEvent(began + timedelta(seconds=8), NoJobLeft())
    again = BatchEvent(began + timedelta(seconds=9), NewCauses(1, ("a",)))
    assert newest_first([started, ended, first, left]) == [ended, left, first, started]
    assert newest_first([left, again, ended, first]) == [again, ended, left, first]
    assert newest_first([left, first]) == [left, first]
