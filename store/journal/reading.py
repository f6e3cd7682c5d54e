"""Questions to the launches that were written down."""

from collections.abc import Collection
from typing import Any, get_args

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from retriage.store.journal import launching
from retriage.store.journal.records import Earlier, Launch, State, TaskBefore
from retriage.store.journal.tables import LaunchRow, LaunchTaskRow
from retriage.store.tables.types import col

FIELDS = tuple(Launch.__dataclass_fields__)
TAKEN = ("launched", "sent", "unknown", "unknowable")
"""States of a launch that has changed its tasks, or may have."""
MADE = "launched"
"""State of a launch that certainly has."""
REACHED = ("", "done")
"""Outcomes of a unit that was changed as far as its launch was carried out."""
assert {MADE, *TAKEN} <= set(get_args(State))


def _launches() -> "Select[Any]":
    return select(*(col(getattr(LaunchRow, name)) for name in FIELDS))


async def launches(connection: AsyncConnection, engine: str, limit: int) -> list[Launch]:
    """Launches on an engine, the newest first."""
    rows = await connection.execute(
        _launches().where(col(LaunchRow.engine) == engine).order_by(col(LaunchRow.id).desc()).limit(limit)
    )
    return [Launch(*row) for row in rows]


async def launch(connection: AsyncConnection, launch_id: int) -> Launch | None:
    """One launch."""
    row = (await connection.execute(_launches().where(col(LaunchRow.id) == launch_id))).first()
    return Launch(*row) if row else None


async def launch_of(connection: AsyncConnection, batch_id: str) -> Launch | None:
    """The launch that made a batch."""
    row = (await connection.execute(_launches().where(col(LaunchRow.batch_id) == batch_id))).first()
    return Launch(*row) if row else None


async def launches_of_run(connection: AsyncConnection, run_id: int, wave: int | None) -> list[Launch]:
    """The launches of a run, or of one of its waves, the oldest first."""
    wanted = _launches().where(col(LaunchRow.run_id) == run_id).order_by(col(LaunchRow.id))
    if wave is not None:
        wanted = wanted.where(col(LaunchRow.wave) == wave)
    return [Launch(*row) for row in await connection.execute(wanted)]


async def undos_of_run(connection: AsyncConnection, run_id: int) -> list[Launch]:
    """The launches that set a run back, the oldest first."""
    wanted = _launches().where(col(LaunchRow.undoes_run) == run_id).order_by(col(LaunchRow.id))
    return [Launch(*row) for row in await connection.execute(wanted)]


async def in_doubt(connection: AsyncConnection, engine: str, limit: int) -> list[Launch]:
    """Launches on an engine of which it is not known, or not proven, what became of them, the newest first."""
    rows = await connection.execute(
        _launches()
        .where(col(LaunchRow.engine) == engine, launching.in_doubt())
        .order_by(col(LaunchRow.id).desc())
        .limit(limit)
    )
    return [Launch(*row) for row in rows]


async def tasks(
    connection: AsyncConnection, launch_id: int, first: int, size: int, named: bool | None = None
) -> list[TaskBefore]:
    """Tasks of a launch from the ordinal ``first`` on, in at most ``size`` ordinals; ``named`` ones only, or the
    others only."""
    ordinal = col(LaunchTaskRow.ordinal)
    wanted = (
        select(col(LaunchTaskRow.task_id), col(LaunchTaskRow.retries))
        .where(col(LaunchTaskRow.launch_id) == launch_id, ordinal >= first, ordinal < first + size)
        .order_by(ordinal)
    )
    if named is not None:
        wanted = wanted.where(col(LaunchTaskRow.named) == named)
    return [TaskBefore(*row) for row in await connection.execute(wanted)]


async def former(connection: AsyncConnection, launch_id: int) -> dict[int | None, int]:
    """How many tasks of a launch had how many retries before; ``None`` is never failed."""
    retries = col(LaunchTaskRow.retries)
    rows = await connection.execute(
        select(retries, func.count()).where(col(LaunchTaskRow.launch_id) == launch_id).group_by(retries)
    )
    return {row[0]: row[1] for row in rows}


