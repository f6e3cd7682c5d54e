"""What the screens of one console share: the engine, what it is called, what is known about it, news.

Nothing here is a widget. Screens are handed the session and subscribe to its news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from console.batches.known_batches import KnownBatches
from console.engine.capabilities import AT_CONNECT, Capabilities
from console.engine.errors import EngineProblem
from console.engine.history_level import infer_history_level
from console.engine.rights import READ_HISTORY, Rights, find_rights
from console.session.connection import ConnectionState, Freshness
from console.session.event_log import Event, EventLog
from console.session.known_values import KnownValues
from console.session.pace import PACES, USUAL_PACE
from console.session.poller import hurry_all
from console.session.preferences import Preferences
from console.session.safety import safety_of
from console.text.ink import Ink
from console.text.words import clock

if TYPE_CHECKING:
    from console.causes.open_incidents import OpenIncidents
    from console.engine.client import EngineClient
    from console.engine.history_level import HistoryLevel
    from console.engine.target import Demo
    from console.session.connection_identity import ConnectionIdentity
    from console.session.services import BatchFollower, LaunchSearch
    from console.session.unsent_launch import UnsentLaunch
    from store.journal import Journal

T = TypeVar("T")
ORDERS = "orders"
"""What sentences on whether the engine can be changed now are about."""
News = Literal["state", "identity", "capabilities", "counts", "event", "batches", "journal", "filled", "runs"]


class NewsFeed(Protocol):
    """Carries news to whoever has subscribed; the application provides it (a ``textual.signal.Signal``)."""

    def publish(self, data: News) -> None:
        """Tell every subscriber."""
        ...

    def subscribe(self, node: Any, callback: Callable[[News], None]) -> None:
        """Call ``callback`` with each piece of news for as long as the node is mounted."""
        ...


class Session:
    """One console and its engine."""

    def __init__(self, identity: ConnectionIdentity) -> None:
        self.identity = identity
        self.safety = safety_of(identity)
        """Whether orders may be given; it is of this engine, and so is gone with it."""
        self.client: EngineClient | None = None
        self.failed_to_open = ""
        """One sentence if the engine could not be opened."""
        self.connection = ConnectionState(self._lost, self._found)
        """Whether the engine answers well."""
        self.paused = False
        self.pace = USUAL_PACE
        """Seconds between two readings of what is in sight, at least."""
        self.counts: dict[str, int] = {}
        """Rows per view as the tab line shows them."""
        self.failed_jobs = 0
        """Jobs with no retries left."""
        self.run_told: tuple[str, Ink] = ("", "")
        """The run that is at work or held, in a few words for the line of the views; empty if there is none."""
        self.events = EventLog()
        """What was said to the operator."""
        self.launched: set[str] = set()
        """Batches launched from this console that have not ended."""
        self.watched_by_run: set[str] = set()
        """Batches whose tasks their run watches: nobody else asks for those until the batch's own page is opened."""
        self.most_ids = 25_000
        """Ids that one order may name: so many fit into the 1 MB that nginx takes in; fewer once a proxy refused more.
        """
        self.launching = False
        """A launch is on its way: until it is known what became of it no other may begin."""
        self.unsent: UnsentLaunch | None = None
        """The launch that was decided on last, if nothing came of it."""
        self.sending: set[int] = set()
        """Launches of the journal that are on their way from here."""
        self.unanswered: LaunchSearch | None = None
        """Who looks for the batches of launches that were not answered, once the engine is open."""
        self.preferences = Preferences()
        """What the operator has chosen to see, in this console and before."""
        self.demo: Demo | None = None
        """The made-up world that this engine is, if it is one."""
        self.known_batches = KnownBatches()
        """Batches, running and ended."""
        self.known = KnownValues()
        """Values that exist on the engine, for completion."""
        self.journal: Journal | None = None
        """The operator's memory; none until it is open, and where it could not be opened."""
        self.journal_opens = False
        """The journal is not open yet, and may still be."""
        self.unkept = ""
        """Why a launch would not be written down now, in one sentence; empty if it would, or need not."""
        self.grouped: OpenIncidents | None = None
        """All open incidents by cause, once somebody has asked for them."""
        self.follower: BatchFollower | None = None
        """Who keeps batches and counts up to date, once the engine is open."""
        self.news: NewsFeed
        self._capabilities: Capabilities | None = None
        self.rights = Rights()
        """What the user may do, once the engine has told."""
        self.history_level: HistoryLevel = "not known"
        """How much the engine keeps of what has ended, as far as it shows."""
        self._learning = asyncio.Lock()
        self._opened = asyncio.Event()

    # -- the engine -------------------------------------------------------------------------------------------------

    def open(self, client: EngineClient) -> None:
        """The engine answers from now on."""
        self.client = client
        client.guard_orders(self.safety.why_not)
        self.connection.opened()
        self._opened.set()
        self.news.publish("state")
        if self.identity.warning:
            self.say(self.identity.warning, "warning")

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
                rows = [subject for subject in AT_CONNECT if self.counts.get(subject)]
                if known.everything or all(known.of(subject).seen for subject in rows):
                    return
            self._keep_capabilities(await self.ask(lambda client: client.capabilities(known)))

    async def learn_rights(self) -> None:
        """Find out what the user may do and what the engine keeps, as far as that is not known yet.

        Raises:
            EngineProblem: the engine did not answer.
        """
        async with self._learning:
            if self.rights.login == "not known":
                self.rights = await self.ask(find_rights)
                self.news.publish("identity")
            # What may not be read looks like what is not kept.
            if self.history_level == "not known" and not self.rights.lacks(READ_HISTORY):
                self.history_level = await self.ask(infer_history_level)
                self.known_batches.keeps_history = self.history_level in ("full", "not known")
                self.news.publish("identity")

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
            self.news.publish("capabilities")

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
        with self.connection.waiting() as began:
            try:
                answer = await question(client)
            except EngineProblem as problem:
                self.connection.failed(problem, began, view, client.answers != answers)
                raise
        if client.answers != answers:
            self.connection.heard(began)
        return answer

    def now(self) -> datetime:
        """The moment that what is shown is compared with: this one, or that at which a snapshot stands."""
        return self.identity.stands_at or datetime.now(UTC)

    def ask_again(self) -> None:
        """The operator wants the engine to be asked, also where nothing was to be asked for a while."""
        if self.client is not None and self.client.hold.seconds:
            self.client.hold.release()
            hurry_all()

    def _found(self) -> None:
        self.say("The engine answers again.", "good", about=ORDERS)
        hurry_all()
        self.news.publish("state")

    def _lost(self, problem: EngineProblem) -> None:
        answered = datetime.now(UTC) - timedelta(seconds=self.data_age)
        # What is cut off on a narrow screen is what line 1 says too.
        off = "SAFE again, nothing can be changed." if self.safety.lock() else "Nothing can be changed."
        held = " Nothing is asked until r is pressed: wrong logins lock an account." if self.connection.held else ""
        self.say(f"{off} {problem.sentence}{held} Rows are from {clock(answered)}.", "failed", about=ORDERS)
        self.news.publish("state")

    @property
    def stale(self) -> str:
        """One sentence while the engine does not answer well; empty while it does."""
        return self.connection.problem.sentence if self.connection.problem is not None else ""

    @property
    def data_age(self) -> float:
        """Seconds since the engine last answered well."""
        return self.connection.age

    @property
    def silent(self) -> bool:
        """The engine is lost, or has left a question unanswered for a while and answered no other meanwhile."""
        return self.connection.silent

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
        if self.silent:
            return "Nothing can be changed until the engine answers."
        if view is not None and view.problem is not None:
            return f"Nothing can be changed here until these rows can be read ({view.problem.brief})."
        return ""

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
            self.say(armed, "failed", about=ORDERS)
            self.news.publish("state")

    def disarm(self, why: str = "") -> None:
        """Put the safety back on."""
        if self.safety.lock():
            self.say(f"SAFE again{': ' + why if why else ''}.", "good", about=ORDERS)
            self.news.publish("state")

    def heed_time(self) -> None:
        """Say it when the safety has come back by itself. Called every second by the screen in front."""
        if self.safety.ran_out:
            self.disarm("the ten minutes are over")

    def pause(self, paused: bool) -> None:
        """Stop every reading that was not asked for, or go on."""
        self.paused = paused
        said = "Paused: nothing is read until p or r." if paused else "Reading again."
        self.say(said, "warning" if paused else "", about="pause")
        self.news.publish("state")

    @property
    def engine_name(self) -> str:
        """The stable name under which this engine is remembered in the journal."""
        return self.identity.name or self.identity.url or "embedded"

    @property
    def login(self) -> str:
        """The user that logs in at an engine by its address; empty where none does."""
        return self.client.user if self.client is not None and self.identity.url else ""

    def await_journal(self) -> None:
        """A journal is being opened."""
        self.journal_opens = True
        self.unkept = "The journal is not open yet: this launch would not be written down."

    def do_without_journal(self) -> None:
        """The journal could not be opened."""
        self.journal_opens = False
        self.unkept = "There is no journal: this launch will not be written down."
        self.news.publish("journal")

    def keep_journal(self, journal: Journal) -> None:
        """From now on launches are written down."""
        self.journal, self.journal_opens, self.unkept = journal, False, ""
        self.news.publish("journal")
        if self.unanswered is not None:
            self.unanswered.hurry()

    @property
    def event(self) -> Event | None:
        """What was said last."""
        return self.events.newest

    def change_pace(self, step: int) -> None:
        """Read less often (1) or more often (-1)."""
        at = PACES.index(self.pace) + step
        if not 0 <= at < len(PACES):
            self.say(f"Readings are {PACES[0]:g} to {PACES[-1]:g} seconds apart, no less and no more.", "muted")
            return
        self.pace = PACES[at]
        self.say(f"Read again every {self.pace:g} seconds; a slow engine is read less often.", "muted")
        self.news.publish("state")

    @property
    def filling(self) -> bool:
        """The world of the demo is still being written: whatever is read is only a part of it."""
        return self.demo is not None and self.demo.filling

    # -- news -------------------------------------------------------------------------------------------------------

    def say(self, sentence: str, ink: Ink = "", *, about: str = "") -> None:
        """One sentence for the operator.

        Args:
            sentence: what is so.
            ink: how it is written, and how long it is shown.
            about: what was said about the same before is not shown any more.
        """
        self.events.add(Event(sentence, ink, about=about))
        self.news.publish("event")

    def count(self, **counts: int) -> None:
        """Rows of a view, for the tab line."""
        if any(self.counts.get(view) != number for view, number in counts.items()):
            self.counts.update(counts)
            self.news.publish("counts")

    def tell_run(self, text: str, ink: Ink = "accent") -> None:
        """A run is at work or held, in a few words; or none is any more."""
        if self.run_told != (text, ink):
            self.run_told = text, ink
            self.news.publish("counts")

    def identify(self, identity: ConnectionIdentity) -> None:
        """More is known about the engine."""
        self.identity = identity
        self.news.publish("identity")
