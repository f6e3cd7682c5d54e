"""Acquire jobs: lock what may run, and give back what was not done."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, text, true, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.records import MONITOR_JOB, SEED_JOB
from retriage.store.database import now
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.tables import Batch, Job
from retriage.store.tables.job import WITH_DATE, WITHOUT_DATE
from retriage.store.tables.types import col

_UNDATED: ColumnElement[bool] = text(WITHOUT_DATE)  # type: ignore[assignment]
_DATED: ColumnElement[bool] = text(WITH_DATE)  # type: ignore[assignment]
"""Written as the partial indexes ``job_ready`` and ``job_due`` have it, or the planner does not see that they agree."""


@dataclass(frozen=True)
class Acquired:
    """Jobs held under one token: of one kind and one batch, or of tokens, of whatever kind.

    Those of a batch follow one another; those of tokens, whose ``batch_id`` is empty, may lie far apart.

    ``ordered`` says that a person wants them done now, suspended or not. ``seeds`` is how many seed jobs are carried
    out, one after the other, where this is one; none leaves it to the runner.
    """

    token: str
    batch_id: str
    job_type: str
    ids: tuple[str, ...]
    ordered: bool = False
    seeds: int | None = None

    @property
    def count(self) -> int:
        """How many jobs."""
        return len(self.ids)

    def owned(self) -> Condition:
        """Those of them that are still held."""
        which = one_of(col(Job.id), self.ids)
        if self.batch_id:
            which = col(Job.id).between(self.ids[0], self.ids[-1])
            which = and_(which, col(Job.batch_id) == self.batch_id, col(Job.job_type) == self.job_type)
        return and_(which, col(Job.lock_owner) == self.token)

    def held(self) -> Condition:
        """Those of them that are still held and that nobody has suspended since."""
        return self.owned() if self.ordered else and_(self.owned(), col(Job.suspended).is_(False))


async def acquire(
    connection: AsyncConnection, token: str, limit: int, seconds: float, among: Condition | None = None
) -> list[Acquired]:
    """Lock up to ``limit`` jobs that are ready, due and free.

    Args:
        connection: the caller's transaction.
        token: names this acquisition; no other may use it.
        limit: most jobs to lock.
        seconds: how long the locks hold.
        among: only these jobs, if not all.

    Returns:
        What was locked, seed jobs before batch jobs and those of tokens before monitor jobs, the oldest batch first
        among each.
    """
    # Half of them at most are due: neither timers nor batches keep the others waiting.
    due = and_(_DATED, col(Job.due_date) <= now())
    found = await _lock(connection, token, seconds, among, (due, col(Job.due_date)), max(1, limit // 2))
    if len(found) < limit:
        found += await _lock(connection, token, seconds, among, (_UNDATED, col(Job.id)), limit - len(found))
    kinds: dict[tuple[str, str], list[str]] = defaultdict(list)
    for job_id, batch_id, job_type in found:
        kinds[(batch_id, job_type) if batch_id else _OF_TOKENS].append(job_id)
    sets = [Acquired(token, *kind, tuple(sorted(ids))) for kind, ids in kinds.items()]
    return sorted(sets, key=lambda one: (_TURNS.get(one.job_type, 1), one.batch_id))


_OF_TOKENS = ("", "")
"""The batch and the kind of all jobs of tokens."""
_TURNS = {SEED_JOB: 0, MONITOR_JOB: 2}


async def _lock(
    connection: AsyncConnection,
    token: str,
    seconds: float,
    among: Condition | None,
    ready: tuple[Condition, ColumnElement[Any]],
    limit: int,
) -> list[Any]:
    """Lock the first free jobs of those that are ready, by one guarded statement: id, batch and kind of each."""
    at = now()
    which, order = ready
    free = or_(col(Job.lock_owner).is_(None), col(Job.lock_expiration_time) < at)
    chosen: Any = select(col(Job.id)).where(which, free, true() if among is None else among)
    chosen = chosen.order_by(order).limit(limit)
    if connection.dialect.name == "postgresql":
        # Read once: where PostgreSQL takes the jobs for few it would choose and lock anew for each of them.
        once = chosen.with_for_update(skip_locked=True).cte("chosen").prefix_with("MATERIALIZED")
        chosen = select(once.c.id)
    locked = await connection.execute(
        update(Job)
        .where(col(Job.id).in_(chosen))
        .values(lock_owner=token, lock_expiration_time=at + timedelta(seconds=seconds))
        .returning(col(Job.id), col(Job.batch_id), col(Job.job_type))
    )
    return list(locked)


async def ready_batches(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """Running batches that have a job which is ready and due: ``id``, ``total_jobs``, ``batch_jobs_per_seed``."""
    due = and_(_DATED, col(Job.due_date) <= now())
    ready = union_all(select(col(Job.batch_id)).where(_UNDATED), select(col(Job.batch_id)).where(due))
    columns = (col(Batch.id), col(Batch.total_jobs), col(Batch.batch_jobs_per_seed))
    running = select(*columns).where(col(Batch.end_time).is_(None), col(Batch.id).in_(ready)).order_by(col(Batch.id))
    batches: Sequence[Row[Any]] = (await connection.execute(running)).all()  # type: ignore[assignment]
    return batches


async def take(connection: AsyncConnection, token: str, job_id: str, seconds: float) -> Acquired | None:
    """Lock one job, whoever has it and whatever its state; who had it finds that it was lost. None if there is none.

    Args:
        connection: the caller's transaction.
        token: names this acquisition; no other may use it.
        job_id: the job.
        seconds: how long the lock holds.
    """
    until = now() + timedelta(seconds=seconds)
    this = col(Job.id) == job_id
    await connection.execute(update(Job).where(this).values(lock_owner=token, lock_expiration_time=until))
    statement: Any = select(col(Job.batch_id), col(Job.job_type)).where(this)
    found = (await connection.execute(statement)).one_or_none()
    if found is None:
        return None
    batch_id, job_type = (found.batch_id, found.job_type) if found.batch_id else _OF_TOKENS
    return Acquired(token, batch_id, job_type, (job_id,), ordered=True)


async def held_jobs(connection: AsyncConnection, acquired: Acquired) -> list[str]:
    """Ids of the jobs that are still held."""
    held = select(col(Job.id)).where(acquired.held()).order_by(col(Job.id))
    return list((await connection.execute(held)).scalars())


async def narrow(connection: AsyncConnection, acquired: Acquired, job_id: str, token: str) -> Acquired:
    """Move one held job under a token of its own, to carry it out alone."""
    await connection.execute(
        update(Job).where(col(Job.id) == job_id, col(Job.lock_owner) == acquired.token).values(lock_owner=token)
    )
    return replace(acquired, token=token, ids=(job_id,))


async def release(connection: AsyncConnection, held: Acquired | str) -> None:
    """Give back what an acquisition, or all that were made under a token, still hold."""
    which = col(Job.lock_owner) == held if isinstance(held, str) else held.owned()
    await connection.execute(update(Job).where(which).values(lock_owner=None, lock_expiration_time=None))


async def owners(connection: AsyncConnection) -> list[str]:
    """The tokens under which jobs are locked."""
    statement = select(col(Job.lock_owner)).where(col(Job.lock_owner).is_not(None)).distinct()
    return [str(owner) for owner in (await connection.execute(statement)).scalars()]


async def next_moment(connection: AsyncConnection) -> datetime | None:
    """When the next job that is not ready now becomes due or free, none if there is none."""
    at = now()
    locked = col(Job.lock_owner).is_not(None)
    due = select(func.min(col(Job.due_date))).where(_DATED, col(Job.due_date) > at)
    free = [
        select(func.min(col(Job.lock_expiration_time))).where(ready, locked)
        for ready in (_UNDATED, and_(_DATED, col(Job.due_date) <= at))
    ]
    moments = [(await connection.execute(statement)).scalar_one() for statement in (due, *free)]
    return min((one for one in moments if one is not None), default=None)
