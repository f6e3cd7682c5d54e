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
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from alembic.util import CommandError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from retriage.store.contract.errors import ContractError, engine_error
from retriage.store.database.bounds import is_interrupted
from retriage.store.database.copy_beside import copy_beside
from retriage.store.database.examine import examine
from retriage.store.database.limits import Limits
from retriage.store.database.migrate import NotAStore, migrate
from retriage.store.database.postgresql import postgresql_engine
from retriage.store.database.sqlite import (
    WAIT_SECONDS,
    WRITER_PRAGMAS,
    FileLost,
    SqliteFile,
    TooSlow,
    at_once,
    set_pragmas,
    sqlite_engine,
)
from retriage.store.private_files import make_file
from retriage.store.store_name import name_of

T = TypeVar("T")

GIVING_BACK = 5.0
"""Seconds that connections which are still used have to come back when all are closed."""

SPARE_PAGES = 2500
"""10 MB."""

PAGES_AT_ONCE = 500
"""Pages that are given back in one transaction."""

_MISTYPED = re.compile(r"(sqlite|postgres)\w*(\+\w+)?:", re.IGNORECASE)
"""Begins what was meant as a URL, and would be the name of a folder."""


class StoreLost(ContractError):
    """500, the file of the store was deleted or replaced."""

    def __init__(self, path: str) -> None:
        said = engine_error(
            f"The store's file {path} was deleted or replaced while it was open, and nothing is written to it any "
            "more. Stop the server, put the file back, and start it again."
        ).body
        super().__init__(500, said.type, said.message, said.code)


class Database:
    """An open database. ``read`` and ``write``, ``reading()`` and ``writing()`` are the only ways in.

    Args:
        url: of an SQLite file or a PostgreSQL database.
        readers: connections kept for reading, and on PostgreSQL as many for writing.
        limits: how long questions and orders may take.
        lost: makes the error that is raised once the SQLite file at this path is deleted or replaced.
    """

    def __init__(
        self,
        url: URL,
        readers: int = 4,
        limits: Limits | None = None,
        lost: Callable[[str], Exception] = StoreLost,
    ) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.limits = limits or Limits()
        self._lost = lost
        self._turn = asyncio.Lock()
        self._beside: set[asyncio.Task[None]] = set()
        self._file: SqliteFile | None = None
        if self.is_sqlite:
            self._file = SqliteFile(Path(url.database or ""))
            self._reader = sqlite_engine(self._file, readers, writes=False)
            self._writer = sqlite_engine(self._file, 1, writes=True)
        else:
            self._reader = postgresql_engine(url, readers, self.limits.question, repeatable=True)
            self._writer = postgresql_engine(url, readers, self.limits.order)

    async def read(self, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Answer a question from one consistent state. It ends when the caller is cancelled.

        Args:
            question: awaits nothing but statements.

        Raises:
            ContractError: 500, it took longer than a question may, or the store's file is lost.
        """
        with _Told(self, self.limits.question):
            if not self.is_sqlite:
                async with self.reading() as connection:
                    return await question(connection)
            async with self._reader.connect() as connection:
                return await at_once(connection, question, self.limits.question)

    async def write(self, order: Callable[[AsyncConnection], Awaitable[T]], *, bounded: bool = True) -> T:
        """Carry out an order in one transaction: committed when it ends, rolled back when it raises.

        Args:
            order: awaits nothing but statements.
            bounded: it may take as long as an order may; on SQLite the jobs of batches may take longer.

        Raises:
            ContractError: 500, it took longer than an order may, or the store's file is lost.
        """
        seconds = self.limits.order if bounded else None
        with _Told(self, seconds):
            if not self.is_sqlite:
                async with self.writing() as connection:
                    return await order(connection)
            async with self._turn, self._writer.connect() as connection:
                return await at_once(connection, order, seconds)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one consistent state and changes nothing, for work that awaits other things too."""
        with _Told(self, None):
            async with self._reader.connect() as connection, connection.begin():
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction for work that awaits other things too: committed when the block ends, rolled back when it
        raises.
        """
        with _Told(self, None):
            if not self.is_sqlite:
                async with self._writer.begin() as connection:
                    yield connection
                return
            async with self._turn, self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def unshared(self) -> AsyncIterator[None]:
        """For filling a store that nobody else looks at. SQLite writes each page once, into its file, where otherwise
        it writes all into a log first, and it does not wait for the disk; when the block has ended all is there.

        A process that is killed in it leaves what it had committed, a machine that loses its power a broken file. Where
        another process has the file open all is as usual, and so it is on PostgreSQL. If the block raises, close this.
        """
        if not self.is_sqlite or not await self._set("journal_mode=DELETE"):
            yield
            return
        await self._set("synchronous=OFF", f"busy_timeout={WAIT_SECONDS * 1000}")
        yield
        # The change of the mode is a commit too, and waits until the disk has all that was written before it.
        await self._set("synchronous=FULL", "journal_mode=WAL", *WRITER_PRAGMAS)

    async def _set(self, *pragmas: str) -> bool:
        async with self._turn, self._writer.connect() as connection:
            return await set_pragmas(connection, *pragmas)

    @asynccontextmanager
    async def updating(self, outdated: Path | None) -> AsyncIterator[AsyncConnection]:
        """One transaction that brings the tables up to date.

        Args:
            outdated: an SQLite file with tables of before; a copy of it stands beside it until the block has ended.

        Raises:
            OSError: that copy cannot be written.
        """
        copy: Path | None = None
        async with self._turn, self._writer.begin() as connection:
            if outdated is not None:
                copy = await asyncio.to_thread(copy_beside, outdated)
            yield connection
        if copy is not None:
            copy.unlink(missing_ok=True)

    def keep_file(self) -> None:
        """From now on an SQLite file that was deleted or replaced is noticed at the begin of each transaction."""
        if self._file is not None:
            self._file.remember()

    async def give_space_back(self) -> bool:
        """Give some of the space that nothing uses any more back to the disk; answers whether there is more to give.

        SQLite keeps ``SPARE_PAGES`` for what comes next. Files that were made by older versions keep all, and
        PostgreSQL does it by itself.
        """
        if not self.is_sqlite:
            return False
        spare = await self.read(_spare_pages)
        if spare <= SPARE_PAGES or not await self._set(f"incremental_vacuum({PAGES_AT_ONCE})"):
            return False
        return await self.read(_spare_pages) < spare

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for; it is cancelled before the database is closed."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    async def close(self) -> None:
        """Close all connections. The database can not be used afterwards."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await _close_all(self._reader)
        await _close_all(self._writer)


async def _spare_pages(connection: AsyncConnection) -> int:
    return int((await connection.exec_driver_sql("PRAGMA freelist_count")).scalar_one())


async def _close_all(engine: AsyncEngine) -> None:
    """Close the connections of an engine. One that is still used is waited for: coming back later, to a pool that is
    gone, it would stay open."""
    pool = engine.pool
    with suppress(TimeoutError):
        async with asyncio.timeout(GIVING_BACK):
            while isinstance(pool, QueuePool) and pool.checkedout():  # noqa: ASYNC110 - the pool tells nobody
                await asyncio.sleep(0.002)
    await engine.dispose()


class _Told:
    """Turns what the database says of an ended transaction into a sentence for who asked."""

    def __init__(self, database: Database, seconds: float | None) -> None:
        self._database = database
        self._seconds = seconds

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, FileLost):
            raise self._database._lost(str(self._database.url.database)) from error
        slow = isinstance(error, TooSlow) or (isinstance(error, DBAPIError) and is_interrupted(error))
        if slow and self._seconds is not None:
            raise engine_error(
                f"The database was asked for more than it could do in {self._seconds:g} seconds, and was stopped. "
                "Nothing was changed: ask for less at a time."
            ) from error


