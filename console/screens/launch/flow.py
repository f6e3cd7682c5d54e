"""From the rows that are chosen to a batch: dialog, order, news."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from console.actions import named
from console.launch.launch_events import NoAnswer, NotSent, RefusedByEngine, Sending, about_of, sentence_of
from console.launch.send import send_launch
from console.launch.split_by_ids import parts_of
from console.reading.selection import Everything, Marked, Selection
from console.runs.decided_run import DecidedRun
from console.screens.driven_runs import driven_runs_of
from console.screens.launch.dialog import LaunchDialog
from console.screens.launch.found_batch import is_it
from console.screens.launch.waiting import BATCHES, shown_while
from console.screens.navigator import navigator_of
from console.session.unsent_launch import UnsentLaunch
from store.contract.queries import ExternalTaskQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import App

    from console.launch.decided_launch import DecidedLaunch
    from console.launch.launch_events import LaunchEvent
    from console.session.session import Session
    from console.widgets.marks import Marks
    from store.contract.records import BatchStatistics


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
    follow: bool = True,
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
        follow: what was launched is shown then, unless something else was opened meanwhile.
    """
    problem = session.why_no_launch() or session.why_unheard()
    if selection is None:
        problem = problem or "There is no task to retry."
    if problem or selection is None:
        session.say(problem, "warning")
        return

    typed = session.unsent
    if typed is not None and typed.meant_for(selection):
        retries, reason = typed.retries, typed.reason

    def decided(order: DecidedLaunch | DecidedRun | None) -> None:
        if isinstance(order, DecidedRun):
            navigator_of(app).show("run", driven_runs_of(app).begin(order))
        elif order is not None:
            send_off(app, session, (order,), done, follow=follow)

    app.push_screen(LaunchDialog(session, selection, retries=retries, reason=reason), decided)


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
    session.launching = True
    session.unsent = None
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
    batches = await _all_carried_out(app, session, orders, done)
    # A builder closes when its query is launched; then what is behind it was in front before.
    stayed = app.screen is behind or not (behind.is_attached or app.screen.is_modal)
    if not (follow and batches):
        return
    if session.rights.unseen("batches") and not any(map(session.known_batches.get, batches)):
        return  # The dialog has said so before: the last sentence stays, that it was launched.
    if not stayed:
        navigator_of(app).say_where(*batches)
    elif len(batches) == 1:
        await navigator_of(app).show_batch(batches[0])
    else:
        await app.run_action(named(BATCHES).method)


async def _all_carried_out(
    app: App[None], session: Session, orders: Iterable[DecidedLaunch], done: Callable[[str], None] | None
) -> list[str]:
    """The batches that were launched."""
    batches: list[str] = []
    try:
        for order in orders:
            parts = parts_of(order.plan, session.most_ids)
            made: frozenset[str] = frozenset()
            while parts:
                plan = parts.pop(0)
                # A batch of the parts before is none of somebody else's.
                known = None if order.overlaps is None else order.overlaps | made
                became = await _carry_out(app, session, replace(order, plan=plan, overlaps=known))
                batch_id = became.batch_id
                made |= {batch_id} if batch_id is not None else frozenset()
                smaller = parts_of(plan, session.most_ids) if became.too_large else []
                if batch_id is None and len(smaller) < 2:
                    if became.unsent and order.undoes is None:
                        session.unsent = UnsentLaunch(order.plan.selection, order.plan.retries, order.reason)
                    return batches
                if smaller:
                    # That a proxy found the order too large proves that nothing was done.
                    parts = [*smaller, *(one for rest in parts for one in parts_of(rest, session.most_ids))]
                    session.say(f"Too large for a proxy, nothing was done: sent as {len(smaller)} batches.", "warning")
                elif batch_id is not None:
                    batches.append(batch_id)
                    if done is not None:
                        done(batch_id)
    finally:
        session.launching = False
    return batches


@dataclass(frozen=True)
class _Became:
    """What became of one order.

    Attributes:
        batch_id: the batch, if it is there.
        unsent: certainly nothing was changed.
        too_large: the request was found too large, which alone may be sent again by itself.
    """

    batch_id: str | None
    unsent: bool
    too_large: bool


async def _carry_out(app: App[None], session: Session, order: DecidedLaunch) -> _Became:
    unsent = too_large = False
    with shown_while(app, session, order.plan.describe()) as waiting:

        def tell(event: LaunchEvent) -> None:
            nonlocal unsent, too_large
            unsent = unsent or isinstance(event, NotSent | RefusedByEngine)
            too_large = too_large or (isinstance(event, RefusedByEngine) and event.too_large)
            if not isinstance(event, Sending | NoAnswer):
                waiting.close()
            session.say(*sentence_of(event), about=about_of(event) or "launch")

        async def adopt(found: BatchStatistics) -> bool:
            waiting.close()
            return await is_it(app, found)

        launched = await send_launch(session, order, tell, adopt)
    return _Became(launched.batch.id if launched is not None else None, unsent, too_large)
