"""View 4 and the batch detail: running, failed, ended, deleted, gone; tasks one by one; bad days."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from retriage.console.screens.batches.outcomes import OutcomesScreen
from retriage.store.contract.records import ExternalTask, HistoricBatch
from retriage.store.journal import Journal
from tests.console import logs
from tests.console.fake import job, past_incident
from tests.console.ledgers import Ledger
from tests.snapshots.conftest import LOW, NARROW, WIDE, Picture
from tests.snapshots.hostile import TEXTS
from tests.snapshots.night import ENDED, FAILED, MESSAGES, RUNNING, Night, batch, ended, uuid, with_batches
from tests.snapshots.stage import Stage
from tests.snapshots.stopped import MOMENT

MIDDLE, BROAD = (100, 30), (160, 45)
DELETED = "5d21f0b4-1f5e-11f1-9c3a-0242ac120002"
FAILED_TASKS = 420
"""Tasks that the running batch was launched for."""


def history(engine: Night) -> Night:
    """Two ended batches: one by itself, one deleted by bob with failed jobs left."""
    engine.ended[ENDED] = ended()
    engine.job_entries += logs.of_end(batch(ENDED, 512, 512, 512, 0, 75), [], MOMENT, deleted=False)
    record = batch(DELETED, 500, 500, 310, 4, 190)
    fields = {name: getattr(record, name) for name in HistoricBatch.model_fields if hasattr(record, name)}
    engine.ended[DELETED] = HistoricBatch(**(fields | {"end_time": MOMENT - timedelta(minutes=170)}))
    jobs = [job.model_copy(update={"job_definition_id": DELETED}) for job in engine.all_jobs[:4]]
    engine.job_entries += logs.of_end(record, jobs, MOMENT - timedelta(minutes=171), deleted=True)
    return engine


class Retried(Night):
    """A night in which some of the launched tasks were completed, taken or failed again."""

    def __init__(self) -> None:
        super().__init__(FAILED_TASKS)
        self.records = [self._before(task) for task in self.records]

    def _before(self, task: ExternalTask) -> ExternalTask:
        return task.model_copy(
            update={
                "retries": 0,
                "lock_expiration_time": None,
                "worker_id": "worker-3",
                "error_message": MESSAGES[0].format(n=812),
            }
        )

    def set_some(self, to: int) -> None:
        """The batch has set the retries of so many tasks, and of those the workers have completed half, the last
        ones."""
        for at in range(FAILED_TASKS - to, FAILED_TASKS):
            task = self.records[at]
            self.records[at] = task.model_copy(update={"retries": 1})
            if at >= FAILED_TASKS - to // 2 and task.id not in self.removed:
                self.removed.add(task.id)
                self.task_entries.append(logs.task_entry(task, "success", MOMENT))
        self.incidents_close(to, MESSAGES[0].format(n=812))

    def incidents_close(self, number: int, message: str) -> None:
        """So many incidents have ended, since their tasks have retries; 9 were raised since."""
        start, some = MOMENT - timedelta(minutes=4), self.records[:number]
        self.past_incidents = [
            past_incident(f"was-{at}", task.id, message, start - timedelta(hours=1), start + timedelta(seconds=at))
            for at, task in enumerate(some)
        ]
        self.past_incidents += [
            past_incident(f"is-{at}", task.id, task.error_message or "", start + timedelta(seconds=90), None)
            for at, task in enumerate(self.records)
            if task.retries == 0 and 43 <= at < 52
        ]

    def work_goes_on(self, message: str = MESSAGES[1].format(n=7)) -> None:
        """Most tasks are completed; 22 wait, 21 are locked, 9 failed again, 3 of them of something new."""
        self._settle(message)
        self.incidents_close(FAILED_TASKS, MESSAGES[0].format(n=812))

    def _settle(self, message: str) -> None:
        for at, task in enumerate(self.records):
            given: dict[str, Any] = {"retries": 1}
            if 22 <= at < 43:
                given |= {"lock_expiration_time": MOMENT + timedelta(minutes=5)}
            elif 43 <= at < 52:
                given = {"retries": 0, "error_message": message if at < 46 else MESSAGES[4].format(n=7300)}
            elif at >= 52:
                if task.id not in self.removed:
                    self.task_entries.append(logs.task_entry(task, "success", MOMENT))
                self.removed.add(task.id)
            self.records[at] = task.model_copy(update=given)
            if 43 <= at < 52:
                self.task_entries.append(
                    logs.task_entry(self.records[at], "failure", MOMENT, message=given["error_message"])
                )


class HostileRetried(Retried):
    """Whatever workers and the engine say is meant to do harm."""

    def work_goes_on(self, message: str = TEXTS[0]) -> None:
        super().work_goes_on(message)
        said = iter((TEXTS[2], TEXTS[1], TEXTS[6], TEXTS[4]))
        self.all_jobs = [
            job.model_copy(update={"exception_message": next(said)}) if job.batch_id == RUNNING else job
            for job in self.all_jobs
        ]


def launched(made: Callable[[], Retried] = Retried) -> Retried:
    """The running batch was launched from here."""
    engine = made()
    engine.running[RUNNING] = batch(RUNNING, FAILED_TASKS, FAILED_TASKS, 262, 4, 4)
    engine.running[FAILED] = batch(FAILED, 1200, 1200, 1166, 34, 41)
    engine.all_jobs = with_batches(10).all_jobs
    engine.all_jobs += [job.model_copy(update={"job_definition_id": RUNNING, "batch_id": RUNNING})
                        for job in engine.all_jobs[5:9]]  # fmt: skip
    return engine


async def followed(stage: Stage) -> None:
    """The batch is watched long enough to tell its speed, and its tasks until they have moved."""
    await stage.full()
    engine, follower = stage.app.session.connection.client, stage.app.session.watch
    assert isinstance(engine, Retried)
    ids = [(task.id, 0) for task in engine.records]
    stage.app.session.memory.journal = cast(Journal, Ledger({RUNNING: ids}, reason="PSP back, INC-4412"))
    await follower.follow(RUNNING)
    await follower.look_at_work()
    for done in (42, 102, 162, 202, 282, 342):
        stage.clock.pass_by(5)
        engine.running[RUNNING] = batch(RUNNING, FAILED_TASKS, FAILED_TASKS, done, 4, 4)
        engine.set_some(done)
        await follower.count()
        await follower.look()
        await follower.look_at_work()
    engine.work_goes_on()
    for _ in range(2):
        stage.clock.pass_by(5)
        await follower.look_at_work()
        await follower.count()
    await stage.view("4")


async def listed(stage: Stage) -> None:
    await followed(stage)
    await stage.sees("deleted", "ended", "62%")
    await stage.still()


async def running_in_full(stage: Stage) -> None:
    await followed(stage)
    await stage.press("enter")
    await stage.sees("did it help", "done 368" if stage.app.size.width < 100 else "3 NEW", "D drop")
    await stage.still()


async def just_launched(stage: Stage) -> None:
    """The seed job has been taken, nothing is set yet."""
    await stage.full()
    engine, follower = stage.app.session.connection.client, stage.app.session.watch
    assert isinstance(engine, Retried)
    stage.app.session.memory.journal = cast(
        Journal, Ledger({RUNNING: [(task.id, 0) for task in engine.records]}, reason="PSP back, INC-4412")
    )
    record = batch(RUNNING, FAILED_TASKS, 0, 0, 0, 0)
    engine.running = {RUNNING: record}
    engine.all_jobs = [
        job(uuid(1, 6), 3).model_copy(update={"job_definition_id": record.seed_job_definition_id, "batch_id": RUNNING})
    ]
    engine.all_jobs = [one.model_copy(update={"exception_message": None}) for one in engine.all_jobs]
    engine.acquired = {uuid(1, 6)}
    await follower.follow(RUNNING)
    await follower.look_at_work()
    await follower.count()
    await stage.view("4")
    await stage.press("enter")
    await stage.sees("did it help", "no retries are set", "Its seed job is at work")
    await stage.still()


async def suspended_in_full(stage: Stage) -> None:
    await followed(stage)
    engine, follower = stage.app.session.connection.client, stage.app.session.watch
    assert isinstance(engine, Retried)
    engine.running[RUNNING] = engine.running[RUNNING].model_copy(update={"suspended": True})
    await follower.look()
    await stage.press("enter")
    await stage.sees("did it help", "It is suspended: S resumes it")
    await stage.still()


async def ended_well(stage: Stage) -> None:
    """The batch has ended while it was watched, and so have nearly all of its tasks."""
    await followed(stage)
    await stage.press("enter")
    await stage.sees("did it help")
    engine, follower = stage.app.session.connection.client, stage.app.session.watch
    assert isinstance(engine, Retried)
    engine.all_jobs = []
    engine.running[RUNNING] = batch(RUNNING, FAILED_TASKS, FAILED_TASKS, FAILED_TASKS, 0, 4)
    await follower.look()
    await follower.look_at_work()  # what is under way is told with the time at which it began
    stage.clock.pass_by(5)
    engine.end(RUNNING)
    for at, task in enumerate(engine.records[:43]):
        engine.removed.add(task.id)
        engine.task_entries.append(logs.task_entry(task, "success", MOMENT + timedelta(seconds=40 + at)))
    await follower.look()
    await follower.look_at_work()
    await follower.count()
    await stage.press("r")  # a look after all that was counted
    await stage.sees("ENDED", "2% of 420 failed again")
    await stage.still()


async def ended_in_history(stage: Stage) -> None:
    await stage.full()
    await stage.view("4")
    await stage.press("j", "j")
    await stage.sees("all 512 jobs done")
    await stage.press("enter")
    await stage.sees("did it help", "started by ann")
    await stage.still()


async def silent_in_full(stage: Stage) -> None:
    await followed(stage)
    await stage.press("enter")
    await stage.sees("did it help", "D drop")
    await stage.still()
    engine, follower = stage.app.session.connection.client, stage.app.session.watch
    assert isinstance(engine, Retried)
    await follower.look_at_work()  # what is being looked at comes from before the silence
    engine.gone = True
    stage.clock.pass_by(20)
    await follower.look()
    await stage.sees("STALE")
    await stage.still()


async def hostile_in_full(stage: Stage) -> None:
    await followed(stage)
    await stage.press("enter")
    await stage.sees("did it help", "X failed", "It helps")
    await stage.still()


async def failed_in_full(stage: Stage) -> None:
    await stage.full()
    await stage.view("4")
    await stage.press("j", "enter")
    await stage.sees("did it help", "All 34 jobs left have failed", "T try again")
    await stage.still()


async def deleted_in_full(stage: Stage) -> None:
    await stage.full()
    await stage.view("4")
    await stage.sees("deleted")
    await stage.press("G", "enter")
    await stage.sees("deleted by somebody at 310 of 500", "Cannot find external task")
    await stage.still()


async def dropping(stage: Stage) -> None:
    await failed_in_full(stage)
    stage.app.session.connection.arm()
    await stage.press("D")
    await stage.sees("Drop these failed jobs?")
    await stage.still(working=True)


async def one_by_one(stage: Stage) -> None:
    await running_in_full(stage)
    await stage.press("d")
    await stage.so(lambda: isinstance(stage.app.screen, OutcomesScreen))
    await stage.sees("again 9")
    await stage.still()


async def nothing(stage: Stage) -> None:
    await stage.full()
    await stage.press("4")
    await stage.sees("There are no batches")
    await stage.still()


async def not_known(stage: Stage) -> None:
    await stage.full()
    engine = stage.app.session.connection.client
    assert isinstance(engine, Night)
    engine.gone = True
    await stage.press("4")
    await stage.sees("does not answer")
    await stage.still()


def test_batches(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(history(launched()), size, listed)


@pytest.fixture(params=[NARROW, MIDDLE, pytest.param(BROAD, marks=pytest.mark.long)], ids=["80x24", "100x30", "160x45"])
def page_size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Columns and lines of the page to watch: without a chart, with one, with room for everything."""
    found: tuple[int, int] = request.param
    return found