class StoreNotOpened(ValueError):
    """A store cannot be opened; the text is one sentence for whoever named it, without passwords."""


async def open_database(store: str, readers: int = 4, limits: Limits | None = None) -> Database:
    """Open a store, bring its tables up to date, and answer it.

    Args:
        store: path of an SQLite file (made with its folder if missing), or an SQLAlchemy URL.
        readers: connections kept for reading.
        limits: how long questions and orders may take.

    Raises:
        StoreNotOpened: it is neither a path nor a URL of SQLite or PostgreSQL, cannot be reached, is no store, or was
            written by a newer version, or there is no room for a copy of it while its tables are changed. Nothing of
            it was changed.
    """
    try:
        url = store_url(store)
        path, outdated = Path(url.database or ""), False
        if url.get_backend_name() == "sqlite":
            outdated = await asyncio.to_thread(examine, path) == "outdated"
        database = Database(url, readers, limits)
    except (OSError, ArgumentError, NotAStore) as error:
        raise StoreNotOpened(f"The store {_named(store)} cannot be opened: {first_line(error)}.") from error
    try:
        async with database.updating(path if outdated else None) as connection:
            await connection.run_sync(migrate)
    except BaseException as error:
        await database.close()
        if isinstance(error, SQLAlchemyError | CommandError | NotAStore | OSError):
            raise StoreNotOpened(f"The store {_named(store)} cannot be opened: {first_line(error)}.") from error
        raise
    database.keep_file()
    return database


def _named(store: str) -> str:
    """The store as it may be shown."""
    return store.partition(":")[0] if "://" not in store and _MISTYPED.match(store) else name_of(store)


def first_line(error: BaseException) -> str:
    """What the driver said, without the library's own additions."""
    said = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)
    return next((line.strip().rstrip(".") for line in said.splitlines() if line.strip()), type(error).__name__)


def store_url(store: str) -> URL:
    """The URL of a store given as a path or a URL. An SQLite file that is missing is made, with its folder.

    Raises:
        StoreNotOpened: it is a URL of something that is no store.
        ArgumentError: it is no URL.
        OSError: the file cannot be made.
    """
    if "://" not in store:
        if _MISTYPED.match(store):
            raise ArgumentError("a URL has :// after its first word, and a file of that name is written ./NAME")
        path = Path(store).expanduser().resolve()
        make_file(path)
        return URL.create("sqlite+aiosqlite", database=str(path))
    try:
        url = make_url(store)
    except ValueError:
        raise ArgumentError("its port is not a number") from None
    if url.drivername == "postgres":
        raise ArgumentError("write postgresql:// instead of postgres://")
    try:
        backend = url.get_backend_name()
    except ArgumentError:
        raise ArgumentError(f"a store is an SQLite file or a PostgreSQL database, not {url.drivername}") from None
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StoreNotOpened("a store in memory is lost with its connection: give a file")
        if url.database.startswith("file:"):
            raise StoreNotOpened("write sqlite:///PATH, without file:")
        path = Path(url.database).absolute()
        make_file(path)
        return URL.create("sqlite+aiosqlite", database=str(path))
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise StoreNotOpened(f"a store is an SQLite file or a PostgreSQL database, not {backend}")
