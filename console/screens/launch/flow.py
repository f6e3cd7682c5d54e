"""From the rows that are chosen to a batch: dialog, order, news."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from retriage.console.actions import named
from retriage.console.launch.launch_events import NoAnswer, Sending, about_of, sentence_of
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.send import Sent, send_launch, send_launches
from retriage.console.reading.selection import Everything, Marked, Selection
from retriage.console.runs.decided_run import DecidedRun
from retriage.console.screens.launch.dialog import LaunchDialog
from retriage.console.screens.launch.found_batch import is_it
from retriage.console.screens.launch.waiting import BATCHES, shown_while
from retriage.console.screens.navigator import navigator_of
from retriage.console.screens.runs_of import runs_of
from retriage.console.session.memory import UnsentLaunch
from retriage.store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import App

    from retriage.console.launch.decided_launch import DecidedLaunch
    from retriage.console.launch.launch_events import LaunchEvent
    from retriage.console.session.session import Session
    from retriage.console.widgets.marks import Marks
    from retriage.store.contract.records import BatchStatistics


def selection_of(
    marks: Marks,
    row_id: str | None,
    query: ExternalTaskQuery,
    said: str = "",
    filtered_ids: frozenset[str] | None = None,
) -> Marked | Everything | None:
    """What is chosen: the marks, or the row under the cursor where nothing is marked; nothing if there is no row.

    Args:
        marks: what is marked.
        row_id: the task under the cursor.
        query: what the rows match.
        said: that query as the operator wrote it.
        filtered_ids: ids of all rows, where the console filters them itself and the engine could not be told how.
    """
    if marks.everything and filtered_ids is not None:
        return Marked(filtered_ids - marks.ids, said)
    if marks.everything:
        unsorted = query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})
        return Everything(unsorted, marks.ids, said)
    if marks:
        return Marked(marks.ids)
    return Marked(frozenset({row_id}), "the task under the cursor") if row_id is not None else None


def open_launch(
    app: App[None],
    session: Session,
    selection: Selection | None,
    done: Callable[[str], None] | None = None,
    *,
    retries: int | None = None,
    reason: str = "",
    jobs: Marked | None = None,
    begun: Callable[[], None] | None = None,
) -> None:
    """Open the launch dialog at once: the next key, a digit, may already be on its way. What it decides is carried out,
    and the operator is told what became of it. Where nothing did, its fields keep what was typed when the same is
    launched again.

    Args:
        app: where the dialog is shown.
        session: whose engine is asked.
        selection: what was chosen; nothing is said to be nothing.
        done: called with the id of the batch when it is launched.
        retries: the value that the field begins with; none is the usual one.
        reason: the reason that the field begins with.
        jobs: failed jobs that are retried together with the tasks, in a run of two parts.
        begun: called when it is a run that begins.
    """
    problem = session.connection.why_no_launch() or session.connection.why_unheard()
    if selection is None:
        problem = problem or "There is no task to retry."
    if problem or selection is None:
        session.news.say(problem, "warning")
        return

    typed = session.memory.unsent
    if typed is not None and typed.meant_for(selection):
        retries, reason = typed.retries, typed.reason

    def decided(order: DecidedLaunch | DecidedRun | None) -> None:
        if isinstance(order, DecidedRun):
            if begun is not None:
                begun()
            navigator_of(app).show("run", runs_of(app).begin(order))
        elif order is not None:
            send_off(app, session, (order,), done)

    app.push_screen(LaunchDialog(session, selection, retries=retries, reason=reason, jobs=jobs), decided)


def send_off(
    app: App[None],
    session: Session,
    orders: Iterable[DecidedLaunch],
    done: Callable[[str], None] | None = None,
    *,
    follow: bool = True,
) -> None:
    """Carry decided launches out, one after the other, until one is not; none other can begin meanwhile.

    Args:
        app: shows how long an answer takes.
        session: whose engine is asked.
        orders: the launches; each is taken when it is its turn.
        done: called with the id of each batch.
        follow: the batch is shown then; where there are several, the list of them. Nothing is shown to an operator who
            has opened something else meanwhile: keys that are meant for that would go to it.
    """
    session.connection.begin_launch()
    session.memory.unsent = None
    # The application's, not the screen's: a screen may be left before the engine has answered.
    app.run_worker(_sent_off(app, session, orders, done, follow), group="launch.order", exit_on_error=False)


async def _sent_off(
    app: App[None],
    session: Session,
    orders: Iterable[DecidedLaunch],
    done: Callable[[str], None] | None,
    follow: bool,
) -> None:
    behind = app.screen
    batches: list[str] = []
    try:
        for sent in await send_launches(session, orders, partial(_send, app, session, done)):
            if sent.launched is not None:
                batches.append(sent.launched.batch.id)
            elif sent.unsent and isinstance(plan := sent.order.plan, LaunchPlan):
                session.memory.unsent = UnsentLaunch(plan.selection, plan.retries, sent.order.reason)
    finally:
        session.connection.end_launch()
    # A builder closes when its query is launched; then what is behind it was in front before.
    stayed = app.screen is behind or not (behind.is_attached or app.screen.is_modal)
    if not (follow and batches):
        return
    if session.connection.rights.unseen("batches") and not any(map(session.watch.known_batches.get, batches)):
        return  # The dialog has said so before: the last sentence stays, that it was launched.
    if not stayed:
        navigator_of(app).say_where(*batches)
    elif len(batches) == 1:
        await navigator_of(app).show_batch(batches[0])
    else:
        await app.run_action(named(BATCHES).method)


async def _send(app: App[None], session: Session, done: Callable[[str], None] | None, order: DecidedLaunch) -> Sent:
    events: list[LaunchEvent] = []
    with shown_while(app, session, order.plan.describe()) as waiting:

        def tell(event: LaunchEvent) -> None:
            events.append(event)
            if not isinstance(event, Sending | NoAnswer):
                waiting.close()
            session.news.say(*sentence_of(event), about=about_of(event) or "launch")

        async def adopt(found: BatchStatistics) -> bool:
            waiting.close()
            return await is_it(app, found)

        launched = await send_launch(session, order, tell, adopt)
    if launched is not None and done is not None:
        done(launched.batch.id)
    return Sent(order, launched, events)
