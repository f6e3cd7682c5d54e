"""What the screens of one console share: the engine, what it is called, what is known about it, news.

Nothing here is a widget. Screens are handed the session and subscribe to its news.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

from console.screens.batches.book import BatchBook
from console.screens.words import clock
from console.widgets.ink import Ink

if TYPE_CHECKING:
    from textual.signal import Signal

    from console.engine.client import EngineClient
    from console.screens.follow import Follower

T = TypeVar("T")
News = Literal["state", "identity", "counts", "event", "batches"]


@dataclass(frozen=True)
class Identity:
    """Which engine this is, in the words of line 1."""

    environment: str
    """A word in capitals: ``DEMO``, ``PROD``."""
    url: str = ""
    """Where it answers; empty for the engine in this process."""
    user: str = ""
    engine: str = ""
    """Its name, known once it has answered."""
    kind: str = ""
    """Kind and version, known once it has answered."""


@dataclass(frozen=True)
class Event:
    """One sentence for the event line."""

    sentence: str
    ink: Ink = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def clock(self) -> str:
        """When it was said."""
        return clock(self.at)


class NotOpen(Exception):
    """The engine has not been opened, or could not be."""


class Session:
    """One console and its engine."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.client: EngineClient | None = None
        self.failed_to_open = ""
        """One sentence if the engine could not be opened."""
        self.stale = ""
        """One sentence while the engine does not answer; empty while it does."""
        self.paused = False
        self.counts: dict[str, int] = {}
        """Rows per view as the tab line shows them."""
        self.event: Event | None = None
        self.launched: set[str] = set()
        """Batches launched from this console that have not ended."""
        self.launching = False
        """A launch is on its way: until its fate is known no other may begin."""
        self.book = BatchBook()
        """Batches, running and ended."""
        self.follower: Follower | None = None
        """Who keeps book and counts up to date, once the engine is open."""
        self.news: Signal[News]
        self._answered = time.monotonic()
        self._opened = asyncio.Event()

    # -- the engine -------------------------------------------------------------------------------------------------

    def open(self, client: EngineClient) -> None:
        """The engine answers from now on."""
        self.client = client
        self._answered = time.monotonic()
        self._opened.set()
        self.news.publish("state")

    async def opened(self) -> EngineClient:
        """The engine, as soon as it is open."""
        await self._opened.wait()
        assert self.client is not None
        return self.client

    async def ask(self, question: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Ask the engine, and remember whether it answered.

        Raises:
            EngineProblem: it refused, or did not answer.
        """
        from console.engine.errors import EngineProblem, Refused, Slow, Unanswered, Unintelligible, Unreachable

        client = await self.opened()
        try:
            answer = await question(client)
        except (Unreachable, Slow, Unintelligible) as problem:
            self._lost(problem.sentence)
            raise
        except Unanswered:
            raise
        except Refused as problem:
            # A proxy that answers in the engine's place is no sign of life of the engine.
            if problem.between:
                self._lost(problem.sentence)
            else:
                self._heard()
            raise
        except EngineProblem:
            self._heard()
            raise
        self._heard()
        return answer

    def _heard(self) -> None:
        self._answered = time.monotonic()
        if self.stale:
            self.stale = ""
            self.say("The engine answers again.", "good")
            self.news.publish("state")

    def _lost(self, sentence: str) -> None:
        if not self.stale:
            self.stale = sentence
            answered = datetime.now(UTC) - timedelta(seconds=self.data_age)
            self.say(f"{sentence} Rows are from {clock(answered)}; orders are off until it answers.", "failed")
            self.news.publish("state")

    @property
    def data_age(self) -> float:
        """Seconds since the engine last answered."""
        return time.monotonic() - self._answered

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last answered request took."""
        return self.client.round_trip if self.client else None

    def why_no_orders(self) -> str:
        """One sentence if the engine cannot be changed now; empty if it can."""
        if self.client is None:
            return self.failed_to_open or "The engine is not open yet."
        return "Orders are off until the engine answers." if self.stale else ""

    def pause(self, paused: bool) -> None:
        """Stop every reading that was not asked for, or go on."""
        self.paused = paused
        self.say("Paused: nothing is read until p or r." if paused else "Reading again.", "warning" if paused else "")
        self.news.publish("state")

    # -- news -------------------------------------------------------------------------------------------------------

    def say(self, sentence: str, ink: Ink = "") -> None:
        """One sentence for the operator."""
        self.event = Event(sentence, ink)
        self.news.publish("event")

    def count(self, **counts: int) -> None:
        """Rows of a view, for the tab line."""
        if any(self.counts.get(view) != number for view, number in counts.items()):
            self.counts.update(counts)
            self.news.publish("counts")

    def identify(self, identity: Identity) -> None:
        """More is known about the engine."""
        self.identity = identity
        self.news.publish("identity")
