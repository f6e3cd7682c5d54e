"""Keeps the engine and the journal open for as long as the console runs, and what goes on beside the screens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem
from retriage.console.engine.identity import RETRIAGE
from retriage.console.journal import NoJournal, forget_old, journal_problem
from retriage.console.launch.launch_events import about_of, sentence_of
from retriage.console.launch.unanswered import UnansweredLaunches
from retriage.console.runs.open_runs import tell_open_runs
from retriage.console.text.words import things
from retriage.store.progress import TELL

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import WorkType

    from retriage.console.engine.client import EngineClient
    from retriage.console.runs.followed_runs import FollowedRuns
    from retriage.console.session.session import Session
    from retriage.store.journal import Journal

CLOSING = 10.0
"""Seconds that the engine has to close in an orderly way."""
ANSWERS_FIRST = 1.0
"""Seconds for which the journal waits until the engine has told who it is: importing it takes half a second of the
processor, which the first rows would wait for."""
GIVING_UP = 1.0
"""Seconds that an engine which is still opening has to stop doing so."""

Connect = Callable[[], "AbstractAsyncContextManager[EngineClient]"]
OpenJournal = Callable[[], "AbstractAsyncContextManager[Journal]"]


class EngineHolder:
    """Opens the engine, then the journal; closes both.

    Args:
        app: runs workers.
        session: is told what became of it.
        connect: opens the engine when it is called and entered, and closes it when it is left. What it raises is shown
            in one sentence.
        journal: opens the operator's journal; without it nothing is remembered.
        keep_days: days for which the journal keeps what is over; none keeps it for ever.
    """

    def __init__(
        self, app: App[None], session: Session, connect: Connect, journal: OpenJournal | None, keep_days: int | None
    ) -> None:
        self._app = app
        self._session = session
        self._connect = connect
        self._open_journal = journal
        self._keep_days = keep_days
        self._leaving = asyncio.Event()
        self._followed_runs: FollowedRuns | None = None
        self._unanswered: UnansweredLaunches | None = None
        self._identified = asyncio.Event()
        """The engine was asked who it is, whatever it said."""
        self._engine: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to open the engine."""
        self._engine = asyncio.create_task(self._hold(), name="engine")

    async def close(self) -> None:
        """Close the engine before the process ends. One that is still opening has nothing to close."""
        session = self._session
        self._leaving.set()
        await session.watch.stop()
        if self._unanswered is not None:
            await self._unanswered.stop()
        if self._followed_runs is not None:
            await self._followed_runs.stop()
        if self._engine is not None:
            if session.connection.client is None:
                self._engine.cancel()
            _, late = await asyncio.wait({self._engine}, timeout=CLOSING if session.connection.client else GIVING_UP)
            if late:
                self._engine.cancel()
                # What it has open is closed on the way out, or with the process.
                await asyncio.wait(late, timeout=GIVING_UP)

    async def _hold(self) -> None:
        """Keep the engine open until the console leaves. One task enters and leaves it."""
        session, loop = self._session, asyncio.get_running_loop()

        def tell(sentence: str) -> None:
            loop.call_soon_threadsafe(partial(session.news.say, sentence, "muted", about="update"))

        TELL.set(tell)  # what takes long while it is opened, from any thread
        try:
            async with self._connect() as client, AsyncExitStack() as beside:
                session.connection.open(client)
                self._follow()
                with suppress(TimeoutError):
                    async with asyncio.timeout(ANSWERS_FIRST):
                        await self._identified.wait()
                await self._keep_journal(beside)
                await self._leaving.wait()
        except Exception as problem:
            if not self._leaving.is_set():
                sentence = getattr(problem, "sentence", "") or f"The engine could not be opened: {problem}"
                session.connection.not_opened(sentence)

    # -- the journal ------------------------------------------------------------------------------------------------

    async def _keep_journal(self, beside: AsyncExitStack) -> None:
        """Open the journal; where that cannot be done the console works without."""
        if self._open_journal is None:
            return
        try:
            journal = await beside.enter_async_context(self._open_journal())
        except NoJournal as problem:
            self._session.memory.do_without_journal()
            self._session.news.say(f"{problem} Nothing is remembered.", "warning")
        else:
            self._session.memory.keep_journal(journal)
            self._session.watch.seek()
            self._follow_runs()
            await self._tell_open_runs()
            await self._forget(journal)

    def _follow_runs(self) -> None:
        """The figures of runs go on."""
        from retriage.console.runs.followed_runs import FollowedRuns  # 233 ms, after the journal

        self._followed_runs = FollowedRuns(self._session)
        self._followed_runs.start()

    async def _forget(self, journal: Journal) -> None:
        """What is over and older than the operator wants to keep."""
        try:
            number = await forget_old(journal, self._keep_days)
        except journal_problem():
            return  # whoever writes next is told
        if number:
            over = things(number, "launch or run", "launches and runs")
            self._session.news.say(f"The journal has forgotten {over} older than {self._keep_days} days.", "muted")
            self._session.news.publish("journal")

    async def _tell_open_runs(self) -> None:
        """Runs that wait are told at once: nothing of them is sent before the operator says so."""
        if sentence := await tell_open_runs(self._session):
            self._session.news.say(sentence, "warning")

    # -- the engine -------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        session = self._session
        self._unanswered = UnansweredLaunches(
            session, lambda event: session.news.say(*sentence_of(event), about=about_of(event))
        )
        self._unanswered.start()
        session.watch.start(self._unanswered.seek)
        session.news.subscribe(self._app, self._heed_state)
        self._identify()

    def _heed_state(self, news: str) -> None:
        """Ask who the engine is as soon as it answers, if it has not told yet."""
        connection = self._session.connection
        if news == "state" and not connection.identity.kind and not connection.stale:
            self._identify()

    def _identify(self) -> None:
        learn: WorkType[None] = self._learn_identity
        self._app.run_worker(learn, group="app.identify", exclusive=True, exit_on_error=False)

    async def _learn_identity(self) -> None:
        session = self._session
        with suppress(EngineProblem):
            await session.connection.learn_capabilities()
        with suppress(EngineProblem):
            await session.connection.learn_rights()
        with suppress(EngineProblem):
            known = await session.connection.ask(lambda client: client.identity())
            # The engine's version begins with the 7 that its name ends with.
            name = known.kind.removesuffix(" 7") if known.version else known.kind
            kind = f"{name} {known.version or ''}".strip()
            if session.connection.identity.snapshot_of:
                kind = session.connection.identity.kind
            elif known.kind == RETRIAGE and (known.version or "").startswith("7."):
                # The version that it tells is the contract's, not its own, which --version tells.
                kind = f"{RETRIAGE} store, contract {known.version}"
            session.connection.identify(
                replace(session.connection.identity, engine=known.name, kind=kind, url=session.connection.identity.url)
            )
        self._identified.set()
