"""What has changed and what was said: published to every screen that listens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from retriage.console.text.ink import Ink
from retriage.console.text.words import clock

News = Literal["state", "identity", "capabilities", "counts", "event", "batches", "journal", "filled", "runs"]


KEPT = 500
"""Sentences that are remembered."""
_SECONDS: dict[Ink, tuple[int, float]] = {"failed": (3, 60), "warning": (2, 30), "good": (1, 20)}
"""How much a sentence of an ink weighs, and how many seconds it is shown."""
_OTHERWISE = (0, 15.0)
ANSWER: Ink = "warning"
"""The ink of the message for a key that does nothing."""
ANSWER_SECONDS = 6.0
"""So long such an answer is not displaced by lighter news: what failed before was to be seen already."""


@dataclass(frozen=True)
class Event:
    """One sentence."""

    sentence: str
    ink: Ink = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    about: str = ""
    """The subject: a later message about it takes this one's place, so that an outdated one does not come back when a
    newer one, which weighs less, has gone. Empty for what stays true."""

    @property
    def clock(self) -> str:
        """When it was said."""
        return clock(self.at)

    @property
    def weight(self) -> int:
        """How much it matters beside others."""
        return _SECONDS.get(self.ink, _OTHERWISE)[0]

    def fresh(self, now: datetime) -> bool:
        """It is to be seen still."""
        return (now - self.at).total_seconds() < _SECONDS.get(self.ink, _OTHERWISE)[1]


class EventLog:
    """The last sentences, the newest one last."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)

    def add(self, event: Event) -> None:
        """One more was said."""
        self._events.append(event)

    def __iter__(self) -> Iterator[Event]:
        """The newest one first."""
        return reversed(self._events)

    def __len__(self) -> int:
        return len(self._events)

    @property
    def newest(self) -> Event | None:
        """What was said last."""
        return self._events[-1] if self._events else None

    def shown(self, now: datetime) -> list[Event]:
        """What is to be seen: the newest one, and before it what weighs more and is not old yet; an answer to a key
        first, as long as it is new."""
        newest_about = {event.about: event for event in self._events}
        fresh = [
            event
            for event in self._events
            if event.fresh(now) and (not event.about or newest_about[event.about] is event)
        ]
        if not fresh:
            return []
        newest = fresh[-1]
        answers = (event for event in reversed(fresh) if event.ink == ANSWER)
        answer = next((event for event in answers if (now - event.at).total_seconds() < ANSWER_SECONDS), None)
        if answer is not None and answer is not newest:
            return [answer, newest]
        heavier = max(reversed(fresh), key=lambda event: event.weight)
        return [heavier, newest] if heavier.weight > newest.weight else [newest]


class NewsFeed(EventLog):
    """Keeps what was said. Nobody listens to this one; the application and the command line carry it further."""

    def publish(self, news: News) -> None:
        """Hand this to every listener."""

    def subscribe(self, node: Any, callback: Callable[[News], None]) -> None:
        """Call ``callback`` with each piece of news for as long as the node is mounted."""

    def say(self, sentence: str, ink: Ink = "", *, about: str = "") -> None:
        """One sentence for the operator.

        Args:
            sentence: what is so.
            ink: how it is written, and how long it is shown.
            about: what was said about the same before is not shown any more.
        """
        self.add(Event(sentence, ink, about=about))
        self.publish("event")
