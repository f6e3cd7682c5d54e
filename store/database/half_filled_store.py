"""A store that is being filled with a world is marked, so that nobody takes the stump of a killed process for one."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, delete, inspect, literal, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.engine import Database, first_line
from retriage.store.database.processes import is_gone
from retriage.store.store_name import name_of
from retriage.store.tables import metadata

_MARK = "being_filled"
"""A table that exists while a store is being filled, with a row that names the process."""


HALF_FILLED = (
    "The store {store} was left half filled with a demo world by a process that was stopped. "
    "Start it with --demo again, which begins the world anew, or use another store."
)
"""The sentence for whoever opens one without asking for a world."""


class BeingFilled(ValueError):
    """Another process is filling this store."""


class NotFilled(ValueError):
    """The store could not be filled to the end; the text is one sentence, without passwords."""


async def is_half_filled(database: Database) -> bool:
    """Whether a process began to fill this store and did not come to its end."""
    async with database.reading() as connection:
        return await connection.run_sync(_is_marked)


@asynccontextmanager
async def filling(database: Database) -> AsyncIterator[None]:
    """Mark a store while the block fills it. What an earlier one has left half done is removed first.

    Raises:
        BeingFilled: that earlier process is still at it.
        NotFilled: the database failed, or its disk is full.
        ValueError: the store has rows.
    """
    try:
        async with _marked(database):
            yield
    except (SQLAlchemyError, OSError) as error:
        raise NotFilled(
            f"The store {name_of(str(database.url.database))} cannot be filled: {first_line(error)}. "
            "What is in it is thrown away when it is filled again."
        ) from error


@asynccontextmanager
async def _marked(database: Database) -> AsyncIterator[None]:
    async with database.writing() as connection:
        if await connection.run_sync(_is_marked):
            await _check_alone(connection)
            await connection.run_sync(_begin_anew)
        # Only what was empty is ever marked: what is marked may be thrown away.
        await _check_empty(connection)
        await connection.execute(text(f"CREATE TABLE {_MARK} (host TEXT NOT NULL, pid INTEGER NOT NULL)"))
        await connection.execute(
            text(f"INSERT INTO {_MARK} VALUES (:host, :pid)"), {"host": socket.gethostname(), "pid": os.getpid()}
        )
    yield
    async with database.writing() as connection:
        await connection.execute(text(f"DROP TABLE {_MARK}"))


def _is_marked(connection: Connection) -> bool:
    return inspect(connection).has_table(_MARK)


async def _check_alone(connection: AsyncConnection) -> None:
    for host, pid in await connection.execute(text(f"SELECT host, pid FROM {_MARK}")):
        if host == socket.gethostname() and pid != os.getpid() and not is_gone(pid):
            raise BeingFilled(f"process {pid} is filling this store with a demo world")


async def _check_empty(connection: AsyncConnection) -> None:
    for table in metadata.sorted_tables:
        if (await connection.execute(select(literal(1)).select_from(table).limit(1))).first() is not None:
            raise ValueError(f"a demo world needs an empty store, and this one has rows in its table '{table.name}'")


def _begin_anew(connection: Connection) -> None:
    """Remove every row. Whoever fills a store may have taken indexes away too."""
    connection.execute(text(f"DROP TABLE {_MARK}"))
    for table in metadata.sorted_tables:
        connection.execute(delete(table))
        for index in table.indexes:
            index.create(connection, checkfirst=True)
