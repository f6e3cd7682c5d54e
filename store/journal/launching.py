"""A launch is written down: before it is sent, and when it is known what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.clock import now
from retriage.store.journal.records import NewLaunch, Outcome, State
from retriage.store.journal.tables import LaunchRow, LaunchTaskRow
from retriage.store.tables.types import col

CUT_SHORT = "It was cut short, and ordered again."
"""Remark on a launch of single requests that another one replaces."""
TAKEN_OVER = "It was cut short. Its run goes on with what does not show the new value."
"""Remark on one of a run that another console took over."""
NOTHING_LEFT = "It was cut short. The others do not show what was set any more."
"""Remark on one that would have nothing left to do."""


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


async def asking(connection: AsyncConnection, launch_id: int, first: int, outcomes: Mapping[str, Outcome]) -> bool:
    """Write down units that get a request each next; return whether the launch is still at work. The first ones end
    every other launch that has begun to undo the same: this one takes its place."""
    mine = col(LaunchRow.id) == launch_id
    if not first:
        undoes = select(col(LaunchRow.undoes)).where(mine).scalar_subquery()
        undoes_run = select(col(LaunchRow.undoes_run)).where(mine).scalar_subquery()
        same = or_(col(LaunchRow.undoes) == undoes, col(LaunchRow.undoes_run) == undoes_run)
        await _end_begun(connection, CUT_SHORT, same, ~mine)
    taken = await connection.execute(
        update(LaunchRow)
        .where(mine, col(LaunchRow.ended_at).is_(None))
        .values(state="launched", listed=first + len(outcomes))
    )
    if not taken.rowcount:
        return False
    rows = [
        {"launch_id": launch_id, "ordinal": ordinal, "task_id": id, "named": True, "outcome": outcome}
        for ordinal, (id, outcome) in enumerate(outcomes.items(), first)
    ]
    await connection.execute(insert(LaunchTaskRow), rows)
    return True


async def answered(connection: AsyncConnection, launch_id: int, first: int, outcomes: Sequence[Outcome]) -> None:
    """What came of units that had a request each, from the ordinal ``first`` on; the last ones end the launch."""
    rows = [{"at": ordinal, "came": outcome} for ordinal, outcome in enumerate(outcomes, first)]
    table = LaunchTaskRow.__table__  # type: ignore[attr-defined]
    await connection.execute(
        update(table)
        .where(table.c.launch_id == launch_id, table.c.ordinal == bindparam("at"))
        .values(outcome=bindparam("came")),
        rows,
    )
    all_asked = col(LaunchRow.tasks) == first + len(outcomes)
    await _end_begun(connection, "", col(LaunchRow.id) == launch_id, all_asked)


async def nothing_left(connection: AsyncConnection, kind: Literal["launch", "run"], number: int) -> bool:
    """End launches that have begun to undo a launch or a run by single requests; returns whether there were any."""
    return await _end_begun(
        connection, NOTHING_LEFT, (col(LaunchRow.undoes) if kind == "launch" else col(LaunchRow.undoes_run)) == number
    )


async def taken_over(connection: AsyncConnection, run_id: int) -> None:
    """End launches of a run that have begun to send single requests: their console drives it no more."""
    await _end_begun(connection, TAKEN_OVER, col(LaunchRow.run_id) == run_id)


async def _end_begun(connection: AsyncConnection, said: str, *which: ColumnElement[bool]) -> bool:
    """End those of these launches that have begun to send single requests."""
    begun = col(LaunchRow.state) == "launched", col(LaunchRow.batch_id).is_(None), col(LaunchRow.ended_at).is_(None)
    done = (
        select(func.count())
        .where(col(LaunchTaskRow.launch_id) == col(LaunchRow.id), col(LaunchTaskRow.outcome) == "done")
        .correlate(LaunchRow)
        .scalar_subquery()
    )
    changed = await connection.execute(
        update(LaunchRow).where(*begun, *which).values(ended_at=now(), jobs=done, said=said)
    )
    return changed.rowcount > 0


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
    sent_at: datetime | None = None,
) -> None:
    """What became of the launch; ``sent_at`` where its batch tells it."""
    sent = {} if sent_at is None else {"sent_at": sent_at}
    await _set(
        connection, launch_id,
        state=state, batch_id=batch_id, jobs=jobs, said=said, probable=probable, ended_at=now(), **sent,
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
