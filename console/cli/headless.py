"""A session without a screen: the same engine, journal and models; what is said goes to stderr."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import typer

from retriage.console.cli.exit_codes import ExitCode
from retriage.console.cli.output import NotWritten, write_no_more
from retriage.console.cli.program import fail, say
from retriage.console.engine.errors import EngineProblem
from retriage.console.folders import default_journal, seen_file, settings_file
from retriage.console.journal import NoJournal, forget_old, journal_at, journal_of, journal_problem, said_by_driver
from retriage.console.session.news import News, NewsFeed
from retriage.console.session.seen_values import keep_seen
from retriage.console.settings import read_settings
from retriage.console.text.inert import inert
from retriage.console.text.words import things

if TYPE_CHECKING:
    from retriage.console.connections import NamedEngine
    from retriage.console.session.session import Session
    from retriage.store.journal import Journal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""ctrl+c, a polite kill, and a terminal that is gone: each ends a command in order."""


class SaidOnStderr(NewsFeed):
    """Writes messages for the operator to stderr; nobody gets anything else.

    Attributes:
        mute: messages are dropped; they are reported in another way.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mute = True

    def publish(self, news: News) -> None:
        """Print what was said last."""
        if news == "event" and not self.mute and self.newest is not None:
            say(self.newest.sentence)


@asynccontextmanager
async def opened_journal(connection: NamedEngine | None = None) -> AsyncIterator[Journal]:
    """The operator's journal; that of an engine which is thrown away is too.

    Raises:
        typer.Exit: it cannot be opened; a sentence was said.
    """
    try:
        async with _tidied_journal(connection) as journal:
            yield journal
    except NoJournal as problem:
        raise fail(str(problem), ExitCode.ENGINE) from None


@asynccontextmanager
async def journal_if_any(connection: NamedEngine) -> AsyncIterator[Journal | None]:
    """The operator's journal; none where it cannot be opened, which is said: what an engine has is listed without."""
    async with AsyncExitStack() as opened:
        journal: Journal | None = None
        try:
            journal = await opened.enter_async_context(_tidied_journal(connection))
        except NoJournal as problem:
            say(f"{problem} Nothing is remembered.")
        yield journal


@asynccontextmanager
async def _tidied_journal(connection: NamedEngine | None) -> AsyncIterator[Journal]:
    """The journal of a connection, or the operator's own, without what it need not keep.

    Raises:
        NoJournal: it cannot be opened.
    """
    async with journal_at(default_journal()) if connection is None else journal_of(connection) as journal:
        if connection is None or not connection.thrown_away:
            await _forget(journal)
        yield journal


async def _forget(journal: Journal) -> None:
    """What is over and older than the operator wants to keep, as on the screen."""
    settings = read_settings(settings_file())
    try:
        number = await forget_old(journal, settings.keep_days)
    except journal_problem():
        return  # whoever reads or writes next is told
    if number:
        over = things(number, "launch or run", "launches and runs")
        say(f"The journal has forgotten {over} older than {settings.keep_days} days.")


@asynccontextmanager
async def opened_session(connection: NamedEngine, journal: Journal | None = None) -> AsyncIterator[Session]:
    """A session over an engine, which is asked first what it can."""
    from retriage.console.engine.connect import connect  # 176 ms
    from retriage.console.session.session import Session  # 96 ms

    news = SaidOnStderr()
    session = Session(connection.identity(), news)
    async with connect(connection.target) as client:
        session.connection.open(client)
        if journal is not None:
            session.memory.keep_journal(journal)
        await session.connection.ask(lambda client: client.version())
        news.mute = False  # the caller reports that the first question was not answered
        await session.connection.learn_capabilities()
        await session.connection.ask(lambda client: client.check_clock())
        try:
            yield session
        finally:
            if not connection.thrown_away:
                keep_seen(seen_file(), connection.name, session.watch.known_values.lasting())


def carry_out(command: Callable[[], Awaitable[int]], unread: ExitCode = ExitCode.DONE) -> None:
    """Carry a command out, and end with the exit code that it answers.

    Args:
        command: what is done.
        unread: the code where whoever read stdout is gone before the end; a list has been read as far as was wanted.

    Raises:
        typer.Exit: always.
    """
    raise typer.Exit(asyncio.run(_carried_out(command, unread)))


def _end_on_signals() -> None:
    """A signal cancels the task that is running now."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in SIGNALS:
        loop.add_signal_handler(number, task.cancel)


@contextmanager
def _loop_stands() -> Iterator[None]:
    """Something is waited for outside of the event loop, which hears no signal meanwhile: each is raised at once.

    Raises:
        asyncio.CancelledError: a signal came.
    """

    def raised(number: int, frame: object) -> None:
        raise asyncio.CancelledError

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.remove_signal_handler(number)
        signal.signal(number, raised)
    try:
        yield
    finally:
        _end_on_signals()


async def _carried_out(command: Callable[[], Awaitable[int]], unread: ExitCode) -> int:
    _end_on_signals()
    try:
        return await command()
    except typer.Exit as done:
        return done.exit_code
    except asyncio.CancelledError:
        say("Interrupted.")
        return ExitCode.INTERRUPTED
    except EngineProblem as problem:
        say(f"retriage: {problem.sentence}")
        return ExitCode.ENGINE
    except journal_problem() as problem:
        say(f"retriage: the journal cannot be read or written: {said_by_driver(problem)}")
        return ExitCode.ENGINE
    except NotWritten as problem:
        write_no_more()
        if problem.gone and unread == ExitCode.DONE:
            return unread
        say(f"retriage: {problem}")
        return unread if unread != ExitCode.DONE else ExitCode.COMMAND_LINE


def confirmed(question: str, yes: bool) -> bool:
    """Whether the operator wants it: said beforehand, or at the terminal. Without a terminal nothing is changed."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        say("retriage: nothing was changed: give --yes, or answer at a terminal.")
        return False
    try:
        with _loop_stands():
            return typer.confirm(inert(question), err=True)
    except typer.Abort:  # the end of what is typed, ctrl+d
        say("")
        say("retriage: nothing was changed.")
        return False
