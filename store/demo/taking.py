"""How simulated workers come by their tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from store.commands.workers import fetch_and_lock, lock
from store.contract.deployments import LockTask
from store.contract.errors import ContractError
from store.contract.orders import FetchAndLock, FetchTopic
from store.database import now
from store.demo.fleet import WORKERS
from store.queries.conditions import one_of
from store.tables import ExternalTask
from store.tables.external_task import READY
from store.tables.types import Rows, col

LOCK_MILLISECONDS = 60_000
"""How long a simulated worker locks a task."""

BACKLOG = 2000
"""More waiting tasks than these are not counted."""

_T = ExternalTask


@dataclass(frozen=True)
class Taken:
    """A task in the hands of a worker."""

    id: str
    worker: str
    topic: str
    retries: int | None
    message: str | None
    process_instance_id: str


def _due() -> Rows:
    """Tasks that have failed, have retries left, are not suspended, and whose lock is over."""
    return select(
        col(_T.id), col(_T.topic_name), col(_T.retries), col(_T.error_message), col(_T.process_instance_id)
    ).where(
        col(_T.retries) > 0,
        col(_T.suspended).is_(False),
        or_(col(_T.lock_expiration_time).is_(None), col(_T.lock_expiration_time) < now()),
        col(_T.topic_name).in_(WORKERS),
    )


async def backlog(connection: AsyncConnection) -> int:
    """How many retried tasks wait for a worker, counted up to ``BACKLOG``."""
    rows = _due().with_only_columns(col(_T.id)).limit(BACKLOG).subquery()
    return int((await connection.execute(select(func.count()).select_from(rows))).scalar_one())


async def alive(connection: AsyncConnection) -> int:
    """How many tasks are fetchable, or would be if no worker held them. Counts entries of one index."""
    rows = select(func.count()).select_from(_T).where(text(READY))
    return int((await connection.execute(rows)).scalar_one())


async def retried(connection: AsyncConnection, number: int) -> list[str]:
    """Ids of retried tasks that wait, those with the most retries first: what an operator has just set comes before
    what the workers themselves try again."""
    rows = await connection.execute(_due().order_by(col(_T.retries).desc()).limit(number))
    return [row.id for row in rows]


async def take_retried(connection: AsyncConnection, ids: Sequence[str], random: Random) -> list[Taken]:
    """Lock these tasks for workers of their topics, but for those that have been taken, suspended or removed."""
    rows = (await connection.execute(_due().where(one_of(col(_T.id), list(ids))))).all()
    taken = []
    for row in rows:
        worker = random.choice(WORKERS[row.topic_name])
        try:
            await lock(connection, row.id, LockTask(worker_id=worker, lock_duration=LOCK_MILLISECONDS))
        except ContractError:
            continue
        taken.append(Taken(row.id, worker, row.topic_name, row.retries, row.error_message, row.process_instance_id))
    return taken


async def take_fresh(connection: AsyncConnection, number: int, random: Random) -> list[Taken]:
    """Let one worker fetch up to so many tasks of one of its topics.

    Half of the fetches ask for the most urgent tasks first. Both ways go along an index, so that a fetch costs the
    same in a world of a million.
    """
    topic = random.choice(_TOPICS)
    worker = random.choice(WORKERS[topic])
    order = FetchAndLock(
        worker_id=worker,
        max_tasks=number,
        use_priority=random.random() < 0.5,
        topics=[FetchTopic(topic_name=topic, lock_duration=LOCK_MILLISECONDS, variables=[])],
    )
    tasks = await fetch_and_lock(connection, order)
    return [Taken(task.id, worker, topic, task.retries, task.error_message, task.process_instance_id) for task in tasks]


_TOPICS = tuple(WORKERS)
