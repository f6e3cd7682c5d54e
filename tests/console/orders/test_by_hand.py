"""One task is worked on by hand: the engine tells what became of it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from retriage.console.engine.client import EngineClient
from retriage.console.orders.by_hand import FORMS, HandWorkMistake, hand_work, work_by_hand
from retriage.console.orders.order import Order, Report
from retriage.console.screens.dialogs.confirm import Confirm
from retriage.console.screens.tasks.by_hand import ByHandDialog
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.console.widgets.pane import Pane
from retriage.store.database.clock import now
from retriage.store.embedded import embedded_app
from retriage.store.journal import Journal
from retriage.store.settings import StoreSettings
from tests.console.fake import FakeEngine, ids
from tests.console.settle import console, said, screen, until
from tests.engines import camunda
from tests.store.drawings import CAUGHT, CHOOSING
from tests.support.fault_proxy import Drop, Fault, FaultTransport, engine_error


@asynccontextmanager
async def answering(kind: str, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The embedded engine, or a real one."""
    if kind == "embedded":
        app = embedded_app(str(folder / "store.db"), settings=StoreSettings())
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://e/engine-rest") as http:
                yield http
        return
    if why := camunda.what_is_missing(configured=True):
        pytest.skip(why)
    with camunda.running(folder / "engine.log") as root:
        async with httpx.AsyncClient(base_url=root, trust_env=False, timeout=60) as http:
            yield http


