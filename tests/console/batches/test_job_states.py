"""The jobs of a batch by part and state, as an engine tells them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retriage.console.batches.job_states import JobState, JobStateReader, single
from retriage.console.batches.progress import Progress
from retriage.console.engine.errors import Refused
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Job
from tests.console.fake import FakeEngine, job

NOW = datetime.now(UTC)


def one(id: str, definition: str, retries: int = 3, **more: Any) -> Job:
    return job(id, retries, more.pop("message", None)).model_copy(update={"job_definition_id": definition, **more})


def at(created: int = 10, completed: int = 2, failed: int = 0, suspended: bool = False) -> Progress:
    return Progress(10, created, completed, failed, 10 - completed - failed, suspended)


async def read(engine: FakeEngine, progress: Progress, acquired: bool = True) -> list[tuple[str, str, int]]:
    found = await JobStateReader("seed", "work", "monitor").read(engine, progress, NOW, acquired)
    return [(state.part, state.state, state.jobs) for state in found]


async def test_jobs_that_run_wait_and_will_be_tried_again() -> None:
    engine = FakeEngine(1)
    engine.all_jobs = [one(f"w{n}", "work") for n in range(6)]
    engine.all_jobs += [one("again", "work", 2, message="Deadlock"), one("m", "monitor")]
    engine.acquired = {"w0", "w1"}
    assert await read(engine, at(completed=3)) == [
        ("batch", "locked", 2),
        ("batch", "retrying", 1),
        ("batch", "ready", 4),
        ("seed", "done", 0),
        ("monitor", "ready", 1),
    ]


async def test_while_jobs_are_made_the_seed_job_comes_first() -> None:
    engine = FakeEngine(1)
    engine.all_jobs = [one("s", "seed")]
    engine.acquired = {"s"}
    assert await read(engine, at(created=0, completed=0)) == [
        ("seed", "locked", 1),
        ("batch", "waiting", 0),
        ("monitor", "waiting", 0),
    ]
    assert (await read(engine, at(created=0, completed=0), acquired=False))[0] == ("seed", "ready", 1)


async def test_a_suspended_batch_and_one_that_is_through() -> None:
    engine = FakeEngine(1)
    engine.all_jobs = [one("m", "monitor", due_date=NOW + timedelta(seconds=20))]
    assert await read(engine, at(suspended=True)) == [
        ("batch", "suspended", 8), ("seed", "done", 0), ("monitor", "due", 1),
    ]  # fmt: skip
    assert await read(engine, at(completed=10)) == [("batch", "done", 10), ("seed", "done", 0), ("monitor", "due", 1)]


async def test_where_only_failed_jobs_are_left_they_are_told_by_cause_elsewhere() -> None:
    assert await read(FakeEngine(1), at(completed=8, failed=2)) == [("seed", "done", 0), ("monitor", "waiting", 0)]


async def test_an_engine_that_refuses_to_tell_locks() -> None:
    class Old(FakeEngine):
        async def count_jobs(self, query: JobQuery) -> int:
            if query.acquired:
                raise Refused("The engine does not know acquired.", 400, "InvalidRequestException")
            return await super().count_jobs(query)

    engine = Old(1)
    engine.all_jobs = [one("w", "work"), one("m", "monitor")]
    assert await read(engine, at()) == [("batch", "ready", 8), ("seed", "done", 0), ("monitor", "ready", 1)]


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (one("j", "seed"), "ready"),
        (one("j", "seed", 0, message="oops"), "failed"),
        (one("j", "seed", suspended=True), "suspended"),
        (one("j", "seed", due_date=NOW + timedelta(minutes=1)), "due"),
        (one("j", "seed", 1, message="oops"), "retrying"),
    ],
)
def test_the_state_of_one_job(found: Job, state: str) -> None:
    assert single("seed", found, NOW) == JobState(
        "seed",
        state,
        1,
        found.due_date,
        found.retries,
        found.exception_message,
        "j",  # type: ignore[arg-type]
    )
