"""SQLite: the file, its connections, and work that is carried out in a connection's own thread.

A connection of aiosqlite has a thread, and each call of the driver is handed over to it and its answer back: four
hand-overs for one statement. ``run`` hands over a whole transaction instead. Inside the thread the same calls are made
at once, so that the same code serves both: what it awaits is done when it asks.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar
from urllib.parse import quote

import aiosqlite
from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from retriage.store.database.any_case import FOLD, fold
from retriage.store.database.statements import SmallStatements

T = TypeVar("T")

WAIT_SECONDS = 60
"""How long a writer waits for its turn, and SQLite for a lock of another process."""

LOOK_AGAIN_MILLISECONDS = 4
"""In this time a writer looks three times whether another process has ended its transaction, and then begins anew."""

WRITER_PRAGMAS = ("synchronous=NORMAL", f"busy_timeout={LOOK_AGAIN_MILLISECONDS}")
"""How a connection that writes is set, as far as it is ever set otherwise."""

INTERRUPT_AGAIN = 0.01
"""Seconds between two interruptions: one that meets no statement, because the next has not begun, is lost."""

# Of a null Python 3.11 asks whether it adapts itself to SQLite, which it says by an exception: six times as long as a
# number takes. What is registered is not asked; an empty dictionary gives null for null.
_NULL: Callable[[None], None] = dict[None, None]().get
sqlite3.register_adapter(type(None), _NULL)

_ENDS = {"rollback", "close"}
"""Calls of the driver that are made for work that was ended too."""


class TooSlow(Exception):
    """The work took longer than it may, and nothing of it is kept."""


class FileLost(Exception):
    """The file of the store is not there any more, or another one is in its place."""


_WORKING: "ContextVar[FileConnection | None]" = ContextVar("the connection whose work this is", default=None)


def check_wanted() -> None:
    """Check that somebody still waits for what is done here; to be called now and then where no statement is near.

    Raises:
        OperationalError: the caller has gone, or the time is over. It goes no further than ``FileConnection.run``.
    """
    connection = _WORKING.get()
    if connection is not None and connection.is_ended:
        raise sqlite3.OperationalError("interrupted")


class FileConnection(aiosqlite.Connection):
    """A connection to one file, with its thread."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        opened: list[sqlite3.Connection] = []

        def open_() -> sqlite3.Connection:
            opened.append(connector())
            return opened[0]

        super().__init__(open_, iter_chunk_size=64)
        self._thread = threading.Thread(target=_serve, args=(self._tx,), daemon=True)
        self.is_ended = False
        self._opened = opened

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread. What it has opened is closed there: the driver forgets a connection whose opener was
        cancelled."""
        self._running = False
        try:
            future = asyncio.get_running_loop().create_future()
        except RuntimeError:
            future = None
        self._tx.put_nowait((future, self._close))
        self._tx.put_nowait((None, _end))
        return future

    def _close(self) -> None:
        for connection in self._opened:
            connection.close()
        self._connection = None

    async def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """Carry out a whole transaction in the thread: one hand-over there and one back.

        Args:
            work: awaits nothing but statements of this connection.
            seconds: how long it may take.

        Raises:
            TooSlow: it took longer, and was interrupted.
            CancelledError: the caller was cancelled, and the work interrupted.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        # The thread has a context of its own; the work sees that of whoever asked.
        context = copy_context()
        context.run(_WORKING.set, self)
        self._tx.put_nowait((future, partial(context.run, _carry_out, work)))
        try:
            await asyncio.wait({future}, timeout=seconds)
        except asyncio.CancelledError:
            await self._end(future)
            raise
        if not future.done():
            await self._end(future)
            if future.exception() is not None:
                raise TooSlow
        return future.result()

    async def _end(self, future: asyncio.Future[Any]) -> None:
        """Interrupt what the thread does until it has ended."""
        self.is_ended = True
        while not future.done():
            self._conn.interrupt()
            try:
                await asyncio.wait({future}, timeout=INTERRUPT_AGAIN)
            except asyncio.CancelledError:
                continue  # nobody gets the connection before the thread is free
        self.is_ended = False
        if not future.cancelled():
            future.exception()  # seen: who was cancelled does not ask for it

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One call of the driver: at once in the thread, handed over from elsewhere."""
        if threading.get_ident() == self._thread.ident:
            return self._call(partial(fn, *args, **kwargs))
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(self._call, partial(fn, *args, **kwargs))))
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError:
            await self._end(future)
            raise
        return future.result()

    def _call(self, function: "partial[T]") -> T:
        if self.is_ended and function.func.__name__ not in _ENDS:
            raise sqlite3.OperationalError("interrupted")
        return function()


def _serve(calls: "SimpleQueue[tuple[asyncio.Future[Any] | None, Callable[[], Any]]]") -> None:
    """The thread of a connection. The driver's own dies, and is lamented on the terminal, where it has an answer for an
    event loop that is closed by now: nobody waits for that one."""
    while True:
        future, function = calls.get()
        if function is _end:
            return
        result, problem = None, None
        try:
            result = function()
        except BaseException as raised:  # whoever waits for the answer gets it
            problem = raised
        if future is not None:
            with suppress(RuntimeError):
                future.get_loop().call_soon_threadsafe(_answer, future, result, problem)
        del future, function, result, problem


def _end() -> None:
    """The last call that a thread is handed."""


def _answer(future: asyncio.Future[Any], result: Any, problem: BaseException | None) -> None:
    if future.done():
        return
    if problem is not None:
        future.set_exception(problem)
    else:
        future.set_result(result)


def _carry_out(work: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never has to wait. Where it gives others a turn, other threads get one."""
    try:
        while work.send(None) is None:  # what ``asyncio.sleep(0)`` hands out; who waits hands out what he waits for
            time.sleep(0)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise RuntimeError("a transaction waited for something other than its statements")


