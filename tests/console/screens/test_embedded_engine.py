"""The screens over the real embedded engine: the whole road, and a batch that meets an unknown task."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.connect import connect
from retriage.console.engine.target import Demo, Embedded
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.widgets.line_table import LineTable
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, IncidentQuery, JobQuery
from tests.console.settle import filter_by, lines, loaded, text, until

ENGINE = 30.0


@asynccontextmanager
async def world(tasks: int = 400, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[RetriageApp, Pilot[None]]]:
    """The console on a demo world without workers, its first rows loaded."""
    target = Embedded(demo=Demo(tasks, seed=7, workers=False))
    app = RetriageApp(lambda: connect(target), ConnectionIdentity("DEMO"))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.session.connection.client is not None and loaded(app), ENGINE)
        yield app, pilot


async def test_filter_take_all_launch_and_the_incidents_are_gone() -> None:
    async with world() as (app, pilot):
        client = app.session.connection.client
        assert client is not None
        failed = await client.count_external_tasks(ExternalTaskQuery(no_retries_left=True))
        assert failed > 50
        await filter_by(app, pilot, "retries:0")
        screen: Any = app.screen
        await until(pilot, lambda: screen.matching == failed)
        await pilot.press("A", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog) and f"{failed}  tries 0 -> 1" in text(app))
        await pilot.press("3")
        await until(pilot, lambda: '"retries": 3' in text(app) and app.screen.preparation.complete)  # type: ignore[attr-defined]
        await until(pilot, lambda: app.screen.delay.over)  # type: ignore[attr-defined]
        await pilot.press("L")
        await until(pilot, lambda: app.session.watch.known_batches.all(), ENGINE)
        await pilot.press("4")
        await until(pilot, lambda: app.session.watch.known_batches.all()[0].phase == "ended", ENGINE)
        await until(pilot, lambda: "100%" in text(app))
        assert app.session.watch.known_batches.all()[0].total == failed
        assert await client.count_external_tasks(ExternalTaskQuery(no_retries_left=True)) == 0
        assert await client.count_incidents(IncidentQuery()) == 0
        await pilot.press("1")  # the list, whatever stands before it
        await until(pilot, lambda: "match" in text(app) and screen.matching == 0, ENGINE)


ALL_FAILED = "The one job left has failed: open until retried (T) or dropped (D)."


async def test_a_batch_with_an_unknown_task_shows_its_failed_job_and_can_be_retried_and_deleted() -> None:
    async with world(100) as (app, pilot):
        client = app.session.connection.client
        follower = app.session.watch
        assert client is not None
        known = [task.id for task in await client.external_tasks(ExternalTaskQuery(), 0, 5)]
        order = SetExternalTaskRetries(retries=2, external_task_ids=[*known, "never-was"])
        batch = await client.launch_batch(BatchRequest(order))
        await follower.follow(batch.id)
        await pilot.press("4")

        def phase() -> str:
            view = app.session.watch.known_batches.get(batch.id)
            return view.phase if view else ""

        await until(pilot, lambda: phase() == "failed", ENGINE)
        await until(pilot, lambda: loaded(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Cannot find external task" in text(app), ENGINE)
        assert app.screen.query_one("#jobs", LineTable).total == 3  # seed, batch, monitor
        for key, said in (("T", "will be tried again"), ("D", "is deleted")):
            # Retried, it is locked until it has failed again: an engine refuses to delete it meanwhile.
            while await client.count_jobs(JobQuery(no_retries_left=True)) == 0:
                await pilot.pause(0.05)
            await until(pilot, lambda: ALL_FAILED in text(app), ENGINE)
            if key == "D":
                # On its page that drops the failed job; on the list it deletes the batch.
                await pilot.press("escape")
                await until(pilot, lambda: not isinstance(app.screen, BatchDetail) and loaded(app))
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
            await pilot.press("L")
            # among all that was said: that it has failed again may be newer already
            await until(pilot, lambda said=said: any(said in one.sentence for one in app.session.news), ENGINE)
        await until(pilot, lambda: phase() == "deleted", ENGINE)


async def test_every_view_shows_the_rows_of_the_engine_and_opens_them() -> None:
    async with world(200, (120, 36)) as (app, pilot):
        for key, word, opening in (("1", "Tasks", "enter"), ("2", "Incidents", "e"), ("3", "Instances", "d")):
            await pilot.press(key)
            await until(pilot, lambda word=word: f" {word}" in lines(app)[1] and loaded(app), ENGINE)
            assert app.screen.query_one("#rows", LineTable).row is not None
            await pilot.press(opening)
            await until(pilot, lambda: app.screen.query("TextView") and "reading …" not in text(app), ENGINE)
            await pilot.press("escape")
            await until(pilot, lambda: loaded(app))


async def test_a_seed_job_is_not_deleted_and_a_batch_without_one_is_said_to_be_lost() -> None:
    async with world(2000, (140, 40)) as (app, pilot):
        client = app.session.connection.client
        assert client is not None
        unmade = SetExternalTaskRetries(retries=2, external_task_query=ExternalTaskQuery())
        batch = await client.launch_batch(BatchRequest(unmade))
        await client.suspend_batch(batch.id, True)
        seeds = await client.jobs(JobQuery(job_definition_id=batch.seed_job_definition_id), 0, 5)
        await pilot.press("5")
        await filter_by(app, pilot, f"batch:{batch.id}")
        screen: Any = app.screen
        await until(pilot, lambda: screen.table.row is not None and screen.table.row.id == seeds[0].id)
        await pilot.press("D")
        await until(pilot, lambda: "seed job of batch" in text(app))
        await client.delete_job(seeds[0].id)
        await pilot.press("4")
        batches: Any = app.screen
        await until(pilot, lambda: batches.table.row is not None and batches.table.row.id == batch.id)
        await pilot.press("enter")
        await until(pilot, lambda: "Its seed job was deleted" in text(app), ENGINE)
