"""Who else is at it: other running batches that set retries, and whether they work on the same tasks."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from retriage.console.engine.answers import UNKNOWN_TIME
from retriage.console.engine.errors import Denied, EngineProblem
from retriage.console.text.words import clock, things
from retriage.store.contract.history import HistoricExternalTaskLog, HistoricExternalTaskLogQuery
from retriage.store.contract.operations import UserOperation, UserOperationQuery
from retriage.store.contract.queries import BatchStatisticsQuery, ExternalTaskQuery
from retriage.store.contract.records import SET_EXTERNAL_TASK_RETRIES, BatchStatistics

MOST = 50
"""So many running batches are looked at."""
SAME_MOMENT = timedelta(seconds=2)
"""The entry of the user operation log and the start of its batch are so close together."""
QUIET = timedelta(minutes=15)
"""A topic whose workers were not seen for so long may have none."""
TOPICS = 5
"""So many topics are looked at, those with the most tasks."""


class Workers(Protocol):
    """The part of the client that shows signs of workers."""

    async def count_external_tasks(self, query: ExternalTaskQuery) -> int:
        """How many external tasks match."""
        ...

    async def external_task_log(
        self, query: HistoricExternalTaskLogQuery, first: int, size: int
    ) -> list[HistoricExternalTaskLog]:
        """A page of the log of external tasks."""
        ...


class Asked(Workers, Protocol):
    """The part of the client that is asked."""

    async def batches(self, query: BatchStatisticsQuery, first: int, size: int) -> list[BatchStatistics]:
        """A page of running batches."""
        ...

    async def user_operations(self, query: UserOperationQuery, first: int, size: int) -> list[UserOperation]:
        """A page of the user operation log."""
        ...


class RecordedLaunch(Protocol):
    """A launch as the journal keeps it."""

    @property
    def user(self) -> str:
        """Who launched it."""
        ...

    @property
    def listed(self) -> int | None:
        """How many of its tasks are written down; ``None`` when they are not known."""
        ...


class OverlapJournal(Protocol):
    """The part of the journal that is asked."""

    async def launch_of(self, batch_id: str) -> RecordedLaunch | None:
        """The launch that made a batch."""
        ...

    async def covered(self, batch_ids: Collection[str], ids: Collection[str]) -> Mapping[str, int]:
        """How many of these tasks each of these batches works on, where that is known."""
        ...


@dataclass(frozen=True)
class OverlappingBatch:
    """Another running batch that sets retries.

    Attributes:
        batch_id: its id.
        jobs: how many jobs it has.
        left: how many are not done.
        user: who launched it; empty when nobody says.
        since: when it was launched, ``None`` when the engine does not say.
        covers: how many of our tasks it works on; ``None`` when that is not known.
        own: it was launched from here.
        suspended: it goes on when somebody resumes it.
    """

    batch_id: str
    jobs: int
    left: int
    user: str
    since: datetime | None
    covers: int | None
    own: bool = False
    suspended: bool = False


async def overlapping_batches(
    client: Asked,
    journal: OverlapJournal | None,
    ids: Collection[str] | None,
    *,
    also_done: bool = False,
    type: str = SET_EXTERNAL_TASK_RETRIES,
) -> list[OverlappingBatch]:
    """Running batches of the same type with work left, those that cover the same tasks first.

    Args:
        client: the engine.
        journal: the operator's journal, where there is one.
        ids: our tasks, where they are known.
        also_done: those too that have done their work, and are only to be closed.
        type: of the batches.

    Raises:
        EngineProblem: the engine did not answer.
    """
    query = BatchStatisticsQuery(type=type)
    running = [batch for batch in await client.batches(query, 0, MOST) if also_done or _at_work(batch)]
    own: dict[str, RecordedLaunch] = {}
    for batch in running if journal is not None else ():
        launch = await journal.launch_of(batch.id) if journal is not None else None
        if launch is not None:
            own[batch.id] = launch
    covers = await _covers(journal, own, ids) if journal is not None and ids is not None else {}
    nameless = [batch for batch in running if not batch.create_user_id and batch.id not in own]
    log = await _operations(client) if nameless and type == SET_EXTERNAL_TASK_RETRIES else []
    found = [_overlapping_batch(batch, own.get(batch.id), log, covers.get(batch.id)) for batch in running]
    met = [other for other in found if other.covers != 0]
    return sorted(met, key=lambda other: (other.covers is None, -(other.covers or 0)))


async def others_since(
    client: Asked,
    journal: OverlapJournal | None,
    ids: Collection[str],
    own: Collection[str],
    moment: datetime,
    type: str = SET_EXTERNAL_TASK_RETRIES,
    mine: str = "",
) -> list[OverlappingBatch]:
    """Batches of others that may set the same units as a run: those that cover some of them, and of those whose tasks
    are not known the ones that were launched since the run was frozen.

    Args:
        client: the engine.
        journal: the operator's journal, where there is one.
        ids: units that the run is about to send.
        own: batches of the run.
        moment: when it was frozen, by the engine's clock.
        type: of the batches of the run.
        mine: only those that began before this batch of the run, by start and then by id: of two, one gives way.

    Raises:
        EngineProblem: the engine did not answer.
    """
    try:
        found = await overlapping_batches(client, journal, ids, also_done=True, type=type)
    except Denied as problem:
        if problem.proves_nothing_done:
            return []  # a user who may not read batches was warned before
        raise
    unknown = (None, UNKNOWN_TIME)
    latest = max((_age(one) for one in found if one.batch_id == mine), default=None)
    return [
        one
        for one in found
        if one.batch_id not in own
        and (one.covers or one.since in unknown or (one.since and one.since > moment))
        and (latest is None or _age(one) < latest)
    ]


async def resting_batches(client: Asked, type: str, first: tuple[datetime, str] | None) -> set[str]:
    """Ids of running batches of this type that set nothing now: those that are only to be closed, which the engine
    looks for every 30 s, and suspended ones that gave way to a run: they began after its first batch, and go on only
    when their operator says so. None where the user may not read any.

    Args:
        client: the engine.
        type: of the batches.
        first: when the first batch of the run began, by the engine's clock, and its id; ``None`` before it has one.

    Raises:
        EngineProblem: the engine did not answer.
    """
    try:
        return {
            one.id
            for one in await client.batches(BatchStatisticsQuery(type=type), 0, MOST)
            if not _at_work(one)
            or (one.suspended and first is not None and (one.start_time or UNKNOWN_TIME, one.id) > first)
        }
    except Denied as problem:
        if problem.proves_nothing_done:
            return set()
        raise


def _age(one: OverlappingBatch) -> tuple[datetime, str]:
    return one.since or UNKNOWN_TIME, one.batch_id


def said_of_others(batches: Sequence[OverlappingBatch], unit: str = "task") -> str:
    """Whose they are, for the operator of a run that is held by them; ids as the engine has them.

    Args:
        batches: one at least.
        unit: what they change.
    """
    one = batches[0]
    at = f" at {clock(one.since)}" if one.since is not None and one.since != UNKNOWN_TIME else ""
    others = f", and {things(len(batches) - 1, 'batch', 'batches')} more" if len(batches) > 1 else ""
    same = f"works on {things(one.covers, unit)} of this wave" if one.covers else f"may set the same {unit}s"
    left = f"{one.left:,} of {things(one.jobs, 'job')} left"
    return f"{one.user or 'Somebody'} launched batch {one.batch_id}{at} ({left}){others}: it {same}."


def _at_work(batch: BatchStatistics) -> bool:
    return batch.remaining_jobs > 0 or batch.jobs_created < batch.total_jobs


async def _covers(journal: OverlapJournal, own: Mapping[str, RecordedLaunch], ids: Collection[str]) -> dict[str, int]:
    """How many of our tasks each batch works on, for those whose tasks were written down."""
    known = await journal.covered(list(own), ids)
    return {id: known.get(id, 0) for id, launch in own.items() if launch.listed is not None}


def _overlapping_batch(
    batch: BatchStatistics, launch: RecordedLaunch | None, log: Iterable[UserOperation], covers: int | None
) -> OverlappingBatch:
    user = batch.create_user_id or (launch.user if launch is not None else _user_at(log, batch.start_time))
    return OverlappingBatch(
        batch.id, batch.total_jobs, batch.remaining_jobs, user, batch.start_time, covers,
        own=launch is not None, suspended=batch.suspended,
    )  # fmt: skip


async def _operations(client: Asked) -> list[UserOperation]:
    """The latest orders of this kind; none where the engine keeps no such log."""
    query = UserOperationQuery(
        operation_type="SetExternalTaskRetries", property="retries", sort_by="timestamp", sort_order="desc"
    )
    with suppress(EngineProblem):
        return await client.user_operations(query, 0, MOST)
    return []


def _user_at(log: Iterable[UserOperation], moment: datetime | None) -> str:
    if moment is None:
        return ""
    near = (entry for entry in log if abs(entry.timestamp - moment) <= SAME_MOMENT and entry.user_id)
    return next((entry.user_id for entry in near if entry.user_id), "")


@dataclass(frozen=True)
class TopicWithoutWorker:
    """A topic on which no worker was seen lately.

    Attributes:
        topic: its name.
        last: when a worker last completed a task or reported a failure, as far as the log tells.
    """

    topic: str
    last: datetime | None = None


async def topics_without_worker(client: Workers, topics: Collection[str], now: datetime) -> list[TopicWithoutWorker]:
    """The topics on which no worker was seen for fifteen minutes: no lock is younger, and the log, where there is one,
    names none.

    Raises:
        EngineProblem: the engine did not answer.
    """
    names = list(topics)[:TOPICS]
    return [quiet for quiet in await asyncio.gather(*(_quiet(client, topic, now) for topic in names)) if quiet]


async def _quiet(client: Workers, topic: str, now: datetime) -> TopicWithoutWorker | None:
    # Of a task without retries a lock time to come is its retry time, however long ago that was set.
    signs = ExternalTaskQuery(topic_name=topic, lock_expiration_after=now - QUIET)
    for some in ({"with_retries_left": True}, {"lock_expiration_before": now}):
        if await client.count_external_tasks(signs.model_copy(update=some)):
            return None
    query = HistoricExternalTaskLogQuery(topic_name=topic, sort_by="timestamp", sort_order="desc")
    latest: list[HistoricExternalTaskLog] = []
    for kind in ("success_log", "failure_log"):
        with suppress(EngineProblem):
            latest += await client.external_task_log(query.model_copy(update={kind: True}), 0, 1)
    last = max((entry.timestamp for entry in latest), default=None)
    return TopicWithoutWorker(topic, last) if last is None or last <= now - QUIET else None
