"""Who may write down what happens in a run: its driver, and of waves that no driver counts whoever follows them.

All of them raise NotYours. Asked in a transaction that writes, they hold until its end.
"""

from datetime import timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.clock import now
from retriage.store.journal.run_records import OVER, NotYours
from retriage.store.journal.tables import RunRow, RunWaveRow
from retriage.store.tables.types import col

LEASE = timedelta(seconds=20)
"""For so long a run belongs to its driver, unless it says so again."""


async def check_driver(connection: AsyncConnection, run_id: int, driver: str) -> None:
    """Raise where a run is driven by another."""
    mine = select(col(RunRow.id)).where(col(RunRow.id) == run_id, col(RunRow.driver) == driver)
    if (await connection.execute(mine)).first() is None:
        raise NotYours


async def keep_driving(connection: AsyncConnection, run_id: int, driver: str) -> None:
    """Let the time of the driver begin anew; raise where a run is driven by another."""
    await check_driver(connection, run_id, driver)
    await connection.execute(update(RunRow).where(col(RunRow.id) == run_id).values(driven_until=now() + LEASE))


async def check_unwatched(connection: AsyncConnection, run_id: int, wave: int) -> None:
    """Raise where somebody drives the run and counts this wave."""
    undriven = (col(RunRow.driver) == "") | col(RunRow.driven_until).is_(None) | (col(RunRow.driven_until) < now())
    over = exists().where(
        col(RunWaveRow.run_id) == run_id, col(RunWaveRow.wave) == wave, col(RunWaveRow.state).in_(OVER)
    )
    free = select(col(RunRow.id)).where(col(RunRow.id) == run_id, undriven | over)
    if (await connection.execute(free)).first() is None:
        raise NotYours
