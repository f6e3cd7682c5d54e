"""Work on single tasks by hand: written down before its requests are sent, and when it is known what came of them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.clock import now
from retriage.store.journal.records import Outcome
from retriage.store.journal.tables import ByHandRow
from retriage.store.tables.types import col


@dataclass(frozen=True)
class NewHandWork:
    """Work on one task before it is sent.

    Attributes:
        engine: stable name of the engine.
        url: its address, without a password.
        user: who works.
        task_id: the task.
        topic: its topic.
        worker: the worker in whose name it is reported.
        what: ``complete``, ``error CODE`` or ``fail``.
        variables: names of the variables that are set; values are not kept.
    """

    engine: str
    url: str
    user: str
    task_id: str
    topic: str
    worker: str
    what: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class WrittenHandWork(NewHandWork):
    """Work on one task in the journal.

    Attributes:
        id: its number.
        began_at: when it was written down.
        outcome: ``asked`` until it is known what came of it: stays so where the console ended before.
        said: what the engine said where it was not done.
    """

    id: int = 0
    began_at: datetime = datetime.min
    outcome: Outcome = "asked"
    said: str = ""


async def begin(connection: AsyncConnection, work: NewHandWork) -> int:
    """Write work down before it is sent; returns its number."""
    values = asdict(work) | {"variables": json.dumps(work.variables, ensure_ascii=False)}
    made = await connection.execute(insert(ByHandRow).values(**values, began_at=now(), outcome="asked"))
    return int(made.inserted_primary_key[0])  # type: ignore[index]


async def ended(connection: AsyncConnection, number: int, outcome: Outcome, said: str) -> None:
    """What came of it."""
    await connection.execute(update(ByHandRow).where(col(ByHandRow.id) == number).values(outcome=outcome, said=said))


async def newest(connection: AsyncConnection, engine: str, limit: int) -> Sequence[WrittenHandWork]:
    """Work on an engine, the newest first."""
    wanted = select(ByHandRow.__table__).where(col(ByHandRow.engine) == engine)  # type: ignore[attr-defined]
    rows = await connection.execute(wanted.order_by(col(ByHandRow.id).desc()).limit(limit))
    return [WrittenHandWork(**dict(row._mapping) | {"variables": tuple(json.loads(row.variables))}) for row in rows]
