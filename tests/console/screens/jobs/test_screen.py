"""The view of jobs: what it shows, and what can be done about one job or several."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retriage.console.app import RetriageApp
from retriage.console.engine.errors import RanAndFailed, Refused
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.job_states import state_of
from retriage.console.screens.jobs.detail import JobDetail
from retriage.console.screens.jobs.subject import JobSubject, belongs_to
from retriage.console.widgets.pane import Pane
from retriage.console.widgets.text_view import TextView
from retriage.store.contract.queries import JobQuery
from retriage.store.contract.records import Batch, Job
from tests.console.fake import FakeEngine, statistics
from tests.console.settle import console, lines, text, until

NOW = datetime.now(UTC)


def job(number: int, **fields: Any) -> Job:
    given: dict[str, Any] = {
        "id": f"job-{number:04d}",
        "job_definition_id": "jd-1",
        "exception_message": None,
        "retries": 3,
        "due_date": None,
        "suspended": False,
        "priority": 0,
        "create_time": NOW - timedelta(minutes=7),
        "batch_id": "batch-1",
    }
    return Job(**{**given, **fields})


JOBS = [
    job(1, retries=0, exception_message="Cannot find external task with id et-404: task is null"),
    job(2, suspended=True, priority=7),
    job(
        3, due_date=NOW + timedelta(hours=2), batch_id=None, process_definition_key="order", process_instance_id="pi-9"
    ),
    job(4, retries=1, exception_message="connection refused", failed_activity_id="Charge"),
]


class Engine(FakeEngine):
    """An engine with jobs that notes what is ordered about them."""

    def __init__(self) -> None:
        super().__init__(10)
        self.all_jobs = list(JOBS)
        self.refusal = ""
        self.kind: type[Refused] = Refused

    async def set_job_retries(self, id: str, retries: int) -> None:
        self.orders.append(("retries", id, retries))

    async def set_job_retries_async(self, jobs: Sequence[str] | JobQuery, retries: int) -> Batch:
        told = jobs.chosen() if isinstance(jobs, JobQuery) else tuple(jobs)
        self.orders.append(("batch", told, retries))
        return Batch(**{name: getattr(statistics("batch-9", 1), name) for name in Batch.model_fields})

    async def suspend_job(self, id: str, suspended: bool) -> None:
        self.orders.append(("suspended", id, suspended))
        self.all_jobs = [
            one.model_copy(update={"suspended": suspended}) if one.id == id else one for one in self.all_jobs
        ]

    async def execute_job(self, id: str) -> None:
        self.orders.append(("execute", id))
        if self.refusal:
            raise self.kind(self.refusal, 404, "InvalidRequestException")
        self.all_jobs = [one for one in self.all_jobs if one.id != id]

    async def delete_job(self, id: str) -> None:
        self.orders.append(("delete", id))

    def guard_orders(self, why_not: Any) -> None:
        """Nothing guards it."""


async def jobs_view(app: RetriageApp, pilot: Any) -> None:
    await pilot.press("5")
    await until(pilot, lambda: "[5 Jobs" in lines(app)[1] and app.screen.table.row is not None)  # type: ignore[attr-defined]


async def confirm(app: RetriageApp, pilot: Any, key: str, words: str) -> None:
    await pilot.press(key)
    await until(
        pilot,
        lambda: isinstance(app.screen, Confirm) and app.screen.delay.over and words in app.screen.query_one(Pane).text,
    )
    await pilot.press("L")
    await until(pilot, lambda: not isinstance(app.screen, Confirm))


def test_the_state_is_what_decides_what_happens_next() -> None:
    assert [state_of(one, NOW) for one in JOBS] == ["X", "S", "w", "r"]
    assert state_of(job(5), NOW) == "·"
    assert state_of(job(6, retries=0, suspended=True), NOW) == "X"
    assert [belongs_to(one) for one in JOBS[1:4]] == ["batch batch-1", "order", "batch batch-1"]


def test_a_job_that_failed_and_is_suspended_says_both() -> None:
    items = JobSubject().brief(job(6, retries=0, suspended=True), NOW)
    assert "suspended too" in str(items[0])


async def test_state_cause_priority_and_due_are_columns_and_the_tab_counts_all_and_the_failed_ones() -> None:
    async with console(Engine(), (140, 40), view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await until(pilot, lambda: "5 Jobs 4 !1" in lines(app)[1])
        shown = text(app)
        assert "Cannot find external task" in shown
        row = next(line for line in lines(app) if "job-0003" in line)
        assert " w " in row
        assert "order" in row
        assert "1h" in row
        assert "X no retries" in shown


async def test_the_page_of_a_job_shows_message_and_stack_trace_and_takes_orders() -> None:
    engine = Engine()
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, JobDetail) and "Cannot find" in app.screen.query_one(TextView).text
        )
        await confirm(app, pilot, "T", "gets 1 retry")
        await until(pilot, lambda: engine.orders == [("retries", "job-0001", 1)])
        await confirm(app, pilot, "S", "does not run until")
        await until(pilot, lambda: "resume.." in lines(app)[-1])
        await confirm(app, pilot, "X", "runs right now")
        await until(pilot, lambda: not isinstance(app.screen, JobDetail))
        assert engine.orders[1:] == [("suspended", "job-0001", True), ("execute", "job-0001")]


async def test_a_job_that_fails_again_says_why_and_stays() -> None:
    engine = Engine()
    engine.refusal = "Cannot find external task with id et-404"
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await confirm(app, pilot, "X", "runs right now")
        await until(pilot, lambda: "et-404" in lines(app)[-2])
        assert app.screen.table.row.id == "job-0001"  # type: ignore[attr-defined]


async def test_marked_jobs_without_retries_are_retried_as_a_batch_and_none_is_lowered() -> None:
    engine = Engine()
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("space", "space")
        await until(pilot, lambda: "try 2 jobs again.." in lines(app)[-1])
        await confirm(app, pilot, "T", "1 other has retries left or is gone: left alone")
        await until(pilot, lambda: engine.orders == [("batch", ("job-0001",), 1)])
        await until(pilot, lambda: not app.screen.table.marks)  # type: ignore[attr-defined]


async def test_marked_jobs_that_all_have_retries_are_not_lowered() -> None:
    engine = Engine()
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("j", "space")
        await until(pilot, lambda: "try 1 job again.." in lines(app)[-1])
        await pilot.press("T")
        await until(pilot, lambda: "None of these jobs is without retries" in lines(app)[-2])
        assert engine.orders == []


async def test_all_that_match_are_retried_by_their_query_loaded_or_not() -> None:
    engine = Engine()
    engine.all_jobs = [job(number, retries=0 if number < 900 else 2) for number in range(1000)]
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("A")
        await until(pilot, lambda: "try 1,000 jobs again.." in lines(app)[-1])
        await confirm(app, pilot, "T", "900 jobs get 1 retry each")
        await until(pilot, lambda: engine.orders == [("batch", {"no_retries_left": True}, 1)])


async def test_all_but_one_are_retried_by_their_ids() -> None:
    engine = Engine()
    engine.all_jobs = [job(number, retries=0) for number in range(700)]
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("A", "space")
        await until(pilot, lambda: "try 699 jobs again.." in lines(app)[-1])
        await confirm(app, pilot, "T", "699 jobs get 1 retry each")
        await until(pilot, lambda: bool(engine.orders))
        assert set(engine.orders[0][1]) == {f"job-{number:04d}" for number in range(1, 700)}


async def test_a_single_job_whose_retries_would_be_lowered_says_so() -> None:
    async with console(Engine(), view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("j", "T")
        await until(pilot, lambda: "It has 3 retries left: this LOWERS them to 1" in app.screen.query_one(Pane).text)


@pytest.mark.parametrize(
    ("key", "asked", "orders"),
    [
        ("X", "2 jobs run now", [("execute", "job-0001"), ("execute", "job-0002")]),
        ("S", "1 suspended already", [("suspended", "job-0001", True)]),
        ("D", "2 of batches: they count as completed there", [("delete", "job-0001"), ("delete", "job-0002")]),
    ],
)
async def test_an_order_goes_to_the_marked_jobs_and_not_to_the_one_under_the_cursor(
    key: str, asked: str, orders: list[tuple[Any, ...]]
) -> None:
    engine = Engine()
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("space", "space")
        await until(pilot, lambda: "try 2 jobs again.." in lines(app)[-1])
        await confirm(app, pilot, key, asked)
        await until(pilot, lambda: sorted(engine.orders) == orders)
        await until(pilot, lambda: not app.screen.table.marks)  # type: ignore[attr-defined]


async def test_what_was_refused_of_an_order_to_many_jobs_is_counted() -> None:
    engine = Engine()
    engine.refusal = "Cannot find external task with id et-404"
    async with console(engine, (140, 40), view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("A")
        await until(pilot, lambda: "run 4 jobs.." in lines(app)[-1])
        await confirm(app, pilot, "X", "4 jobs run now")
        await until(pilot, lambda: "Done: 0 of 4 jobs; 4 refused." in lines(app)[-2])


async def test_a_job_that_ran_and_failed_is_said_to_have_failed_and_shown_as_it_is_now() -> None:
    engine = Engine()
    engine.refusal, engine.kind = "The job ran and failed: boom", RanAndFailed
    async with console(engine, (140, 40), view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        engine.all_jobs[0] = engine.all_jobs[0].model_copy(update={"exception_message": "boom"})
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobDetail))
        await confirm(app, pilot, "X", "runs right now")
        await until(pilot, lambda: "The job ran and failed: boom" in lines(app)[-2])
        await until(pilot, lambda: isinstance(app.screen, JobDetail) and app.screen.job().exception_message == "boom")
        await pilot.press("escape", "A")
        await until(pilot, lambda: "run 4 jobs.." in lines(app)[-1])
        await confirm(app, pilot, "X", "4 jobs run now")
        await until(pilot, lambda: "Done: 0 of 4 jobs; 4 failed. The job ran and failed" in lines(app)[-2])


async def test_the_seed_and_the_monitor_job_of_a_batch_are_not_deleted() -> None:
    engine = Engine()
    engine.running["batch-1"] = statistics("batch-1", 5, 5, 2)
    engine.all_jobs = [
        job(1, job_definition_id="jd-seed-batch-1"),
        job(2, job_definition_id="jd-monitor-batch-1"),
        job(3),
    ]
    async with console(engine, (140, 40), view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("D")
        await until(pilot, lambda: "This is the seed job of batch batch-1: without it" in lines(app)[-2])
        await pilot.press("j", "D")
        await until(pilot, lambda: "This is the monitor job of batch batch-1" in lines(app)[-2])
        await pilot.press("A")
        await until(pilot, lambda: "delete 3 jobs.." in lines(app)[-1])
        await confirm(app, pilot, "D", "2 seed or monitor jobs are left alone")
        await until(pilot, lambda: engine.orders == [("delete", "job-0003")])


@pytest.mark.parametrize("key", ["T", "D", "X"])
async def test_on_production_the_number_of_jobs_is_typed(key: str) -> None:
    engine = Engine()
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        app.session.connection.safety.environment = "PROD"
        app.session.connection.arm()
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("L")
        await pilot.pause()
        assert engine.orders == []
        await pilot.press("1", "enter")
        await until(pilot, lambda: len(engine.orders) == 1)


async def test_from_a_job_to_its_batch_or_its_instance_and_back() -> None:
    engine = Engine()
    engine.running["batch-1"] = statistics("batch-1", 5, 5, 2)
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        await pilot.press("J")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, BatchDetail))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobDetail))
        await pilot.press("J")
        await until(pilot, lambda: "/ id:pi-9" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, JobDetail))
        await pilot.press("i")
        await until(pilot, lambda: "Job job-0003 has no open incident" in lines(app)[-2])


@pytest.mark.parametrize("key", ["T", "X", "S", "D"])
async def test_cancel_has_the_focus_and_ctrl_c_cancels_too(key: str) -> None:
    engine = Engine()
    async with console(engine, view="jobs") as (app, pilot):
        await jobs_view(app, pilot)
        for leave in ("enter", "escape", "ctrl+c"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
            await pilot.press(key, leave)
            await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert engine.orders == []
