"""View 4 and the batch detail, driven by keys over a fake engine."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.batches.batch_view import BatchView, running
from retriage.console.engine.errors import Unanswered
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.batches.outcomes import OutcomesScreen
from retriage.console.screens.batches.rows import live
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.jobs.detail import JobDetail
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.tasks.detail import TaskDetail
from retriage.console.session.watch import COUNTS_EVERY
from retriage.console.widgets.line_table import LineTable
from retriage.console.widgets.pane import Pane, laid_out
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.records import ExternalTask, HistoricBatch
from retriage.store.journal import Journal
from tests.console import logs
from tests.console.fake import FakeEngine, ids, job, statistics, task
from tests.console.ledgers import Ledger
from tests.console.screens.batches.test_screen import confirmed, engine_with_a_batch, view
from tests.console.settle import console, lines, text, until

GONE, LOCKED_OUT = "Cannot find external task with id 8", "Deadlock found when trying to get lock"


def hints(app: RetriageApp) -> str:
    return lines(app)[-1]


def historic(id: str, hours: float, total: int = 5, **more: Any) -> HistoricBatch:
    record = statistics(id, total)
    start = datetime.now(UTC) - timedelta(hours=hours)
    fields = {name: getattr(record, name) for name in HistoricBatch.model_fields if hasattr(record, name)}
    return HistoricBatch(**(fields | {"start_time": start, "end_time": start + timedelta(minutes=1)} | more))


def with_history(number: int) -> FakeEngine:
    engine = engine_with_a_batch()
    for at in range(number):
        record = historic(f"old-{at:03}", at + 1)
        engine.ended[record.id] = record
        engine.job_entries.append(
            logs.job_entry(record.id, record.monitor_job_definition_id, f"m-{at}", "success", datetime.now(UTC))
        )
    return engine


def shown(app: RetriageApp) -> list[str]:
    table = app.screen.query_one("#rows", LineTable)
    return [row.id for row in table.in_sight()]


async def detail(app: RetriageApp, pilot: Pilot[None], *keys: str) -> None:
    await view(app, pilot, "4")
    await pilot.press(*keys, "enter")
    await until(pilot, lambda: isinstance(app.screen, BatchDetail))


# -- the list ---------------------------------------------------------------------------------------------------------


async def test_ended_batches_of_the_history_are_listed_below_the_running_ones_and_read_on_scrolling() -> None:
    engine = with_history(300)
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: shown(app)[:3] == ["batch-1", "old-000", "old-001"])
        await until(pilot, lambda: "1 running, 300 ended" in text(app))
        assert max(size for _, size in engine.history_reads) <= 400
        await pilot.press("G")
        await until(pilot, lambda: shown(app)[-1:] == ["old-299"])


async def test_how_an_ended_batch_ended_is_found_out_for_those_in_sight() -> None:
    engine = with_history(2)
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: app.session.watch.known_batches._ends.keys() >= {"old-000", "old-001"})


async def test_an_engine_that_keeps_no_job_log_does_not_make_ended_batches_complete() -> None:
    engine = with_history(1)
    engine.no_logs = True
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await pilot.press("j")
        pane = app.screen.query_one("#detail", Pane)
        await until(pilot, lambda: "no job log that this user may read" in " ".join(pane.text.split()))
        assert "100%" not in text(app)


async def test_a_batch_that_somebody_deleted_is_shown_as_deleted_and_not_as_complete() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, _):
        follower = app.session.watch
        await follower.follow("batch-1")
        engine.end("batch-1", deleted=True)
        await follower.look()
        assert "was deleted by somebody at 310 of 500, 2 jobs failed" in app.session.news.newest.sentence  # type: ignore[union-attr]
        found = app.session.watch.known_batches.get("batch-1")
        assert found is not None
        assert (found.phase, found.completed, found.failed, found.share) == ("deleted", 310, 2, 0.62)
        assert app.session.watch.launched == set()


async def test_a_batch_over_jobs_is_not_said_to_be_somebody_elses() -> None:
    engine = engine_with_a_batch()
    engine.running["batch-1"] = engine.running["batch-1"].model_copy(update={"type": "set-job-retries"})
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "A batch of type set-job-retries works" in text(app))
        assert "not launched from here" not in text(app)


async def test_an_order_is_carried_through_when_its_page_is_left_meanwhile() -> None:
    engine = engine_with_a_batch()
    answer = asyncio.Event()
    delete = engine.delete_job

    async def slow(job_id: str) -> None:
        await answer.wait()
        await delete(job_id)

    engine.delete_job = slow  # type: ignore[method-assign]
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("L", "escape")
        await until(pilot, lambda: not isinstance(app.screen, BatchDetail | Confirm))
        await pilot.pause()
        answer.set()
        await until(pilot, lambda: "2 failed jobs of batch batch-1 dropped." in text(app))
        assert sorted(engine.orders) == [("delete_job", "job-1"), ("delete_job", "job-2")]


async def test_a_batch_deleted_with_its_history_is_said_to_be_gone() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        engine.end("batch-1")
        engine.ended.clear()
        await pilot.press("r")
        await until(pilot, lambda: "gone" in text(app) and "62%" not in text(app))


async def test_orders_are_hinted_for_running_batches_only() -> None:
    engine = with_history(1)
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: "S suspend" in hints(app) and "D delete" in hints(app))
        await pilot.press("j")
        await until(pilot, lambda: "S suspend" not in hints(app) and "D delete" not in hints(app))
        await pilot.press("S")
        await until(pilot, lambda: "has ended" in app.session.news.newest.sentence)  # type: ignore[union-attr]
        await pilot.press("k")
        engine.running["batch-1"] = engine.running["batch-1"].model_copy(update={"suspended": True})
        await pilot.press("r")
        await until(pilot, lambda: "S resume" in hints(app))


@pytest.mark.parametrize(
    ("filter", "rows"),
    [
        ("suspended", []),
        ("-suspended", ["batch-1", "old-000", "old-001", "old-002"]),
        ("by:ann", ["old-001"]),
        ("age>2h", ["old-001", "old-002"]),
        ("id:old-002", ["old-002"]),
    ],
)
async def test_a_filter_goes_for_ended_batches_too(filter: str, rows: list[str]) -> None:
    class Filtering(FakeEngine):
        async def batches(self, query: Any, first: int, size: int) -> list[Any]:
            found = await super().batches(query, 0, 1000)
            fits = [one for one in found if query.suspended in (None, one.suspended) and not query.created_by
                    and not query.started_before and query.batch_id in (None, one.id)]  # fmt: skip
            return fits[first : first + size]

        async def count_batches(self, query: Any) -> int:
            return len(await self.batches(query, 0, 1000))

    engine = Filtering(10)
    engine.running["batch-1"] = statistics("batch-1", 5)
    for at in range(3):
        user = "ann" if at == 1 else None
        engine.ended[f"old-{at:03}"] = historic(f"old-{at:03}", at + 1.5, create_user_id=user)
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: len(shown(app)) == 4)
        screen: Any = app.screen
        await pilot.press("slash")
        await until(pilot, lambda: app.focused is not None and app.focused.id != "rows")
        for character in filter:
            await pilot.press({":": "colon", "-": "minus", ">": "greater_than_sign"}.get(character, character))
        await pilot.press("enter")
        await until(pilot, lambda: screen.filter_text == filter and screen.matching == len(rows))
        await until(pilot, lambda: shown(app) == rows)


async def test_while_the_engine_does_not_answer_nothing_is_said_about_batches() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, pilot):
        engine.gone = True
        await pilot.press("4")
        await until(pilot, lambda: "does not answer" in text(app) and app.session.connection.stale)
        assert "no batch" not in text(app)


async def test_with_no_batch_at_all_it_says_so() -> None:
    async with console(FakeEngine(3), view="batches") as (app, pilot):
        await pilot.press("4")
        await until(pilot, lambda: "There are no batches, running or ended." in text(app))


# -- the detail -------------------------------------------------------------------------------------------------------


def failing() -> FakeEngine:
    engine = engine_with_a_batch()
    engine.all_jobs = [job(f"gone-{n}", message=GONE) for n in range(3)] + [job("lock", message=LOCKED_OUT)]
    engine.running["batch-1"] = statistics("batch-1", 500, 500, 496, 4)
    return engine


async def test_each_group_of_failed_jobs_has_its_one_sensible_thing() -> None:
    engine = failing()
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "D drop these jobs" in text(app) and "T try again" in text(app))
        assert "All 4 jobs left have failed" in text(app)
        await until(pilot, lambda: "drop 3 jobs" in hints(app))
        await confirmed(app, pilot, "D")
        await until(pilot, lambda: sorted(engine.orders) == [("delete_job", f"gone-{n}") for n in range(3)])
        engine.orders.clear()
        await pilot.press("j")
        await until(pilot, lambda: "try 1 job again" in hints(app))
        await confirmed(app, pilot, "T")
        await until(pilot, lambda: engine.orders == [("set_job_retries", "lock", 1)])


async def test_after_an_order_the_rows_of_each_view_are_counted_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = failing()
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "drop 3 jobs" in hints(app) and app.session.watch.counts.get("jobs") == 4)

        async def one(query: Any) -> int:
            return 1

        monkeypatch.setattr(engine, "count_jobs", one)
        await confirmed(app, pilot, "D")
        await until(pilot, lambda: app.session.watch.counts["jobs"] == 1, COUNTS_EVERY / 3)


async def test_where_no_group_has_the_focus_the_whole_batch_is_meant() -> None:
    engine = failing()
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "drop 3 jobs" in hints(app))
        await pilot.press("tab")
        await until(pilot, lambda: "D delete" in hints(app))
        await confirmed(app, pilot, "D")
        await until(pilot, lambda: engine.orders == [("delete_batch", "batch-1", False)])
        await until(pilot, lambda: "deleted by somebody at 496 of 500, 4 jobs" in text(app))
        await until(pilot, lambda: "what had failed when it was dropped" in text(app))
        assert "Deadlock found" in text(app)


@pytest.mark.parametrize(
    ("keys", "number", "order"),
    [("T", "4", "retry_jobs"), ("D", "4", "delete_batch")],
)
async def test_on_production_the_number_of_jobs_is_typed(keys: str, number: str, order: str) -> None:
    engine = failing()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: "T retry failed jobs" in hints(app))
        app.session.connection.safety.environment = "PROD"
        app.session.connection.arm()
        await pilot.press(keys)
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("L", "5", "enter")
        await until(pilot, lambda: app.screen.query_one(Field).value == "5")
        assert engine.orders == []
        await pilot.press("backspace", number, "enter")
        await until(pilot, lambda: [name for name, *_ in engine.orders] == [order])


async def test_jobs_that_are_gone_meanwhile_are_no_problem() -> None:
    from retriage.console.engine.errors import NotThere

    class Racing(FakeEngine):
        async def delete_job(self, id: str) -> None:
            await super().delete_job(id)
            if id == "gone-0":
                raise NotThere("No job found.", 404, "InvalidRequestException")

    engine = Racing(10)
    engine.__dict__.update(
        {name: value for name, value in failing().__dict__.items() if name in ("running", "all_jobs")}
    )
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "drop 3 jobs" in hints(app))
        await confirmed(app, pilot, "D")
        await until(pilot, lambda: "3 failed jobs of batch batch-1 dropped" in app.session.news.newest.sentence)  # type: ignore[union-attr]


async def test_outcomes_and_retries_are_offered_only_where_there_are_any() -> None:
    engine = engine_with_a_batch()
    engine.running["batch-1"] = statistics("batch-1", 500, 500, 310)
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "D delete" in hints(app))
        assert "outcomes" not in hints(app)
        assert "retry failed jobs" not in hints(app)
        engine.running["batch-1"] = statistics("batch-1", 500, 500, 310, 4)
        await pilot.press("r")
        await until(pilot, lambda: "T try 2 jobs again" in hints(app))


async def test_enter_on_a_group_reads_one_of_its_jobs() -> None:
    async with console(failing(), view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "D drop these jobs" in text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobDetail) and "gone-0" in text(app))


async def test_a_failed_seed_job_can_be_tried_again() -> None:
    engine = engine_with_a_batch()
    engine.running["batch-1"] = statistics("batch-1", 500, 100, 100)
    engine.all_jobs = [job("seed", message="out of memory").model_copy(update={"job_definition_id": "jd-seed-batch-1"})]
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "Its seed job has failed" in text(app))
        await confirmed(app, pilot, "T")
        await until(pilot, lambda: engine.orders == [("set_job_retries", "seed", 1)])


async def test_the_detail_goes_on_after_the_batch_has_ended() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "310 done" in text(app))
        engine.end("batch-1")
        await app.session.watch.look()
        await until(pilot, lambda: "ENDED" in text(app) and "ended: all 500 jobs done" in text(app))
        assert isinstance(app.screen, BatchDetail)


async def rests(pilot: Pilot[None], engine: FakeEngine) -> bool:
    """Whether nothing more is asked for five turns of the page's poller, after what is under way was answered."""
    await pilot.pause(0.3)
    before = engine.answers
    await pilot.pause(0.5)
    return engine.answers == before


