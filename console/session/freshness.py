"""Whether the engine answers well, and whether what a view shows is what its own last question was answered with.

A good answer is one of the contract, a refusal included. A page of a proxy, a refused login, no answer in time or none
at all is a bad one. One bad answer loses the engine, one good answer brings it back; but where only one view goes on
getting bad answers while others get good ones it is that view which is stale, and not the engine that is gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

from retriage.console.engine.errors import (
    TOO_LARGE,
    EngineProblem,
    Forbidden,
    NoLogin,
    Refused,
    Slow,
    Unanswered,
    Unintelligible,
    Unreachable,
)

SILENT = 4.0
"""Seconds for which a question may stay unanswered, and no other be answered, before the engine counts as silent."""


class Freshness:
    """What became of the last question of one view.

    Args:
        rests: seconds until the view asks again by itself; ``None`` where it does not.
        changed: called when the view becomes live, or stale, or stale for another cause.
    """

    def __init__(
        self, rests: Callable[[], float | None] = lambda: None, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.rests = rests
        self._changed = changed
        self.problem: EngineProblem | None = None
        """Why the last question got no good answer; ``None`` where it got one."""
        self.failed_at = -inf
        """When that was, by the monotonic clock."""
        self._answered: float | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the last good answer; ``None`` before the first."""
        return None if self._answered is None else time.monotonic() - self._answered

    def heard(self) -> None:
        """What was asked is answered, all of it."""
        news = self._answered is None or self.problem is not None
        self._answered = time.monotonic()
        self.problem = None
        if news:
            self._changed()

    def failed(self, problem: EngineProblem) -> None:
        """A question of the view got no good answer."""
        before, self.problem, self.failed_at = self.problem, problem, time.monotonic()
        if before is None or before.brief != problem.brief:
            self._changed()


class ConnectionState:
    """What is known about the engine from its answers.

    Args:
        lost: called with the problem when the engine stops answering well, and when a refused login is the new cause.
        found: called when it answers well again.
    """

    def __init__(self, lost: Callable[[EngineProblem], None], found: Callable[[], None]) -> None:
        self.problem: EngineProblem | None = None
        """Why the engine does not answer well; ``None`` while it does."""
        self._tell_lost = lost
        self._tell_found = found
        self._answered = time.monotonic()
        self._lost_at = -inf
        self._asking: dict[object, float] = {}

    @property
    def age(self) -> float:
        """Seconds since the engine last answered well."""
        return time.monotonic() - self._answered

    @property
    def silent(self) -> bool:
        """The engine is lost, or has left a question unanswered for a while and answered no other meanwhile."""
        now = time.monotonic()
        oldest = min((began for began in self._asking.values() if began >= self._answered), default=now)
        return self.problem is not None or now - oldest >= SILENT

    @property
    def held(self) -> bool:
        """Nothing is asked before somebody says so."""
        return self.problem is not None and self.problem.retry_after == inf

    def opened(self) -> None:
        """Its clock begins."""
        self._answered = time.monotonic()

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """While a question is under way; hands out when it began, by the monotonic clock."""
        this, began = object(), time.monotonic()
        self._asking[this] = began
        try:
            yield began
        finally:
            del self._asking[this]

    def heard(self, began: float) -> None:
        """The engine has answered well what was asked at ``began``.

        What was asked before a bad answer came, and is answered after it, does not show that the engine is back.
        """
        if self.problem is not None and began < self._lost_at:
            return
        self._answered = time.monotonic()
        if self.problem is not None:
            self.problem = None
            self._tell_found()

    def failed(self, problem: EngineProblem, began: float, view: Freshness | None, answered: bool) -> None:
        """A question or an order has failed.

        Args:
            problem: how.
            began: when it was asked, by the monotonic clock.
            view: whose question it was, if a view's.
            answered: the engine itself has answered something meanwhile.
        """
        before = view.failed_at if view is not None and view.problem is not None else began
        if view is not None:
            view.failed(problem)
        if isinstance(problem, Unanswered):
            return
        # Too large for something in between: that is about the order, not about the engine. A launch goes on in
        # parts then, with the safety off as it was.
        if view is None and isinstance(problem, Refused) and problem.status == TOO_LARGE:
            return
        if not _bad(problem):
            if answered and not isinstance(problem, Forbidden):
                self.heard(began)
            return
        # Where others were answered meanwhile it was this question, not the engine that is gone.
        if problem.retry_after or self._answered <= before:
            known, self.problem = self.problem, problem
            self._lost_at = time.monotonic()
            if known is None or (problem.retry_after == inf and known.retry_after != inf):
                self._tell_lost(problem)


def _bad(problem: EngineProblem) -> bool:
    """The problem is one of the engine or the way to it, and not of the question."""
    if isinstance(problem, NoLogin):
        return False
    if isinstance(problem, Refused):
        return problem.between or bool(problem.retry_after)
    return isinstance(problem, Unreachable | Slow | Unintelligible)
