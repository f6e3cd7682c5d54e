"""How an engine is asked for a snapshot: not often, and once more where an answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from retriage.console.engine.errors import EngineProblem, Refused, Slow, Unreachable
from retriage.console.reading.page_limit import PageLimit

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.session import Session

T = TypeVar("T")

PAGE_EVERY = 1.0
"""Seconds between two pages of 500 rows, on an engine on the network: a hundred thousand tasks take some minutes, and
the engine does not feel it."""
SMALL_EVERY = 0.05
"""Seconds between two questions about one thing: error details, variables, a BPMN file."""
TRIES = 5
"""A question that is not answered so many times ends it."""
PAUSE = 2.0
"""Seconds before it is asked again."""


class PacedQuestions:
    """Asks an engine, at most so often.

    Args:
        session: whose engine.
        polite: it is an engine that others depend on; an engine in this process is asked as fast as it answers.
        sleep: waits so many seconds.
    """

    def __init__(
        self, session: Session, polite: bool, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._session = session
        self._sleep = sleep
        self._pages = PageLimit(sleep=sleep, every=PAGE_EVERY if polite else 0.0)
        self._small = PageLimit(sleep=sleep, every=SMALL_EVERY if polite else 0.0)

    async def page(self, question: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Ask for a page of a list.

        Raises:
            EngineProblem: it was refused, or not answered although it was asked again.
        """
        await self._pages.wait()
        return await self._ask(question)

    async def small(self, question: Callable[[EngineClient], Awaitable[T]]) -> T:
        """Ask about one thing; otherwise as :meth:`page`."""
        await self._small.wait()
        return await self._ask(question)

    @staticmethod
    async def if_shown(question: Awaitable[T]) -> T | None:
        """The answer; nothing where the engine itself refuses it: the thing is gone, or not for this user.

        Raises:
            EngineProblem: it was not answered, or something between here and the engine refused it.
        """
        try:
            return await question
        except Refused as problem:
            if problem.between:
                raise
            return None

    async def _ask(self, question: Callable[[EngineClient], Awaitable[T]]) -> T:
        for _ in range(TRIES - 1):
            try:
                return await self._session.connection.ask(question)
            except EngineProblem as problem:
                if not _may_pass(problem):
                    raise
            await self._sleep(PAUSE)
        return await self._session.connection.ask(question)


def _may_pass(problem: EngineProblem) -> bool:
    """The next attempt may be answered: nothing was said, or something between here and the engine said it."""
    return isinstance(problem, Unreachable | Slow) or (isinstance(problem, Refused) and problem.between)