async def reads_on(pilot: Pilot[None], engine: FakeEngine) -> None:
    """Return as soon as something more was asked for twice."""
    before = engine.answers
    await until(pilot, lambda: engine.answers > before + 1)


async def test_the_page_of_a_batch_is_paused_and_read_by_its_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retriage.console.screens.batches.detail.EVERY", 0.1)
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "310 done" in text(app))
        await reads_on(pilot, engine)
        await pilot.press("p")
        await until(pilot, lambda: "PAUSED" in lines(app)[0])
        assert await rests(pilot, engine)
        engine.running["batch-1"] = statistics("batch-1", 500, 500, 400)
        await pilot.press("r")
        await until(pilot, lambda: "400 done" in text(app))
        assert app.session.watch.paused
        assert await rests(pilot, engine)
        # A dialog that was in front, and another page, do not make it read on.
        await pilot.press("question_mark", "escape")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail))
        assert await rests(pilot, engine)
        await pilot.press("p")
        await until(pilot, lambda: "LIVE" in lines(app)[0])
        await reads_on(pilot, engine)


async def test_a_batch_that_is_opened_while_paused_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retriage.console.screens.batches.detail.EVERY", 0.1)
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: shown(app) == ["batch-1"])
        await pilot.press("p", "enter")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "310 done" in text(app))
        assert await rests(pilot, engine)


