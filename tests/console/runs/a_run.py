"""A run before an engine in this process: tasks, a worker of one's own, a console without a screen, and a clock that
is turned on by whoever waits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from retriage.console.engine.client import EngineClient
from retriage.console.operations.operation import FrozenUnits
from retriage.console.reading.selection import Marked
from retriage.console.runs.driver import RunDriver
from retriage.console.runs.driver_name import driver_name
from retriage.console.runs.events import RunEnded, RunEvent, RunHeld
from retriage.console.runs.run import RunOrder, write_down
from retriage.console.runs.run_view import RunView, read_run
from retriage.console.session.connection_identity import ConnectionIdentity
from retriage.console.session.session import Session
from retriage.store.embedded import embedded_app
from retriage.store.journal import Journal
from retriage.store.settings import StoreSettings
from retriage.store.tables.job import WITHOUT_DATE
from tests.store.drawings import ONE_TASK
from tests.support.fault_proxy import FaultTransport

ROOT = "http://e/engine-rest"
OUTAGE = "HTTP 503 from psp"
"""What all tasks have failed of at first."""


class Clock:
    """Goes on by what is slept, and by nothing else."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.turned: Callable[[], Any] | None = None
        """What happens in the world whenever somebody has slept."""

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)
        if self.turned is not None:
            await self.turned()


