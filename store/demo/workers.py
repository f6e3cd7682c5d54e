"""Simulated workers: they fetch tasks, hold them for a moment, and complete most of them."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.workers import complete, fail
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import CompleteTask
from retriage.store.database import Database
from retriage.store.demo.new_instances import NewInstances
from retriage.store.demo.worker_fetch import WINDOW, Sweep, Taken, census, take_fresh, take_retried
from retriage.store.demo.worker_pace import Pace, rate_for
from retriage.store.demo.worker_reports import decide
from retriage.store.queries.conditions import one_of
from retriage.store.tables import ProcessInstance
from retriage.store.tables.types import col
from retriage.store.worker_rounds import WorkerRounds

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.25
"""Shortest time between two rounds."""

AT_ONCE = 6
"""Most tasks in one transaction, so that a batch or a screen never waits long for its turn."""

SECONDS_IN_A_WINDOW = 1.0
"""Seconds after which the sweep goes on although more are left, so that a few old tasks that were retried are not left
behind thousands of newer ones."""

_HOLD_SECONDS = (0.8, 4.0)


@dataclass
class Tally:
    """What the workers have done so far."""

    taken: int = 0
    completed: int = 0
    failed: int = 0
    lost: int = 0
    """Tasks that were suspended, removed or taken by others while a worker held them."""
    started: int = 0


@dataclass(frozen=True)
class _Held:
    task: Taken
    until: float


class SimulatedWorkers:
    """Workers of a demo world, until they are stopped.

    Tasks that somebody retried are taken first; others go at a trickle, and new instances come as others end. In the
    outage more go, and workers come back to what they gave back, so that it is seen to spread. What is suspended is
    left alone, and so are tasks without retries.

    Args:
        database: the open store.
        seed: of all chance: the same seed decides alike, though time may not.
        tasks_per_second: most tasks taken in a second; by the size of the world if none is given.
        outage: seconds from the first round until the payment provider comes back; it is there from the beginning
            if none are given.
        speed: asked in each round: by how much faster than usual they go now.
        tasks_changed: called after each round in which tasks may have become fetchable.
    """

    def __init__(
        self,
        database: Database,
        *,
        seed: int = 1,
        tasks_per_second: float | None = None,
        outage: float = 0.0,
        speed: Callable[[], float] = lambda: 1.0,
        tasks_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.tally = Tally()
        self._database = database
        self._random = random.Random(f"workers {seed}")
        self._rate = tasks_per_second
        self._outage = outage
        self._speed = speed
        self._provider_back = 0.0
        self._tasks_changed = tasks_changed
        self._new_instances = NewInstances(self._random)
        self._held: deque[_Held] = deque()
        self._pace: Pace | None = None
        self._last = 0.0
        self._tasks = self._alive = self._ended = 0
        self._sweep = Sweep()
        self._here_since = 0.0
        self._count_again = 0.0
        self._rounds = WorkerRounds("simulated workers", self.round, ROUND_SECONDS)

    async def start(self) -> None:
        """Begin to work. Calling it twice is harmless."""
        await self._rounds.start()

    async def stop(self) -> None:
        """End after the round in hand; locks that are held then expire. Calling it twice is harmless."""
        await self._rounds.stop()

    async def round(self, at: float) -> None:
        """Report what is done, start new instances, take more tasks: each a few tasks in a short transaction.

        Args:
            at: seconds of a clock that only goes forward.
        """
        before = self.tally.completed + self.tally.started
        await self._count(at)
        pace = self._pace or self._first(at)
        seconds, self._last = (at - self._last) * self._speed(), at
        await self._report(at)
        await self._start(pace.newcomers(seconds, self._ended, self._alive))
        outage = at < self._provider_back
        await self._take_retried(at, pace, seconds, outage)
        await self._take_fresh(at, pace.other(seconds, self._alive, outage=outage))
        if self.tally.completed + self.tally.started > before:
            self._tasks_changed()

    async def _count(self, at: float) -> None:
        """Count the tasks, about once a second, and less often where counting takes long."""
        if at < self._count_again:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._database.reading() as connection:
            self._tasks, self._alive = await census(connection)
        self._count_again = at + max(1.0, 20 * (loop.time() - began))

    def _first(self, at: float) -> Pace:
        """The pace of this world, from what it is before the first round."""
        self._pace = Pace(self._rate or rate_for(self._tasks), self._alive)
        self._last = at - ROUND_SECONDS
        self._provider_back = at + self._outage
        return self._pace

    async def _report(self, at: float) -> None:
        due = [held.task for held in self._held if held.until <= at]
        self._held = deque(held for held in self._held if held.until > at)
        for first in range(0, len(due), AT_ONCE):
            some = due[first : first + AT_ONCE]
            async with self._database.writing() as connection:
                for task in some:
                    await self._report_one(connection, task, outage=at < self._provider_back)
                self._ended += await _ended(connection, [task.process_instance_id for task in some])

    async def _report_one(self, connection: AsyncConnection, task: Taken, *, outage: bool) -> None:
        order = decide(task.topic, task.retries, task.message, task.worker, self._random, outage, task.amount)
        try:
            async with connection.begin_nested():
                if isinstance(order, CompleteTask):
                    await complete(connection, task.id, order)
                else:
                    await fail(connection, task.id, order)
        except ContractError as refusal:
            log.debug("a simulated worker lost a task: %s", refusal)
            self.tally.lost += 1
            return
        if isinstance(order, CompleteTask):
            self.tally.completed += 1
        else:
            self.tally.failed += 1

    async def _start(self, number: int) -> None:
        self._ended = 0
        for first in range(0, number, AT_ONCE):
            try:
                async with self._database.writing() as connection:
                    started = await self._new_instances.start(connection, min(AT_ONCE, number - first))
            except ContractError as refusal:
                log.debug("no new instances: %s", refusal)
            else:
                self.tally.started += started

    async def _take_retried(self, at: float, pace: Pace, seconds: float, outage: bool) -> None:
        async with self._database.reading() as connection:
            retried, given_back = await self._sweep.look(connection)
        number = pace.retried(seconds, len(retried) * max(1, self._tasks // WINDOW))
        if len(retried) <= number or at - self._here_since >= SECONDS_IN_A_WINDOW:
            self._sweep.move()
            self._here_since = at
        some = retried[:number]
        if outage:
            some += given_back[: pace.given_back(seconds)]
        for first in range(0, len(some), AT_ONCE):
            async with self._database.writing() as connection:
                self._hold(at, await take_retried(connection, some[first : first + AT_ONCE], self._random))

    async def _take_fresh(self, at: float, number: int) -> None:
        for first in range(0, number, AT_ONCE):
            async with self._database.writing() as connection:
                self._hold(at, await take_fresh(connection, min(AT_ONCE, number - first), self._random))

    def _hold(self, at: float, tasks: list[Taken]) -> None:
        self.tally.taken += len(tasks)
        self._held.extend(_Held(task, at + self._random.uniform(*_HOLD_SECONDS)) for task in tasks)


async def _ended(connection: AsyncConnection, instances: list[str]) -> int:
    ended = select(func.count()).where(
        one_of(col(ProcessInstance.id), instances), col(ProcessInstance.end_time).is_not(None)
    )
    return int((await connection.execute(ended)).scalar_one())
