"""What one server tells the others that share its PostgreSQL database: topics with news, and jobs to do.

Told soon after the commit, not with it: an order does not wait until it is told. Whoever hears nothing, because a
process or a connection ended, looks again by itself after a while.
"""

import asyncio
import json
import logging
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import URL

log = logging.getLogger(__name__)

CHANNEL = "retriage_news"

LONGEST = 7000
"""Bytes of topics that are named; PostgreSQL takes 8000 with all that is around them."""

GATHER_SECONDS = 0.01
"""How long news are gathered before they are told."""

CONNECT_AGAIN_SECONDS = 1.0
"""Pause after a connection was lost."""

Heard = Callable[[frozenset[str] | None, bool], None]
"""Called with topics that have news, none for any, and whether there are jobs to do."""


class News:
    """The news of one database. Begun and ended as a context.

    Args:
        url: the PostgreSQL database.
        heard: called for what others tell, and after a time without hearing for everything.
    """

    def __init__(self, url: URL, heard: Heard) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._heard = heard
        self._name = uuid.uuid4().hex
        self._topics: set[str] = set()
        self._any_topic = False
        self._jobs = False
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "News":
        """Begin to listen."""
        for deed in (self._listen, self._tell):
            self._tasks.append(asyncio.create_task(self._again_and_again(deed), name=f"news: {deed.__name__}"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Listen no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def tell(self, topics: frozenset[str] | None = frozenset(), *, jobs: bool = False) -> None:
        """Tell the others soon.

        Args:
            topics: those that have news, none for any.
            jobs: there are jobs to do.
        """
        self._jobs |= jobs
        self._any_topic |= topics is None
        self._topics.update(topics or ())
        if self._jobs or self._any_topic or self._topics:
            self._something.set()

    async def _again_and_again(self, deed: Callable[[Any], Any]) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, connect_timeout=10)
                async with connection:
                    await deed(connection)
            except (psycopg.Error, OSError) as error:
                log.info("news of other servers are not heard for a moment: %s", error)
                await asyncio.sleep(CONNECT_AGAIN_SECONDS)

    async def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await connection.execute(f"LISTEN {CHANNEL}".encode())
        self._heard(None, True)  # what was told before
        async for told in connection.notifies():
            self._hear(told.payload)

    def _hear(self, payload: str) -> None:
        try:
            said = json.loads(payload)
            origin, topics, jobs = said["from"], said["topics"], bool(said["jobs"])
        except (ValueError, KeyError, TypeError):
            log.info("something else was told on %s", CHANNEL)
            return
        if origin != self._name:
            self._heard(None if topics is None else frozenset(map(str, topics)), jobs)

    async def _tell(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            await self._something.wait()
            await asyncio.sleep(GATHER_SECONDS)
            topics, any_topic, jobs = frozenset(self._topics), self._any_topic, self._jobs
            self._topics.clear()
            self._any_topic = self._jobs = False
            self._something.clear()
            said = {"from": self._name, "topics": None if any_topic else sorted(topics), "jobs": jobs}
            payload = json.dumps(said)
            if len(payload) > LONGEST:
                payload = json.dumps(said | {"topics": None})
            try:
                await connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
            except psycopg.Error:
                self.tell(None if any_topic else topics, jobs=jobs)  # by the next connection
                raise