def test_a_batch_that_was_just_launched(picture: Picture, page_size: tuple[int, int]) -> None:
    engine = launched()
    engine.running, engine.all_jobs = {}, []
    assert picture(engine, page_size, just_launched)


def test_a_running_batch(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(launched(), page_size, running_in_full)


def test_a_running_batch_in_a_low_window(picture: Picture) -> None:
    assert picture(launched(), LOW, running_in_full)


def test_a_suspended_batch(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(launched(), page_size, suspended_in_full)


def test_only_failed_jobs_are_left(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(with_batches(), page_size, failed_in_full)


def test_a_batch_that_ended_well(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(launched(), page_size, ended_well)


def test_an_ended_batch_of_the_history(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(history(with_batches()), page_size, ended_in_history)


def test_a_deleted_batch(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(history(with_batches()), page_size, deleted_in_full)


def test_the_engine_falls_silent(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(launched(), page_size, silent_in_full)


def test_dropping_failed_jobs(picture: Picture) -> None:
    assert picture(with_batches(), NARROW, dropping)


def test_tasks_one_by_one(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(launched(), size, one_by_one)


def test_hostile_texts(picture: Picture, page_size: tuple[int, int]) -> None:
    assert picture(launched(HostileRetried), page_size, hostile_in_full)


def test_no_batches(picture: Picture) -> None:
    assert picture(Night(), NARROW, nothing)


def test_the_engine_does_not_tell_the_batches(picture: Picture) -> None:
    assert picture(with_batches(), WIDE, not_known)