async def test_an_ended_batch_of_the_history_can_be_opened() -> None:
    engine = with_history(2)
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: len(shown(app)) == 3)
        await pilot.press("G", "enter")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "ended" in text(app))
        await until(pilot, lambda: "started" in text(app))


# -- its tasks --------------------------------------------------------------------------------------------------------

FAILED = [task(index) for index in (0, 1, 2, 5, 6, 7)]


async def followed(app: RetriageApp, engine: FakeEngine, again: int = 2) -> None:
    """The batch was launched for the first failed tasks of the engine; so many of them failed again."""
    follower = app.session.watch
    app.session.memory.journal = cast(
        Journal, Ledger({"batch-1": [(one.id, 0) for one in FAILED]}, reason="PSP is back")
    )
    await follower.follow("batch-1")
    engine.running["batch-1"] = statistics("batch-1", 6, 6, 6)
    for one in FAILED[again:]:
        engine.retries[one.id] = 1
    soon = datetime.now(UTC) + timedelta(minutes=1)
    engine.task_entries += [logs.task_entry(one, "failure", soon, message=one.error_message) for one in FAILED[:again]]
    gone = FAILED[5]
    engine.removed.add(gone.id)
    engine.task_entries.append(logs.task_entry(gone, "success", soon))
    await follower.look()
    await follower.look_at_work()


