"""The database: opening it, reading it and writing to it.

Statements run on Core connections, not on ORM sessions: nothing in the store changes a row by way of an object, and a
set of two thousand rows is changed by one statement (bulk form first, a single call is a bulk of one).

SQLite has one writer, so there is one writing connection per process, whose transactions begin as IMMEDIATE; whoever
wants to write waits for its turn in order, without blocking the event loop. Between processes there is no order: who
finds the file free begins. SQLite itself looks again after up to a tenth of a second, by which time a busy process has
long begun anew; here a waiting one looks every few milliseconds. Readers have connections of their
own and are never held up by the writer (WAL). On PostgreSQL both are ordinary pools.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from store.database.folding import FOLD, fold
from store.database.migrate import NotAStore, migrate
from store.private_files import make_file

WAIT_SECONDS = 60
"""How long a writer waits for its turn, and SQLite for a lock of another process."""

LOOK_AGAIN_MILLISECONDS = 4
"""In this time a writer looks three times whether another process has ended its transaction, and then begins anew."""


class Database:
    """An open database. ``reading()`` and ``writing()`` are the only ways in."""

    def __init__(self, url: URL, readers: int = 4) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._turn = asyncio.Lock()
        if self.is_sqlite:
            self._reader = _sqlite(url, readers, writes=False)
            self._writer = _sqlite(url, 1, writes=True)
        else:
            self._reader = create_async_engine(
                url, pool_size=readers, pool_timeout=WAIT_SECONDS, isolation_level="REPEATABLE READ"
            )
            self._writer = create_async_engine(url, pool_size=readers, pool_timeout=WAIT_SECONDS)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state and changes nothing."""
        async with self._reader.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        if not self.is_sqlite:
            async with self._writer.begin() as connection:
                yield connection
            return
        async with self._turn, self._writer.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Close all connections. The database can not be used afterwards."""
        await self._reader.dispose()
        await self._writer.dispose()


class StoreNotOpened(ValueError):
    """A store cannot be opened; the text is one sentence for whoever named it, without passwords."""


async def open_database(store: str, readers: int = 4) -> Database:
    """Open a store, bring its tables up to date, and answer it.

    Args:
        store: path of an SQLite file (made with its folder if missing), or an SQLAlchemy URL.
        readers: connections kept for reading.

    Raises:
        StoreNotOpened: it is neither a path nor a URL of SQLite or PostgreSQL, cannot be reached, is no store, or was
            written by a newer version.
    """
    try:
        url = store_url(store)
    except (OSError, ArgumentError) as error:
        raise StoreNotOpened(f"The store {_named(store)} cannot be opened: {_first_line(error)}.") from error
    database = Database(url, readers)
    try:
        async with database._writer.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
    except BaseException as error:
        await database.close()
        if isinstance(error, SQLAlchemyError | CommandError | NotAStore | OSError):
            raise StoreNotOpened(f"The store {_named(store)} cannot be opened: {_first_line(error)}.") from error
        raise
    return database


def _named(store: str) -> str:
    """The store as it may be shown."""
    if "://" not in store:
        return store
    try:
        return make_url(store).render_as_string(hide_password=True)
    except ArgumentError:
        return store.partition("://")[0]


def _first_line(error: BaseException) -> str:
    """What the driver said, without the library's own additions."""
    said = str(getattr(error, "orig", None) or error)
    return next((line.strip().rstrip(".") for line in said.splitlines() if line.strip()), type(error).__name__)


def store_url(store: str) -> URL:
    """The URL of a store given as a path or a URL. An SQLite file that is missing is made, with its folder."""
    if "://" not in store:
        path = Path(store).expanduser().resolve()
        make_file(path)
        return URL.create("sqlite+aiosqlite", database=str(path))
    url = make_url(store)
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StoreNotOpened("a store in memory is lost with its connection: give a file")
        if not url.database.startswith("file:"):
            make_file(Path(url.database).absolute())
        return url.set(drivername="sqlite+aiosqlite")
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise StoreNotOpened(f"a store is an SQLite file or a PostgreSQL database, not {backend}")


def _sqlite(url: URL, connections: int, *, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=connections, max_overflow=0, pool_timeout=WAIT_SECONDS * 10 if writes else WAIT_SECONDS
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.create_function(FOLD, 1, fold, deterministic=True)
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "wal_autocheckpoint=4000",  # a set of jobs fills more pages than the default of 1000
            "case_sensitive_like=ON",  # as PostgreSQL and the engine's own H2 do
            f"busy_timeout={LOOK_AGAIN_MILLISECONDS if writes else WAIT_SECONDS * 1000}",
            "cache_size=-32000" if writes else "cache_size=-8000",
            f"query_only={'OFF' if writes else 'ON'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        if writes:
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _begin_writing(connection: Connection) -> None:
    """Begin as soon as no other process writes.

    Raises:
        OperationalError: one did for a whole ``WAIT_SECONDS``.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        except OperationalError as error:
            code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
            if code != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
