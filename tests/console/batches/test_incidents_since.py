"""What has become of the incidents since a launch, by cause."""

from datetime import UTC, datetime, timedelta

import pytest

from retriage.console.batches import incidents_since
from retriage.console.batches.incidents_since import CauseSince, IncidentsReader
from retriage.console.screens.batches.incident_lines import incident_lines
from retriage.console.widgets.pane import laid_out
from tests.console.fake import FakeEngine, past_incident

START = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def engine() -> FakeEngine:
    shop = FakeEngine(0)
    shop.past_incidents = [
        past_incident("before", "t-0", "HTTP 503 after 7 ms", after(-60), after(-30)),
        past_incident("closed", "t-1", "HTTP 503 after 9 ms", after(-60), after(1)),
        past_incident("again", "t-1", "card 7 expired", after(2), None),
        past_incident("other", "t-9", "card 8 expired", after(3), None),
        past_incident("both", "t-2", "HTTP 503 after 1 ms", after(2), after(4)),
    ]
    return shop


async def test_opened_and_closed_by_cause_and_which_are_about_tasks_of_the_launch() -> None:
    told = await IncidentsReader(START, {"t-1", "t-2"}.__contains__).read(engine(), after(5))
    assert (told.opened, told.closed, told.complete) == (3, 2, True)
    assert told.causes == (CauseSince("card <*> expired", 2, 0, 1), CauseSince("HTTP 503 after <*>", 1, 2, 1))


async def test_each_incident_is_read_once_and_many_of_them_in_several_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents_since, "PAGE", 10)
    shop = FakeEngine(0)
    shop.past_incidents = [
        past_incident(f"i-{number}", f"t-{number}", "HTTP 503", after(-1), after(number / 100))
        for number in range(1, 96)
    ]
    reader = IncidentsReader(START)
    looks = [await reader.read(shop, after(5)) for _ in range(4)]
    assert [(look.closed, look.complete) for look in looks] == [(40, False), (80, False), (95, True), (95, True)]
    shop.past_incidents.append(past_incident("late", "t-0", "HTTP 503", after(-1), after(4)))
    assert (await reader.read(shop, after(6))).closed == 96


async def test_what_may_not_be_read_is_not_said_to_be_none() -> None:
    shop = FakeEngine(0)  # its lists of the history are empty, as of a user without READ_HISTORY
    told = await IncidentsReader(START).read(shop, after(5), history=False)
    assert (told.opened, told.closed) == (0, None)
    assert (await IncidentsReader(START).read(shop, after(5))).closed == 0


async def test_an_engine_that_keeps_no_history_tells_what_is_open() -> None:
    shop = FakeEngine(10)
    shop.no_logs = True
    opened = [one for one in shop._failed() if one.incident_timestamp > shop._failed()[0].incident_timestamp]
    told = await IncidentsReader(min(one.incident_timestamp for one in shop._failed())).read(shop, after(5))
    assert (told.opened, told.closed) == (len(opened), None)
    text = "\n".join("".join(part for part, _ in line) for line in laid_out(incident_lines(told, 8), 60))
    assert "closed ones are not shown by this engine" in text


async def test_more_causes_than_there_is_room_for_are_counted() -> None:
    shop = FakeEngine(0)
    shop.past_incidents = [
        past_incident(f"i-{number}", "t", f"cause {'abcdefghij'[number]}", after(1), None) for number in range(10)
    ]
    told = await IncidentsReader(START).read(shop, after(5))
    lines = incident_lines(told, 6)
    assert len(lines) == 6
    text = "\n".join("".join(part for part, _ in line) for line in laid_out(lines, 60))
    assert "7 more causes" in text