class Hanging(FakeEngine):
    """Does not tell what tasks have that are asked for by their ids."""

    hangs = False

    async def external_tasks(self, query: Any, first: int, size: int) -> list[ExternalTask]:
        if self.hangs and query.external_task_id_in:
            await asyncio.Event().wait()
        return await super().external_tasks(query, first, size)


async def test_whoever_launches_does_not_wait_until_all_tasks_were_looked_at() -> None:
    engine = Hanging(20)
    async with console(engine, view="batches") as (app, _):
        app.session.memory.journal = cast(
            Journal, Ledger({"batch-1": [(one.id, 0) for one in FAILED]}, reason="PSP is back")
        )
        engine.running["batch-1"] = statistics("batch-1", 6, 6, 6)
        engine.hangs = True
        await asyncio.wait_for(app.session.watch.follow("batch-1"), 10)
        assert app.session.watch.known_batches.get("batch-1") is not None


async def test_what_became_of_the_tasks_and_a_new_launch_of_those_that_failed_again() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, pilot):
        await followed(app, engine)
        tally = app.session.watch.known_batches.get("batch-1").work  # type: ignore[union-attr]
        assert tally is not None
        assert tally.counts == {"again": 2, "waiting": 3, "done": 1}
        await detail(app, pilot)
        await until(pilot, lambda: "PSP is back" in text(app) and "again" in text(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, OutcomesScreen) and "[again 2]" in text(app))
        assert [row.id for row in app.screen.query_one(LineTable).in_sight()] == ids([0, 1])
        await until(pilot, lambda: "R retry 2 tasks" in hints(app))
        await pilot.press("p")
        await until(pilot, lambda: "PAUSED" in lines(app)[0])
        engine.retries[FAILED[0].id] = 1
        await pilot.press("r")
        await until(pilot, lambda: "[again 1]" in text(app) and "waiting 4" in text(app))
        assert app.session.watch.paused
        engine.retries[FAILED[0].id] = 0
        await pilot.press("p")
        await until(pilot, lambda: "[again 2]" in text(app) and not app.session.watch.paused)
        await until(pilot, lambda: "R retry 2 tasks" in hints(app))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "2" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, OutcomesScreen))
        await pilot.press("f")
        await until(pilot, lambda: "[waiting 3]" in text(app))
        await pilot.press("F", "F")
        await until(pilot, lambda: "[all 6]" in text(app))
        await pilot.press("space")
        await until(pilot, lambda: "R retry 1 task.." in hints(app))


