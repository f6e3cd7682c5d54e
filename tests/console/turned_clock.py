"""A clock whose hands a test turns; nothing waits for real time."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class TurnedClock:
    """Keeps who waits until when."""

    def __init__(self) -> None:
        self._now = 0.0
        self._waiting: list[tuple[float | None, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self._now

    def now(self) -> datetime:
        return START + timedelta(seconds=self._now)

    async def wait(self, woken: asyncio.Event, seconds: float | None) -> None:
        until = None if seconds is None else self._now + seconds
        bell = asyncio.Event()
        entry = (until, bell)
        self._waiting.append(entry)
        waits = [asyncio.create_task(event.wait()) for event in (woken, bell)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            self._waiting.remove(entry)

    def waiting_for(self) -> list[float | None]:
        """Seconds that each waiter still waits."""
        return [None if until is None else until - self._now for until, _ in self._waiting]

    def pass_by(self, seconds: float) -> None:
        """Time goes on without anybody noticing, as it does while a question is answered."""
        self._now += seconds

    async def turn(self, seconds: float) -> None:
        """Turn the hands, ring for those whose time has come, and let everybody do what there is to do."""
        await settle()
        self._now += seconds
        for until, bell in self._waiting:
            if until is not None and until <= self._now + 1e-9:
                bell.set()
        await settle()


async def settle() -> None:
    """Let every task go as far as it can without time passing."""
    for _ in range(30):
        await asyncio.sleep(0)
