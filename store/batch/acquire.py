"""Acquire jobs: lock what may run, and give back what was not done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.records import MONITOR_JOB, SEED_JOB
from store.database import now
from store.queries.conditions import Condition
from store.tables import Batch, Job
from store.tables.types import col

READY: ColumnElement[bool] = text("job.retries > 0 AND NOT job.suspended")  # type: ignore[assignment]
"""Written as the partial index ``job_ready`` has it, or the planner does not see that they agree."""


@dataclass(frozen=True)
class Acquired:
    """Jobs of one kind and one batch, held under one token. Their ids lie between ``low`` and ``high``.

    ``ordered`` says that a person wants them done now, suspended or not. ``seeds`` is how many seed jobs are carried
    out, one after the other, where this is one; none leaves it to the runner.
    """

    token: str
    batch_id: str
    job_type: str
    count: int
    low: str
    high: str
    ordered: bool = False
    seeds: int | None = None

    def held(self) -> Condition:
        """Those of them that are still held and that nobody has suspended since."""
        return and_(
            col(Job.id).between(self.low, self.high),
            col(Job.lock_owner) == self.token,
            col(Job.batch_id) == self.batch_id,
            col(Job.job_type) == self.job_type,
            true() if self.ordered else col(Job.suspended).is_(False),
        )


async def acquire(
    connection: AsyncConnection, token: str, limit: int, seconds: float, among: Condition | None = None
) -> list[Acquired]:
    """Lock up to ``limit`` jobs that are ready, due and free, by one guarded statement.

    Args:
        connection: the caller's transaction.
        token: names this acquisition; no other may use it.
        limit: most jobs to lock.
        seconds: how long the locks hold.
        among: only these jobs, if not all.

    Returns:
        What was locked, seed jobs before batch jobs before monitor jobs, the oldest batch first among each.
    """
    at = now()
    free = or_(col(Job.lock_owner).is_(None), col(Job.lock_expiration_time) < at)
    due = or_(col(Job.due_date).is_(None), col(Job.due_date) <= at)
    chosen: Any = (
        select(col(Job.id))
        .where(READY, due, free, true() if among is None else among)
        .order_by(col(Job.id))
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        # Read once: where PostgreSQL takes the jobs for few it would choose and lock anew for each of them.
        once = chosen.with_for_update(skip_locked=True).cte("chosen").prefix_with("MATERIALIZED")
        chosen = select(once.c.id)
    locked = await connection.execute(
        update(Job)
        .where(col(Job.id).in_(chosen))
        .values(lock_owner=token, lock_expiration_time=at + timedelta(seconds=seconds))
    )
    if not locked.rowcount:
        return []
    kinds = (col(Job.batch_id), col(Job.job_type))
    held = (
        select(
            *kinds, func.count().label("count"), func.min(col(Job.id)).label("low"), func.max(col(Job.id)).label("high")
        )
        .where(READY, col(Job.lock_owner) == token)
        .group_by(*kinds)
        .order_by(*kinds)
    )
    found = [Acquired(token=token, **row._mapping) for row in await connection.execute(held)]
    return sorted(found, key=lambda one: {SEED_JOB: 0, MONITOR_JOB: 2}.get(one.job_type, 1))


async def ready_batches(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """Running batches that have a job which is ready and due: ``id``, ``total_jobs``, ``batch_jobs_per_seed``."""
    due = or_(col(Job.due_date).is_(None), col(Job.due_date) <= now())
    ready = select(col(Job.batch_id)).where(READY, due)
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
    found = (await connection.execute(select(col(Job.batch_id), col(Job.job_type)).where(this))).one_or_none()
    if found is None:
        return None
    return Acquired(token, found.batch_id, found.job_type, 1, job_id, job_id, ordered=True)


async def held_jobs(connection: AsyncConnection, acquired: Acquired) -> list[str]:
    """Ids of the jobs that are still held."""
    held = select(col(Job.id)).where(acquired.held()).order_by(col(Job.id))
    return list((await connection.execute(held)).scalars())


async def narrow(connection: AsyncConnection, acquired: Acquired, job_id: str, token: str) -> Acquired:
    """Move one held job under a token of its own, to carry it out alone."""
    await connection.execute(
        update(Job).where(col(Job.id) == job_id, col(Job.lock_owner) == acquired.token).values(lock_owner=token)
    )
    return replace(acquired, token=token, count=1, low=job_id, high=job_id)


async def release(connection: AsyncConnection, token: str, low: str = "", high: str = "~") -> None:
    """Give back what an acquisition still holds.

    Args:
        connection: the caller's transaction.
        token: the acquisition.
        low: no held id is smaller.
        high: no held id is greater.
    """
    await connection.execute(
        update(Job)
        .where(col(Job.id).between(low, high), col(Job.lock_owner) == token)
        .values(lock_owner=None, lock_expiration_time=None)
    )


async def owners(connection: AsyncConnection) -> list[str]:
    """The tokens under which jobs are locked."""
    statement = select(col(Job.lock_owner)).where(col(Job.lock_owner).is_not(None)).distinct()
    return [str(owner) for owner in (await connection.execute(statement)).scalars()]


async def next_moment(connection: AsyncConnection) -> datetime | None:
    """When the next job that is not ready now becomes due or free, none if there is none."""
    at = now()
    due = select(func.min(col(Job.due_date))).where(READY, col(Job.due_date) > at)
    free = select(func.min(col(Job.lock_expiration_time))).where(READY, col(Job.lock_owner).is_not(None))
    moments = [(await connection.execute(statement)).scalar_one() for statement in (due, free)]
    return min((one for one in moments if one is not None), default=None)
