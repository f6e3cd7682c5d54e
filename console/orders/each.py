"""The same order for many things, a few at once, with how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retriage.console.engine.errors import EngineProblem, RanAndFailed, Unanswered

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.session import Session

AT_ONCE = 4
"""Orders under way at a time; the engine has others to serve."""
TOLD_EVERY = 25


class OrderResults(NamedTuple):
    """What became of the orders."""

    done: int
    refused: int
    left: int
    """Not given any more, since the engine stopped answering."""
    sentence: str
    """What the first refusal, or the first failure, said."""
    failed: int = 0
    """Carried out, but what they ran has failed."""
    unknown: int = 0
    """Sent, but nothing proves what became of them."""

    @property
    def all_done(self) -> bool:
        """Each was carried out, and nothing has failed."""
        return not (self.refused or self.left or self.failed or self.unknown)


async def order_each(
    session: Session,
    ids: Sequence[str],
    order: Callable[[EngineClient, str], Awaitable[None]],
    told: Callable[[int], None],
) -> OrderResults:
    """Give the order for each id once; ``told`` hears from time to time how many are through."""
    waiting = list(reversed(ids))
    done = failed = unknown = 0
    refusals: list[str] = []

    async def one(id: str) -> int:
        nonlocal failed, unknown
        try:
            await session.connection.ask(lambda client: order(client, id))
        except EngineProblem as problem:
            refusals.append(problem.sentence)
            failed += isinstance(problem, RanAndFailed)
            unknown += isinstance(problem, Unanswered)
            return 0
        return 1

    async def worker() -> None:
        nonlocal done
        while waiting and not session.connection.stale:
            carried_out = await one(waiting.pop())
            done += carried_out
            if (done + len(refusals)) % TOLD_EVERY == 0:
                told(done)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    refused = len(refusals) - failed - unknown
    return OrderResults(done, refused, len(waiting), refusals[0] if refusals else "", failed, unknown)
