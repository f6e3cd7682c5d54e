"""From anything that names a batch to the batch itself."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from console.text.inert import inert
from console.text.words import short

if TYPE_CHECKING:
    from textual.app import App

    from console.session.session import Session


async def open_batch(app: App[Any], session: Session, batch_id: str) -> None:
    """Open a batch, running or ended, or say that the engine does not know it any more. Must run in a worker."""
    from console.engine.errors import EngineProblem
    from console.screens.batches.detail import BatchDetail

    view = session.book.get(batch_id)
    if view is None:
        with suppress(EngineProblem):
            session.book.expect(batch_id)
            await session.ask(session.book.read)
            view = session.book.get(batch_id)
    if view is None:
        session.say(f"The engine does not know batch {inert(short(batch_id))} any more.", "warning")
    else:
        app.push_screen(BatchDetail(session, view))
