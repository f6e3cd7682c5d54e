"""What the screens of one console share. Nothing here is a widget: screens are handed the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.session.connection import Connection
from retriage.console.session.memory import Memory
from retriage.console.session.news import NewsFeed
from retriage.console.session.watch import Watch

if TYPE_CHECKING:
    from retriage.console.engine.target import Demo
    from retriage.console.session.connection_identity import ConnectionIdentity
    from retriage.console.session.preferences import Preferences


class Session:
    """One console and its engine.

    Attributes:
        news: changes and messages.
        connection: the engine, and whether it may be changed now.
        memory: the journal, saved filters and preferences.
        watch: what is read all the time: batches, counts, values for completion.
    """

    def __init__(
        self,
        identity: ConnectionIdentity,
        news: NewsFeed | None = None,
        preferences: Preferences | None = None,
        demo: Demo | None = None,
    ) -> None:
        counts: dict[str, int] = {}
        self.news = NewsFeed() if news is None else news
        self.connection = Connection(identity, self.news, counts, demo)
        self.memory = Memory(identity.name or identity.url or "embedded", self.news, preferences)
        self.watch = Watch(self.connection, self.memory, self.news, counts)
