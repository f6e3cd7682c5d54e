"""How a batch ended: by itself, deleted by somebody, or nobody knows; and what is told about it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from retriage.console.batches.batch_end import BatchEnd, end_of, last_words
from retriage.console.batches.batch_events import ending, failed_job_events, progress_events, record_events, work_events
from retriage.console.batches.outcome_counts import OutcomeCounts
from retriage.console.batches.progress import Progress
from retriage.console.engine.errors import NotThere, Refused
from retriage.store.contract.operations import UserOperation
from retriage.store.contract.records import HistoricBatch
from tests.console import logs
from tests.console.fake import FakeEngine, job, statistics

NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)


def ended(engine: FakeEngine, id: str = "b", *, deleted: bool = False, **numbers: int) -> HistoricBatch:
    counts = {"total": 500, "created": 500, "completed": 310, "failed": 2} | numbers
    engine.running[id] = statistics(id, **counts)
    engine.end(id, deleted=deleted)
    return engine.ended[id]


def with_failed_jobs() -> FakeEngine:
    engine = FakeEngine(1)
    engine.all_jobs = [job("job-1"), job("job-2", message="Deadlock found")]
    return engine


async def batch_end(engine: FakeEngine, record: HistoricBatch) -> BatchEnd:
    return await end_of(engine, record)


async def test_a_batch_that_ended_by_itself() -> None:
    engine = FakeEngine(1)
    assert await batch_end(engine, ended(engine)) == BatchEnd("done", 500)


async def test_a_batch_whose_failed_jobs_were_dropped_has_not_done_them() -> None:
    engine = FakeEngine(1)
    record = ended(engine, completed=498, total=498, created=498)
    engine.job_entries += [
        logs.job_entry("b", record.batch_job_definition_id, f"dropped-{n}", "deletion", NOW, retries=0)
        for n in range(2)
    ]
    assert await batch_end(engine, record) == BatchEnd("done", 498, dropped=2, failed=2)


async def test_a_deleted_batch_with_what_had_failed() -> None:
    engine = with_failed_jobs()
    record = ended(engine, deleted=True)
    assert await batch_end(engine, record) == BatchEnd("deleted", 310, dropped=190, failed=2)
    words = await last_words(engine, record)
    assert words == [("job-1", "Cannot find external task with id 7"), ("job-2", "Deadlock found")]


async def test_a_batch_that_was_deleted_before_its_jobs_were_made() -> None:
    engine = FakeEngine(1)
    assert await batch_end(engine, ended(engine, deleted=True, created=0, completed=0)) == BatchEnd("deleted", 0)


async def test_who_deleted_it_where_the_engine_tells() -> None:
    engine = FakeEngine(1)
    record = ended(engine, deleted=True)
    engine.operations.append(
        UserOperation(id="o", user_id="bob", batch_id="b", timestamp=NOW, operation_id="x", operation_type="Delete",
                      entity_type="Batch")
    )  # fmt: skip
    assert (await batch_end(engine, record)).by == "bob"


async def test_an_engine_without_a_job_log_tells_nothing() -> None:
    engine = FakeEngine(1)
    record = ended(engine)
    engine.job_entries.clear()
    assert await batch_end(engine, record) == BatchEnd("unknown")
    engine.no_logs = True
    assert await batch_end(engine, record) == BatchEnd("unknown")


async def test_a_proxy_in_the_engines_place_is_a_problem_and_no_fate() -> None:
    class Behind(FakeEngine):
        async def job_log(self, query: Any, first: int, size: int) -> Any:
            raise Refused("A proxy answered 502.", 502)

    engine = Behind(1)
    with pytest.raises(Refused):
        await batch_end(engine, ended(engine))


async def test_a_user_operation_log_that_is_not_there_is_nobodys_fault() -> None:
    class Without(FakeEngine):
        async def user_operations(self, query: Any, first: int, size: int) -> Any:
            raise NotThere("It is not there.", 404, "NotFoundException")

    engine = Without(1)
    assert (await batch_end(engine, ended(engine, deleted=True))).by == ""


@pytest.mark.parametrize(
    ("total", "found", "said", "ink"),
    [
        (500, BatchEnd("done", 500), "ended: all 500 jobs done", "good"),
        (1, BatchEnd("done", 1), "ended: all 1 job done", "good"),
        (500, BatchEnd("done", 497, 3, 2), "ended: 497 jobs done, 3 dropped, 2 of them failed", "warning"),
        (500, BatchEnd("done", 497, 3, 3), "ended: 497 jobs done, 3 failed dropped", "warning"),
        (500, BatchEnd("deleted", 310, 190), "deleted by somebody at 310 of 500", "warning"),
        (500, BatchEnd("deleted", 310, 190, 4, "bob"), "deleted by bob at 310 of 500, 4 jobs failed", "warning"),
        (500, BatchEnd("unknown"), "ended; no job log that this user may read says how", ""),
        (500, None, "ended; no job log that this user may read says how", ""),
        (500, BatchEnd("gone"), "gone: neither running nor in the history", "warning"),
    ],
)
def test_the_end_in_one_sentence(total: int, found: BatchEnd | None, said: str, ink: str) -> None:
    assert ending(total, found) == (said, ink)


def at(completed: int = 0, failed: int = 0, suspended: bool = False, created: int = 10) -> Progress:
    return Progress(10, created, completed, failed, 10 - completed - failed, suspended)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (at(), at(1), []),
        (at(), at(suspended=True), ["suspended"]),
        (at(suspended=True), at(), ["resumed"]),
        (at(created=3), at(), ["the seed job has made all 10 jobs"]),
        (at(), at(failed=2), ["2 jobs failed for good"]),
        (at(8, 2), at(8), ["2 jobs that had failed have retries again"]),
        (at(5, 2), at(7), ["2 jobs that had failed: done on another try, or deleted"]),
        (
            at(5, 3),
            at(6, 1),
            ["1 job that had failed has retries again", "1 job that had failed: done on another try, or deleted"],
        ),
        (at(8, 1), at(9, 1), ["only failed jobs are left: 1"]),
        (at(9), at(10), ["no job is left"]),
    ],
)
def test_what_happens_between_two_looks(before: Progress, now: Progress, said: list[str]) -> None:
    assert [event.sentence for event in progress_events(before, now, NOW)] == [f"seen: {one}" for one in said]


def test_a_new_error_is_told_once() -> None:
    first = OutcomeCounts(10, {"again": 3}, 3, ("card <*> expired",))
    assert [one.sentence for one in work_events(None, first, NOW)] == [
        "seen: 3 tasks failed again with a NEW error: card <*> expired"
    ]
    assert work_events(first, OutcomeCounts(10, {"again": 5}, 5, ("card <*> expired",)), NOW) == []
    more = OutcomeCounts(10, {"again": 6}, 6, ("card <*> expired", "SMTP 421"))
    assert [one.sentence for one in work_events(first, more, NOW)] == [
        "seen: 3 tasks failed again with a NEW error: SMTP 421"
    ]


def test_the_record_tells_start_first_job_and_end() -> None:
    told = record_events(500, "ann", NOW, NOW, NOW, BatchEnd("done", 500))
    assert [one.sentence for one in told] == [
        "started by ann: 500 jobs", "the first job was done", "ended: all 500 jobs done",
    ]  # fmt: skip
    assert [one.sentence for one in record_events(1, None, NOW, None, None, None)] == ["started: 1 job"]


def test_only_the_last_attempt_of_a_job_is_told() -> None:
    entries = [logs.job_entry("b", "d", "j", "failure", NOW, retries=left, message="Deadlock") for left in (3, 2, 1)]
    assert [one.sentence for one in failed_job_events(entries)] == ["a batch job failed: Deadlock"]
