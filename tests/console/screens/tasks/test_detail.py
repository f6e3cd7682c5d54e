"""From a task to what is known about it: error, variables, incident, instance; and the causes beside the tasks."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import CauseGroups
from retriage.console.engine.errors import Slow
from retriage.console.screens.batches.detail import BatchDetail
from retriage.console.screens.incidents.detail import IncidentDetail
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.reading.full import FullText
from retriage.console.screens.tasks import screen as tasks_screen
from retriage.console.screens.tasks.causes import causes_of, row_of
from retriage.console.screens.tasks.detail import TaskDetail
from retriage.console.screens.tasks.error_text import attempts_of
from retriage.console.widgets.columns import fit
from retriage.console.widgets.text_view import TextView
from retriage.store.contract.history import HistoricExternalTaskLog, HistoricExternalTaskLogQuery
from retriage.store.journal import Journal, NewLaunch
from tests.console.fake import FakeEngine, statistics, task
from tests.console.incidents_of import NOON, incident
from tests.console.logs import task_entry
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


@pytest.mark.parametrize(("number", "said"), [
    (1, "Failed once, last at "),
    (3, "Every failure, the newest first:"),
    (23, "The newest 20 failures, the newest first:"),
])  # fmt: skip
async def test_a_task_shows_how_often_it_failed_when_and_what_was_said(number: int, said: str) -> None:
    engine = FakeEngine(50)
    entries = [
        task_entry(task(0), "failure", NOON + timedelta(minutes=place), message=f"refused {place}\x1b[2J\nat Psp.java")
        for place in range(number)
    ]
    engine.task_entries += [*entries, task_entry(task(1), "failure", NOON, message="of another task")]
    async with console(engine) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskDetail) and said in text(app))
        shown = text(app)
        assert f"Failed {'once' if number == 1 else f'{number} times'}, last at" in shown
        attempts = [line for line in shown.splitlines() if "refused " in line]
        newest = [f"refused {place}" for place in reversed(range(number))][: 20 * (number > 1)]
        assert [line.split("  ")[2][: len(one)] for line, one in zip(attempts, newest, strict=True)] == newest
        assert "\x1b" not in shown
        assert "of another task" not in shown
        assert "Psp.java" not in shown


async def test_a_task_says_where_its_failures_are_not_kept_or_not_to_be_read() -> None:
    engine = FakeEngine(50)
    for engine.no_logs in (False, True):
        async with console(engine) as (app, pilot):
            await pilot.press("enter")
            await until(pilot, lambda: "How often it failed is not known" in text(app))
            assert "SocketException" in text(app)


async def test_a_log_that_is_not_answered_hides_no_error() -> None:
    engine: Any = FakeEngine(50)

    async def late(query: HistoricExternalTaskLogQuery, first: int, size: int) -> list[HistoricExternalTaskLog]:
        # The table has an index for instances, and none for tasks.
        assert (query.external_task_id, query.process_instance_id) == (task(0).id, task(0).process_instance_id)
        raise Slow("No answer within 30 s.")

    engine.external_task_log = late
    said = "How often it failed could not be read: No answer within 30 s."
    assert await attempts_of(engine, task(0)) == ("", said)


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
        app.session.memory.keep_journal(journal)
        name = app.session.memory.engine_name
        launch = await journal.begin(NewLaunch(name, "", "ann", 1, "{}", 1, "one"))
        await journal.add_tasks(launch, [(task(0).id, 0)])
        await journal.sent(launch, 1)
        await journal.ended(launch, "launched", batch_id="batch-7")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, BatchDetail) and "batch-7" in "\n".join(lines(app)))
        await pilot.press("escape")
        await until(pilot, lambda: view_of(app) == "tasks" and not isinstance(app.screen, BatchDetail))
    await journal.close()


def test_a_cause_grows_when_the_last_hour_saw_clearly_more_than_the_one_before() -> None:
    groups = CauseGroups()
    before, present = NOON.replace(hour=10, minute=50), NOON.replace(hour=11, minute=50)
    for first, cause, early, late in (
        (0, "growing", 10, 15), (100, "steady", 10, 9), (200, "fading", 10, 6), (300, "stray", 1, 4),
    ):  # fmt: skip
        moments = [before] * early + [present] * late
        groups.put(group_member_of(incident(first + n, cause, at=at)) for n, at in enumerate(moments))
    found = {cause.text: cause.drift for cause in causes_of(groups, NOON, drifts=True)}
    assert found == {"growing": "^", "steady": "=", "fading": "v", "stray": "="}
    assert {cause.drift for cause in causes_of(groups, NOON, drifts=False)} == {""}


def test_the_fire_comes_first_though_it_does_not_grow_any_more_and_strays_do() -> None:
    groups = CauseGroups()
    outage = [NOON - timedelta(minutes=90)] * 200 + [NOON - timedelta(minutes=20)] * 100
    groups.put(group_member_of(incident(n, "provider is away", at=at)) for n, at in enumerate(outage))
    strays = [NOON - timedelta(days=25)] * 300 + [NOON - timedelta(minutes=10)] * 6
    groups.put(group_member_of(incident(1000 + n, "card expired", at=at)) for n, at in enumerate(strays))
    found = causes_of(groups, NOON, drifts=True)
    assert [(cause.text, cause.drift, cause.number) for cause in found] == [
        ("provider is away", "v", 300), ("card expired", "^", 306),
    ]  # fmt: skip


def test_what_is_new_or_grows_comes_first_and_what_is_old_last() -> None:
    groups = CauseGroups()
    hour = [NOON.replace(hour=11, minute=minute) for minute in (5, 20, 35, 50)]
    old = NOON - timedelta(days=25)
    groups.put(group_member_of(incident(number, "stray", at=old)) for number in range(90))
    groups.put(
        group_member_of(incident(100 + number, "earlier tonight", at=NOON.replace(hour=9))) for number in range(9)
    )
    groups.put(group_member_of(incident(200 + number, "growing", at=NOON)) for number in range(3))
    groups.put(group_member_of(incident(300 + number, "new", at=at)) for number, at in enumerate([hour[0], *hour]))
    found = causes_of(groups, NOON, drifts=True)
    assert [cause.text for cause in found] == ["new", "growing", "earlier tonight", "stray"]
    assert [cell.text for cell in row_of(found[-1], NOON).cells] == ["90=", "······", "25d", "stray"]
    assert [cause.text for cause in causes_of(groups, NOON, drifts=False)] == [
        "earlier tonight", "new", "growing", "stray",
    ]  # fmt: skip


async def test_tab_leads_to_the_causes_where_enter_and_retry_act_on_the_cause() -> None:
    engine = FakeEngine(300)
    async with console(engine, size=(100, 30)) as (app, pilot):
        screen: Any = app.screen
        await until(pilot, lambda: screen._whole and screen.causes.total == 4)
        await pilot.press("tab")
        assert screen.focused is screen.causes
        await until(pilot, lambda: "^ more than in the hour before" in "\n".join(lines(app)))
        await pilot.press("tab", "R")
        assert app.screen == screen, "R beside the batches retries nothing: what it would take stands elsewhere"
        assert "tab leads to their panes" in app.session.news.newest.sentence
        await pilot.press("shift+tab")
        await pilot.press("down")
        cause = screen._cause
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        assert set(cast("Any", app.screen).preparation.selection.ids) == set(cause.group.failed())
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("enter")
        await until(pilot, lambda: view_of(app) == "incidents")
        incidents: Any = app.screen
        await until(pilot, lambda: incidents.is_mounted and incidents.table.cursor_id == cause.group.key)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("shift+tab")
        assert screen.focused is screen.table


@pytest.mark.parametrize("leave", ["enter", "escape"])
async def test_a_filter_typed_from_the_causes_leads_to_the_rows_that_it_narrows(leave: str) -> None:
    async with console(FakeEngine(300), size=(100, 30)) as (app, pilot):
        screen: Any = app.screen
        await until(pilot, lambda: screen._whole and screen.causes.total == 4)
        await pilot.press("tab")
        assert screen.focused is screen.causes
        await pilot.press("slash", *"retries:0", leave)
        assert screen.focused is screen.table


async def test_of_a_part_of_the_incidents_no_cause_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks_screen, "MOST_GROUPED", 100)
    async with console(FakeEngine(1500), size=(120, 36)) as (app, pilot):
        screen: Any = app.screen
        await until(pilot, lambda: screen.causes.total == 4)
        await pilot.press("tab", "R")
        await until(pilot, lambda: "Only the newest 500 incidents are read here" in "\n".join(lines(app)))
        assert app.screen is screen


async def test_the_error_column_has_room_at_every_width() -> None:
    # at 100 cells the lock stays beside it, and the pane shows the error in full
    for width, height, least in ((80, 24, 22), (100, 30, 18), (120, 36, 22), (160, 45, 22)):
        async with console(FakeEngine(100), size=(width, height)) as (app, pilot):
            table = cast("Any", app.screen).table
            await until(pilot, lambda: loaded(app))

            def of_error(table: Any = table) -> int:
                shown = dict(fit(table.columns, table.scrollable_content_region.width - 6))
                return shown[[column.title for column in table.columns].index("error")]

            await until(pilot, lambda least=least: of_error() >= least)  # type: ignore[misc]


async def test_the_pane_beside_the_tasks_shows_all_incidents_once_they_are_grouped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks_screen, "MOST_GROUPED", 100)
    async with console(FakeEngine(1500), size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: "Causes of the newest 500 incidents" in "\n".join(lines(app)))
        await pilot.press("2")
        await until(pilot, lambda: app.session.watch.grouped is not None and app.session.watch.grouped.exact)
        await pilot.press("1")
        screen: Any = app.screen
        await screen._causes.refresh()
        await until(pilot, lambda: "Incidents by cause" in "\n".join(lines(app)))
        assert sum(row.item.number for row in screen.causes.loaded()) == 900
