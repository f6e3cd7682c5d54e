"""When nothing may be asked, and how the first question goes.

A wrong password that is tried again and again locks the account, so after the first refused login nothing is asked
before somebody says so; until the login is known to be right there is one question at a time, and when that fails
those who waited for it fail with it. What answers 429 or 503 and says when to come back is not asked before.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from math import inf
from typing import TypeVar

from retriage.console.engine.errors import EngineProblem, Refused

T = TypeVar("T")


class Hold:
    """Holds questions back.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: Refused | None = None
        self._until = 0.0
        self._first: asyncio.Future[EngineProblem | None] | None = None
        self.login_known = False
        """An answer has shown that the login is right, or that there is none."""

    @property
    def seconds(self) -> float:
        """Seconds for which nothing is asked; 0 where questions are free, infinite until :meth:`release`."""
        return max(self._until - self._clock(), 0.0) if self._refused else 0.0

    def note(self, refused: Refused) -> None:
        """Hold everything back for as long as this answer told, if it told so."""
        if refused.retry_after:
            self._refused, self._until = refused, self._clock() + refused.retry_after
            self.login_known = self.login_known and refused.retry_after < inf

    def release(self) -> None:
        """Somebody wants it to be asked again."""
        self._refused = None

    def check(self) -> None:
        """Let a question pass.

        Raises:
            Refused: it is held back; as what was answered to the one that was sent.
        """
        left = self.seconds
        if self._refused is None or left <= 0:
            return
        raise self._refused.once_more(left)

    async def admitted(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask when it may be asked.

        Raises:
            EngineProblem: what the question raises, or the one that was waited for; Refused when it is held back.
        """
        self.check()
        while not self.login_known and self._first is not None:
            problem = await asyncio.shield(self._first)
            if problem is not None:
                raise problem
            self.check()
        return await (question() if self.login_known else self._alone(question))

    async def _alone(self, question: Callable[[], Awaitable[T]]) -> T:
        first = self._first = asyncio.get_running_loop().create_future()
        problem: EngineProblem | None = None
        try:
            return await question()
        except EngineProblem as failed:
            problem = failed
            raise
        finally:
            self._first = None
            first.set_result(problem)
