"""How simulated workers come by their tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.workers import fetch_and_lock, lock
from retriage.store.contract.deployments import LockTask
from retriage.store.contract.errors import ContractError
from retriage.store.contract.orders import FetchAndLock, FetchTopic
from retriage.store.contract.records import VariableValue
from retriage.store.database import now
from retriage.store.demo.variables import AMOUNT
from retriage.store.demo.worker_names import WORKERS
from retriage.store.queries.conditions import one_of
from retriage.store.queries.variables import of_tasks
from retriage.store.tables import ExternalTask, Incident
from retriage.store.tables.external_task import FAILED
from retriage.store.tables.types import col

LOCK_MILLISECONDS = 60_000
"""How long a simulated worker locks a task."""

WINDOW = 2000
"""Tasks among which a look searches for retried ones."""

_MOST_FOUND = 500
_FETCHED = [AMOUNT]
"""Variables that a worker asks for."""

_T = ExternalTask
_ID = col(_T.id)


@dataclass(frozen=True)
class Taken:
    """A task in the hands of a worker."""

    id: str
    worker: str
    topic: str
    retries: int | None
    message: str | None
    process_instance_id: str
    amount: float | None = None
    """The variable ``amount`` as the worker fetched it; ``None`` if there is none, or it is no number."""


def _due() -> list[ColumnElement[bool]]:
    """Has failed, has retries left, is not suspended, and its lock is over.

    The topic hides behind an expression, so that the database goes along the ids and not along the topics.
    """
    return [
        col(_T.retries) > 0,
        col(_T.suspended).is_(False),
        or_(col(_T.lock_expiration_time).is_(None), col(_T.lock_expiration_time) < now()),
        func.coalesce(col(_T.topic_name), "").in_(WORKERS),
    ]


def _retried_at() -> ColumnElement[datetime | None]:
    """When somebody has given it retries again: its last incident was closed then. Null if nobody has."""
    of_task = col(Incident.configuration) == _ID
    return select(func.max(col(Incident.end_time))).where(of_task).correlate(_T).scalar_subquery()


class Sweep:
    """The search for retried tasks: from the newest task to the oldest, a window at a time, again and again.

    No index leads to them, for it would cost every batch that sets retries; so each look costs the same few
    milliseconds whatever the size of the world, and where there are few of them it takes many looks to come round.
    """

    def __init__(self) -> None:
        self._past: str | None = None
        self._bottom: str | None = None

    async def look(self, connection: AsyncConnection) -> tuple[list[str], list[str]]:
        """Ids of tasks in this window that failed, have retries left and wait for a worker, 500 at most: those that
        somebody retried, the last retried first, for somebody watches whether that helps; and those that a worker gave
        back, the newest first."""
        below = [] if self._past is None else [self._past > _ID]
        bottom = select(_ID).where(*below).order_by(_ID.desc()).offset(WINDOW - 1).limit(1)
        self._bottom = (await connection.execute(bottom)).scalar_one_or_none()
        above = [] if self._bottom is None else [self._bottom <= _ID]
        retried_at = _retried_at()
        found = select(_ID, retried_at.label("retried_at")).where(*below, *above, *_due())
        found = found.order_by(retried_at.desc().nulls_last(), _ID.desc()).limit(_MOST_FOUND)
        rows = (await connection.execute(found)).all()
        return (
            [row.id for row in rows if row.retried_at is not None],
            [row.id for row in rows if row.retried_at is None],
        )

    def move(self) -> None:
        """Go on to the next window, from the last one to the first."""
        self._past = self._bottom


async def census(connection: AsyncConnection) -> tuple[int, int]:
    """How many tasks there are, and how many of them have retries left."""
    everything = select(func.count()).select_from(_T)
    tasks = int((await connection.execute(everything)).scalar_one())
    return tasks, tasks - int((await connection.execute(everything.where(text(FAILED)))).scalar_one())


async def take_retried(connection: AsyncConnection, ids: Sequence[str], random: Random) -> list[Taken]:
    """Lock these tasks for workers of their topics, but for those that have been taken, suspended or removed."""
    columns = (col(_T.topic_name), col(_T.retries), col(_T.error_message), col(_T.process_instance_id))
    asked = select(_ID, *columns, col(_T.execution_id), col(_T.suspended)).where(one_of(_ID, list(ids)))
    found = (await connection.execute(asked)).all()
    seen = await of_tasks(connection, [(row.process_instance_id, row.execution_id) for row in found], _FETCHED)
    taken = []
    for row in found:
        worker = random.choice(WORKERS[row.topic_name])
        if row.suspended or not row.retries:
            continue
        try:
            await lock(connection, row.id, LockTask(worker_id=worker, lock_duration=LOCK_MILLISECONDS))
        except ContractError:
            continue
        of_instance, own = seen[row.process_instance_id, row.execution_id]
        failed = (row.retries, row.error_message, row.process_instance_id)
        taken.append(Taken(row.id, worker, row.topic_name, *failed, _amount(of_instance | own)))
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
        topics=[FetchTopic(topic_name=topic, lock_duration=LOCK_MILLISECONDS, variables=_FETCHED)],
    )
    tasks = await fetch_and_lock(connection, order)
    return [
        Taken(
            task.id, worker, topic, task.retries, task.error_message, task.process_instance_id, _amount(task.variables)
        )
        for task in tasks
    ]  # fmt: skip


def _amount(variables: Mapping[str, VariableValue]) -> float | None:
    """The amount among the variables that a task sees: those of its execution hide those of its instance."""
    value = variables[AMOUNT].value if AMOUNT in variables else None
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


_TOPICS = tuple(WORKERS)
