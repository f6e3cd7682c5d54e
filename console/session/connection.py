"""The engine of this console: asking it, what it can, what its user may, and whether it may be changed now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from retriage.console.engine.capabilities import AT_CONNECT, Capabilities
from retriage.console.engine.errors import EngineProblem
from retriage.console.engine.history_level import infer_history_level
from retriage.console.engine.rights import READ_BATCH_HISTORY, READ_HISTORY, Rights, find_rights
from retriage.console.session.freshness import ConnectionState, Freshness
from retriage.console.session.poller import hurry_all
from retriage.console.session.safety import safety_of
from retriage.console.text.inert import inert
from retriage.console.text.words import clock

if TYPE_CHECKING:
    from retriage.console.batches.batch_end import Unrecorded
    from retriage.console.engine.client import EngineClient
    from retriage.console.engine.history_level import History, HistoryLevel
    from retriage.console.engine.target import Demo
    from retriage.console.session.connection_identity import ConnectionIdentity
    from retriage.console.session.news import NewsFeed

T = TypeVar("T")
ORDERS = "orders"
"""What sentences on whether the engine can be changed now are about."""


class Connection:
    """One engine.

    Args:
        identity: what is known about it before it has answered.
        news: carries what changes.
        counts: rows of each view, as far as they are counted: a list without rows tells little of what is known there.
        demo: the made-up world that this engine is, if it is one.
    """

    def __init__(
        self, identity: ConnectionIdentity, news: NewsFeed, counts: Mapping[str, int], demo: Demo | None = None
    ) -> None:
        self.identity = identity
        self.demo = demo
        self.safety = safety_of(identity)
        """Whether orders may be given; it is of this engine, and so is gone with it."""
        self.client: EngineClient | None = None
        self.failed_to_open = ""
        """One sentence if the engine could not be opened."""
        self.state = ConnectionState(self._lost, self._found)
        """Whether the engine answers well."""
        self.rights = Rights()
        """What the user may do, once the engine has told."""
        self.history_level: HistoryLevel = "not known"
        """How much the engine keeps of what has ended, as far as it shows."""
        self.most_ids = 25_000
        """Ids that one order may name: so many fit into the 1 MB that nginx takes in; fewer once a proxy refused more.
        """
        self.launching = False
        """A launch is on its way: until it is known what became of it no other may begin."""
        self._news = news
        self._counts = counts
        self._capabilities: Capabilities | None = None
        self._learning = asyncio.Lock()
        self._opened = asyncio.Event()

    def open(self, client: EngineClient) -> None:
        """The engine answers from now on."""
        self.client = client
        client.guard_orders(self.safety.why_not)
        self.state.opened()
        self._opened.set()
        self._news.publish("state")
        if self.identity.warning:
            self._news.say(self.identity.warning, "warning")

    def not_opened(self, sentence: str) -> None:
        """It could not be opened, for what the sentence says."""
        self.failed_to_open = inert(sentence)
        self._news.say(sentence, "failed")
        self._news.publish("state")

    async def opened(self) -> EngineClient:
        """The engine, as soon as it is open."""
        await self._opened.wait()
        assert self.client is not None
        return self.client

    @property
    def capabilities(self) -> Capabilities:
        """What the engine can, as far as it is known; what is doubtful is not left to it before it has answered."""
        return self._capabilities or Capabilities()

    async def learn_capabilities(self) -> None:
        """Find out what the engine can, unless that is known; a list that had no rows is looked at when it has some.

        Raises:
            EngineProblem: the engine did not answer.
        """
        async with self._learning:
            known = self._capabilities
            if known is not None and known.asked:
                rows = [subject for subject in AT_CONNECT if self._counts.get(subject)]
                if known.everything or all(known.of(subject).seen for subject in rows):
                    return
            self._keep_capabilities(await self.ask(lambda client: client.capabilities(known)))

    async def learn_rights(self) -> None:
        """Find out what the user may do and what the engine keeps, as far as that is not known yet.

        Raises:
            EngineProblem: the engine did not answer.
        """
        async with self._learning:
            if self.rights.to_be_asked:
                self.rights = await self.ask(find_rights)
                self._news.publish("identity")
            # What may not be read looks like what is not kept.
            if self.history_level == "not known" and not self.rights.lacks(READ_HISTORY):
                processes = self.rights.only_on(READ_HISTORY)
                self.history_level = await self.ask(lambda client: infer_history_level(client, processes))
                self._news.publish("identity")

    @property
    def history_tells(self) -> bool:
        """Entries of tasks and incidents that are not in the history have not happened, as far as is known: it is kept,
        and this user may read all of it. Its lists are empty otherwise, and not refused."""
        return self.history_level in ("full", "not known") and not self.rights.not_on_all(READ_HISTORY)

    @property
    def history(self) -> History:
        """Whether the history shows how every task ended; where it is known not to, the operator was warned."""
        if self.history_level in ("none", "refused") or self.rights.not_on_all(READ_HISTORY):
            return "unreadable"
        return "not known" if self.history_level == "not known" else "kept"

    @property
    def job_history(self) -> History:
        """The same of jobs, whose log is kept at level full only."""
        return "unreadable" if self.history_level == "activity or audit" else self.history

    @property
    def unrecorded(self) -> Unrecorded:
        """Why nothing is known of how a batch ended that has left no entry in the history."""
        if self.history_level not in ("full", "not known"):
            return "untold"
        return "unseen" if self.rights.lacks(READ_BATCH_HISTORY) else "gone"

    async def prove(self, subject: str, fields: Iterable[str]) -> Capabilities:
        """What the engine can, when these filters are proven too; each is asked about once.

        Raises:
            EngineProblem: the engine did not answer.
        """
        await self.learn_capabilities()
        async with self._learning:
            known = self.capabilities
            if wanted := known.unproven(subject, fields):
                self._keep_capabilities(await self.ask(lambda client: client.prove(known, subject, wanted)))
        return self.capabilities

    def _keep_capabilities(self, found: Capabilities) -> None:
        if found != self._capabilities:
            self._capabilities = found
            self._news.publish("capabilities")

    async def ask(self, question: Callable[[EngineClient], Awaitable[T]], view: Freshness | None = None) -> T:
        """Ask the engine, and remember whether it answered well. A question that sends nothing tells nothing about it.

        Args:
            question: asks it.
            view: whose question it is; that it failed is noted there. That all was answered is for the view to note.

        Raises:
            EngineProblem: it refused, or did not answer.
        """
        client = await self.opened()
        answers = client.answers
        with self.state.waiting() as began:
            try:
                answer = await question(client)
            except EngineProblem as problem:
                self.state.failed(problem, began, view, client.answers != answers)
                raise
        if client.answers != answers:
            self.state.heard(began)
        return answer

    def now(self) -> datetime:
        """Now, by the engine's clock, which locks and due dates go by; of a snapshot, its moment."""
        if self.identity.stands_at is not None:
            return self.identity.stands_at
        return self.client.engine_now() if self.client is not None else datetime.now(UTC)

    def ask_again(self) -> None:
        """The operator wants the engine to be asked, also where nothing was to be asked for a while."""
        if self.client is not None and self.client.hold.seconds:
            self.client.hold.release()
            hurry_all()

    def _found(self) -> None:
        self._news.say("The engine answers again.", "good", about=ORDERS)
        hurry_all()
        self._news.publish("state")

    def _lost(self, problem: EngineProblem) -> None:
        answered = datetime.now(UTC) - timedelta(seconds=self.state.age)
        # What is cut off on a narrow screen is what line 1 says too.
        off = "SAFE again, nothing can be changed." if self.safety.lock() else "Nothing can be changed."
        held = " Nothing is asked until r is pressed: wrong logins lock an account." if self.state.held else ""
        self._news.say(
            f"{off} {problem.sentence}{held} Its last answer came at {clock(answered)}.", "failed", about=ORDERS
        )
        self._news.publish("state")

    @property
    def stale(self) -> str:
        """One sentence while the engine does not answer well; empty while it does."""
        return self.state.problem.sentence if self.state.problem is not None else ""

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last answered request took."""
        return self.client.round_trip if self.client else None

    def why_unheard(self, view: Freshness | None = None) -> str:
        """One sentence if the engine does not hear orders now, or none about the rows of this view; empty otherwise."""
        if self.client is None:
            return self.failed_to_open or "The engine is not open yet."
        if self.filling:
            return "The demo world is still being written; it can be changed in a moment."
        if self.state.silent:
            return "Nothing can be changed until the engine answers."
        if view is not None and view.problem is not None:
            return f"Nothing can be changed here until these rows can be read ({view.problem.brief})."
        return ""

    def begin_launch(self) -> None:
        """A launch is on its way; no other begins before it is over."""
        self.launching = True

    def end_launch(self) -> None:
        """It is known what became of it."""
        self.launching = False

    def name_fewer_ids(self, refused: int) -> None:
        """An order that named so many ids was too large for something in between."""
        self.most_ids = min(self.most_ids, -(-refused // 2))

    def why_no_launch(self) -> str:
        """One sentence while a launch is on its way; empty while none is."""
        return "A launch is still on its way; wait until it is known what became of it." if self.launching else ""

    def why_no_orders(self) -> str:
        """One sentence if the engine cannot or must not be changed now; empty if it may be."""
        return self.why_unheard() or self.safety.why_not()

    def arm(self) -> None:
        """Take the safety off for ten minutes."""
        if self.safety.arm():
            armed = f"ARMED: capital keys may change {self.identity.environment} for ten minutes."
            self._news.say(armed, "failed", about=ORDERS)
            self._news.publish("state")

    def disarm(self, why: str = "") -> None:
        """Put the safety back on."""
        if self.safety.lock():
            self._news.say(f"SAFE again{': ' + why if why else ''}.", "good", about=ORDERS)
            self._news.publish("state")

    def heed_time(self) -> None:
        """Say it when the safety has come back by itself. Called every second by the screen in front."""
        if self.safety.ran_out:
            self.disarm("the ten minutes are over")

    @property
    def login(self) -> str:
        """The user that logs in at an engine by its address; empty where none does."""
        return self.client.user if self.client is not None and self.identity.url else ""

    @property
    def filling(self) -> bool:
        """The world of the demo is still being written: whatever is read is only a part of it."""
        return self.demo is not None and self.demo.filling

    def identify(self, identity: ConnectionIdentity) -> None:
        """More is known about the engine."""
        self.identity = identity
        self._news.publish("identity")
