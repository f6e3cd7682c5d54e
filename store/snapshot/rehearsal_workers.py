"""Simulated workers of a rehearsal: they take what was retried, of any topic, and a share of it fails again."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2s

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.workers import complete_here, fail, lock
from retriage.store.contract.deployments import LockTask
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import FailTask
from retriage.store.database import Database, now
from retriage.store.snapshot.tables import BEFORE
from retriage.store.snapshot_mark import FailureRates
from retriage.store.tables import ExternalTask
from retriage.store.tables.external_task import READY
from retriage.store.tables.types import col
from retriage.store.worker_rounds import WorkerRounds

log = logging.getLogger(__name__)

WORKER = "rehearsal"
"""Who locks the tasks."""
LOCK_MILLISECONDS = 60_000
ROUND_SECONDS = 0.2
"""Shortest time between two rounds."""
AT_ONCE = 20
"""Most tasks taken in a round, and reported in one transaction: a hundred in a second."""
HOLD_SECONDS = 0.4
"""For so long a worker holds a task."""
RETRY_MILLISECONDS = 1500
"""After a failure with retries left a task waits so long."""
UNSAID = "failed in the rehearsal"
"""The message of a failure of a task that had none."""
_OF = float(1 << 32)
_T = ExternalTask


@dataclass(frozen=True)
class _Held:
    id: str
    topic: str
    retries: int | None
    message: str | None
    until: float


class RehearsalWorkers:
    """Workers of a rehearsal, until they are stopped.

    Args:
        database: the open copy.
        rates: how often attempts fail.
        tasks_changed: called after each round in which tasks may have become fetchable.
        seed: the same seed lets the same attempts at the same tasks fail.
    """

    def __init__(
        self, database: Database, rates: FailureRates, tasks_changed: Callable[[], None] = lambda: None, seed: int = 1
    ) -> None:
        self._database = database
        self._rates = rates
        self._tasks_changed = tasks_changed
        self._seed = seed
        self._held: deque[_Held] = deque()
        self._attempts: dict[str, int] = {}
        self._rounds = WorkerRounds("workers of the rehearsal", self._round, ROUND_SECONDS)

    async def start(self) -> None:
        """Begin to work. Calling it twice is harmless."""
        await self._rounds.start()

    async def stop(self) -> None:
        """End after the round in hand. Calling it twice is harmless."""
        await self._rounds.stop()

    async def _round(self, at: float) -> None:
        """Report what is done, take more. ``at`` in seconds of a clock that only goes forward."""
        due = [held for held in self._held if held.until <= at]
        self._held = deque(held for held in self._held if held.until > at)
        for first in range(0, len(due), AT_ONCE):
            await self._database.write(partial(self._report, some=due[first : first + AT_ONCE]))
        if due:
            self._tasks_changed()
        self._held.extend(await self._database.write(partial(self._take, at=at)))

    async def _take(self, connection: AsyncConnection, *, at: float) -> list[_Held]:
        """Lock tasks that were retried and wait for a worker."""
        before = BEFORE.c
        free = or_(col(_T.lock_expiration_time).is_(None), col(_T.lock_expiration_time) < now())
        as_before = before.id.is_not(None) & before.had.is_not_distinct_from(col(_T.retries))
        found = await connection.execute(
            select(col(_T.id), col(_T.topic_name), col(_T.retries), col(_T.error_message))
            .select_from(_T)
            .outerjoin(BEFORE, before.id == col(_T.id))
            .where(text(READY), free, ~as_before)
            .limit(AT_ONCE)
        )
        taken = []
        for id, topic, retries, message in found.all():
            await lock(connection, id, LockTask(worker_id=WORKER, lock_duration=LOCK_MILLISECONDS))
            taken.append(_Held(id, topic, retries, message, at + HOLD_SECONDS))
        return taken

    async def _report(self, connection: AsyncConnection, *, some: Sequence[_Held]) -> None:
        for held in some:
            await self._report_one(connection, held)

    async def _report_one(self, connection: AsyncConnection, held: _Held) -> None:
        attempt = self._attempts[held.id] = self._attempts.get(held.id, 0) + 1
        try:
            async with connection.begin_nested():
                if self._fails(held, attempt):
                    left = max(0, (held.retries or 1) - 1)
                    said = held.message or UNSAID
                    wait = RETRY_MILLISECONDS if left else 0
                    failure = FailTask(worker_id=WORKER, error_message=said, retries=left, retry_timeout=wait)
                    await fail(connection, held.id, failure)
                else:
                    await complete_here(connection, held.id, WORKER)
        except ContractError as refusal:
            log.debug("a task was lost to the rehearsal: %s", refusal)

    def _fails(self, held: _Held, attempt: int) -> bool:
        return chance(self._seed, held.id, attempt) < self._rates.of(held.topic)


def chance(seed: int, task_id: str, attempt: int) -> float:
    """From 0 up to 1: by the task and the attempt, not by the order in which tasks come."""
    drawn = blake2s(f"{seed} {attempt} {task_id}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn) / _OF
