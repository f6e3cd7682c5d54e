"""What is looked at once more between the operator's decision and the sending; any of it stops the launch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from retriage.console.engine.errors import Denied
from retriage.console.launch.overlapping_batches import OverlappingBatch, overlapping_batches
from retriage.console.launch.plan_by_ids import PlanByIds
from retriage.console.text.inert import inert
from retriage.console.text.words import short, things

if TYPE_CHECKING:
    from retriage.console.launch.decided_launch import DecidedLaunch
    from retriage.console.session.session import Session

Check = Callable[["Session", "DecidedLaunch"], Awaitable[str]]
"""Answers one sentence why the launch must not be sent; empty if it may.

It may raise an EngineProblem: what could not be looked at is not launched.
"""


async def why_not_send(session: Session, order: DecidedLaunch) -> str:
    """One sentence why a decided launch must not be sent; empty if it may.

    Raises:
        EngineProblem: something could not be looked at.
    """
    for check in CHECKS:
        if why := await check(session, order):
            return why
    return ""


async def new_overlaps(session: Session, order: DecidedLaunch) -> str:
    """Somebody has launched a batch since the preview that may hold some of these tasks."""
    if order.overlaps is None:
        return ""
    plan, journal = order.plan, session.memory.journal
    if isinstance(plan, PlanByIds):
        return ""  # a run looks for itself, wave by wave
    ids = plan.selected_tasks.retries.keys() if plan.selected_tasks is not None else plan.ids if plan.by_ids else None
    try:
        now = await session.connection.ask(lambda client: overlapping_batches(client, journal, ids))
    except Denied as problem:
        if problem.proves_nothing_done:
            return ""  # whoever may not read batches is told so before
        raise
    new = [one for one in now if one.batch_id not in order.overlaps]
    return _told(new[0], len(new)) if new else ""


def _told(one: OverlappingBatch, number: int) -> str:
    who = inert(one.user) or "Somebody"
    others = f" and {things(number - 1, 'other')}" if number > 1 else ""
    held = "works on some of these tasks" if one.covers else "may hold some of these tasks"
    return f"Not launched: {who} has started batch {inert(short(one.batch_id))}{others} meanwhile, which {held}."


CHECKS: tuple[Check, ...] = (new_overlaps,)
"""In the order in which they are asked, the cheapest first."""
