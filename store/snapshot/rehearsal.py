"""How the copy of a snapshot is set going: a run is tried there before it is tried on the engine.

- All times are moved by the age of the snapshot: what was five minutes old is so when the rehearsal begins, and locks
  have as long to go as they had.
- Batches of the snapshot stand still, suspended: which tasks they work on is not told by any engine.
- Nobody works on tasks but those whose retries are set in the rehearsal. What comes after a task that is done is not
  rehearsed: its token ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Insert, func, insert, literal, or_, select, text, update

from retriage.store.commands.tokens import LOGGED
from retriage.store.contract.states import LogState
from retriage.store.database import Database, IdRun, now
from retriage.store.snapshot.tables import BEFORE
from retriage.store.snapshot_mark import SnapshotMark
from retriage.store.tables import Batch, ExternalTask, ExternalTaskLog, Job, JobDefinition, metadata
from retriage.store.tables.types import UtcTime, col

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal.

    Attributes:
        failure_rate: share of attempts that fail; none takes what was observed before the snapshot was taken.
        seed: of all chance: the same seed lets the same attempts at the same tasks fail.
    """

    failure_rate: float | None = None
    seed: int = 1

    async def begin(self, database: Database, mark: SnapshotMark) -> None:
        """Set a copy going, from now on.

        Args:
            database: the copy, open.
            mark: of its snapshot.
        """
        await _move_times(database, mark.taken_at)
        async with database.writing() as connection:
            for table in (Batch, Job, JobDefinition):
                await connection.execute(update(table).values(suspended=True))
            await connection.execute(_creations())
            await connection.run_sync(BEFORE.metadata.create_all)
            task = ExternalTask
            fetchable = or_(col(task.retries).is_(None), col(task.retries) > 0)
            had = select(col(task.id), col(task.retries)).where(fetchable)
            await connection.execute(BEFORE.insert().from_select(["id", "had"], had))


def _creations() -> Insert:
    """The entries of the log that tell that the tasks were made: without them it looks as if no log was kept."""
    task = ExternalTask
    values: dict[str, ColumnElement[Any]] = {
        "id": IdRun().column(func.row_number().over(order_by=col(task.id))),
        "timestamp": func.coalesce(col(task.create_time), literal(now(), UtcTime), type_=UtcTime),
        "state": literal(int(LogState.CREATED)),
        "external_task_id": col(task.id),
        **{name: col(getattr(task, name)) for name in LOGGED},
    }
    return insert(ExternalTaskLog).from_select(list(values), select(*values.values()))


async def _move_times(database: Database, taken_at: datetime) -> None:
    """Let everything have the age that it had when the snapshot was taken. Table by table: each is one statement."""
    by = (now() - taken_at) // _MILLISECOND
    for table in metadata.sorted_tables:
        times = [column.name for column in table.columns if isinstance(column.type, UtcTime)]
        if not times:
            continue
        moved = ", ".join(f'"{name}" = "{name}" + :by' for name in times)
        async with database.writing() as connection:
            await connection.execute(text(f'UPDATE "{table.name}" SET {moved}'), {"by": by})
