"""The rounds in which simulated workers go, of a demo and of a rehearsal alike."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from retriage.store.contract.errors import ContractError

log = logging.getLogger(__name__)

REST = 2.0
"""Rest after a round, in times of what the round took: the workers leave most of the machine to others."""

_TROUBLE_SECONDS = 2.0


class WorkerRounds:
    """Goes round after round in a task of its own, until it is stopped.

    Args:
        whose: the workers, for the log.
        go: one round; it is given seconds of a clock that only goes forward.
        shortest: seconds between two rounds at least.
    """

    def __init__(self, whose: str, go: Callable[[float], Awaitable[None]], shortest: float) -> None:
        self._whose = whose
        self._go = go
        self._shortest = shortest
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin. Calling it twice is harmless."""
        if self._task is None:
            self._leaving.clear()
            self._task = asyncio.create_task(self._run(), name=self._whose)

    async def stop(self) -> None:
        """End after the round in hand. Calling it twice is harmless."""
        task, self._task = self._task, None
        if task is not None:
            self._leaving.set()
            await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._leaving.is_set():
            began = loop.time()
            try:
                await self._go(began)
                rest = max(self._shortest, REST * (loop.time() - began))
            except (SQLAlchemyError, ContractError) as error:
                log.warning("the %s could not go on: %s", self._whose, error)
                rest = _TROUBLE_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._leaving.wait()
