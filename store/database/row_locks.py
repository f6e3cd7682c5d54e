"""Keep rows from other writers until the transaction ends.

A command that first looks and then changes must not let anybody change the rows in between. SQLite has one writer at a
time, and nothing to do here. On PostgreSQL rows are locked, always in this order, so that no two transactions wait for
each other in a ring: deployment, process definitions by id, batch, batch jobs by id, instances by id, tasks by id, jobs
of tokens by id, incidents, monitor job. Every statement of a transaction sees what was committed before that statement
began (READ COMMITTED), so what follows the lock sees the last word of those before it.
"""

from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection


class Kept(Enum):
    """How far rows are kept from others who keep them too."""

    ALONE = "FOR UPDATE"
    """From everybody."""

    CHANGED = "FOR NO KEY UPDATE"
    """From everybody but those who share them."""

    SHARED = "FOR KEY SHARE"
    """From those who want them alone."""


async def keep(
    connection: AsyncConnection, key: ColumnElement[Any], *where: ColumnElement[bool], how: Kept = Kept.ALONE
) -> None:
    """Keep rows of one table from other writers. An UPDATE keeps what it changes, as ``Kept.CHANGED`` does.

    Args:
        connection: the caller's transaction.
        key: the table's primary key.
        where: which rows.
        how: from whom.
    """
    if connection.dialect.name != "postgresql":
        return
    rows = (
        select(key)
        .where(*where)
        .order_by(key)
        .with_for_update(read=how is Kept.SHARED, key_share=how is not Kept.ALONE)
    )
    await connection.execute(select(func.count()).select_from(rows.subquery("kept")))
