"""Rows that an order names by a query, settled before it changes them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.queries.conditions import json_texts, one_of
from retriage.store.tables.types import Rows


async def kept_ids(connection: AsyncConnection, key: ColumnElement[Any], *where: ColumnElement[bool]) -> list[str]:
    """The ids of the rows that fulfil conditions now, kept from other writers until the transaction ends.

    For a bounded number: the statements to come take the list (``listed``), and do not look for the rows again.

    Args:
        connection: the caller's transaction.
        key: the primary key of the table.
        where: which rows.
    """
    found = await connection.execute(select(key).where(*where).order_by(key).with_for_update())
    return list(found.scalars())


def listed(ids: Sequence[str]) -> Rows:
    """A select of these ids, whatever their number; its column is called ``id``."""
    return select(json_texts(ids).c.value.label("id"))


async def settled(connection: AsyncConnection, key: ColumnElement[Any], rows: Rows) -> Rows:
    """The rows that a query finds now, kept from other writers until the transaction ends.

    On PostgreSQL the query would find others when the next statement asks again: some that nobody keeps.

    Args:
        connection: the caller's transaction.
        key: the primary key of the table.
        rows: a select of that key.

    Returns:
        A select of the same keys, for any number of statements.
    """
    if connection.dialect.name != "postgresql":
        return rows
    kept = await connection.execute(select(key).where(key.in_(rows)).order_by(key).with_for_update())
    return select(key).where(one_of(key, list(kept.scalars())))
