"""Remove old history beside the work."""

import asyncio
import logging
from functools import partial

from retriage.store.commands.history_cleanup import clean_up
from retriage.store.database import Database, now
from retriage.store.runner.runner import is_trouble
from retriage.store.settings import StoreSettings

log = logging.getLogger(__name__)

REST = 4.0
"""Pause after a slice, in times of what the slice took: others write meanwhile."""

SHORTEST_REST = 0.01


class HistoryCleanup:
    """Looks now and then for history whose time to live is over, and removes it slice by slice.

    Args:
        database: where it is.
        settings: how often, and how long the history of batches lives.
    """

    def __init__(self, database: Database, settings: StoreSettings) -> None:
        self._database = database
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="history cleanup")

    async def stop(self) -> None:
        """End; a slice that is not committed is rolled back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings.history_cleanup_seconds)
            try:
                await self.run()
            except Exception as error:
                if is_trouble(error):
                    log.warning("the history cleanup could not go on: %s", error)
                else:
                    log.exception("the history cleanup met an unforeseen error; it tries again later")

    async def run(self) -> int:
        """Remove all that is too old, and return the space; answers how many slices that took."""
        loop, slices = asyncio.get_running_loop(), 0
        more: int | bool = True
        while more:
            began = loop.time()
            slice_ = partial(clean_up, at=now(), batch_days=self._settings.batch_history_days)
            if more := await self._database.write(slice_, bounded=False):
                slices += 1
            elif slices:
                more = await self._database.give_space_back()
            await asyncio.sleep(max(SHORTEST_REST, REST * (loop.time() - began)))
        return slices
