"""A proxy writes the Date headers by a clock of its own, ten minutes off."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.engine.engine_clock import EngineClock
from retriage.console.launch.undo import undo_of_run
from retriage.console.operations.retry import SetRetries
from retriage.console.reading.selection import Marked
from retriage.console.runs.gate import Gate
from retriage.console.runs.run import RunOrder
from retriage.console.runs.service import RunService
from retriage.console.runs.waves import waves_of
from retriage.console.session.session import Session
from tests.console.runs.a_run import OUTAGE, ROOT, Scene, scene

MINUTES = timedelta(minutes=10)


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, 6) as one:
        yield one


def ordered(**other: float) -> RunOrder:
    gate = Gate(other.pop("gate", 0.05))
    return RunOrder("all of them", SetRetries(1), waves_of("rest"), gate, **other)


class OtherDates(httpx.AsyncBaseTransport):
    """Answers of an engine with the Date of somebody else."""

    def __init__(self, engine: httpx.AsyncBaseTransport, ahead: timedelta) -> None:
        self._engine = engine
        self._ahead = ahead

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._engine.handle_async_request(request)
        answer.headers["Date"] = format_datetime(datetime.now(UTC) + self._ahead, usegmt=True)
        return answer


def behind(night: Scene, ahead: timedelta) -> Session:
    """A console behind such a proxy."""
    session = night.console()
    transport = OtherDates(night.transport, ahead)
    session.connection.open(EngineClient(httpx.AsyncClient(transport=transport, base_url=ROOT)))
    return session


async def locked(night: Scene) -> list[dict[str, Any]]:
    """A worker takes all that it gets, and keeps it for five minutes. It is not the one that failed them: of that one a
    lock in a hundred ends like a retry time."""
    body = {"workerId": "another", "maxTasks": 1000, "topics": [{"topicName": "charge", "lockDuration": 300_000}]}
    return list((await night.http.post("/external-task/fetchAndLock", json=body)).json())


async def test_what_a_worker_holds_is_not_taken_back(night: Scene) -> None:
    session = behind(night, MINUTES)
    night.works = False
    run = await night.begin(ordered(watch=1.0), session)
    turn, got = night.clock.turned, []
    assert turn is not None

    async def turned() -> None:
        await turn()
        got.extend(await locked(night))

    night.clock.turned = turned
    await night.driver(run, session).drive()
    assert len(got) == 6
    assert (night.held.cause, night.held.counts.locked) == ("still-locked", 6)
    undo = await undo_of_run(session, (await night.view(run)).run)
    assert (undo.count, "locked" in undo.why_not) == (0, True), undo.why_not


@pytest.mark.parametrize("ahead", [MINUTES, -MINUTES], ids=["ahead", "behind"])
async def test_a_failure_is_one_of_before_or_one_of_after_the_launch(night: Scene, ahead: timedelta) -> None:
    session = behind(night, ahead)
    ids = await night.ids()
    night.fails = dict.fromkeys(ids[:2], OUTAGE)
    await session.connection.ask(lambda client: client.check_clock())
    run = await night.begin(ordered(gate=0.5), session)
    ended = await night.driver(run, session).drive()
    assert (ended.counts.done, ended.counts.again, ended.counts.total) == (4, 2, 6)


def test_a_clock_is_between_what_it_has_reached_and_what_is_to_come() -> None:
    clock, now = EngineClock(), datetime.now(UTC)
    clock.told(now + MINUTES)
    assert (clock.difference > MINUTES - timedelta(seconds=2), clock.disproved) == (True, False)
    clock.short_of(now + timedelta(minutes=5), now)
    assert clock.disproved
    assert clock.now() <= now + timedelta(minutes=5, seconds=5)
    clock.reached(now - timedelta(minutes=1))
    assert clock.now() > now + timedelta(minutes=4)
    clock.told(now - MINUTES)
    assert timedelta(seconds=-70) < clock.difference < timedelta(seconds=-50)


def test_a_lock_that_disproves_the_headers_is_not_over_while_that_is_believed() -> None:
    clock, now = EngineClock(), datetime.now(UTC)
    lock = now + timedelta(minutes=5)
    clock.told(now + MINUTES)
    clock.short_of(lock, now - timedelta(seconds=19))
    assert clock.now() < lock


def test_a_clock_that_was_set_is_what_was_known_of_it_last() -> None:
    clock, now = EngineClock(), datetime.now(UTC)
    clock.short_of(now + timedelta(minutes=5), now)
    clock.reached(now + timedelta(hours=1))
    assert timedelta(minutes=59) < clock.difference < timedelta(minutes=61)
    clock.short_of(now, now)
    assert clock.difference == timedelta()


def test_a_clock_that_has_reached_an_incident_is_beyond_the_log_entry_of_its_failure() -> None:
    clock, incident = EngineClock(), datetime.now(UTC) - MINUTES
    clock.told(incident - MINUTES)
    clock.reached(incident)
    assert clock.now() >= incident + timedelta(milliseconds=50)


async def test_a_freeze_holds_the_clock_against_its_records_where_that_was_just_done(
    night: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = behind(night, -MINUTES)
    reached: list[datetime] = []
    monkeypatch.setattr(EngineClock, "reached", lambda _, moment: reached.append(moment))
    await session.connection.ask(lambda client: client.check_clock())
    await session.connection.ask(lambda client: client.check_clock())
    assert len(reached) == 1
    await RunService(session, night.told.append).freeze(Marked(frozenset(await night.ids())), SetRetries(1))
    assert len(reached) == 2
