"""What the last bulk retries over a topic came to: how many of their tasks failed again.

The journal tells the tasks of a launch and what they had before, the engine what they have now, and its log of external
tasks who failed since. A task that is gone has not failed again; one that is there and has not failed may still. Only
launches are told of whose batch has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from retriage.console.batches.launched_tasks import FollowedLaunch, LaunchJournal
from retriage.console.engine.errors import Refused
from retriage.console.reading.narrowed_queries import among
from retriage.console.reading.pages import pieces
from retriage.console.reading.task_history import TaskHistory, TaskLog
from retriage.store.contract.history import HistoricExternalTaskLogQuery
from retriage.store.contract.queries import BatchStatisticsQuery, ExternalTaskQuery
from retriage.store.contract.records import BatchStatistics, ExternalTask

if TYPE_CHECKING:
    from retriage.console.session.session import Session

MOST = 3
"""So many launches are told of."""
LOOKED_THROUGH = 12
"""So many launches are looked through for those over the topic, the latest."""
LOOKED_AT = 1_000
"""So many tasks of a launch are looked at; of one with more, pieces from its first to its last task stand for all."""
PIECE = 100
"""Tasks of such a piece."""


class Launch(FollowedLaunch, Protocol):
    """A launch as the journal keeps it, with what became of it."""

    @property
    def undoes(self) -> int | None:
        """The launch that it set back."""
        ...

    @property
    def batch_id(self) -> str | None:
        """Its batch, where it was made."""
        ...

    @property
    def began_at(self) -> datetime:
        """When it was sent."""
        ...

    @property
    def user(self) -> str:
        """Who launched it."""
        ...


class EarlierLaunchJournal(LaunchJournal, Protocol):
    """The part of the journal that is asked."""

    async def launches(self, engine: str, limit: int = 1000) -> Sequence[Launch]:
        """Launches on an engine, the newest first."""
        ...


class EarlierLaunchLists(TaskHistory, Protocol):
    """The part of the client that is asked."""

    async def external_tasks(self, query: ExternalTaskQuery, first: int, size: int) -> list[ExternalTask]:
        """A page of external tasks."""
        ...

    async def batches(self, query: BatchStatisticsQuery, first: int, size: int) -> list[BatchStatistics]:
        """A page of running batches."""
        ...


@dataclass(frozen=True)
class EarlierLaunches:
    """What the last launches over a topic came to.

    Attributes:
        topic: the topic.
        launches: how many launches are told of.
        tasks: their tasks.
        again: those of them that failed again.
        open: those of them that are there and have not failed since: nothing is decided about them.
        about: the last two are estimates: some of the tasks were looked at.
        left_out: launches over the topic that are newer than these and not counted: they still run, or are over other
            topics too.
        user: who launched the last one.
        reason: why; may be empty.
    """

    topic: str
    launches: int
    tasks: int
    again: int
    open: int = 0
    about: bool = False
    left_out: int = 0
    user: str = field(default="", compare=False)
    reason: str = field(default="", compare=False)

    @property
    def share(self) -> int:
        """How many of those that are decided failed again, in percent; 100 only when all did."""
        return 100 * self.again // max(self.decided, 1)

    @property
    def decided(self) -> int:
        """How many have failed again or are gone."""
        return self.tasks - self.open

    @property
    def mostly_failed(self) -> bool:
        """More of those that are decided failed again than did not."""
        return 2 * self.again > self.decided


async def earlier_launches_over(
    client: EarlierLaunchLists, journal: EarlierLaunchJournal, engine: str, topic: str
) -> EarlierLaunches | None:
    """What the last launches over a topic came to; nothing where the journal knows of none.

    Args:
        client: lists tasks and their log.
        journal: the journal.
        engine: the name under which the journal keeps it.
        topic: the topic.

    Raises:
        EngineProblem: the engine did not answer.
    """
    launches = left_out = skipped = 0
    tasks = again = waiting = 0.0
    about = False
    last: Launch | None = None
    failed_later: set[str] = set()
    for launch in await journal.launches(engine, LOOKED_THROUGH):
        if launch.undoes is not None or not launch.retries or not launch.listed or launch.batch_id is None:
            continue
        before = await _before(journal, launch.id, launch.listed)
        undone = await journal.set_back(launch.id)
        ids = [id for id, _ in before if id not in undone]
        there = await _there(client, ids)
        topics = await _topics(client, ids, there) if ids else set()
        if topics == {topic} and not await _runs(client, launch.batch_id):
            failed = await _failed_since(client, launch.began_at, there)
            launches += 1
            last = last or launch
            left_out = skipped
            failed |= failed_later
            # Each launch counts by all of its tasks, or a small one would weigh as much as a large one.
            weight = launch.listed / len(before)
            about = about or weight > 1
            tasks += weight * len(ids)
            again += weight * len(failed.intersection(ids))
            waiting += weight * sum(task.id not in failed for task in there)
        elif topic in topics:
            skipped += 1
        failed_later.update(id for id, had in before if had == 0)
        if launches == MOST:
            break
    if last is None:
        return None
    return EarlierLaunches(
        topic, launches, round(tasks), round(again), round(waiting), about, left_out, last.user, last.reason
    )


async def _before(journal: EarlierLaunchJournal, launch_id: int, listed: int) -> list[tuple[str, int | None]]:
    """Tasks of a launch with the retries they had: all, or pieces of the whole length."""
    if listed <= LOOKED_AT:
        return list(await journal.tasks(launch_id, 0, LOOKED_AT))
    pieces, found = LOOKED_AT // PIECE, list[tuple[str, int | None]]()
    for number in range(pieces):
        found += await journal.tasks(launch_id, number * (listed - PIECE) // (pieces - 1), PIECE)
    return found


async def _there(client: EarlierLaunchLists, ids: Sequence[str]) -> list[ExternalTask]:
    found: list[ExternalTask] = []
    for some in pieces(ids):
        query = among(ExternalTaskQuery(), some)
        assert query is not None
        found += await client.external_tasks(query, 0, len(some))
    return found


async def _topics(client: EarlierLaunchLists, ids: Sequence[str], there: Sequence[ExternalTask]) -> set[str]:
    """Topics of tasks; where all are gone the log tells that of the first, and nothing does where there is none."""
    if there:
        return {task.topic_name for task in there}
    query = HistoricExternalTaskLogQuery(external_task_id=ids[0])
    try:
        return {entry.topic_name for entry in await client.external_task_log(query, 0, 1) if entry.topic_name}
    except Refused as problem:
        if problem.between:
            raise
        return set()


async def _runs(client: EarlierLaunchLists, batch_id: str) -> bool:
    """The batch has not ended."""
    return any(batch.id == batch_id for batch in await client.batches(BatchStatisticsQuery(batch_id=batch_id), 0, 1))


async def _failed_since(client: EarlierLaunchLists, since: datetime, tasks: Sequence[ExternalTask]) -> set[str]:
    """Those that a worker failed since; without a log those that have no retries left."""
    log = TaskLog(since)
    failures = await log.failures(client, [task.activity_instance_id for task in tasks])
    if log.missing:
        return {task.id for task in tasks if task.retries == 0}
    return {id for id, failed in failures.items() if failed.again}


async def earlier_launches_of(session: Session, topic: str) -> EarlierLaunches | None:
    """The same on the engine of a session, by its journal.

    Raises:
        EngineProblem: the engine did not answer.
    """
    return await session.memory.ask(
        lambda journal: session.connection.ask(
            lambda client: earlier_launches_over(client, journal, session.memory.engine_name, topic)
        ),
        None,
    )
