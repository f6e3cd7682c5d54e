"""A launch is written down: before it is sent, and when it is known what became of it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.database.clock import now
from store.journal.records import NewLaunch, State
from store.journal.tables import LaunchRow, LaunchTaskRow
from store.tables.types import col


async def begin(connection: AsyncConnection, launch: NewLaunch) -> int:
    """Write a launch down without its tasks; answers its number."""
    made = await connection.execute(insert(LaunchRow).values(**asdict(launch), began_at=now(), state="preparing"))
    return int(made.inserted_primary_key[0])  # type: ignore[index]


async def add_tasks(
    connection: AsyncConnection, launch_id: int, first: int, tasks: Sequence[tuple[str, int | None]], named: bool
) -> None:
    """Write down a piece of the tasks, from the ordinal ``first`` on."""
    if tasks:
        rows = [
            {"launch_id": launch_id, "ordinal": ordinal, "task_id": task, "retries": retries, "named": named}
            for ordinal, (task, retries) in enumerate(tasks, first)
        ]
        await connection.execute(insert(LaunchTaskRow), rows)


async def sent(connection: AsyncConnection, launch_id: int, listed: int | None, at: datetime | None) -> None:
    """The request goes out now; ``listed`` tasks are written down, none when they are not known."""
    await _set(connection, launch_id, state="sent", listed=listed, sent_at=at)


async def ended(
    connection: AsyncConnection,
    launch_id: int,
    state: State,
    batch_id: str | None,
    jobs: int | None,
    said: str,
    probable: bool = False,
) -> None:
    """What became of the launch."""
    await _set(
        connection, launch_id,
        state=state, batch_id=batch_id, jobs=jobs, said=said, probable=probable, ended_at=now(),
    )  # fmt: skip


async def settled(
    connection: AsyncConnection,
    launch_id: int,
    state: State,
    batch_id: str | None,
    jobs: int | None,
    said: str | None,
    probable: bool,
    looked_at: datetime,
) -> bool:
    """What a look for its batch has shown; answers whether the launch was still in doubt."""
    words = {} if said is None else {"said": said}
    changed = await connection.execute(
        update(LaunchRow)
        .where(col(LaunchRow.id) == launch_id, in_doubt())
        .values(
            state=state, batch_id=batch_id, jobs=jobs, probable=probable, looked_at=looked_at, ended_at=now(), **words
        )
    )
    return changed.rowcount > 0


def in_doubt() -> ColumnElement[bool]:
    """It is not known, or not proven, what became of a launch."""
    state = col(LaunchRow.state)
    probable = and_(state == "launched", col(LaunchRow.probable), col(LaunchRow.batch_id).is_not(None))
    return or_(state.in_(("sent", "unknown")), probable)


async def _set(connection: AsyncConnection, launch_id: int, **values: object) -> None:
    await connection.execute(update(LaunchRow).where(col(LaunchRow.id) == launch_id).values(**values))
