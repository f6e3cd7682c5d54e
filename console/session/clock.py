"""Time as pollers see it, so that tests can turn the hands."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A clock, and the art of waiting by it."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        ...

    def now(self) -> datetime:
        """The time of day, aware."""
        ...

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        """Return when ``woken`` is set or the seconds have passed (``None``: never)."""
        ...


class RealClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def now(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        """Return when ``woken`` is set or the seconds have passed (``None``: never)."""
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            return