async def test_why_nothing_can_be_retried_is_said_as_it_is() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, pilot):
        await followed(app, engine, again=0)
        await detail(app, pilot)
        await until(pilot, lambda: "PSP is back" in text(app))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, OutcomesScreen) and "[all 6]" in text(app))
        await pilot.press("R")
        await until(pilot, lambda: "None of these tasks has failed again; f goes to others" in text(app))
        await pilot.press("F")
        await until(pilot, lambda: "[done 1]" in text(app))
        await pilot.press("R")
        await until(pilot, lambda: "they are gone." in text(app))


async def test_tasks_that_are_not_known_are_said_to_be_not_known() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, pilot):
        app.session.memory.journal = cast(Journal, Ledger({}))
        await detail(app, pilot)
        await until(pilot, lambda: "was not launched from here" in text(app))
        await pilot.press("d")
        await until(pilot, lambda: "Not known" in app.session.news.newest.sentence)  # type: ignore[union-attr]


async def test_the_journal_is_asked_once_about_a_batch_of_somebody_else() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, _):
        journal = Ledger({})
        app.session.memory.journal = cast(Journal, journal)
        follower = app.session.watch
        for _ in range(3):
            await follower.look_at_work()
        assert journal.asked == ["batch-1"]


# -- view 1 -----------------------------------------------------------------------------------------------------------


