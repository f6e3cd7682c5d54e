"""Write many rows at once, on any database that the store knows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from store.demo.rows import TABLES, Rows


async def write(connection: AsyncConnection, rows: Rows) -> None:
    """Insert all rows of a slice in the caller's transaction.

    The rows go to the driver as they are: binding each value through SQLAlchemy would cost several times what the
    database needs, and would run on the event loop.
    """
    for kind, table in TABLES.items():
        values = rows.of(kind)
        if values:
            await connection.exec_driver_sql(_insert(connection.dialect, table, kind._fields), values)


def _insert(dialect: Dialect, table: type[SQLModel], columns: Sequence[str]) -> str:
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    known: Any = table.__table__  # type: ignore[attr-defined]
    names = ", ".join(quote(known.c[name].name) for name in columns)
    return f"INSERT INTO {quote(known.name)} ({names}) VALUES ({', '.join([mark] * len(columns))})"
