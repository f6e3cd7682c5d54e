"""From a task to what is known about it: error, variables, incident, instance; and the causes beside the tasks."""

from typing import Any

from console.screens.incidents.detail import IncidentDetail
from console.screens.reading.full import FullText
from console.screens.tasks.causes import causes_of
from console.screens.tasks.detail import TaskDetail
from console.triage.groups import Groups
from console.triage.members import member_of
from console.widgets.pane import Pane
from console.widgets.text_view import TextView
from tests.console.fake import FakeEngine, task
from tests.console.incidents_of import NOON, incident
from tests.console.settle import console, lines, loaded, until


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


def test_a_cause_grows_when_this_quarter_saw_more_than_the_last_hour() -> None:
    groups = Groups()
    groups.put(member_of(incident(number, "growing", at=NOON)) for number in range(3))
    hour = [NOON.replace(hour=11, minute=minute) for minute in (5, 20, 35, 50)]
    groups.put(member_of(incident(10 + n, "steady", at=at)) for n, at in enumerate([*hour, NOON]))
    groups.put(member_of(incident(20 + n, "fading", at=at)) for n, at in enumerate([*hour, *hour]))
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