class Desk:
    """Somebody works by hand on tasks of one process."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.session = Session(ConnectionIdentity("TEST", "http://e/engine-rest", ""))
        self.session.connection.open(EngineClient(http))

    async def begin(self, drawing: bytes, **variables: Any) -> tuple[str, str]:
        """A new instance and its task, which has failed."""
        parts = {"deployment-name": (None, "desk"), "data": ("order.bpmn", drawing)}
        assert (await self.http.post("/deployment/create", files=parts)).status_code == 200
        body = {"variables": {name: {"value": value} for name, value in variables.items()}}
        made = await self.http.post("/process-definition/key/order/start", json=body)
        assert made.status_code == 200, made.text
        instance = made.json()["id"]
        (task,) = await self.tasks(instance)
        assert (await self.http.put(f"/external-task/{task['id']}/retries", json={"retries": 0})).status_code == 204
        return instance, task["id"]

    async def tasks(self, instance: str) -> list[dict[str, Any]]:
        return (await self.http.get("/external-task", params={"processInstanceId": instance})).json()  # type: ignore[no-any-return]

    async def ordered(self, task: str, text: str) -> Order:
        order = await work_by_hand(self.session, task, hand_work(text))
        assert isinstance(order, Order), order
        return order

    async def work(self, task: str, text: str) -> Report:
        return await (await self.ordered(task, text)).send(self.session)


@pytest.mark.parametrize(
    "kind", ["embedded", pytest.param("real", marks=[pytest.mark.engine, pytest.mark.timeout(400)])]
)
async def test_a_task_is_completed_failed_or_ended_by_an_error(kind: str, tmp_path: Path) -> None:
    async with answering(kind, tmp_path) as http:
        desk = Desk(http)
        instance, task = await desk.begin(CHOOSING, rank=1, amount=-5)
        order = await desk.ordered(task, "complete amount=7 'note=paid by phone'")
        assert "Sets amount = 7 (Integer)." in order.sentences
        assert 'Sets note = "paid by phone" (String, a new variable).' in order.sentences
        assert (await desk.tasks(instance))[0]["workerId"] is None, "nothing was sent before it was confirmed"
        assert (await order.send(desk.session)).gone
        (after,) = await desk.tasks(instance)
        assert (after["activityId"], after["retries"]) == ("small", None)
        assert (await http.get(f"/incident/count?processInstanceId={instance}")).json() == {"count": 0}

        instance, task = await desk.begin(CHOOSING, rank=1)
        report = await desk.work(task, "complete")
        assert "The task is as it was." in report.sentence, "the gateway behind it misses its variable"
        (left,) = await desk.tasks(instance)
        assert (left["retries"], left["workerId"], left["lockExpirationTime"]) == (0, None, None)

        await desk.work(task, "fail 2 the clerk is away")
        (left,) = await desk.tasks(instance)
        assert (left["retries"], left["errorMessage"]) == (2, "the clerk is away")

        instance, task = await desk.begin(CAUGHT)
        await desk.work(task, "error DECLINED by=clerk")
        (after,) = await desk.tasks(instance)
        assert after["activityId"] == "call"
        variables = (await http.get(f"/process-instance/{instance}/variables")).json()
        assert {name: variables[name]["value"] for name in ("code", "by")} == {"code": "DECLINED", "by": "clerk"}


async def test_what_a_worker_holds_or_what_is_suspended_or_gone_is_left_alone(tmp_path: Path) -> None:
    async with answering("embedded", tmp_path) as http:
        desk = Desk(http)
        instance, task = await desk.begin(CHOOSING, rank=1, amount=5)
        work = hand_work("complete")
        await http.post(f"/external-task/{task}/lock", json={"workerId": "w-1", "lockDuration": 61_437})
        assert await work_by_hand(desk.session, task, work) == "Worker w-1 holds the task: U takes the lock off first."
        await http.post(f"/external-task/{task}/unlock")
        order = await desk.ordered(task, "complete")
        await http.post(f"/external-task/{task}/lock", json={"workerId": "w-2", "lockDuration": 61_437})
        assert "The task is as it was." in (await order.send(desk.session)).sentence
        assert (await desk.tasks(instance))[0]["workerId"] == "w-2", "a lock taken meanwhile stays"
        await http.post(f"/external-task/{task}/unlock")
        await http.put(f"/process-instance/{instance}/suspended", json={"suspended": True})
        assert await work_by_hand(desk.session, task, work) == "The task is suspended: activate its instance first."
        await http.delete(f"/process-instance/{instance}")
        assert "is not there any more" in str(await work_by_hand(desk.session, task, work))


class Watched(httpx.AsyncBaseTransport):
    """Passes requests on, and reads before each order what the journal knows of it."""

    def __init__(self, http: httpx.AsyncClient, journal: Journal) -> None:
        self.http = http
        self.journal = journal
        self.known: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.known += [one.outcome for one in await self.journal.by_hand("e")]
        return await self.http._transport.handle_async_request(request)


@pytest.mark.parametrize(
    ("fault", "outcome", "said"),
    [
        (None, "done", ""),
        (engine_error(500), "refused", "The task is as it was."),
        (Drop(passed_on=True), "unknown", "A lock of"),
    ],
)
async def test_it_is_in_the_journal_before_its_requests_are_sent(
    tmp_path: Path, fault: Fault | None, outcome: str, said: str
) -> None:
    async with answering("embedded", tmp_path) as http:
        desk, journal = Desk(http), await Journal.open(tmp_path / "journal.db")
        _, task = await desk.begin(CAUGHT)
        watched = Watched(http, journal)
        transport = FaultTransport(watched)
        desk.session = Session(ConnectionIdentity("TEST", "http://e/engine-rest", "ann", name="e"))
        desk.session.connection.open(EngineClient(httpx.AsyncClient(transport=transport, base_url=http.base_url)))
        desk.session.memory.keep_journal(journal)
        order = await desk.ordered(task, "error DECLINED by=clerk")
        assert await journal.by_hand("e") == []
        if fault is not None:
            transport.faults.play(fault, on="^POST .*/bpmnError$")
        await order.send(desk.session)
        assert watched.known[0] == "asked"
        (written,) = await journal.by_hand("e")
        assert (written.task_id, written.what, written.variables) == (task, "error DECLINED", ("by",))
        assert (written.user, written.topic, written.outcome) == ("ann", "charge", outcome)
        assert (said in written.said, "clerk" in written.said) == (True, False)
        assert await journal.by_hand("another engine") == []
        assert await journal.forget_before(written.began_at) == 0
        assert await journal.forget_before(now() + timedelta(days=1)) == 1
        assert await journal.by_hand("e") == []
        await journal.close()


async def test_it_is_done_where_the_journal_cannot_be_written_and_that_is_said(tmp_path: Path) -> None:
    async with answering("embedded", tmp_path) as http:
        desk, journal = Desk(http), await Journal.open(tmp_path / "journal.db")
        _, task = await desk.begin(CAUGHT)
        desk.session.memory.keep_journal(journal)
        with closing(sqlite3.connect(tmp_path / "journal.db")) as file, file:
            file.execute("DROP TABLE by_hand")
        report = await desk.work(task, "error DECLINED")
        assert report.gone
        assert "The journal cannot be written: " in report.sentence
        await journal.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", FORMS[0]),
        ("finish", FORMS[0]),
        ("error", FORMS[1]),
        ("error amount=5", FORMS[1]),
        ("fail again", FORMS[2]),
        ("fail -1 no", FORMS[2]),
        ("fail 99999999999 no", FORMS[2]),
        ("complete amount", "Write it like NAME=TEXT"),
        ("complete 'amount=5", "quotation mark"),
    ],
)
def test_what_is_no_work_says_what_can_be_typed(text: str, why: str) -> None:
    with pytest.raises(HandWorkMistake, match=r".*") as mistake:
        hand_work(text)
    assert why in str(mistake.value)


async def test_it_is_typed_confirmed_and_sent_by_keys() -> None:
    engine = FakeEngine(20)
    async with console(engine) as (app, pilot):
        await pilot.press("j", "j", "j", "W")
        await until(pilot, lambda: isinstance(app.screen, ByHandDialog))
        await pilot.press(*"complet", "enter")
        assert FORMS[1] in app.screen.query_one(Pane).text, "what was typed is no work"
        await pilot.press("e", "enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.delay.over)
        assert engine.orders == []
        await pilot.press("L")
        await until(pilot, lambda: "The task is completed" in said(app))
        (task,) = ids([3])
        assert [order[:2] for order in engine.orders] == [("lock", task), ("complete", task)]
        assert screen(app)
