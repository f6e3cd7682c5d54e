"""Filters: those with a name, and those used lately."""

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.clock import now
from retriage.store.journal.records import SavedQuery
from retriage.store.journal.tables import SavedQueryRow, UsedTextRow
from retriage.store.tables.types import col

KEPT = 200
"""So many texts are remembered for each subject of an engine."""


async def save(connection: AsyncConnection, engine: str, subject: str, name: str, text: str) -> None:
    """Give a filter a name; one of the same name is replaced."""
    values = {"text": text, "saved_at": now()}
    key = [col(SavedQueryRow.engine), col(SavedQueryRow.subject), col(SavedQueryRow.name)]
    new = upsert(SavedQueryRow).values(engine=engine, subject=subject, name=name, **values)
    await connection.execute(new.on_conflict_do_update(index_elements=key, set_=values))


async def saved(connection: AsyncConnection, engine: str, subject: str) -> list[SavedQuery]:
    """Filters with a name, by name."""
    columns = col(SavedQueryRow.name), col(SavedQueryRow.text), col(SavedQueryRow.saved_at)
    rows = await connection.execute(
        select(*columns)
        .where(col(SavedQueryRow.engine) == engine, col(SavedQueryRow.subject) == subject)
        .order_by(col(SavedQueryRow.name))
    )
    return [SavedQuery(*row) for row in rows]


async def forget(connection: AsyncConnection, engine: str, subject: str, name: str) -> bool:
    """Take a name away; answers whether there was one."""
    gone = await connection.execute(
        delete(SavedQueryRow).where(
            col(SavedQueryRow.engine) == engine,
            col(SavedQueryRow.subject) == subject,
            col(SavedQueryRow.name) == name,
        )
    )
    return gone.rowcount > 0


async def remember(connection: AsyncConnection, engine: str, subject: str, text: str) -> None:
    """Put a text on top of those used lately. The oldest ones beyond ``KEPT`` go."""
    here = col(UsedTextRow.engine) == engine, col(UsedTextRow.subject) == subject
    await connection.execute(delete(UsedTextRow).where(*here, col(UsedTextRow.text) == text))
    await connection.execute(insert(UsedTextRow).values(engine=engine, subject=subject, text=text))
    number = col(UsedTextRow.number)
    last_kept = select(number).where(*here).order_by(number.desc()).offset(KEPT - 1).limit(1).scalar_subquery()
    await connection.execute(delete(UsedTextRow).where(*here, number < last_kept))


async def recent(connection: AsyncConnection, engine: str, subject: str, limit: int) -> list[str]:
    """Texts used lately, the newest first."""
    rows = await connection.execute(
        select(col(UsedTextRow.text))
        .where(col(UsedTextRow.engine) == engine, col(UsedTextRow.subject) == subject)
        .order_by(col(UsedTextRow.number).desc())
        .limit(limit)
    )
    return list(rows.scalars())