class Scene:
    """An engine, a journal, a worker; consoles come and go."""

    def __init__(self, app: Any, journal: Journal, folder: Path) -> None:
        self.app = app
        self.journal = journal
        self.folder = folder
        self.clock = Clock()
        self.transport = FaultTransport(httpx.ASGITransport(app, raise_app_exceptions=False))
        self.faults = self.transport.faults
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ROOT)
        self.told: list[RunEvent] = []
        self.fails: dict[str, str] = {}
        """Task -> the message with which its worker fails it."""
        self.idle: set[str] = set()
        """Tasks that nobody works on."""
        self.works = True
        self.fail_all = ""
        self.clock.turned = self.turn
        self._store = sqlite3.connect(folder / "store.db", timeout=30)

    def close(self) -> None:
        """Nothing is asked past the engine any more."""
        self._store.close()

    def console(self) -> Session:
        session = Session(ConnectionIdentity("TEST", ROOT, "ann", name="e"))
        session.connection.open(EngineClient(httpx.AsyncClient(transport=self.transport, base_url=ROOT)))
        session.memory.keep_journal(self.journal)
        return session

    async def ids(self) -> list[str]:
        """All tasks, the oldest first, as a run takes them."""
        rows = self.sql("SELECT id FROM external_task ORDER BY create_time, id")
        return [str(row[0]) for row in rows]

    def sql(self, question: str, *values: object) -> list[Any]:
        """Ask the store's file, past everything."""
        with self._store:
            return self._store.execute(question, values).fetchall()

    def remembered(self, question: str, *values: object) -> list[Any]:
        """Ask the journal's file, past everything."""
        file = sqlite3.connect(self.folder / "journal.db", timeout=30)
        try:
            return file.execute(question, values).fetchall()
        finally:
            file.close()

    async def turn(self) -> None:
        """The engine carries out its batches; then the worker does its work, if there is one."""
        await self.carry_out()
        if self.works:
            await self.work()

    async def carry_out(self) -> None:
        """Every job that can be carried out now, is; a monitor job gets its turn when no other job of its batch is
        left."""
        ready = f"SELECT 1 FROM job WHERE {WITHOUT_DATE} LIMIT 1"
        if not self.sql(ready):
            return
        runner = self.app.state.store.runner
        await runner.start()
        for _ in range(3000):
            if not self.sql(ready):
                break
            await asyncio.sleep(0.002)
        await runner.stop()

    async def work(self) -> None:
        """A worker takes what it can get, and completes or fails it."""
        if not self.sql("SELECT 1 FROM external_task WHERE retries IS NULL OR retries > 0 LIMIT 1"):
            return
        body = {"workerId": "w", "maxTasks": 1000, "topics": [{"topicName": "charge", "lockDuration": 60_000}]}
        got = (await self.http.post("/external-task/fetchAndLock", json=body)).json()
        for task in got:
            id = task["id"]
            said = self.fails.get(id) or self.fail_all
            if id in self.idle:
                await self.http.post(f"/external-task/{id}/unlock")
            elif said:
                left = max(0, (task["retries"] or 1) - 1)
                order = {"workerId": "w", "errorMessage": said, "retries": left, "retryTimeout": 0}
                await self.http.post(f"/external-task/{id}/failure", json=order)
            else:
                await self.http.post(f"/external-task/{id}/complete", json={"workerId": "w"})

    async def outage(self, tasks: int) -> None:
        """So many instances whose task has failed for good."""
        parts = {"deployment-name": (None, "night"), "data": ("order.bpmn", ONE_TASK)}
        assert (await self.http.post("/deployment/create", files=parts)).status_code == 200
        for _ in range(tasks):
            assert (await self.http.post("/process-definition/key/order/start", json={})).status_code == 200
        self.fail_all = OUTAGE
        self.sql("UPDATE external_task SET retries = 1")
        await self.work()
        self.fail_all = ""

    async def work_on(self, id: str, report: str, order: dict[str, Any]) -> None:
        """The worker takes one task, and reports about it."""
        body = {"workerId": "w", "maxTasks": 1000, "topics": [{"topicName": "charge", "lockDuration": 60_000}]}
        got = (await self.http.post("/external-task/fetchAndLock", json=body)).json()
        for task in got:
            if task["id"] != id:
                await self.http.post(f"/external-task/{task['id']}/unlock")
        answer = await self.http.post(f"/external-task/{id}/{report}", json={"workerId": "w", **order})
        assert answer.status_code == 204, answer.text

    def forget_driver(self, run: int) -> None:
        """Nobody drives it, as far as the journal knows."""
        file = sqlite3.connect(self.folder / "journal.db", timeout=30)
        file.execute("UPDATE run SET driver = '', driven_until = NULL WHERE id = ?", (run,))
        file.commit()
        file.close()

    # -- runs

    async def frozen(self, session: Session, order: RunOrder, ids: Sequence[str] | None = None) -> FrozenUnits:
        client = await session.connection.opened()
        selection = Marked(frozenset(ids if ids is not None else await self.ids()))
        return await order.operation.freeze(client, selection, client.engine_now())

    async def begin(self, order: RunOrder, session: Session | None = None, driver: str = "") -> int:
        session = session or self.console()
        name = driver or driver_name()
        run = await write_down(session, order, await self.frozen(session, order), name)
        await self.journal.runs.leave(run, name)
        return run

    def driver(self, run: int, session: Session | None = None, **other: Any) -> RunDriver:
        session = session or self.console()
        return RunDriver(session, run, self.told.append, clock=self.clock, sleep=self.clock.sleep, **other)

    async def drive(self, run: int, **how: bool) -> RunHeld | RunEnded:
        return await self.driver(run).drive(**how)

    async def view(self, run: int) -> RunView:
        view = await read_run(self.journal.runs, run)
        assert view is not None
        return view

    @property
    def held(self) -> RunHeld:
        held = self.told[-1]
        assert isinstance(held, RunHeld)
        return held


_FAILED: dict[int, bytes] = {}
"""Stores with so many tasks that have failed: to make one takes a second, most of what a test of a run takes."""


@asynccontextmanager
async def scene(folder: Path, tasks: int) -> AsyncIterator[Scene]:
    """An engine with so many tasks that have failed; it carries out nothing by itself."""
    file = folder / "store.db"
    if tasks not in _FAILED:
        async with _scene(folder) as first:
            await first.outage(tasks)
        _FAILED[tasks] = file.read_bytes()
    file.write_bytes(_FAILED[tasks])
    async with _scene(folder) as one:
        yield one


@asynccontextmanager
async def _scene(folder: Path) -> AsyncIterator[Scene]:
    app = embedded_app(str(folder / "store.db"), settings=StoreSettings())
    async with app.router.lifespan_context(app):
        await app.state.store.runner.stop()
        journal = await Journal.open(folder / "journal.db")
        one = Scene(app, journal, folder)
        try:
            yield one
        finally:
            one.close()
            await journal.close()
