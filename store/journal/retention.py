"""How long the journal keeps what is over: launches, runs and work by hand that are older are forgotten."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.engine import Database
from retriage.store.journal.run_records import ENDED
from retriage.store.journal.tables import (
    ByHandRow,
    LaunchRow,
    LaunchTaskRow,
    RunCauseRow,
    RunRow,
    RunStepRow,
    RunTaskRow,
    RunWaveRow,
)
from retriage.store.tables.types import col

PIECE = 10_000
"""Tasks that one transaction deletes: others write between two of them."""
IN_DOUBT = ("sent", "unknown")
"""Launches that are kept whatever their age: nobody knows yet what became of them."""


async def forget_before(database: Database, moment: datetime) -> int:
    """Forget launches, runs and work by hand that are over and began before a moment; returns how many."""
    async with database.reading() as connection:
        runs = await _ids(
            connection, RunRow, col(RunRow.began_at) < moment, col(RunRow.state).in_((*ENDED, "preparing"))
        )
        kept = select(col(RunRow.id))
        launches = await _ids(
            connection,
            LaunchRow,
            col(LaunchRow.began_at) < moment,
            col(LaunchRow.state).not_in(IN_DOUBT),
            # A batch of a run is forgotten with it.
            col(LaunchRow.run_id).is_(None) | col(LaunchRow.run_id).not_in(kept),
        )
        of_runs = await _ids(connection, LaunchRow, col(LaunchRow.run_id).in_(runs))
    for launch in {*launches, *of_runs}:
        await _forget(database, LaunchTaskRow, col(LaunchTaskRow.launch_id), launch)
        async with database.writing() as connection:
            await connection.execute(delete(LaunchRow).where(col(LaunchRow.id) == launch))
    for run in runs:
        await _forget(database, RunTaskRow, col(RunTaskRow.run_id), run)
        async with database.writing() as connection:
            for table in (RunWaveRow, RunCauseRow, RunStepRow):
                await connection.execute(delete(table).where(col(table.run_id) == run))
            await connection.execute(delete(RunRow).where(col(RunRow.id) == run))
    async with database.writing() as connection:
        done = await connection.execute(delete(ByHandRow).where(col(ByHandRow.began_at) < moment))
    return len(launches) + len(runs) + done.rowcount


async def forget_values_before(database: Database, moment: datetime) -> None:
    """Forget what variables had before they were set by runs that are over and ended before a moment, and the requests
    of undos by which they got it back."""
    # A retry with arguments sets variables first.
    sets = or_(col(RunRow.operation) == "set", and_(col(RunRow.operation) == "retry", col(RunRow.arguments) != "{}"))
    over = sets, col(RunRow.ended_at) < moment, col(RunRow.state).in_(ENDED)
    async with database.reading() as connection:
        runs = await _ids(connection, RunRow, *over)
    for run in runs:
        async with database.writing() as connection:
            tasks = col(RunTaskRow.run_id) == run, col(RunTaskRow.was) != ""
            await connection.execute(update(RunTaskRow).where(*tasks).values(was=""))
            settled = col(LaunchRow.state).not_in(IN_DOUBT)
            undone = col(LaunchRow.undoes_run) == run, col(LaunchRow.operation) == "set", settled
            await connection.execute(update(LaunchRow).where(*undone).values(request="{}", arguments="{}"))


async def _ids(connection: AsyncConnection, table: Any, *which: Any) -> list[int]:
    return [int(row[0]) for row in await connection.execute(select(col(table.id)).where(*which))]


async def _forget(database: Database, table: Any, owner: Any, number: int) -> None:
    """Delete the tasks of a launch or a run, piece by piece."""
    while True:
        async with database.writing() as connection:
            some = select(col(table.ordinal)).where(owner == number).order_by(col(table.ordinal)).limit(PIECE)
            last = [int(row[0]) for row in await connection.execute(some)]
            if not last:
                return
            await connection.execute(delete(table).where(owner == number, col(table.ordinal) <= last[-1]))
