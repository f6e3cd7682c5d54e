"""From the rows that are chosen to a batch: dialog, order, news."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from console.screens.words import short, things
from console.triage.selection import Everything, Marked, Selection
from store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.engine.errors import Unanswered
    from console.screens.tasks.screen import TasksScreen
    from console.triage.launch import Plan
    from console.widgets.marks import Marks
    from store.contract.records import Batch

LOOKS = 5
"""How often an unanswered launch is looked for."""
BETWEEN_LOOKS = 2.0
"""Seconds before each look: the engine may still be at work on it."""


def selection_of(marks: Marks, row_id: str | None, query: ExternalTaskQuery) -> Selection | None:
    """What is chosen: the marks, or the row under the cursor where nothing is marked; nothing if there is no row."""
    if marks.everything:
        return Everything(query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None}), marks.ids)
    if marks:
        return Marked(marks.ids)
    return Marked(frozenset({row_id})) if row_id is not None else None


def ask(screen: TasksScreen, query: ExternalTaskQuery, then: Callable[[Plan | None], None]) -> None:
    """Open the launch dialog for the chosen tasks at once: the next key, a digit, may already be on its way."""
    from console.screens.launch.dialog import LaunchDialog

    row = screen.table.row
    selection = selection_of(screen.table.marks, row.id if row else None, query)
    if selection is None:
        screen.session.say("There is no task to retry.", "warning")
    else:
        screen.app.push_screen(LaunchDialog(screen.session, selection), then)


async def launch(screen: TasksScreen, plan: Plan) -> None:
    """Launch the batch, and say what has become of it."""
    from console.engine.errors import EngineProblem, Unanswered

    session, table = screen.session, screen.table
    session.say(f"Launching a batch for {things(plan.count, 'task')} …")
    try:
        batch: Batch | None = await session.ask(lambda client: client.set_retries_async(plan.request))
    except Unanswered as unknown:
        session.say(f"{unknown.sentence} Looking for it among the batches …", "warning")
        batch = await _found(screen, plan, unknown)
    except EngineProblem as problem:
        session.say(problem.sentence, "failed")
        return
    if batch is None:
        return
    if table.marks:
        table.unmark()
    more = batch.total_jobs - plan.jobs
    drift = f", {abs(more):,} {'more' if more > 0 else 'fewer'} than were counted" if more else ""
    session.say(
        f"Batch {short(batch.id)} launched: {things(batch.total_jobs, 'job')}{drift}, retries {plan.retries}.",
        "warning" if more else "good",
    )
    if session.follower is not None:
        await session.follower.launched(batch.id)


async def _found(screen: TasksScreen, plan: Plan, unknown: Unanswered) -> Batch | None:
    """The batch of a launch that was not answered; a launch is never sent twice by itself."""
    from console.engine.errors import EngineProblem

    session = screen.session
    for _ in range(LOOKS):
        await asyncio.sleep(BETWEEN_LOOKS)
        try:
            batch = await session.ask(lambda client: client.find_launch(plan.request, unknown.since, plan.count))
        except EngineProblem:
            continue
        if batch is not None:
            return batch
    session.say("The launch was not answered and no such batch is there: look at 4 before launching again.", "failed")
    return None
