"""From what failed to its open incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.text.inert import inert
from console.text.words import short

if TYPE_CHECKING:
    from textual.app import App

    from console.session.session import Session


async def open_incident(app: App[Any], session: Session, what: str, configuration: str) -> None:
    """Open the open incident of a job or of an external task, or say that it has none. Must run in a worker.

    Args:
        app: shows it.
        session: asks the engine.
        what: what failed, in a word.
        configuration: its id.
    """
    from console.engine.errors import EngineProblem
    from console.screens.incidents.detail import IncidentDetail
    from store.contract.queries import IncidentQuery

    query = IncidentQuery(configuration=configuration)
    try:
        found = await session.ask(lambda client: client.incidents(query, 0, 1))
    except EngineProblem as problem:
        session.say(problem.sentence, "failed")
        return
    if found:
        app.push_screen(IncidentDetail(session, found[0]))
    else:
        session.say(f"{what} {inert(short(configuration))} has no open incident.", "muted")