async def at_once(
    connection: AsyncConnection, work: Callable[[AsyncConnection], Awaitable[T]], seconds: float | None
) -> T:
    """Carry out work in one transaction, in the thread of its connection. See ``FileConnection.run``."""

    async def transaction() -> T:
        async with connection.begin():
            return await work(connection)

    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, FileConnection)
    return await driver.run(transaction(), seconds)


async def set_pragmas(connection: AsyncConnection, *pragmas: str) -> bool:
    """Set how a connection works that has no transaction; false if another process keeps it from that."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, FileConnection)
    try:
        for pragma in pragmas:
            await driver.execute_fetchall(f"PRAGMA {pragma}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


async def elsewhere(function: Callable[..., T], *args: Any) -> T:
    """Call a function that computes for long: in a thread, unless this already is one that nobody waits for."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return function(*args)
    return await asyncio.to_thread(function, *args)


class SqliteFile:
    """The file of a store: the same one as long as the store is open.

    A connection that holds a file which was deleted goes on writing to what nobody can open any more, and a new one
    would find another file in its place, or make an empty one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None

    def remember(self) -> None:
        """From now on it has to be this one."""
        self._identity = self._now()

    def check(self) -> None:
        """Check that it is still the same.

        Raises:
            FileLost: it is not.
        """
        if self._identity is not None and self._now() != self._identity:
            raise FileLost

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def connect(self, *, writes: bool) -> sqlite3.Connection:
        """A connection as the driver has it. An opened store makes no file any more."""
        how = "rwc" if self._identity is None else "rw"
        self.check()
        empty = not self.path.exists() or not self.path.stat().st_size
        # What is only read is prepared anew each time: a kept statement of many conditions takes megabytes.
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode={how}",
            uri=True,
            isolation_level=None,
            cached_statements=128 if writes else 0,
        )
        connection.create_function(FOLD, 1, fold, deterministic=True)
        for pragma in (
            *(("auto_vacuum=INCREMENTAL",) if empty else ()),  # elsewhere it changes nothing, and waits for writers
            "journal_mode=WAL",
            "wal_autocheckpoint=4000",  # a set of jobs fills more pages than the default of 1000
            "case_sensitive_like=ON",  # as PostgreSQL and the engine's own H2 do
            *(WRITER_PRAGMAS if writes else ("synchronous=NORMAL", f"busy_timeout={WAIT_SECONDS * 1000}")),
            "cache_size=-32000" if writes else "cache_size=-8000",
            f"query_only={'OFF' if writes else 'ON'}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection


def sqlite_engine(file: SqliteFile, connections: int, *, writes: bool) -> AsyncEngine:
    """Connections to a file, all for reading or all for writing."""

    async def connected() -> FileConnection:
        made = FileConnection(partial(file.connect, writes=writes))
        await made
        return made

    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(file.path)),
        async_creator=connected,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS * 10 if writes else WAIT_SECONDS,
        pool_reset_on_return=None,  # every transaction is ended where it began; see _begin
        execution_options={"compiled_cache": SmallStatements()},
    )

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        file.check()
        driver = connection.connection.driver_connection
        if isinstance(driver, FileConnection) and driver.in_transaction:
            connection.exec_driver_sql("ROLLBACK")  # one that could not be ended
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
