"""The incidents view: groups that keep their lines, what is said about them, and what can be done with them."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from retriage.console.app import RetriageApp
from retriage.console.causes.group_members import group_member_of
from retriage.console.causes.groups import Group
from retriage.console.engine.errors import Refused
from retriage.console.language import parse
from retriage.console.reading.incident_tasks import TaskFact
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.exporting.dialog import ExportDialog
from retriage.console.screens.incidents.detail import IncidentDetail
from retriage.console.screens.incidents.members import MembersScreen, One
from retriage.console.screens.incidents.note import NoteDialog
from retriage.console.screens.incidents.panes import _breakdown, _note
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.operations.dialog import OperationDialog
from retriage.console.screens.row_filters import cell_words
from retriage.console.widgets.area_chart import spark
from retriage.console.widgets.line import Line
from retriage.console.widgets.pane import Pane
from retriage.console.widgets.text_view import TextView
from retriage.store.contract.records import ExternalTask, Incident, Job
from retriage.store.journal import Earlier
from tests.console.fake import TOPICS, FakeEngine, job, task
from tests.console.incidents_of import incident
from tests.console.settle import console, filter_by, lines, said, screen, until

NOW = datetime.now(UTC)


class Shop(FakeEngine):
    """An engine whose incidents a test writes itself."""

    def __init__(self, incidents: list[Incident]) -> None:
        super().__init__(20)
        self.open = {one.id: one for one in incidents}

    def _failed(self) -> list[Incident]:
        return [
            one.model_copy(update={"annotation": self.notes.get(one.id, one.annotation)}) for one in self.open.values()
        ]

    def raise_(self, *incidents: Incident) -> None:
        self.open |= {one.id: one for one in incidents}


def raised(number: int, message: str | None, **more: Any) -> Incident:
    """An incident of the last minutes; later numbers are newer."""
    return incident(number, message, at=NOW - timedelta(seconds=1000 - number), **more)


def shop() -> Shop:
    """Three errors of tasks, one of jobs."""
    found = [raised(number, f"HTTP 503 after {number} ms") for number in range(30)]
    found += [raised(number, f"card {number} expired", activity="Pay") for number in range(30, 40)]
    found += [raised(40, None, activity="Sync")]
    found += [raised(number, f"lock {number} lost", type="failedJob") for number in range(50, 55)]
    return Shop(found)


def read(app: RetriageApp) -> bool:
    """Everything is read, and what was retried before is known."""
    groups = screen(app).groups
    return groups.open_incidents is not None and bool(groups.open_incidents.exact and groups.retried.known)


def shown(app: RetriageApp) -> str:
    return "\n".join(lines(app))


async def groups(app: RetriageApp, pilot: Pilot[None]) -> None:
    """Go to the view, and wait until everything is read."""
    await pilot.press("2")
    await until(
        pilot,
        lambda: (
            screen(app).VIEW == "incidents"
            and screen(app).groups.open_incidents.exact
            and screen(app).groups.retried.known
        ),
    )  # type: ignore[attr-defined]
    await until(pilot, lambda: screen(app).table.row is not None)


def causes(app: RetriageApp) -> list[str]:
    return [row.cells[6].text for row in screen(app).table.loaded()]


def counts(app: RetriageApp) -> list[str]:
    return [row.cells[0].text.strip() for row in screen(app).table.loaded()]


async def look(app: RetriageApp) -> None:
    """What the poller does every few seconds."""
    poller = screen(app).reader._poller
    assert poller is not None
    await poller.refresh()


def test_a_trend_is_as_high_as_it_is_beside_the_greatest() -> None:
    assert spark([0, 1, 8, 4]) == "·▁▇▄"
    assert spark([]) == ""


async def test_groups_stand_by_count_and_say_how_far_they_can_be_trusted() -> None:
    async with console(shop(), view="incidents") as (app, pilot):
        await groups(app, pilot)
        assert causes(app) == ["HTTP 503 after <*>", "card <*> expired", "lock <*> lost", "(no message)"]
        assert counts(app) == ["30", "10", "5", "1"]
        assert "4 groups, 46 incidents, exact" in shown(app)
        assert "HTTP 503 after 29 ms" in screen(app).query_one("#sample", Pane).text
        pane = screen(app).query_one("#detail", Pane).text
        assert "versions v1 15  v2 15" in pane
        assert "never" in shown(app)


async def test_everything_is_said_on_a_narrow_screen_too() -> None:
    async with console(shop(), size=(80, 24), view="incidents") as (app, pilot):
        await groups(app, pilot)
        await until(pilot, lambda: "raw: HTTP 503 after 29 ms" in shown(app))
        assert "N writes one" in shown(app)
        assert "4 groups, 46 incidents, exact" in shown(app)


def held_after_the_newest(engine: Shop) -> asyncio.Event:
    """Only the newest incidents are told until this is set."""
    gate, read = asyncio.Event(), engine.incidents

    async def held(query: Any, first: int, size: int) -> list[Incident]:
        if query.incident_timestamp_before is not None:
            await gate.wait()
        return await read(query, first, size)

    engine.incidents = held  # type: ignore[method-assign]
    return gate


async def test_so_far_is_said_until_everything_is_read() -> None:
    engine = Shop([raised(number, "HTTP 503") for number in range(900)])
    async with console(engine) as (app, pilot):
        gate = held_after_the_newest(engine)
        await pilot.press("2")
        await until(pilot, lambda: "1 group, 500 incidents of 900 so far" in shown(app))
        gate.set()
        await until(pilot, lambda: "1 group, 900 incidents, exact" in shown(app))


@pytest.mark.parametrize("chosen", [False, True])
async def test_the_cursor_is_on_the_greatest_group_unless_another_one_was_chosen(chosen: bool) -> None:
    """Of what is read first, the newest incidents, the greatest group is a small one of all."""
    found = [raised(number, f"card {number} expired") for number in range(600)]
    found += [raised(number, "HTTP 503") for number in range(600, 900)] + [raised(900, "lock 3 lost")]
    engine = Shop(found)
    async with console(engine) as (app, pilot):
        gate = held_after_the_newest(engine)
        await pilot.press("2")
        await until(pilot, lambda: "500 incidents of 901 so far" in shown(app))
        await until(pilot, lambda: screen(app).table.row is not None)
        assert causes(app)[0] == "HTTP 503"
        if chosen:
            await pilot.press("j", "j")
        gate.set()
        await until(pilot, lambda: "3 groups, 901 incidents, exact" in shown(app))
        await until(pilot, lambda: "600" in counts(app))
        table = screen(app).table
        assert table.row.id == ("T lock <*> lost" if chosen else "T card <*> expired")
        assert ("unsorted, r sorts" if chosen else "sort count ▼") in shown(app)
        assert table.cursor == (2 if chosen else 0)


async def test_what_came_is_announced_and_counted_and_no_line_moves() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("j")
        engine.raise_(*(raised(number, f"card {number} expired") for number in range(100, 140)))
        engine.raise_(raised(200, "disk full"))
        await look(app)
        await until(pilot, lambda: "NEW since you looked: 41 in 2 groups" in shown(app))
        assert causes(app)[:3] == ["HTTP 503 after <*>", "card <*> expired", "lock <*> lost"]
        assert causes(app)[-1] == "disk full"
        assert counts(app)[1] == "50^"
        assert screen(app).table.cursor == 1
        await pilot.press("r")
        await until(pilot, lambda: causes(app)[0] == "card <*> expired")
        assert screen(app).table.row.id == "T card <*> expired"
        assert "NEW" not in screen(app).query_one("#looked", Line).text


async def test_what_has_closed_leaves_and_its_line_stays_until_it_is_sorted() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        for number in range(30):
            del engine.open[f"i-{number}"]
        screen(app).groups.open_incidents._read_through = float("-inf")
        await look(app)
        await until(pilot, lambda: counts(app)[0] == "0" and screen(app).groups.open_incidents.exact)
        assert causes(app)[0] == "HTTP 503 after <*>"
        assert "gone" in shown(app)
        await pilot.press("o", "O")
        await until(pilot, lambda: "HTTP 503 after <*>" not in causes(app))
        assert "3 groups, 16 incidents" in shown(app)


async def test_the_order_is_told_only_while_the_lines_stand_in_it() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        assert "sort count ▼" in shown(app)
        engine.raise_(*(raised(number, "lock 7 lost") for number in range(300, 340)))
        await look(app)
        await until(pilot, lambda: "unsorted, r sorts" in shown(app))
        assert counts(app) != sorted(counts(app), key=lambda number: -int(number.rstrip("^")))
        assert "sort count ▼" not in shown(app)
        await pilot.press("r")
        await until(pilot, lambda: "sort count ▼" in shown(app))
        assert causes(app)[0] == "lock <*> lost"


async def test_members_stand_in_the_order_that_is_told() -> None:
    async with console(shop(), view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MembersScreen) and screen(app).table.row is not None)

        def times() -> list[Any]:
            return [row.item.member.incident_timestamp for row in screen(app).table.loaded()]

        for words in ("", "-activity:Pay"):
            if words:
                await filter_by(app, pilot, words)
                await until(pilot, lambda: screen(app).filter_text == "-activity:Pay")
            await until(pilot, lambda: "sort newest ▼" in shown(app) and len(times()) > 1)
            assert times() == sorted(times(), reverse=True)
            await pilot.press("O")
            await until(pilot, lambda: "sort newest ▲" in shown(app) and len(times()) > 1)
            assert times() == sorted(times())
            await pilot.press("O")


async def test_groups_sort_by_count_last_first_and_name() -> None:
    async with console(shop(), view="incidents") as (app, pilot):
        await groups(app, pilot)
        orders = []
        for _ in range(4):
            orders.append([cause.split()[0] for cause in causes(app)])
            await pilot.press("o")
            await pilot.pause()
        assert orders == [
            ["HTTP", "card", "lock", "(no"],
            ["lock", "(no", "card", "HTTP"],
            ["HTTP", "card", "(no", "lock"],
            ["(no", "card", "HTTP", "lock"],
        ]
        await pilot.press("O")
        await until(pilot, lambda: causes(app)[0].startswith("(no"))


async def test_the_filter_line_narrows_and_says_what_is_wrong() -> None:
    async with console(shop(), view="incidents") as (app, pilot):
        await groups(app, pilot)
        await filter_by(app, pilot, "activity:Pay")
        await until(pilot, lambda: "1 group, 10 incidents, exact" in shown(app))
        assert causes(app) == ["card <*> expired"]
        await pilot.press("escape")
        await until(pilot, lambda: "4 groups, 46 incidents, exact" in shown(app))
        await filter_by(app, pilot, "activity:Nowhere")
        await until(pilot, lambda: "No open incident matches.  esc clears the filter" in shown(app))


async def test_incidents_are_filtered_by_the_topic_of_their_tasks_and_those_are_retried() -> None:
    engine = FakeEngine(200)
    failed = [one for index in range(200) if (one := task(index)).retries == 0]
    mine = {one.id for one in failed if one.topic_name == "send-mail"}
    async with console(engine) as (app, pilot):
        await groups(app, pilot)
        await pilot.press("slash", *"topic:send-mail")
        await until(pilot, lambda: "topic:send-mail filtered in the console, not by the engine" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: f"{len(mine)} incidents of {len(failed)} read, exact" in shown(app))
        await pilot.press("A", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        assert app.screen.preparation.selection.ids == mine  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LaunchDialog))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MembersScreen) and screen(app).table.row is not None)
        member = screen(app).table.row.item
        await until(pilot, lambda: screen(app).table.row.item.fact is not None)
        screen(app).table.choose_column(1)
        await pilot.press("f")
        key = task(int(member.member.configuration.rpartition("-")[2])).business_key
        await until(pilot, lambda: screen(app).filter_text == f"key:{key}" and screen(app).matching == 1)
        await pilot.press("escape")
        await until(pilot, lambda: screen(app).filter_text == "")
        await pilot.press("slash", *"topic:charge-card", "enter")
        await until(pilot, lambda: screen(app).matching == 0)


async def test_f_on_a_group_shows_the_incidents_of_its_topic_or_its_cause() -> None:
    engine = FakeEngine(200)
    async with console(engine) as (app, pilot):
        await groups(app, pilot)
        await until(pilot, lambda: screen(app).table.row.cells[5].text.split()[0] in TOPICS)
        topic = screen(app).table.row.cells[5].text.split()[0]
        await pilot.press("f")
        await until(pilot, lambda: screen(app).filter_text == f"topic:{topic}")
        await until(pilot, lambda: " read, exact" in shown(app))
        assert engine.orders == []


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            One(group_member_of(incident(7)), TaskFact("charge-card", "ord-7", "w-1", 0), False),
            {"key": "key:ord-7", "process": "process:Order", "try": "retries:0", "activity": "activity:Charge",
             "worker": "worker:w-1", "failed": "task:t-7", "message": 'error~"HTTP 503 from psp"'},
        ),
        (
            One(group_member_of(incident(7, None)), None, True),
            {"process": "process:Order", "try": "gone", "activity": "activity:Charge", "failed": "task:t-7",
             "message": "-error"},
        ),
    ],
)  # fmt: skip
def test_every_cell_of_a_member_says_what_is_like_it(one: One, words: dict[str, str]) -> None:
    found = cell_words("members", one)
    assert found == words
    for word in found.values():
        assert parse(word, "incidents").mistakes == []


def test_rows_of_a_file_all_have_the_same_fields() -> None:
    with_task = One(group_member_of(incident(7)), TaskFact("charge-card", "ord-7", "w-1", 0), False).model_dump()
    gone = One(group_member_of(incident(8)), None, True).model_dump()
    assert list(with_task) == list(gone)
    assert (with_task["topicName"], gone["topicName"], gone["gone"]) == ("charge-card", None, True)


async def test_n_steps_through_messages_that_differ() -> None:
    async with console(shop(), view="incidents") as (app, pilot):
        await groups(app, pilot)
        for number in (29, 28, 27):
            await until(
                pilot, lambda number=number: f"after {number} ms" in screen(app).query_one("#sample", Pane).text
            )  # type: ignore[misc]
            await pilot.press("n")


async def test_e_shows_the_details_of_the_task_or_the_trace_of_the_job() -> None:
    async with console(shop(), view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("e")
        await until(pilot, lambda: "SocketException" in app.screen.query_one(TextView).text)
        assert "HTTP 503 after 29 ms" in app.screen.query_one(TextView).text
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, IncidentDetail))
        await pilot.press("j", "j", "e")
        await until(pilot, lambda: "at SetRetries" in app.screen.query_one(TextView).text)


async def test_an_incident_that_closed_meanwhile_says_so() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        engine.open.clear()
        await pilot.press("e")
        await until(pilot, lambda: "has closed meanwhile" in app.screen.query_one(TextView).text)
        assert "HTTP 503 after 29 ms" in app.screen.query_one(TextView).text


async def test_tasks_that_were_retried_before_are_told() -> None:
    engine = shop()
    engine.resolved = ["t-3", "t-4", "t-31", "gone"]
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        retried = [row.cells[7].text for row in screen(app).table.loaded()]
        assert retried == ["2 again", "1 again", "never", "never"]


async def test_the_journal_tells_how_many_of_a_launch_failed_again_here() -> None:
    engine = shop()

    class Journal:
        """Launch 7 took tasks 0 to 9 before their incidents, launch 8 takes task 10 just now."""

        async def earlier(self, name: str, ids: Collection[str]) -> dict[str, Earlier]:
            old = {f"t-{number}": Earlier(7, NOW - timedelta(hours=2), "b-7") for number in range(10)}
            found = {**old, "t-10": Earlier(8, datetime.now(UTC), "b-8")}
            return {id: launch for id, launch in found.items() if id in ids}

        async def undone(self, name: str, ids: Collection[str]) -> dict[str, Earlier]:
            return {}

        async def launch(self, number: int) -> Any:
            return SimpleNamespace(id=number, began_at=NOW - timedelta(hours=2), tasks=12)

    async with console(engine, size=(120, 36)) as (app, pilot):
        app.session.memory.journal = Journal()  # type: ignore[assignment]
        await groups(app, pilot)
        await until(pilot, lambda: "10 again" in shown(app))
        pane = screen(app).query_one("#detail", Pane)
        await until(pilot, lambda: "last launch: 83% failed again here (" in pane.text)


async def test_what_an_undo_took_the_retries_from_has_not_failed_again() -> None:
    engine = shop()
    engine.resolved = ["t-3", "t-4", "t-31"]

    class Journal:
        """Nothing counts as launched; task 3 was set back before its incident, task 4 after it."""

        async def earlier(self, name: str, ids: Collection[str]) -> dict[str, Earlier]:
            return {}

        async def undone(self, name: str, ids: Collection[str]) -> dict[str, Earlier]:
            found = {"t-3": Earlier(9, NOW - timedelta(hours=5), "b-9"), "t-4": Earlier(9, datetime.now(UTC), "b-9")}
            return {id: undo for id, undo in found.items() if id in ids}

    async with console(engine) as (app, pilot):
        app.session.memory.journal = Journal()  # type: ignore[assignment]
        await groups(app, pilot)
        await until(pilot, lambda: screen(app).table.loaded()[0].cells[7].text == "1 again")


async def test_r_while_paused_reads_what_was_asked_for() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("p")
        engine.raise_(raised(300, "disk full"))
        await pilot.press("r")
        await until(pilot, lambda: "disk full" in causes(app))
        assert app.session.watch.paused


async def test_r_retries_exactly_the_tasks_of_the_marked_groups() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("space", "space", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        selection = app.screen.preparation.selection  # type: ignore[attr-defined]
        assert selection.ids == {f"t-{number}" for number in range(40)}
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, LaunchDialog))
        assert engine.orders == []


def failed_jobs(numbers: range) -> list[Job]:
    return [job(f"t-{number}") for number in numbers]


async def confirmed(app: RetriageApp, pilot: Pilot[None], key: str) -> list[str]:
    await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
    text = shown(app)
    assert app.screen.focused is not None
    assert app.screen.focused.id == "cancel"
    await pilot.press(key)
    return text.splitlines()


async def test_r_on_jobs_opens_their_dialog_and_escape_retries_none() -> None:
    engine = shop()
    engine.all_jobs = [*failed_jobs(range(50, 54)), job("t-54", retries=2)]
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("j", "j", "R")
        await until(pilot, lambda: isinstance(app.screen, OperationDialog) and "Retry 4 jobs" in shown(app))
        assert "with retries left" in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, OperationDialog))
        assert engine.orders == []


async def test_incidents_of_called_processes_cannot_be_retried() -> None:
    engine = Shop([raised(1, None, cause="i-0", configuration=None)])
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("R")
        await until(pilot, lambda: "close with the one in the called process" in said(app))


async def test_a_note_that_was_not_written_is_kept_as_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("j", "N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog))
        await pilot.press(*"PSP", "escape")
        await until(pilot, lambda: "kept as a draft" in said(app))
        await pilot.press("k", "N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog))
        assert "PSP" not in shown(app)
        await pilot.press("escape", "j", "N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog) and "PSP▏" in shown(app))
        assert "a draft, not written yet" in shown(app)

        async def refused(*_: object) -> None:
            raise Refused("The engine said no.", 500)

        write = engine.annotate_incident
        monkeypatch.setattr(engine, "annotate_incident", refused)
        await pilot.press("enter")
        await confirmed(app, pilot, "W")
        await until(pilot, lambda: "left out: closed meanwhile, or refused" in said(app))
        monkeypatch.setattr(engine, "annotate_incident", write)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog) and "PSP▏" in shown(app))
        await pilot.press("enter")
        await confirmed(app, pilot, "W")
        await until(pilot, lambda: "The note was written on 10 incidents." in said(app))
        await until(pilot, lambda: "note: PSP" in screen(app).query_one("#sample", Pane).text)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog) and "PSP▏" in shown(app))
        assert "a draft, not written yet" not in shown(app)


async def test_a_note_is_typed_asked_about_and_written_on_every_incident_of_the_group() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("j", "N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog))
        assert "Note on 10 incidents" in shown(app)
        await pilot.press(*"PSP RqN", "backspace", "enter")
        text = "\n".join(await confirmed(app, pilot, "W"))
        assert "PSP Rq" in text
        assert "10 incidents" in text
        await until(pilot, lambda: "The note was written on 10 incidents" in said(app))
        assert sorted(engine.orders) == [("annotate_incident", f"i-{number}", "PSP Rq") for number in range(30, 40)]
        await until(pilot, lambda: "note: PSP Rq" in screen(app).query_one("#sample", Pane).text)


async def test_a_note_can_be_given_up_at_both_questions() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog))
        await pilot.press("x", "escape")
        await until(pilot, lambda: screen(app).VIEW == "incidents")  # type: ignore[attr-defined]
        await pilot.press("N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog))
        await pilot.press("x", "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(app.screen, Confirm))
        assert engine.orders == []


async def test_incidents_that_closed_before_the_note_came_are_counted() -> None:
    from retriage.console.engine.errors import NotThere

    engine = shop()

    async def refusing(id: str, note: str | None) -> None:
        if id in ("i-30", "i-31"):
            raise NotThere("There is no such incident.", 400, "BadUserRequestException")
        engine.orders.append(("annotate_incident", id, note))

    engine.annotate_incident = refusing  # type: ignore[method-assign]
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("j", "N")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog))
        await pilot.press("x", "enter")
        await confirmed(app, pilot, "W")
        await until(pilot, lambda: "written on 8 incidents; 2 incidents left out" in said(app))


async def test_two_causes_are_kept_apart_and_joined_again_in_their_place() -> None:
    engine = Shop([raised(n, f"carrier '{'AB'[n % 2]}' refused parcel {n}") for n in range(20)])
    engine.raise_(*(raised(n, f"card {n} expired") for n in range(30, 35)))
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("vertical_line")
        await until(pilot, lambda: len(causes(app)) == 3)
        assert sorted(causes(app)[:2]) == ["carrier 'A' refused parcel <*>", "carrier 'B' refused parcel <*>"]
        assert causes(app)[2] == "card <*> expired"
        await pilot.press("plus")
        await until(pilot, lambda: causes(app) == ["carrier <*> refused parcel <*>", "card <*> expired"])
        await pilot.press("j", "vertical_line")
        await until(pilot, lambda: "Nothing can be kept apart" in said(app) or len(causes(app)) > 2)


async def test_members_are_a_list_of_their_own_that_can_be_filtered_and_retried() -> None:
    engine = shop()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MembersScreen) and screen(app).table.row is not None)
        assert screen(app).matching == 30
        assert screen(app).table.row.id == "i-29"
        await filter_by(app, pilot, "task:t-7")
        await until(pilot, lambda: screen(app).matching == 1 and screen(app).table.row.id == "i-7")
        await pilot.press("escape")
        await until(pilot, lambda: screen(app).matching == 30 and screen(app).table.row is not None)
        assert screen(app).table.row.id == "i-7"
        await pilot.press("g", "space", "space", "R")
        await until(pilot, lambda: isinstance(app.screen, LaunchDialog))
        assert app.screen.preparation.selection.ids == {"t-29", "t-28"}  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MembersScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, IncidentDetail))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MembersScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, MembersScreen))


async def test_an_engine_that_falls_silent_while_everything_is_read_is_waited_for() -> None:
    engine = Shop([raised(number, "HTTP 503") for number in range(900)])
    async with console(engine) as (app, pilot):
        read = engine.incidents

        async def failing(query: Any, first: int, size: int) -> list[Incident]:
            if query.incident_timestamp_before is not None:
                engine.gone = True
            return await read(query, first, size)

        engine.incidents = failing  # type: ignore[method-assign]
        await pilot.press("2")
        await until(pilot, lambda: app.session.connection.stale)
        assert "500 incidents of 900 so far" in shown(app)
        engine.gone = False
        engine.incidents = read  # type: ignore[method-assign]
        await look(app)
        await until(pilot, lambda: "1 group, 900 incidents, exact" in shown(app))


async def test_nothing_is_read_while_paused_and_the_rest_afterwards() -> None:
    engine = Shop([raised(number, "HTTP 503") for number in range(900)])
    async with console(engine) as (app, pilot):
        await pilot.press("p", "2")
        await until(pilot, lambda: screen(app).VIEW == "incidents" and screen(app).groups.open_incidents is not None)  # type: ignore[attr-defined]
        await pilot.pause(0.2)
        assert len(screen(app).groups.open_incidents.groups) == 0
        await pilot.press("p")
        await until(pilot, lambda: "900 incidents, exact" in shown(app))


class Worked(Shop):
    """Two tasks that failed; whichever worker a test names had them last."""

    def __init__(self) -> None:
        self.worker = "w1"
        super().__init__([raised(number, "HTTP 503", configuration=task(number).id) for number in range(2)])

    def _one(self, index: int) -> ExternalTask:
        return task(index).model_copy(update={"worker_id": self.worker})


async def test_the_workers_are_those_of_the_last_failure_without_a_key_being_pressed() -> None:
    engine = Worked()
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await until(pilot, lambda: "workers w1 2" in screen(app).query_one("#detail", Pane).text)
        engine.worker = "w2"
        engine.open.clear()
        engine.raise_(*(raised(9 + number, "HTTP 503", configuration=task(number).id) for number in range(2)))
        await look(app)
        await until(pilot, lambda: "workers w2 2" in screen(app).query_one("#detail", Pane).text)


@pytest.mark.parametrize("keys", [(), ("enter",)], ids=["groups", "members"])
async def test_r_asks_for_the_tasks_of_the_incidents_too(keys: tuple[str, ...]) -> None:
    engine = Worked()
    async with console(engine, size=(120, 30), view="incidents") as (app, pilot):
        await groups(app, pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: "w1" in shown(app))
        engine.worker = "w2"
        await pilot.press("r")
        await until(pilot, lambda: "w2" in shown(app) and "w1" not in shown(app))


async def test_only_incidents_that_fit_are_written_where_the_engine_cannot_filter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = shop()
    noted = set(list(engine.open)[:3])
    engine.notes = dict.fromkeys(noted, "vip")
    async with console(engine, view="incidents") as (app, pilot):
        await groups(app, pilot)
        await filter_by(app, pilot, "note:vip")
        await until(pilot, lambda: "1 group, 3 incidents" in shown(app))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, ExportDialog))
        screen(app).query_one("#file").value = str(tmp_path / "rows.json")
        await pilot.press("enter")
        await until(pilot, lambda: "rows written to" in said(app))
    assert {row["id"] for row in json.loads((tmp_path / "rows.json").read_text())} == noted


def test_what_is_cut_in_the_pane_of_a_group_shows_that() -> None:
    names = Counter({"retry-payment-by-card-or-invoice": 2, "retry-payment-by-card-or-transfer": 1})
    told = "".join(text for text, _ in _breakdown("topics ", names))
    assert told.count("…") == 2
    note = Group("T HTTP 503", "T", "HTTP 503", "HTTP 503")
    note.notes.update(["do not retry " + "x" * 300 + " or call ann"])
    assert "…" in "".join(text for text, _ in _note(note))
