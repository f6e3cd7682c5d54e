"""Long polling: fetches that wait until there are tasks."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from math import inf
from weakref import WeakKeyDictionary

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.api.callers import hung_up
from retriage.store.api.state import LOOK_SECONDS, Store
from retriage.store.commands.fetch_and_lock import any_candidate, fetch_and_lock, next_expiry
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.orders import FetchAndLock
from retriage.store.contract.records import LockedExternalTask
from retriage.store.database import now

LONGEST_PAUSE = LOOK_SECONDS
"""Seconds between two looks at the latest of who waits for any topic. Who waits for topics is woken as often."""

SHORTEST_PAUSE = 0.25
"""Seconds between two looks without news at the earliest: locks may end one after the other."""


class Parking:
    """The fetches of one store that wait, not more than there are places."""

    def __init__(self, places: int) -> None:
        self._free = places
        self.closed = False

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for the length of the block.

        Raises:
            ContractError: 500, all are taken, or the store is closing.
        """
        self.check_open()
        if not self._free:
            raise ContractError(
                500,
                "InvalidRequestException",
                "At the moment the server has to handle too many requests at the same time. Please try again later.",
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    def check_open(self) -> None:
        """Check that the store is not closing.

        Raises:
            ContractError: 500, it is.
        """
        if self.closed:
            raise ContractError(500, "RestException", "Request rejected due to shutdown of application server.")


_parkings: WeakKeyDictionary[Store, Parking] = WeakKeyDictionary()


def parking_of(store: Store) -> Parking:
    """The parking of a store; as many places as its settings say."""
    if store not in _parkings:
        _parkings[store] = Parking(store.settings.max_parked_fetches)
    return _parkings[store]


def close_parking(store: Store) -> None:
    """Answer all fetches that wait, and let none wait any more. To be called before the server waits for requests."""
    parking_of(store).closed = True
    store.tasks.ring()


async def fetch_or_wait(store: Store, request: Request, order: FetchAndLock) -> list[LockedExternalTask]:
    """Fetch tasks; where there are none, wait for them as long as the worker wants.

    Raises:
        ContractError: the order is refused, too many wait already, or the store is closing.
    """
    if len(order.topics or ()) > store.settings.max_topics:
        raise invalid(f"A fetch may name {store.settings.max_topics} topics, and this one names more.")
    rings = store.tasks.rings
    tasks = await _fetch(store, order)
    wait = (order.async_response_timeout or 0) / 1000
    if tasks or wait <= 0:
        return tasks
    deadline = asyncio.get_running_loop().time() + wait
    with parking_of(store).place():
        # Who has hung up gets nothing: its tasks would be locked for nobody.
        gone = asyncio.create_task(hung_up(request))
        try:
            return await _wait(store, order, rings, deadline, gone)
        finally:
            gone.cancel()


async def _wait(
    store: Store, order: FetchAndLock, rings: int, deadline: float, gone: asyncio.Task[None]
) -> list[LockedExternalTask]:
    clock = asyncio.get_running_loop().time
    topics = _topics(order)
    while True:
        worth_it, pause = await _look(store, order)
        if worth_it and (tasks := await _fetch(store, order)):
            return tasks
        left = deadline - clock()
        if left <= 0:
            return []
        bell = asyncio.create_task(store.tasks.wait(rings, min(left, pause), topics))
        try:
            await asyncio.wait({bell, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            bell.cancel()
        if gone.done():
            return []
        parking_of(store).check_open()
        rings = store.tasks.rings


def _topics(order: FetchAndLock) -> frozenset[str] | None:
    """The topics whose news concern a fetch. Where it asks for variables that is any: they change with other tasks."""
    topics = order.topics or ()
    if any(topic.process_variables for topic in topics):
        return None
    return frozenset(str(topic.topic_name) for topic in topics)


async def _look(store: Store, order: FetchAndLock) -> tuple[bool, float]:
    """Whether a fetch would get anything now, and in how many seconds to look again without news.

    It looks without the one writing connection: many may wait, and most wake for nothing.
    """
    found, expiry = await store.database.read(partial(_candidate_or_expiry, order=order))
    if found:
        return True, SHORTEST_PAUSE
    longest = LONGEST_PAUSE if _topics(order) is None else inf
    pause = longest if expiry is None else (expiry - now()).total_seconds()
    return False, min(max(pause, SHORTEST_PAUSE), longest)


async def _candidate_or_expiry(connection: AsyncConnection, order: FetchAndLock) -> tuple[bool, datetime | None]:
    """Whether there is a task, and if not when the next lock ends."""
    if await any_candidate(connection, order):
        return True, None
    return False, await next_expiry(connection, order)


async def _fetch(store: Store, order: FetchAndLock) -> list[LockedExternalTask]:
    return await store.database.write(partial(fetch_and_lock, order=order))
