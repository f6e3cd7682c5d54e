"""How often a run asks its engine: at most one page of tasks a second, however many it has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

EVERY = 1.0
"""Seconds between two pages."""


class PageLimit:
    """Lets one page through at a time.

    Args:
        clock: seconds that only go forward.
        sleep: waits so many seconds.
        every: seconds between two pages.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        every: float = EVERY,
    ) -> None:
        self._every = every
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    async def wait(self) -> None:
        """Wait until the next page may be asked for."""
        now = self._clock()
        if now < self._next:
            await self._sleep(self._next - now)
        self._next = max(self._clock(), self._next) + self._every
