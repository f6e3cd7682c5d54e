"""The runs of an engine that are not over: those at work, and those that wait for somebody to say how they go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.journal import journal_problem
from retriage.console.runs.run_view import RunView, read_run

if TYPE_CHECKING:
    from retriage.console.session.memory import Memory
    from retriage.console.session.session import Session

NEWEST = 20
"""So many of the newest runs are looked at."""


async def open_runs(memory: Memory) -> list[RunView]:
    """Those of its engine, the newest first; none without a journal that can be read."""
    journal = memory.journal
    if journal is None:
        return []
    try:
        runs = await journal.runs.runs(memory.engine_name, NEWEST)
        views = [await read_run(journal.runs, run.id) for run in runs if not run.over]
    except journal_problem():
        return []
    return [view for view in views if view is not None and view.word != "void"]


async def tell_open_runs(session: Session) -> str:
    """Tell on the second line which run waits, or that none does any more; answers one sentence about those that wait,
    empty where there is none. Only for a console that drives none itself."""
    views = await open_runs(session.memory)
    waiting = [view for view in views if not view.driven]
    if waiting:
        session.watch.tell_run(f"run {waiting[0].run.id} held", "failed")
    elif session.memory.journal is not None:
        session.watch.tell_run("")
    return said_of(views)


def said_of(views: list[RunView]) -> str:
    """One sentence about those that nobody drives; empty where there is none."""
    waiting = [view for view in views if not view.driven]
    if not waiting:
        return ""
    first = waiting[0]
    more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    why = "after an interruption" if first.word == "interrupted" or first.run.cause == "interrupted" else "by its gate"
    return f"Run {first.run.id} is held {why}{more}: 7 shows it, nothing of it is sent until you say so."
