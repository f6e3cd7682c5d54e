"""What became of jobs, by their log: few questions for many jobs, and an answer for each in the end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retriage.console.reading import job_history
from retriage.console.reading.job_history import JobLog, JobPast
from retriage.store.contract.history import HistoricJobLog
from retriage.store.contract.records import Job

SENT = datetime(2026, 3, 1, 10, tzinfo=UTC)
GIVEN = 2


class Log:
    """An engine that keeps entries, and counts what it is asked."""

    def __init__(self) -> None:
        self.entries: list[HistoricJobLog] = []
        self.asked: list[tuple[str, int]] = []

    def write(self, job: str, what: str, after: float, retries: int = GIVEN, definition: str = "d") -> None:
        """An entry so many seconds after the jobs were given retries."""
        events = {f"{kind}_log": kind == what for kind in ("creation", "failure", "success", "deletion")}
        self.entries.append(
            HistoricJobLog(
                id=f"{len(self.entries):06}", timestamp=SENT + timedelta(seconds=after), job_id=job, job_due_date=None,
                job_retries=retries, job_priority=0, job_exception_message=f"{job} at {after}",
                job_definition_id=definition, job_definition_type="async-continuation",
                job_definition_configuration=None, deployment_id=None,
                hostname=None, batch_id=None, **events,
            )
        )  # fmt: skip

    async def job_log(self, query: Any, first: int, size: int) -> list[HistoricJobLog]:
        self.asked.append((query.job_id or query.job_definition_id, first))
        chosen = [
            one
            for one in self.entries
            if query.job_id in (None, one.job_id)
            and query.job_definition_id in (None, one.job_definition_id)
            and (not query.success_log or one.success_log)
            and (not query.failure_log or one.failure_log)
        ]
        return sorted(chosen, key=lambda one: (one.timestamp, one.id), reverse=True)[first : first + size]


def job(name: str, retries: int = 0) -> Job:
    return Job(
        id=name, job_definition_id="d", exception_message=None, retries=retries, due_date=None, suspended=False,
        priority=0, create_time=None, batch_id=None,
    )  # fmt: skip


async def test_many_jobs_at_one_activity_are_two_questions() -> None:
    log, names = Log(), [f"j{number}" for number in range(300)]
    for number, name in enumerate(names):
        log.write(name, "failure", -100, 1)
        log.write(name, "success", 1 + number / 1000)
    found = await JobLog(SENT, names).ended(log, names, GIVEN)  # type: ignore[arg-type]
    assert found == dict.fromkeys(names, JobPast("carried out", GIVEN))
    assert len(log.asked) == 2


async def test_each_kind_of_end_is_told_by_its_last_entry() -> None:
    log = Log()
    log.write("lost one", "failure", 1)
    log.write("lost one", "success", 2, 1)
    log.write("in conflict", "failure", 1)
    log.write("in conflict", "success", 2)
    log.write("cancelled", "failure", -1, 1)
    log.write("cancelled", "deletion", 1)
    log.write("there", "creation", -5)
    names = ["lost one", "in conflict", "cancelled", "there", "unknown"]
    found = await JobLog(SENT, names).ended(log, names, GIVEN)  # type: ignore[arg-type]
    assert (found["lost one"].end, found["lost one"].retries, found["lost one"].failed) == ("carried out", 1, True)
    # The other transaction was first: that costs no retry.
    assert (found["in conflict"].end, found["in conflict"].retries) == ("carried out", GIVEN)
    assert found["cancelled"] == JobPast("deleted", GIVEN)
    assert (found["there"].end, found["unknown"].end) == ("open", "unkept")


async def test_behind_the_successes_of_others_each_is_found_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_history, "PAGE", 5)
    log, names = Log(), [f"j{number}" for number in range(50)]
    for name in names:
        log.write(name, "success", 1)
    for number in range(100):
        log.write(f"other {number}", "success", 10)
    reader, found, looks = JobLog(SENT, names), dict[str, JobPast](), 0
    while len(found) < len(names):
        before = len(log.asked)
        found |= await reader.ended(log, [name for name in names if name not in found], GIVEN)  # type: ignore[arg-type]
        looks += 1
        assert len(log.asked) - before <= job_history.ONE_BY_ONE + job_history.PAGES
    assert looks <= 3
    assert set(found.values()) == {JobPast("carried out", GIVEN)}


async def test_the_first_failure_since_is_the_one_that_counts() -> None:
    log = Log()
    log.write("again", "failure", -5)
    log.write("again", "failure", 3)
    log.write("again", "failure", 9)
    log.write("old", "failure", -5)
    found = await JobLog(SENT, {"again", "old"}).failures(log, [job("again"), job("old")])  # type: ignore[arg-type]
    assert (found["again"].failed, found["again"].error) == (True, "again at 3")
    assert (found["old"].end, found["old"].failed) == ("open", False)


async def test_each_entry_is_read_once_however_many_came_before_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the jobs have failed once before they were carried out, all of them before anybody looked."""
    monkeypatch.setattr(job_history, "PAGE", 20)
    log, names = Log(), [f"j{number:03}" for number in range(1000)]
    for number, name in enumerate(names):
        failed = number % 2
        if failed:
            log.write(name, "failure", 1 + number)
        log.write(name, "success", 2 + number, GIVEN - failed)
    reader, found, looks = JobLog(SENT, set(names)), dict[str, JobPast](), 0
    while len(found) < len(names) and looks < 40:
        page = [name for name in names if name not in found][:100]
        found |= await reader.ended(log, page, GIVEN)  # type: ignore[arg-type]
        looks += 1
    assert looks <= 20
    assert sum(one.failed for one in found.values()) == 500


async def test_what_was_read_is_not_read_again() -> None:
    log = Log()
    for number in range(3000):
        log.write("again", "failure", number)
    reader = JobLog(SENT, {"again", "late"})
    assert (await reader.failures(log, [job("again")]))["again"].error == "again at 0"  # type: ignore[arg-type]
    before = len(log.asked)
    log.write("late", "failure", 2995)  # its transaction was committed after those of newer entries
    assert (await reader.failures(log, [job("late")]))["late"].failed  # type: ignore[arg-type]
    assert (before, len(log.asked) - before) == (4, 1)


async def test_a_log_that_is_too_long_or_empty_proves_no_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Log()
    assert (await JobLog(SENT, {"a"}).failures(empty, [job("a")]))["a"].end == "unkept"  # type: ignore[arg-type]
    monkeypatch.setattr(job_history, "PAGE", 5)
    log = Log()
    log.write("a", "failure", 1)
    for number in range(100):
        log.write(f"other {number}", "failure", 10)
    assert await JobLog(SENT, {"a"}).failures(log, [job("a")]) == {}  # type: ignore[arg-type]
    assert len(log.asked) == job_history.PAGES
