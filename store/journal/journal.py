"""The journal: one small SQLite file, opened beside any engine."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.database.engine import Database, StoreNotOpened, store_url
from retriage.store.database.examine import FileKind, FileState, examine
from retriage.store.database.migrate import NotAStore, migrate
from retriage.store.journal import by_hand, launching, reading, retention, saved
from retriage.store.journal.by_hand import NewHandWork, WrittenHandWork
from retriage.store.journal.records import Earlier, Launch, NewLaunch, Outcome, SavedQuery, State, TaskBefore
from retriage.store.journal.run_drivers import check_driver, keep_driving
from retriage.store.journal.runs import Runs

PIECE = 1000
"""Tasks that one transaction writes, or one question reads: between two of them the event loop is free."""
ASKED = 5000
"""Ids in one question; SQLite takes 32,766 variables."""
LOCKED_SECONDS = 5.0
"""Seconds for which opening waits while another process locks the file."""
MIGRATIONS = Path(__file__).with_name("migrations")
_KIND = FileKind(frozenset({0}), "launch", "journal_version", MIGRATIONS)


_ReadTasks = Callable[[AsyncConnection, str, list[str]], Awaitable[dict[str, Earlier]]]


class JournalNotOpened(ValueError):
    """The journal cannot be opened; the text is one sentence for the operator."""


class JournalLost(SQLAlchemyError):
    """The journal's file was deleted or replaced while it was open."""

    def __init__(self, path: str) -> None:
        super().__init__(f"The journal {path} was deleted or replaced while it was open")


