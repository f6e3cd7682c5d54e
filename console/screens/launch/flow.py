"""From the rows that are chosen to a batch: dialog, order, news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.words import short, things
from console.triage.selection import Everything, Marked, Selection
from store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from console.screens.tasks.screen import TasksScreen
    from console.widgets.marks import Marks


def selection_of(marks: Marks, row_id: str | None, query: ExternalTaskQuery) -> Selection | None:
    """What is chosen: the marks, or the row under the cursor where nothing is marked; nothing if there is no row."""
    if marks.everything:
        return Everything(query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None}), marks.ids)
    if marks:
        return Marked(marks.ids)
    return Marked(frozenset({row_id})) if row_id is not None else None


async def launch(screen: TasksScreen, query: ExternalTaskQuery) -> None:
    """Ask how the chosen tasks are to be retried, and launch the batch."""
    from console.engine.errors import EngineProblem, Unanswered
    from console.screens.launch.dialog import LaunchDialog

    session, table = screen.session, screen.table
    row = table.row
    selection = selection_of(table.marks, row.id if row else None, query)
    if selection is None:
        session.say("There is no task to retry.", "warning")
        return
    plan = await screen.app.push_screen_wait(LaunchDialog(session, selection))
    if plan is None:
        return
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

