"""From the rows that are chosen to a batch: dialog, order, news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.words import short, things
from console.triage.selection import Everything, Marked, Selection
from store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.screens.tasks.screen import TasksScreen
    from console.triage.launch import Plan
    from console.widgets.marks import Marks


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
        batch = await session.ask(lambda client: client.set_retries_async(plan.request))
    except Unanswered as unknown:
        session.say(f"{unknown.sentence} Look at the batches (4) before launching again.", "failed")
        if session.follower is not None:
            await session.follower.look()
        return
    except EngineProblem as problem:
        session.say(problem.sentence, "failed")
        return
    if table.marks:
        table.unmark()
    session.say(f"Batch {short(batch.id)} launched: {things(batch.total_jobs, 'job')}, retries {plan.retries}.", "good")
    if session.follower is not None:
        await session.follower.launched(batch.id)