class Journal:
    """The operator's memory. Several consoles may have the same file open.

    Every method may raise ``sqlalchemy.exc.SQLAlchemyError`` when the file cannot be read or written any more, and
    ``JournalLost``, which is one, when it is not the file that was opened.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.runs = Runs(database)
        """Runs, their waves and their tasks."""

    @classmethod
    async def open(cls, path: Path) -> "Journal":
        """Open the file, made with its folder if missing, and bring its tables up to date. A file that is locked
        against reading is waited for, ``LOCKED_SECONDS`` at most; one that is up to date is not written to.

        Raises:
            JournalNotOpened: it cannot be made or read, is something else, or was written by a newer version.
        """
        try:
            url = store_url(str(path))
            state = await asyncio.to_thread(_probe, path)
            database = Database(url, readers=2, lost=JournalLost)
        except (OSError, sqlite3.Error, StoreNotOpened, NotAStore) as problem:
            raise JournalNotOpened(f"The journal cannot be opened: {_said(problem)} ({path}).") from problem
        try:
            if state != "current":
                async with database.updating(path if state == "outdated" else None) as connection:
                    await connection.run_sync(_bring_up_to_date)
            database.keep_file()
        except BaseException as problem:
            await database.close()
            if isinstance(problem, Exception):
                raise JournalNotOpened(f"The journal cannot be opened: {_said(problem)} ({path}).") from problem
            raise
        return cls(database)

    async def close(self) -> None:
        """Close the file."""
        await self._database.close()

    async def forget_before(self, moment: datetime) -> int:
        """Forget launches and runs that are over and began before a moment; answers how many. What is in doubt, and a
        run that may still go on, is kept."""
        return await retention.forget_before(self._database, moment)

    async def forget_values_before(self, moment: datetime) -> None:
        """Forget former values of variables that runs which ended before a moment had set."""
        await retention.forget_values_before(self._database, moment)

    # -- filters ----------------------------------------------------------------------------------------------------

    async def save_query(self, engine: str, subject: str, name: str, text: str) -> None:
        """Give a filter a name; one of the same name is replaced."""
        async with self._database.writing() as connection:
            await saved.save(connection, engine, subject, name, text)

    async def saved_queries(self, engine: str, subject: str) -> list[SavedQuery]:
        """Filters with a name, by name."""
        async with self._database.reading() as connection:
            return await saved.saved(connection, engine, subject)

    async def forget_query(self, engine: str, subject: str, name: str) -> bool:
        """Take a name away; answers whether there was one."""
        async with self._database.writing() as connection:
            return await saved.forget(connection, engine, subject, name)

    async def remember(self, engine: str, subject: str, text: str) -> None:
        """Put a filter on top of those used lately."""
        async with self._database.writing() as connection:
            await saved.remember(connection, engine, subject, text)

    async def recent(self, engine: str, subject: str, limit: int = 50) -> list[str]:
        """Filters used lately, the newest first."""
        async with self._database.reading() as connection:
            return await saved.recent(connection, engine, subject, limit)

    # -- launches are written down ----------------------------------------------------------------------------------

    async def begin(self, launch: NewLaunch) -> int:
        """Write a launch down before it is sent; answers its number."""
        async with self._database.writing() as connection:
            return await launching.begin(connection, launch)

    async def add_tasks(
        self, launch_id: int, tasks: Iterable[tuple[str, int | None]], *, first: int = 0, named: bool = True
    ) -> int:
        """Write down tasks of a launch with the retries they have, in pieces.

        Args:
            launch_id: the launch.
            tasks: ids and retries, ``None`` for never failed.
            first: ordinal of the first one.
            named: they stand in the request by their id.

        Returns:
            the ordinal after the last one.
        """
        rest = iter(tasks)
        while piece := list(islice(rest, PIECE)):
            async with self._database.writing() as connection:
                await launching.add_tasks(connection, launch_id, first, piece, named)
            first += len(piece)
        return first

    async def asking(
        self, launch_id: int, first: int, outcomes: Mapping[str, Outcome], *, run: tuple[int, str] | None = None
    ) -> bool:
        """Units get a request each next; the first ones end every other launch that has begun to undo the same.

        Args:
            launch_id: the launch.
            first: ordinal of the first one.
            outcomes: id -> ``asked``, or why it gets no request.
            run: of a launch of a run, that run and its driver, whose time begins anew.

        Returns:
            whether it may be sent: not where another console goes on with the same undo, and nothing is written then.

        Raises:
            NotYours: the run is driven by another by now; nothing may be sent.
        """
        async with self._database.writing() as connection:
            if run is not None:
                await keep_driving(connection, *run)
            return await launching.asking(connection, launch_id, first, outcomes)

    async def answered(self, launch_id: int, first: int, outcomes: Sequence[Outcome]) -> None:
        """What came of units that had a request each, from the ordinal ``first`` on; the last ones end the launch."""
        async with self._database.writing() as connection:
            await launching.answered(connection, launch_id, first, outcomes)

    async def nothing_left(self, kind: Literal["launch", "run"], number: int) -> bool:
        """Nothing that a launch or a run has set can be given back by single requests any more: an undo that was cut
        short ends. Returns whether there was one."""
        async with self._database.writing() as connection:
            return await launching.nothing_left(connection, kind, number)

    async def sent(
        self, launch_id: int, listed: int | None, at: datetime | None = None, *, run: tuple[int, str] | None = None
    ) -> None:
        """The request goes out now.

        Args:
            launch_id: the launch.
            listed: so many of its tasks are written down; ``None`` when they are not all known.
            at: now, by the engine's clock.
            run: of a batch of a run, that run and who drives it.

        Raises:
            NotYours: the run is driven by another by now; it must not be sent.
        """
        async with self._database.writing() as connection:
            if run is not None:
                await check_driver(connection, *run)
            await launching.sent(connection, launch_id, listed, at)

    async def ended(
        self,
        launch_id: int,
        state: State,
        *,
        batch_id: str | None = None,
        jobs: int | None = None,
        said: str = "",
        probable: bool = False,
        sent_at: datetime | None = None,
    ) -> None:
        """What became of a launch.

        Args:
            launch_id: which one.
            state: what became of it.
            batch_id: its batch.
            jobs: how many jobs that has.
            said: why there is none.
            probable: nothing proves yet that the batch is its own.
            sent_at: when its batch began, by the engine's clock; what a proxy made of that clock was written before.
        """
        async with self._database.writing() as connection:
            await launching.ended(connection, launch_id, state, batch_id, jobs, said, probable, sent_at)

    async def settled(
        self,
        launch_id: int,
        state: State,
        *,
        looked_at: datetime,
        batch_id: str | None = None,
        jobs: int | None = None,
        said: str | None = None,
        probable: bool = False,
    ) -> bool:
        """What a look for the batch of a launch has shown. Nothing is changed, and False answered, where it is not in
        doubt any more: another console with the same file, or the answer itself, was first."""
        async with self._database.writing() as connection:
            return await launching.settled(connection, launch_id, state, batch_id, jobs, said, probable, looked_at)

    # -- work by hand -----------------------------------------------------------------------------------------------

    async def begin_by_hand(self, work: NewHandWork) -> int:
        """Write work on one task down before it is sent; returns its number."""
        async with self._database.writing() as connection:
            return await by_hand.begin(connection, work)

    async def ended_by_hand(self, number: int, outcome: Outcome, said: str = "") -> None:
        """What came of work on one task."""
        async with self._database.writing() as connection:
            await by_hand.ended(connection, number, outcome, said)

    async def by_hand(self, engine: str, limit: int = 500) -> Sequence[WrittenHandWork]:
        """Work on single tasks of an engine, the newest first."""
        async with self._database.reading() as connection:
            return await by_hand.newest(connection, engine, limit)

    # -- and read again ---------------------------------------------------------------------------------------------

    async def launches(self, engine: str, limit: int = 1000) -> list[Launch]:
        """Launches on an engine, the newest first."""
        async with self._database.reading() as connection:
            return await reading.launches(connection, engine, limit)

    async def launch(self, launch_id: int) -> Launch | None:
        """One launch."""
        async with self._database.reading() as connection:
            return await reading.launch(connection, launch_id)

    async def launch_of(self, batch_id: str) -> Launch | None:
        """The launch that made a batch, ``None`` when it was not made by this console."""
        async with self._database.reading() as connection:
            return await reading.launch_of(connection, batch_id)

    async def in_doubt(self, engine: str, limit: int = 100) -> list[Launch]:
        """Launches on an engine of which it is not known, or not proven, what became of them, the newest first."""
        async with self._database.reading() as connection:
            return await reading.in_doubt(connection, engine, limit)

    async def tasks(self, launch_id: int, first: int = 0, size: int = PIECE) -> list[TaskBefore]:
        """Tasks of a launch with the retries they had, in the order of the request, from the one numbered ``first``."""
        async with self._database.reading() as connection:
            return await reading.tasks(connection, launch_id, first, size)

    async def all_tasks(self, launch: Launch, *, named: bool | None = None) -> AsyncIterator[list[TaskBefore]]:
        """All tasks of a launch in pieces; only those ``named`` in the request by id, or only the others."""
        for first in range(0, launch.listed or 0, PIECE):
            async with self._database.reading() as connection:
                yield await reading.tasks(connection, launch.id, first, PIECE, named)

    async def former(self, launch_id: int) -> dict[int | None, int]:
        """How many tasks of a launch had how many retries before; ``None`` stands for never failed."""
        async with self._database.reading() as connection:
            return await reading.former(connection, launch_id)

    async def earlier(self, engine: str, ids: Collection[str]) -> dict[str, Earlier]:
        """The last earlier launch of each of these tasks, for those that have one; neither an undo, nor what one has
        undone for the task, nor one that the engine may not have made a batch of."""
        return await self._of_tasks(reading.earlier, engine, ids)

    async def undone(self, engine: str, ids: Collection[str]) -> dict[str, Earlier]:
        """The last undo of each of these tasks, for those that have one."""
        return await self._of_tasks(reading.undone, engine, ids)

    async def _of_tasks(self, read: _ReadTasks, engine: str, ids: Collection[str]) -> dict[str, Earlier]:
        """Ask for so many tasks at once as one question takes."""
        found: dict[str, Earlier] = {}
        rest = iter(ids)
        while some := list(islice(rest, ASKED)):
            async with self._database.reading() as connection:
                found |= await read(connection, engine, some)
        return found

    async def set_back(self, launch_id: int) -> set[str]:
        """Tasks of a launch whose former retries an undo of it has ordered."""
        async with self._database.reading() as connection:
            return await reading.set_back(connection, launch_id)

    async def covered(self, batch_ids: Collection[str], ids: Collection[str]) -> dict[str, int]:
        """How many of these tasks each of these batches works on, for batches launched here over known tasks."""
        found: dict[str, int] = {}
        rest = iter(ids)
        while batch_ids and (some := list(islice(rest, ASKED))):
            async with self._database.reading() as connection:
                for batch, number in (await reading.covered(connection, batch_ids, some)).items():
                    found[batch] = found.get(batch, 0) + number
        return found


def _probe(path: Path) -> FileState:
    """Raise what is wrong with the file, before it is changed and a thread is started for every connection to it."""
    state = examine(path, _KIND)
    with closing(sqlite3.connect(path, timeout=LOCKED_SECONDS)) as connection:
        connection.execute("PRAGMA schema_version").fetchone()
    return state


def _bring_up_to_date(connection: object) -> None:
    migrate(connection, MIGRATIONS, "journal_version")  # type: ignore[arg-type]


def _said(problem: BaseException) -> str:
    """The driver's message, in one line."""
    said = str(getattr(problem, "orig", None) or problem)
    return next((line.strip().rstrip(".") for line in said.splitlines() if line.strip()), type(problem).__name__)
