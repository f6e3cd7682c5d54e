"""From a task to what is known about it: error, variables, incident, instance; and the causes beside the tasks."""

from pathlib import Path
from typing import Any

from console.causes.group_members import group_member_of
from console.causes.groups import CauseGroups
from console.screens.batches.detail import BatchDetail
from console.screens.incidents.detail import IncidentDetail
from console.screens.reading.full import FullText
from console.screens.tasks.causes import causes_of
from console.screens.tasks.detail import TaskDetail
from console.widgets.pane import Pane
from console.widgets.text_view import TextView
from store.journal import Journal, NewLaunch
from tests.console.fake import FakeEngine, statistics, task
from tests.console.incidents_of import NOON, incident
from tests.console.settle import console, lines, loaded, until


def view_of(app: Any) -> str:
    return str(app.screen.VIEW)


def text(app: Any) -> str:
    return str(app.screen.query_one(TextView).text)


async def test_e_shows_the_whole_error_also_from_the_detail() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        for keys in (("e",), ("enter", "e")):
            await pilot.press(*keys)
            await until(pilot, lambda: isinstance(app.screen, FullText) and "SocketException" in text(app))
            assert "upstream connect error" in text(app)
            assert "\x1b" not in text(app)
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, FullText))
        assert isinstance(app.screen, TaskDetail)


async def test_d_shows_the_variables_of_the_instance() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("d")
        await until(pilot, lambda: "2 variables" in text(app))
        assert "129.9" in text(app)


async def test_i_shows_the_incident_or_says_that_there_is_none() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, IncidentDetail))
        await pilot.press("escape", "j", "j", "j", "i")
        await until(pilot, lambda: "has no open incident" in "\n".join(lines(app)))


async def test_j_jumps_to_the_instance_whether_its_view_was_open_or_not() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        for row in (0, 1):
            await pilot.press(*["j"] * row, "J")
            wanted = f"id:{task(row).process_instance_id}"
            screen: Any = app.screen
            await until(pilot, lambda wanted=wanted: f"/ {wanted}" in "\n".join(lines(app)) and loaded(app))  # type: ignore[misc]
            assert app.screen.VIEW == "instances"  # type: ignore[attr-defined]
            await pilot.press("1")
            await until(pilot, lambda: app.screen.VIEW == "tasks")  # type: ignore[attr-defined]
            assert screen.is_attached


async def test_escape_leads_back_from_a_jump_and_leaves_the_view_as_it_was() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        await pilot.press("J")
        await until(
            pilot, lambda: view_of(app) == "instances" and loaded(app) and "esc leads back to tasks" in lines(app)[-2]
        )
        instances: Any = app.screen
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail))
        assert (instances.filter_text, instances.jumped) == ("", None)


async def test_another_filter_after_a_jump_is_cleared_by_escape_as_ever() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("J")
        await until(pilot, lambda: view_of(app) == "instances" and loaded(app))
        await pilot.press("slash", *" -suspended", "enter")
        await until(pilot, lambda: app.screen.filter_text.endswith("-suspended"))  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.filter_text == "")  # type: ignore[attr-defined]
        assert view_of(app) == "instances"


async def test_from_an_incident_to_its_task_and_to_its_instance() -> None:
    async with console(FakeEngine(50)) as (app, pilot):
        await pilot.press("i")
        await until(pilot, lambda: isinstance(app.screen, IncidentDetail))
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail) and task(0).id in "\n".join(lines(app)))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, IncidentDetail))
        await pilot.press("J")
        wanted = f"/ id:{task(0).process_instance_id}"
        await until(pilot, lambda: view_of(app) == "instances" and wanted in "\n".join(lines(app)))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, IncidentDetail))


async def test_from_a_task_to_the_batch_that_set_it(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db")
    engine = FakeEngine(50)
    engine.running["batch-7"] = statistics("batch-7", 5, 5, 2)
    async with console(engine) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: "No batch that was launched from here has set task" in lines(app)[-2])
        app.session.keep_journal(journal)
        name = app.session.engine_name
        launch = await journal.begin(NewLaunch(name, "", "ann", 1, "{}", 1, "one"))
        await journal.add_tasks(launch, [(task(0).id, 0)])
        await journal.sent(launch, 1)
        await journal.ended(launch, "launched", batch_id="batch-7")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "batch-7" in "\n".join(lines(app)))
        await pilot.press("escape")
        await until(pilot, lambda: view_of(app) == "tasks" and not isinstance(app.screen, BatchDetail))
    await journal.close()


def test_a_cause_grows_when_this_quarter_saw_more_than_the_last_hour() -> None:
    groups = CauseGroups()
    groups.put(group_member_of(incident(number, "growing", at=NOON)) for number in range(3))
    hour = [NOON.replace(hour=11, minute=minute) for minute in (5, 20, 35, 50)]
    groups.put(group_member_of(incident(10 + n, "steady", at=at)) for n, at in enumerate([*hour, NOON]))
    groups.put(group_member_of(incident(20 + n, "fading", at=at)) for n, at in enumerate([*hour, *hour]))
    found = {cause.text: cause.drift for cause in causes_of(groups, NOON, drifts=True)}
    assert found == {"growing": "^", "steady": "=", "fading": "v"}
    assert {cause.drift for cause in causes_of(groups, NOON, drifts=False)} == {""}


async def test_the_pane_beside_the_tasks_shows_all_incidents_once_they_are_grouped() -> None:
    async with console(FakeEngine(1500), size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: "Causes of the newest 500 incidents" in "\n".join(lines(app)))
        await pilot.press("2")
        await until(pilot, lambda: app.session.grouped is not None and app.session.grouped.exact)
        await pilot.press("1")
        screen: Any = app.screen
        await screen._causes.refresh()
        await until(pilot, lambda: "Incidents by cause  900" in "\n".join(lines(app)))
        assert "HTTP 503" in screen.query_one("#causes", Pane).text
