"""Write many rows at once, on any database that the store knows."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Table, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from retriage.store.contract.states import LogState
from retriage.store.database import Database
from retriage.store.demo.rows import OF_TASK, PackedRows, Row
from retriage.store.tables import (
    ErrorDetails,
    Execution,
    ExternalTask,
    ExternalTaskLog,
    Incident,
    ProcessInstance,
    Variable,
    metadata,
)
from retriage.store.tables.types import col

_FILLED = (ProcessInstance, ExternalTask, Execution, Variable, ErrorDetails, Incident, ExternalTaskLog)
_T = ExternalTask


LONG_LOG_PAGES = 40_000
"""SQLite writes what was committed into its file after so many pages: 160 MB."""


@asynccontextmanager
async def rarely_checkpointed(database: Database) -> AsyncIterator[None]:
    """Let SQLite gather more before it writes into its file, so that it writes fewer pages twice."""
    if not database.is_sqlite:
        yield
        return
    async with database.writing() as connection:
        usual = int((await connection.exec_driver_sql("PRAGMA wal_autocheckpoint")).scalar_one())
        await connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={LONG_LOG_PAGES}")
    try:
        yield
    finally:
        async with database.writing() as connection:
            await connection.exec_driver_sql(f"PRAGMA wal_autocheckpoint={usual}")


@asynccontextmanager
async def without_indexes(database: Database, told: Callable[[int, int], None] | None = None) -> AsyncIterator[None]:
    """No indexes on the tables of a world while it is written, but their keys: to sort each index once, in the end,
    takes a third of the time. If the block raises they stay away: whoever leaves should not wait for those of a stump,
    and whoever begins the world anew makes them (``retriage.store.database.filling``).

    Args:
        database: the store.
        told: called before each index is made: how many there are so far, and of how many.
    """
    indexes = [index for table in _FILLED for index in _table(table).indexes]
    async with database.writing() as connection:
        for index in indexes:
            await connection.run_sync(index.drop, checkfirst=True)
    yield
    for number, index in enumerate(sorted(indexes, key=lambda index: str(index.name))):
        if told is not None:
            told(number, len(indexes))
        async with database.writing() as connection:
            await connection.run_sync(index.create, checkfirst=True)


async def insert_rows(connection: AsyncConnection, rows: PackedRows) -> None:
    """Insert all rows of a slice in the caller's transaction, but for those that ``copy_from_tasks`` makes.

    The rows go to the driver as they are: binding each value through SQLAlchemy would cost several times what the
    database needs, and would run on the event loop.
    """
    for columns, together, values in rows.inserts:
        await insert_values(connection, columns.table, columns.names, values, together)


async def insert_values(
    connection: AsyncConnection, table: str, columns: Sequence[str], values: Sequence[Row], together: int = 1
) -> None:
    """Insert tuples into the table of this name, in the order of the columns: plain values, times as milliseconds; each
    has the values of so many rows ``together``.
    """
    if values:
        await connection.exec_driver_sql(
            _statement(connection.dialect, metadata.tables[table], columns, together), list(values)
        )


def _statement(dialect: Dialect, table: Table, columns: Sequence[str], together: int) -> str:
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    names = ", ".join(quote(table.c[name].name) for name in columns)
    row = f"({', '.join([mark] * len(columns))})"
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES {', '.join([row] * together)}"


async def copy_from_tasks(connection: AsyncConnection, rows: PackedRows) -> None:
    """For each task of a slice, the token that waits at it, and the entry of the log that tells that it was made.

    They repeat the row of the task, so the database makes them, which is faster and needs no turn of this process.
    """
    if not rows.tasks:
        return
    first, last = rows.task_ids
    among = col(_T.id).between(first, last)
    token = {
        "id": col(_T.execution_id),
        "process_instance_id": col(_T.process_instance_id),
        "activity_id": col(_T.activity_id),
        "activity_instance_id": col(_T.activity_instance_id),
    }
    await connection.execute(insert(Execution).from_select(list(token), select(*token.values()).where(among)))
    task = _table(_T).c
    entry: dict[str, ColumnElement[Any]] = {
        "id": entry_id(col(_T.id)),
        "timestamp": task.create_time,
        "state": literal(int(LogState.CREATED)),
        "external_task_id": task.id,
        **{name: task[name] for name in OF_TASK[1:]},
    }
    await connection.execute(insert(ExternalTaskLog).from_select(list(entry), select(*entry.values()).where(among)))


def entry_id(task_id: ColumnElement[str]) -> ColumnElement[str]:
    """The id of the first entry in the log of a task: made in the same millisecond, and no other row's.

    Ids of a demo world end in a counter that never comes so far that its first digit is a c.
    """
    return func.substr(task_id, 1, 24).concat("c").concat(func.substr(task_id, 26))


def _table(table: type[SQLModel]) -> Table:
    known: Table = table.__table__  # type: ignore[attr-defined]
    return known