def written(views: list[BatchView], width: int, height: int) -> list[str]:
    items = live(views, width, height, datetime.now(UTC))
    return ["".join(part for part, _ in line).rstrip() for line in laid_out(items, width)]


def some(number: int, make: Callable[[int], BatchView] | None = None) -> list[BatchView]:
    return [make(at) if make else running(statistics(f"b-{at}", 100, 100, 50, at)) for at in range(number)]


@pytest.mark.parametrize(("number", "height"), [(1, 1), (2, 1), (3, 1), (2, 4), (3, 4), (3, 6), (9, 6), (3, 7), (5, 2)])
def test_the_live_pane_says_how_many_batches_it_does_not_show(number: int, height: int) -> None:
    told = written(some(number), 76, height)
    assert 0 < len(told) <= height
    shown = sum(f"b-{at} " in line for at in range(number) for line in told)
    more = f"+{number - shown} more" if height > 1 else f"(+{number - shown})"
    assert shown >= 1
    assert (more in "\n".join(told)) == (shown < number), told


def test_the_bars_of_the_live_pane_are_equally_long_whatever_stands_behind_them() -> None:
    views = [running(statistics("b-0", 93, 93, 41, 0)), running(statistics("b-1", 12_000, 12_000, 130, 0)),
             running(statistics("b-2", 67, 67, 7, 7))]  # fmt: skip
    told = written(views, 76, 9)
    assert len({line.index("% ") for line in told if "% " in line}) == 1, told
    assert len({line.index("Z") for line in told if "job" in line and "%" not in line}) == 1, told


def test_the_live_pane_without_batches() -> None:
    assert "no batches" in written([], 76, 1)[0]


# -- the same question, whoever asks ----------------------------------------------------------------------------------


async def test_cancelling_drops_nothing() -> None:
    engine = failing()
    async with console(engine, view="batches") as (app, pilot):
        await detail(app, pilot)
        await until(pilot, lambda: "drop 3 jobs" in hints(app))
        for key in ("D", "T"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, BatchDetail))
        assert engine.orders == []


async def test_the_detail_of_a_task_can_launch_it() -> None:
    async with console(engine_with_a_batch()) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail) and "R retry" in hints(app))
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "Retry ord-88000" in text(app))


class Unheard(FakeEngine):
    """The answer to a launch is lost, and a batch is there that may be it."""

    async def set_retries_async(self, order: SetExternalTaskRetries) -> Any:
        self.running["perhaps"] = statistics("perhaps", 98)
        raise Unanswered("The launch was sent, but no answer came in time.", "launch of the batch", datetime.now(UTC))


@pytest.mark.parametrize(
    ("key", "said"), [("Y", "probably belongs to the launch: 98 jobs"), ("enter", "1 batch may be it")]
)
async def test_a_batch_that_may_be_that_of_a_lost_launch_is_adopted_only_when_the_operator_says_so(
    key: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retriage.console.launch.send.BETWEEN_LOOKS", 0.0)
    engine = Unheard(100)
    async with console(engine) as (app, pilot):
        await pilot.press("A", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and "L launch" in hints(app))
        await until(pilot, lambda: "batch jobs" in text(app))
        await pilot.press("Y", "L")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "Is this your batch?" in text(app))
        asked = " ".join(app.screen.query_one(Pane).text.split())
        assert "Perhaps it made batch perhaps: 98 jobs" in asked
        await pilot.press(key)
        await until(pilot, lambda: said in app.session.news.newest.sentence)  # type: ignore[union-attr]
        assert ("perhaps" in app.session.watch.launched) == (key == "Y")
