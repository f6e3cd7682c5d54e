"""An order as a value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from retriage.console.text.ink import Ink

if TYPE_CHECKING:
    from retriage.console.engine.client import EngineClient
    from retriage.console.session.session import Session


@dataclass(frozen=True)
class Report:
    """What became of an order.

    Attributes:
        sentence: for the operator; empty where it was said already.
        ink: how it is written.
        changed: something was, or may have been, changed, so that what is shown is looked at again.
        gone: what the order went to is not there any more.
    """

    sentence: str
    ink: Ink = "good"
    changed: bool = True
    gone: bool = False


@dataclass(frozen=True)
class Order:
    """An order that is ready to be asked about.

    Attributes:
        title: the question.
        sentences: what it means; inert.
        label: the order in a word.
        send: gives it, once, and tells what became of it. Raises ``EngineProblem`` where nothing of it was done.
        number: what it goes to, which has to be typed where the environment is guarded; 0 where nothing has to.
        key: the key that orders.
    """

    title: str
    sentences: Sequence[str]
    label: str
    send: Callable[[Session], Awaitable[Report]]
    number: int = 0
    key: str = field(default="L", kw_only=True)


def sent(said: str, order: Callable[[EngineClient], Awaitable[None]]) -> Callable[[Session], Awaitable[Report]]:
    """How an order of one request is given.

    Args:
        said: what has happened then.
        order: the request.
    """

    async def send(session: Session) -> Report:
        await session.connection.ask(order)
        return Report(said)

    return send
