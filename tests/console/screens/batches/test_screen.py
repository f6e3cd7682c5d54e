"""Batches: live, with their orders, and after they have moved to the history; jobs, incidents, instances."""

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.screens.reading.screen import ReadingScreen
from retriage.console.widgets.line_table import LineTable
from tests.console.fake import FakeEngine, job, statistics
from tests.console.settle import console, lines, loaded, screen, text, until


def engine_with_a_batch() -> FakeEngine:
    engine = FakeEngine(100)
    engine.running["batch-1"] = statistics("batch-1", 500, 500, 310, 2)
    engine.all_jobs = [job("job-1"), job("job-2", message="Cannot find external task with id 8")]
    return engine


async def view(app: RetriageApp, pilot: Pilot[None], key: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: screen(app).VIEW == app._views[-1] and loaded(app))


async def confirmed(app: RetriageApp, pilot: Pilot[None], key: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
    assert app.screen.focused is not None
    assert app.screen.focused.id == "cancel"
    await pilot.press(key)
    assert isinstance(app.screen, Confirm)
    await pilot.press("L")


async def test_the_last_line_names_the_keys_of_a_question_and_no_others() -> None:
    async with console(engine_with_a_batch(), view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await until(pilot, lambda: lines(app)[-1].strip() == "esc cancel  L suspend")


async def test_a_batch_is_shown_live_until_and_after_its_end() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: "62%" in text(app))
        assert "execute" in text(app)
        engine.running["batch-1"] = statistics("batch-1", 500, 500, 500, 0)
        await pilot.press("r")
        await until(pilot, lambda: "100%" in text(app))
        engine.end("batch-1")
        await pilot.press("r")
        await until(pilot, lambda: screen(app).table.row is not None and screen(app).table.row.item.phase == "ended")
        await until(pilot, lambda: "all 500 jobs done" in text(app))


async def test_a_batch_that_ends_before_it_was_seen_running_is_found_in_the_history() -> None:
    engine = engine_with_a_batch()
    async with console(engine) as (app, pilot):
        follower = app.session.watch
        engine.running["quick"] = statistics("quick", 5)
        engine.end("quick")
        await follower.follow("quick")
        await until(pilot, lambda: app.session.watch.known_batches.get("quick") is not None)
        found = app.session.watch.known_batches.get("quick")
        assert found is not None
        assert found.phase == "ended"
        assert app.session.watch.launched == set()


async def test_suspend_and_resume_ask_first() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await confirmed(app, pilot, "S")
        await until(pilot, lambda: engine.orders == [("suspend_batch", "batch-1", True)])
        await until(pilot, lambda: screen(app).table.row.item.phase == "suspended")
        await confirmed(app, pilot, "S")
        await until(pilot, lambda: engine.orders[1:] == [("suspend_batch", "batch-1", False)])


async def test_cancel_orders_nothing() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        for key, leave in (("S", "enter"), ("D", "escape"), ("T", "enter")):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
            await pilot.press(leave)
            await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert engine.orders == []


async def test_delete_and_the_batch_is_shown_as_deleted() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await confirmed(app, pilot, "D")
        await until(pilot, lambda: engine.orders == [("delete_batch", "batch-1", False)])
        await until(pilot, lambda: screen(app).table.row.item.phase == "deleted")
        await pilot.press("D")
        await until(pilot, lambda: "has ended" in app.session.news.newest.sentence)
        assert len(engine.orders) == 1


async def test_the_detail_explains_the_phases_and_groups_the_failed_jobs() -> None:
    engine = engine_with_a_batch()
    async with console(engine, size=(80, 24), view="batches") as (app, pilot):
        await view(app, pilot, "4")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "Cannot find external task" in text(app))
        table = app.screen.query_one(LineTable)
        assert table.row is not None
        assert [cell.text for cell in table.row.cells[:3]] == ["X failed", "batch", "2"]
        assert "310 done  188 left" in text(app)
        assert "within 30 s of the last job" in text(app)
        await confirmed(app, pilot, "T")
        await until(pilot, lambda: engine.orders == [("retry_jobs", "jd-batch", 1)])
        engine.end("batch-1")
        await app.session.watch.look()
        await until(pilot, lambda: "all 500 jobs done" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, BatchDetail))


async def test_failed_jobs_are_retried_and_deleted_one_by_one() -> None:
    engine = engine_with_a_batch()
    async with console(engine, view="jobs") as (app, pilot):
        await view(app, pilot, "5")
        await confirmed(app, pilot, "T")
        await until(pilot, lambda: engine.orders == [("set_job_retries", "job-1", 1)])
        await confirmed(app, pilot, "D")
        await until(pilot, lambda: engine.orders[1:] == [("delete_job", "job-1")])


async def test_each_view_opens_the_thing_itself() -> None:
    async with console(engine_with_a_batch()) as (app, pilot):
        whole = (("2", "e", "SocketException"), ("3", "d", "2 variables"), ("5", "enter", "NotFoundException"))
        for key, opening, said in whole:
            await view(app, pilot, key)
            await pilot.press(opening)
            await until(pilot, lambda said=said: isinstance(app.screen, ReadingScreen) and said in text(app))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, ReadingScreen))


async def test_incidents_are_counted_by_their_cause() -> None:
    async with console(engine_with_a_batch(), view="incidents") as (app, pilot):
        await view(app, pilot, "2")
        await until(pilot, lambda: "card <*> expired" in text(app))
        await until(pilot, lambda: "4 groups, 60 incidents, exact" in text(app))


async def test_minus_goes_back_to_the_last_view() -> None:
    async with console(engine_with_a_batch()) as (app, pilot):
        await view(app, pilot, "4")
        await pilot.press("minus")
        await until(pilot, lambda: screen(app).VIEW == "tasks")
        await pilot.press("minus")
        await until(pilot, lambda: screen(app).VIEW == "batches")


async def test_batches_are_written_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = engine_with_a_batch()
    engine.running["batch-2"] = statistics("batch-2", 40, 40, 40, 0)
    engine.end("batch-2")
    async with console(engine) as (app, pilot):
        await view(app, pilot, "4")
        await until(pilot, lambda: "62%" in text(app) and "batch-2" in text(app))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        screen(app).query_one("#file").value = str(tmp_path / "rows.json")
        await pilot.press("enter")
        await until(pilot, lambda: "rows written to" in text(app))
    rows = {row["id"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    told = {id: (row["phase"], row["totalJobs"], row["completedJobs"], row["failedJobs"]) for id, row in rows.items()}
    assert told == {"batch-1": ("execute", 500, 310, 2), "batch-2": ("ended", 40, 40, 0)}
    assert rows["batch-1"]["endTime"] is None
    assert rows["batch-2"]["endTime"]
