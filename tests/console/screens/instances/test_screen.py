"""The instances view: where instances stand, and a retry of exactly those of their tasks that need one."""

from typing import Any

import pytest

from retriage.console.app import RetriageApp
from retriage.console.reading.instance_activity import InstanceActivities, activity_of, tasks_without_retries
from retriage.console.screens.instances.detail import InstanceDetail
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.widgets.pane import Pane
from retriage.console.widgets.text_view import TextView
from retriage.store.contract.queries import ProcessInstanceQuery
from retriage.store.contract.records import ExternalTask
from tests.console.fake import FakeEngine, ids, task
from tests.console.settle import console, lines, loaded, said, until


class Forked(FakeEngine):
    """Every third instance has a second task, which is healthy."""

    def _one(self, index: int) -> ExternalTask:
        one = super()._one(index)
        if index % 3 != 1:
            return one
        owner = task(index - 1).process_instance_id
        return one.model_copy(update={"process_instance_id": owner, "retries": None, "error_message": None})


def shown(app: RetriageApp) -> str:
    return "\n".join(lines(app))


async def instances(app: RetriageApp, pilot: Any) -> Any:
    await pilot.press("3")
    await until(pilot, lambda: app.screen.VIEW == "instances" and loaded(app))  # type: ignore[attr-defined]
    return app.screen


async def test_tasks_are_counted_by_instance_and_the_broken_ones_come_first() -> None:
    engine = Forked(30)
    found = await InstanceActivities().of(engine, await engine.process_instances(ProcessInstanceQuery(), 0, 3))  # type: ignore[arg-type]
    first = found[0]
    assert first.tasks is not None
    assert (len(first.tasks), first.without_retries) == (2, 1)
    assert first.activities == ["ChargeCard", "SendMail"]
    assert first.incident
    assert first.started is None
    assert activity_of(found[:1]) == [("ChargeCard", 1, 1), ("SendMail", 1, 0)]


async def test_only_tasks_without_retries_are_looked_up() -> None:
    engine = Forked(30)
    found = await tasks_without_retries(engine, {task(0).process_instance_id, task(3).process_instance_id})  # type: ignore[arg-type]
    assert found == {task(0).id}
    assert await tasks_without_retries(engine, ()) == set()  # type: ignore[arg-type]


async def test_rows_say_where_instances_stand() -> None:
    async with console(FakeEngine(60), size=(120, 36), view="instances") as (app, pilot):
        screen = await instances(app, pilot)
        await until(pilot, lambda: "ChargeCard" in screen.query_one("#standing", Pane).text)
        cells = [cell.text for cell in screen.table.row.cells]
        assert cells[4:7] == ["1", "1", "!"]
        assert "would also set healthy ones" in shown(app)


@pytest.mark.parametrize(("number", "told"), [(5, "Where all 5 instances stand"), (500, "of 500 read so far")])
async def test_the_pane_says_of_how_many_instances_it_tells(number: int, told: str) -> None:
    async with console(FakeEngine(number), view="instances") as (app, pilot):
        await instances(app, pilot)
        await until(pilot, lambda: told in shown(app))


async def test_r_takes_exactly_the_tasks_without_retries_of_the_marked_instances() -> None:
    engine = FakeEngine(60)
    async with console(engine, view="instances") as (app, pilot):
        await instances(app, pilot)
        await pilot.press("space", "space", "space", "space", "space", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        assert app.screen.preparation.selection.ids == set(ids([0, 1, 2]))  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LaunchDialog))
        assert engine.orders == []


async def test_r_takes_all_that_match_but_those_unmarked() -> None:
    engine = FakeEngine(60)
    async with console(engine, view="instances") as (app, pilot):
        await instances(app, pilot)
        await pilot.press("A", "space", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        expected = {one.id for index in range(1, 60) if (one := task(index)).retries == 0}
        assert app.screen.preparation.selection.ids == expected  # type: ignore[attr-defined]


async def test_r_on_healthy_instances_says_so() -> None:
    async with console(FakeEngine(60), view="instances") as (app, pilot):
        screen = await instances(app, pilot)
        await pilot.press("j", "j", "j")
        await until(pilot, lambda: screen.table.cursor == 3)
        await pilot.press("R")
        await until(pilot, lambda: "None of the tasks of 1 instance is without retries" in said(app))
        assert not isinstance(app.screen, LaunchDialog)


async def test_enter_d_and_i_lead_to_tasks_variables_and_incidents_of_the_instance() -> None:
    async with console(FakeEngine(60), view="instances") as (app, pilot):
        await instances(app, pilot)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, InstanceDetail))
        await until(pilot, lambda: "2 variables" in app.screen.query_one(TextView).text)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, InstanceDetail))
        for key, view in (("enter", "tasks"), ("i", "incidents")):
            await pilot.press(key)
            await until(pilot, lambda view=view: app.screen.VIEW == view)  # type: ignore[attr-defined, misc]
            await until(pilot, lambda: f"instance:{task(0).process_instance_id}" in shown(app) and loaded(app))
            screen: Any = app.screen
            await until(pilot, lambda screen=screen: screen.matching == 1)  # type: ignore[misc]
            await pilot.press("3")
            await until(pilot, lambda: app.screen.VIEW == "instances")  # type: ignore[attr-defined]


async def test_a_launch_that_was_looked_up_too_slowly_opens_over_no_other_screen() -> None:
    engine = FakeEngine(60)
    async with console(engine, size=(120, 36), view="instances") as (app, pilot):
        screen = await instances(app, pilot)
        engine.delay = 0.3
        await pilot.press("R", "1")
        await until(pilot, lambda: app.screen is not screen)
        await until(pilot, lambda: "came too late" in said(app))
        assert not isinstance(app.screen, LaunchDialog)
