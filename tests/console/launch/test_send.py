"""A launch from decision to certainty, without a screen: over a proxy with faults, on the engine in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.client import EngineClient
from retriage.console.launch import find_batch, preparation, send, unanswered
from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.find_batch import LATE
from retriage.console.launch.launch_events import (
    Disproved,
    Launched,
    LaunchEvent,
    NoAnswer,
    NotCarriedOut,
    NotFound,
    NotSent,
    Proven,
    RefusedByEngine,
    Sending,
    about_of,
    sentence_of,
)
from retriage.console.launch.overlapping_batches import overlapping_batches
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.preparation import LaunchPreparation
from retriage.console.launch.send import send_launch
from retriage.console.launch.unanswered import UnansweredLaunches
from retriage.console.reading.selected_tasks import read_selected_tasks
from retriage.console.reading.selection import Marked
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import BatchStatisticsQuery, ExternalTaskQuery, HistoricBatchQuery
from retriage.store.embedded import embedded_app
from retriage.store.journal import Journal, Launch
from retriage.store.settings import StoreSettings
from tests.support.fault_proxy import STATUSES, Drop, FaultTransport, page
from tests.support.plain import plain_world

LAUNCH = "^POST .*/retries-async"
BATCHES = "^GET .*/batch"


class Console:
    """One console without a screen, before a proxy with faults."""

    def __init__(self, client: EngineClient, transport: FaultTransport, journal: Journal | None) -> None:
        self.session = Session(ConnectionIdentity("TEST", "http://e/engine-rest", "ann"))
        self.session.connection.open(client)
        self.client = client
        self.faults = transport.faults
        self.journal = journal
        self.told: list[LaunchEvent] = []
        if journal is not None:
            self.session.memory.keep_journal(journal)
        self.search = UnansweredLaunches(self.session, self.told.append)
        self.session.watch.seek = self.search.seek  # type: ignore[method-assign]

    async def ids(self) -> frozenset[str]:
        return frozenset(task.id for task in await self.client.external_tasks(ExternalTaskQuery(), 0, 100))

    async def decided(self, retries: int = 3) -> DecidedLaunch:
        selection = Marked(await self.ids())
        selected_tasks = await read_selected_tasks(self.client, selection)
        assert selected_tasks is not None
        return DecidedLaunch(
            LaunchPlan(selection, retries, selected_tasks.facts(), selected_tasks), overlaps=frozenset()
        )

    async def launch(self, retries: int = 3) -> Launched | None:
        return await send_launch(self.session, await self.decided(retries), self.told.append)

    async def look(self) -> None:
        """One look of those beside everything else."""
        await self.search._look()

    async def written(self) -> Launch:
        assert self.journal is not None
        (launch,) = await self.journal.launches(self.session.memory.engine_name)
        return launch

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.told]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "BETWEEN_LOOKS", 0.0)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Any]:
    """The engine, with five tasks that have no retries; it carries out nothing by itself unless it is started."""
    app = embedded_app(str(folder / "store.db"), settings=StoreSettings())
    async with app.router.lifespan_context(app):
        await app.state.store.runner.stop()
        await plain_world(app.state.store.database, 5, retries=0)
        yield app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Any]:
    async with served(tmp_path) as one:
        yield one


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    opened = await Journal.open(tmp_path / "journal.db")
    yield opened
    await opened.close()


def console_before(app: Any, journal: Journal | None) -> Console:
    transport = FaultTransport(httpx.ASGITransport(app, raise_app_exceptions=False))
    client = EngineClient(httpx.AsyncClient(transport=transport, base_url="http://e/engine-rest"))
    return Console(client, transport, journal)


@pytest.fixture
def console(app: Any, journal: Journal) -> Console:
    return console_before(app, journal)


async def carry_out(app: Any, console: Console) -> None:
    """The engine carries its batches out."""
    await app.state.store.runner.start()
    for _ in range(3000):
        if not await console.client.batches(BatchStatisticsQuery(), 0, 1):
            break
    await app.state.store.runner.stop()


async def others(app: Any, retries: int) -> str:
    """Another console launches the same tasks; answers its batch."""
    other = console_before(app, None)
    batch = await other.client.launch_batch(
        BatchRequest(SetExternalTaskRetries(retries=retries, external_task_ids=sorted(await other.ids())))
    )
    return batch.id


async def batches(console: Console) -> int:
    return await console.client.count_historic_batches(HistoricBatchQuery())


def as_if_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time in which the batch would have begun is over."""
    monkeypatch.setattr(find_batch, "LATE", timedelta(seconds=-1))
    monkeypatch.setattr(unanswered, "ON_ITS_WAY", timedelta())


