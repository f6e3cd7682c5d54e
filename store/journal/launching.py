"""A launch is written down: before it is sent, and when it is known what became of it."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, update
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


async def sent(connection: AsyncConnection, launch_id: int, listed: int | None) -> None:
    """The request goes out now; ``listed`` tasks are written down, none when they are not known."""
    await _set(connection, launch_id, state="sent", listed=listed)


async def ended(
    connection: AsyncConnection, launch_id: int, state: State, batch_id: str | None, jobs: int | None, said: str
) -> None:
    """What became of the launch."""
    await _set(connection, launch_id, state=state, batch_id=batch_id, jobs=jobs, said=said, ended_at=now())


async def _set(connection: AsyncConnection, launch_id: int, **values: object) -> None:
    await connection.execute(update(LaunchRow).where(col(LaunchRow.id) == launch_id).values(**values))
