"""Orders to the engine: asked first, carried out once, answered in one sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from console.screens.dialogs.confirm import Confirm
from console.session.session import Session

if TYPE_CHECKING:
    from textual.app import App

    from console.engine.client import EngineClient


async def carry_out(
    app: App[Any], session: Session, question: Confirm, said: str, order: Callable[[EngineClient], Awaitable[None]]
) -> bool:
    """Ask the operator, then the engine. Answers whether the order was carried out; says what became of it."""
    from console.engine.errors import EngineProblem

    problem = session.why_no_orders()
    if problem:
        session.say(problem, "warning")
        return False
    if not await app.push_screen_wait(question):
        return False
    try:
        await session.ask(order)
    except EngineProblem as refusal:
        session.say(refusal.sentence, "failed")
        return False
    session.say(said, "good")
    return True