async def test_a_launch_that_is_answered_is_certain(console: Console) -> None:
    launched = await console.launch()
    assert launched is not None
    assert launched.certain
    assert console.kinds == ["Sending", "Launched"]
    written = await console.written()
    assert (written.state, written.batch_id, written.probable) == ("launched", launched.batch.id, False)
    assert written.sent_at is not None
    assert abs(written.sent_at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("status", [status for status in STATUSES if status not in (413, 401, 429)])
async def test_a_launch_that_was_carried_out_is_never_told_as_refused(console: Console, status: int) -> None:
    console.faults.play(page(status, passed_on=True), on=LAUNCH)
    launched = await console.launch()
    assert launched is not None
    assert not launched.certain, "nothing proves yet that it is its own"
    assert console.kinds == ["Sending", "NoAnswer", "Launched"]
    written = await console.written()
    assert (written.state, written.batch_id, written.probable) == ("launched", launched.batch.id, True)
    assert console.faults.count(LAUNCH) == await batches(console) == 1


async def test_a_refusal_by_the_engine_or_for_its_size_is_a_refusal(console: Console) -> None:
    console.faults.play(page(413), on=LAUNCH)
    assert await console.launch() is None
    assert console.kinds == ["Sending", "RefusedByEngine"]
    assert (await console.written()).state == "refused"
    assert isinstance(console.told[-1], RefusedByEngine)
    assert console.session.connection.stale == "", (
        "an order that was too large does not lose the engine, nor the safety that was off"
    )


async def test_a_probable_batch_is_proven_by_what_it_does(console: Console, app: Any) -> None:
    console.faults.play(Drop(passed_on=True), on=LAUNCH)
    launched = await console.launch()
    assert launched is not None
    await console.look()
    assert console.kinds[-1] == "Launched", "nothing is news"
    await carry_out(app, console)
    await console.look()
    assert console.told[-1] == Proven(1, launched.batch.id)
    written = await console.written()
    assert (written.in_doubt, written.said) == (False, ""), "that no answer proved anything is over"


async def test_where_every_look_fails_it_is_not_told_that_nothing_is_there(console: Console) -> None:
    console.faults.play(Drop(passed_on=True), on=LAUNCH)
    console.faults.play(page(502), on=BATCHES)
    order = await console.decided()
    assert await send_launch(console.session, DecidedLaunch(order.plan), console.told.append) is None
    assert console.kinds == ["Sending", "NoAnswer", "NotFound"]
    told = console.told[-1]
    assert isinstance(told, NotFound)
    assert told.looked_at is None
    assert sentence_of(told)[0].startswith("Could not look for it: ")
    written = await console.written()
    assert (written.state, written.looked_at) == ("unknown", None)
    console.faults.clear()
    await console.look()
    assert console.kinds[-1] == "Launched"
    assert about_of(told) == about_of(console.told[-1]) == "launch 1", "what was found takes the place of the doubt"
    written = await console.written()
    assert (written.state, written.probable) == ("launched", True)
    assert written.batch_id is not None


async def test_it_is_looked_for_after_the_next_start(app: Any, journal: Journal) -> None:
    console = console_before(app, journal)
    console.faults.play(Drop(passed_on=True), on=LAUNCH)
    console.faults.play(page(502), on=BATCHES)
    await send_launch(console.session, DecidedLaunch((await console.decided()).plan), console.told.append)
    again = console_before(app, journal)
    await again.look()
    assert again.kinds == ["Launched"]
    assert (await again.written()).state == "launched"


async def test_what_was_not_carried_out_is_known_when_its_time_is_over(
    console: Console, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.faults.play(page(504), on=LAUNCH)
    assert await console.launch() is None
    told = console.told[-1]
    assert isinstance(told, NotFound)
    assert told.looked_at is not None
    assert "its batch was not there" in sentence_of(told)[0]
    looked_at = (await console.written()).looked_at
    assert looked_at is not None, "the journal says that somebody has looked"
    assert abs(looked_at - told.looked_at) < timedelta(milliseconds=1)
    await console.look()
    assert (await console.written()).state == "unknown"
    as_if_later(monkeypatch)
    await console.look()
    assert isinstance(console.told[-1], NotCarriedOut)
    written = await console.written()
    assert written.state == "not_carried_out"
    assert "5 tasks of it still unchanged at" in written.said
    assert await batches(console) == 0


async def test_what_could_not_be_written_down_is_looked_for_again(
    console: Console, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.faults.play(page(504), on=LAUNCH)
    assert await console.launch() is None
    as_if_later(monkeypatch)
    settled, locked = console.journal.settled, []  # type: ignore[union-attr]

    async def locked_once(*place: Any, **values: Any) -> bool:
        if not locked:
            locked.append(place)
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return await settled(*place, **values)

    monkeypatch.setattr(console.journal, "settled", locked_once)
    await console.look()
    assert (await console.written()).state != "not_carried_out"
    await console.look()
    assert (await console.written()).state == "not_carried_out"


async def test_without_a_journal_it_is_looked_for_as_well(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    console = console_before(app, None)
    console.faults.play(page(504), on=LAUNCH)
    assert await console.launch() is None
    await console.look()
    as_if_later(monkeypatch)
    await console.look()
    assert console.kinds == ["Sending", "NoAnswer", "NotFound", "NotCarriedOut"]
    assert await console.search._look() == 0


async def test_somebody_else_s_batch_with_another_number_is_not_taken_for_it(
    console: Console, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_known(*asked: object) -> None:
        """The look before the launch failed: without it the batch may have begun after it was sent."""

    monkeypatch.setattr("retriage.console.launch.record.newest_start", not_known)
    console.faults.play(page(504), on=LAUNCH)
    order = await console.decided()
    his = await others(app, 1)
    launched = await send_launch(console.session, DecidedLaunch(order.plan), console.told.append)
    assert launched is not None
    assert (launched.batch.id, launched.certain) == (his, False)
    assert "probably belongs to the launch" in sentence_of(launched)[0]
    await carry_out(app, console)
    await console.look()
    assert Disproved(1, his) in console.told
    assert (await console.written()).batch_id is None
    as_if_later(monkeypatch)
    await console.look()
    assert (await console.written()).state == "not_carried_out"


async def test_a_batch_that_somebody_begins_after_the_preview_stops_the_launch(console: Console, app: Any) -> None:
    order = await console.decided()
    his = await others(app, 1)
    assert await send_launch(console.session, order, console.told.append) is None
    told = console.told[-1]
    assert isinstance(told, NotSent)
    assert "meanwhile" in told.why
    assert console.faults.count(LAUNCH) == 0
    assert console.journal is not None
    assert await console.journal.launches(console.session.memory.engine_name) == [], "nothing was to be sent"
    seen = DecidedLaunch(order.plan, overlaps=frozenset({his}))
    assert await send_launch(console.session, seen, console.told.append) is not None


async def test_it_is_not_confirmed_before_batches_of_others_were_looked_for(
    console: Console, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a batch would be taken for one that began meanwhile, and all that was typed would be for nothing."""
    his = await others(app, 1)
    looked, find = asyncio.Event(), overlapping_batches

    async def find_when_asked(*whose: Any) -> Any:
        await looked.wait()
        return await find(*whose)

    monkeypatch.setattr(preparation, "overlapping_batches", find_when_asked)
    launch = LaunchPreparation(console.session, Marked(await console.ids()), retries=3)
    counted = asyncio.Event()
    launch.listeners.append(lambda: counted.set() if launch.plan is not None else None)
    asking = asyncio.create_task(launch.ask())
    await counted.wait()
    assert launch.plan is not None
    assert launch.to_be_read is None
    assert launch.confirm("", "") is None
    assert launch.why_not("", "") == "Other batches at work are still being looked for."
    looked.set()
    await asking
    order = launch.confirm("", "")
    assert order is not None
    assert order.overlaps == {his}
    assert await send_launch(console.session, order, console.told.append) is not None


async def test_whoever_may_not_see_batches_confirms_all_the_same(console: Console) -> None:
    console.faults.play(page(403), on=BATCHES)
    launch = LaunchPreparation(console.session, Marked(await console.ids()), retries=3)
    await launch.ask()
    assert launch.to_be_read is not None
    assert launch.confirm("", "") is not None


async def test_where_it_cannot_be_looked_at_others_nothing_is_sent(console: Console) -> None:
    console.faults.play(page(502), on=BATCHES)
    assert await console.launch() is None
    assert console.kinds == ["Sending", "NotSent"]
    assert console.faults.count(LAUNCH) == 0


def test_every_event_has_its_sentence() -> None:
    now = datetime(2026, 3, 1, 2, 10, tzinfo=UTC)
    assert sentence_of(Sending("12,000 tasks")) == ("Launching a batch for 12,000 tasks …", "")
    assert sentence_of(NoAnswer("It was sent."))[0] == "It was sent. Looking for its batch …"
    told = sentence_of(NotFound(now, "", now + LATE, 2))[0]
    assert told.startswith("Look at 4 before launching again: 2 batches may be it; it is looked for until 02:20:00Z")