async def earlier(connection: AsyncConnection, engine: str, ids: Collection[str]) -> dict[str, Earlier]:
    """The last launch that each of these tasks or instances was part of, that the engine made a batch of, and that was
    not undone for it; at most 10,000 ids. One that sets 0 retries is none."""
    undo, set_back = aliased(LaunchRow), aliased(LaunchTaskRow)
    undone = (
        select(col(set_back.task_id))
        .join(undo, col(undo.id) == col(set_back.launch_id))
        .where(
            col(set_back.task_id) == col(LaunchTaskRow.task_id),
            or_(col(undo.undoes) == col(LaunchRow.id), col(undo.undoes_run) == col(LaunchRow.run_id)),
            col(undo.state).in_(TAKEN),
            col(set_back.outcome).in_(REACHED),
        )
        .exists()
    )
    made = col(LaunchRow.state) == MADE
    helps = or_(col(LaunchRow.retries) > 0, col(LaunchRow.retries).is_(None))
    return await _last(connection, engine, ids, made, helps, ~_is_undo(), ~undone)


async def undone(connection: AsyncConnection, engine: str, ids: Collection[str]) -> dict[str, Earlier]:
    """The last undo that each of these tasks was part of; at most 10,000 ids."""
    return await _last(connection, engine, ids, _is_undo())


def _is_undo() -> ColumnElement[bool]:
    return or_(col(LaunchRow.undoes).is_not(None), col(LaunchRow.undoes_run).is_not(None))


async def set_back(connection: AsyncConnection, launch_id: int) -> set[str]:
    """Tasks of a launch that were part of an undo of it, or of its run."""
    run = select(col(LaunchRow.run_id)).where(col(LaunchRow.id) == launch_id).scalar_subquery()
    rows = await connection.execute(
        select(col(LaunchTaskRow.task_id))
        .join(LaunchRow, col(LaunchRow.id) == col(LaunchTaskRow.launch_id))
        .where(
            or_(col(LaunchRow.undoes) == launch_id, col(LaunchRow.undoes_run) == run),
            col(LaunchRow.state).in_(TAKEN),
            col(LaunchTaskRow.outcome).in_(REACHED),
        )
    )
    return set(rows.scalars())


async def _last(
    connection: AsyncConnection, engine: str, ids: Collection[str], *which: ColumnElement[bool]
) -> dict[str, Earlier]:
    """The last launch of this kind that each of these tasks was part of."""
    last = func.max(col(LaunchRow.id))
    taken = (
        select(col(LaunchTaskRow.task_id).label("task"), last.label("launch"))
        .join(LaunchRow, col(LaunchRow.id) == col(LaunchTaskRow.launch_id))
        .where(
            col(LaunchTaskRow.task_id).in_(list(ids)),
            col(LaunchRow.engine) == engine,
            col(LaunchRow.state).in_(TAKEN),
            *which,
        )
        .group_by(col(LaunchTaskRow.task_id))
        .subquery()
    )
    rows = await connection.execute(
        select(taken.c.task, col(LaunchRow.id), col(LaunchRow.began_at), col(LaunchRow.batch_id)).join(
            LaunchRow, col(LaunchRow.id) == taken.c.launch
        )
    )
    return {task: Earlier(*rest) for task, *rest in rows}


async def covered(connection: AsyncConnection, batch_ids: Collection[str], ids: Collection[str]) -> dict[str, int]:
    """How many of these tasks (at most 10,000) each of these batches works on, as far as it was launched here."""
    batch = col(LaunchRow.batch_id)
    rows = await connection.execute(
        select(batch, func.count())
        .join(LaunchTaskRow, col(LaunchTaskRow.launch_id) == col(LaunchRow.id))
        .where(batch.in_(list(batch_ids)), col(LaunchTaskRow.task_id).in_(list(ids)))
        .group_by(batch)
    )
    return {str(row[0]): row[1] for row in rows}
