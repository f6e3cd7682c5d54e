"""Why a batch does not move: what the doctor says, and the facts that it is said from."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retriage.console.batches.diagnosis import IDLE, Ahead, DiagnosisFacts, Hitch, diagnose
from retriage.console.batches.diagnosis_facts import DiagnosisReader
from retriage.console.batches.failed_jobs import by_cause, remedy, total
from retriage.console.batches.progress import Progress, Speed
from retriage.console.engine.errors import Refused
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Job
from tests.console.fake import FakeEngine, job, statistics

NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)


def at(
    total: int = 500, created: int = 500, completed: int = 310, failed: int = 0, suspended: bool = False
) -> Progress:
    return Progress(total, created, completed, failed, total - completed - failed, suspended)


def seen(progress: Progress | None = None, standing: float | None = 30.0, **more: Any) -> DiagnosisFacts:
    return DiagnosisFacts(progress or at(), NOW, standing, **more)


@pytest.mark.parametrize(
    ("signs", "name", "said"),
    [
        (seen(at(suspended=True)), "suspended", "S resumes it"),
        (seen(at(created=100, completed=100), seed=Hitch("out of memory", id="j")), "seed failed",
         "100 of 500 jobs are made and no more will be: out of memory"),
        (seen(at(created=100, completed=40), 2.0, seed=Hitch(gone=True)), "seed gone",
         "seed job was deleted, 100 of 500 jobs are made and no more will be: it will never end. Delete the batch"),
        (seen(at(created=100, suspended=True), seed=Hitch(gone=True)), "seed gone", "Delete the batch"),
        (seen(at(completed=500), monitor=Hitch(gone=True)), "monitor gone", "monitor job was deleted"),
        (seen(at(failed=190)), "all failed", "All 190 jobs left have failed"),
        (seen(at(completed=499, failed=1)), "all failed", "The one job left has failed"),
        (seen(suspended=190), "jobs suspended", "190 jobs are suspended on their own"),
        (seen(at(created=100, completed=100), seed=Hitch(suspended=True)), "seed suspended", "seed job is suspended"),
        (seen(at(completed=500), monitor=Hitch(due=NOW + timedelta(seconds=12))), "closing", "due in 12 s"),
        (seen(at(completed=500)), "closing", "within 30 s"),
        (seen(at(completed=500), monitor=Hitch()), "closing", "is due and closes it"),
        (seen(at(completed=500), IDLE, monitor=Hitch()), "not active", "nobody has run its monitor job for 60 s"),
        (seen(at(completed=500), monitor=Hitch("no connection", id="m")), "monitor failed", "no connection"),
        (seen(at(completed=500), monitor=Hitch(suspended=True)), "monitor suspended", "suspended on its own"),
        (seen(standing=2.0), "moving", "It moves"),
        (seen(locked=3), "at work", "3 jobs are running"),
        (seen(standing=90, locked=3, locked_since=NOW - timedelta(minutes=1)), "dead runner",
         "the locks end at 09:19:00Z at the latest"),
        (seen(later=7, due=NOW + timedelta(hours=1)), "due later", "7 jobs are due later, the first at 10:15:00Z"),
        (seen(ready=190, locked_elsewhere=3), "others first", "works on other jobs of the engine"),
        (seen(ready=190, locked_elsewhere=3, ahead=Ahead("b-older", 12000)), "others first",
         "among them batch b-older with 12,000 to go"),
        (seen(ready=190), "waiting",
         "None of its jobs has been taken for 30 s; the job executor looks at least every 60 s"),
        (seen(at(created=0, completed=0), None, ready=190), "waiting", "None of its jobs has been taken yet;"),
        (seen(ready=190, standing=None), "first look", "310 of 500 jobs are done; the next look shows whether it mov"),
        (seen(ready=190, standing=None, tells_locks=False), "first look", "310 of 500 jobs are done;"),
        (seen(at(completed=0), None, ready=500), "first look", "500 jobs are made; the next look shows"),
        (seen(ready=190, standing=180), "not active", "None of its jobs has been taken for 3 min"),
        (seen(at(created=0, completed=0), 2.0, seed=Hitch()), "waiting", "None of its jobs has been taken for 2 s"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_the_doctor_says(signs: DiagnosisFacts, name: str, said: str) -> None:
    found = diagnose(signs)
    assert (found.name, said in found.sentence) == (name, True), found.sentence


def test_a_failed_seed_or_monitor_job_is_named_so_that_it_can_be_retried() -> None:
    assert diagnose(seen(at(created=100, completed=9), seed=Hitch("oops", id="seed-7"))).job == "seed-7"
    assert diagnose(seen(at(completed=500), monitor=Hitch("oops", id="monitor-7"))).job == "monitor-7"
    assert diagnose(seen()).job == ""


def test_one_job_is_not_jobs() -> None:
    assert diagnose(seen(locked=1)).runner == "active, has 1 job"
    assert diagnose(seen(standing=90, locked=1, locked_since=NOW)).runner == "holds 1 job, finishes none"


def test_jobs_that_are_suspended_beside_ready_ones_do_not_stop_the_batch() -> None:
    assert diagnose(seen(suspended=3, ready=10)).name == "waiting"


def one(id: str, retries: int = 3, **more: Any) -> Job:
    message = more.pop("message", None)
    return job(id, retries, message).model_copy(update={"job_definition_id": "work", **more})


async def examined(
    engine: FakeEngine, progress: Progress, standing: float | None = 30.0, others: tuple[Ahead, ...] = ()
) -> DiagnosisFacts:
    return await DiagnosisReader("batch-1", "seed", "work", "monitor").examine(engine, progress, standing, others)


async def test_the_facts_about_jobs() -> None:
    engine, later = FakeEngine(1), datetime.now(UTC) + timedelta(hours=1)
    engine.all_jobs = [
        one("ready"),
        one("taken"),
        one("later", due_date=later),
        one("latest", due_date=later + timedelta(hours=1)),
        one("asleep", suspended=True),
        one("failed", 0, message="oops"),
        one("of another batch", job_definition_id="other", batch_id="small"),
    ]
    engine.acquired = {"taken", "of another batch"}
    signs = await examined(engine, at(), others=(Ahead("small", 5), Ahead("large", 500)))
    assert (signs.locked, signs.locked_elsewhere, signs.ready, signs.suspended) == (1, 1, 2, 1)
    assert (signs.later, signs.due) == (2, later)
    assert signs.ahead == Ahead("small", 5), "no job of the larger one is being carried out"


async def test_a_seed_job_at_work_is_no_other_job() -> None:
    engine = FakeEngine(1)
    engine.all_jobs = [one("s", job_definition_id="seed"), one("m", job_definition_id="monitor")]
    engine.acquired = {"s", "m"}
    signs = await examined(engine, at(created=0, completed=0), 12.0, others=(Ahead("large", 500),))
    assert (signs.locked_elsewhere, signs.ahead) == (0, None)
    told = diagnose(signs)
    assert (told.name, told.sentence) == ("seeding", "Its seed job is at work: 0 of 500 jobs are made so far.")


async def test_a_job_of_this_batch_that_is_taken_between_two_questions_is_no_other_job() -> None:
    class Quick(FakeEngine):
        async def count_jobs(self, query: JobQuery) -> int:
            number = await super().count_jobs(query)
            self.acquired.add("next")
            return number

    engine = Quick(1)
    engine.all_jobs = [one("next"), one("last")]
    signs = await examined(engine, at(), 12.0, others=(Ahead("large", 500),))
    assert signs.locked_elsewhere == 0
    assert "other" not in diagnose(signs).sentence


async def test_the_seed_job_is_looked_at_while_jobs_are_made_and_the_monitor_job_when_all_are_done() -> None:
    engine = FakeEngine(1)
    engine.all_jobs = [
        one("s", 0, job_definition_id="seed", message="oops"),
        one("m", job_definition_id="monitor", due_date=NOW),
    ]
    making = await examined(engine, at(created=100))
    assert (making.seed, making.monitor) == (Hitch("oops", None, False, "s"), None)
    closing = await examined(engine, at(completed=500))
    assert (closing.seed, closing.monitor) == (None, Hitch(None, NOW, False, "m"))


async def test_a_seed_job_is_missed_only_while_the_batch_still_needs_one() -> None:
    engine = FakeEngine(1)
    engine.running = {"batch-1": statistics("batch-1", 500, 100, 40)}
    assert (await examined(engine, at(created=100, completed=40), 2.0)).seed == Hitch(gone=True)
    engine.running = {"batch-1": statistics("batch-1", 500, 500, 40)}
    assert (await examined(engine, at(created=100, completed=40), 2.0)).seed is None
    engine.running = {}
    assert (await examined(engine, at(created=100, completed=40), 2.0)).seed is None


async def test_a_monitor_job_is_missed_only_when_nothing_makes_jobs_and_the_batch_is_still_there() -> None:
    engine = FakeEngine(1)
    engine.running = {"batch-1": statistics("batch-1", 500, 500, 500)}
    assert (await examined(engine, at(completed=500))).monitor == Hitch(gone=True)
    engine.all_jobs = [one("s", job_definition_id="seed")]
    assert (await examined(engine, at(completed=500))).monitor is None
    engine.all_jobs, engine.running = [], {}
    assert (await examined(engine, at(completed=500))).monitor is None


class Counted(FakeEngine):
    """Counts the questions."""

    def __init__(self) -> None:
        super().__init__(1)
        self.questions: list[Mapping[str, Any]] = []

    async def jobs(self, query: JobQuery, first: int, size: int) -> list[Job]:
        self.questions.append(query.chosen())
        return await super().jobs(query, first, size)


@pytest.mark.parametrize(
    ("progress", "standing"), [(at(), 2.0), (at(suspended=True), 30.0), (at(failed=190), 30.0)],
    ids=["moves", "suspended", "only failed jobs"],
)  # fmt: skip
async def test_a_batch_whose_state_is_clear_is_asked_nothing(progress: Progress, standing: float) -> None:
    engine = Counted()
    await examined(engine, progress, standing)
    assert engine.questions == []


async def test_an_engine_too_old_for_the_question_about_locks() -> None:
    class Old(FakeEngine):
        async def count_jobs(self, query: JobQuery) -> int:
            if query.acquired:
                raise Refused("The engine does not know acquired.", 400, "InvalidRequestException")
            return await super().count_jobs(query)

    engine = Old(1)
    engine.all_jobs = [one("ready")]
    signs = await examined(engine, at())
    assert (signs.locked, signs.ready) == (0, 1)


async def test_due_dates_go_by_the_clock_of_the_engine() -> None:
    engine = FakeEngine(1)
    engine.clock_skew = timedelta(minutes=-10)
    engine.all_jobs = [one("later", due_date=engine.engine_now() + timedelta(minutes=5)), one("ready")]
    signs = await examined(engine, at())
    assert (signs.later, signs.ready) == (1, 1)
    assert abs(signs.now - engine.engine_now()) < timedelta(minutes=1)


async def test_when_the_locks_were_first_seen_is_remembered_until_they_are_gone() -> None:
    engine, examiner = FakeEngine(1), DiagnosisReader("batch-1", "seed", "work", "monitor")
    engine.all_jobs, engine.acquired = [one("taken")], {"taken"}
    first = await examiner.examine(engine, at(), 30.0)
    again = await examiner.examine(engine, at(), 33.0)
    assert first.locked_since is not None
    assert again.locked_since == first.locked_since
    engine.acquired = set()
    assert (await examiner.examine(engine, at(), 36.0)).locked_since is None


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("Cannot find external task with id 88: externalTask is null", "drop"),
        ("The number of retries cannot be negative: retries is not greater than or equal to 0", "drop"),
        ("ENGINE-03005 Execution of 'UPDATE ExternalTaskEntity[1]' failed. Entity was updated by another transaction "
         "concurrently.", "retry"),
        ("Deadlock found when trying to get lock; try restarting transaction", "retry"),
        ("ORA-00060: deadlock detected while waiting for resource", "retry"),
        ("Connection is not available, request timed out after 30000ms.", "retry"),
        ("java.lang.NullPointerException", "look"),
        ("", "look"),
        (None, "look"),
    ],
)  # fmt: skip
def test_the_one_sensible_thing(message: str | None, advice: str) -> None:
    assert remedy(message).advice == advice


def test_failed_jobs_are_grouped_by_cause_the_largest_first() -> None:
    lost = [(f"j{n}", f"Cannot find external task with id {n}: externalTask is null") for n in range(3)]
    groups = by_cause([("d", "Deadlock found"), *lost])
    assert [(len(group.jobs), group.remedy.advice) for group in groups] == [(3, "drop"), (1, "retry")]
    assert groups[0].jobs == ("j0", "j1", "j2")
    assert total(groups) == 4


def test_ids_of_tasks_that_look_like_words_are_one_cause_too() -> None:
    said = "Cannot find external task with id {id}: externalTask is null"
    groups = by_cause([(id, said.format(id=id)) for id in ("nope", "order-seven", "0191-88")])
    assert [(group.cause, len(group.jobs)) for group in groups] == [(said.format(id="<*>"), 3)]


def test_speed_tells_when_something_last_moved() -> None:
    speed = Speed()
    assert (speed.moved_ago(), speed.watched()) == (None, 0.0)
    for second, completed in ((0, 5), (2, 5), (4, 9), (10, 9)):
        speed.note(float(second), at(completed=completed))
    assert (speed.moved_ago(), speed.watched()) == (6.0, 10.0)


def test_nothing_is_left_to_wait_for_where_all_that_is_left_has_failed() -> None:
    speed = Speed()
    for second in range(10):
        speed.note(float(second), at(completed=second * 10, failed=500 - 90 if second == 9 else 0))
    assert speed.per_second() is not None
    assert speed.seconds_left() is None
