"""Setting back what a launch of the journal has set, where that can be done: one batch for each former value."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.launch.decided_launch import DecidedLaunch
from console.launch.plan import LaunchPlan
from console.launch.undo import Undo
from console.orders.order import Order, Report
from console.reading.selected_tasks import SelectedTasks, read_selected_tasks
from console.reading.selection import Marked
from console.session import journal_answers
from console.session.journal_answers import journal_problem
from console.text.words import count, short, things

if TYPE_CHECKING:
    from console.session.session import Session
    from store.journal import Launch, TaskBefore


async def undo_launch(
    session: Session, launch: Launch | None, send_off: Callable[[Iterable[DecidedLaunch]], None]
) -> Order | str:
    """An order that sets back what the tasks of a launch had before, or why there is none.

    Args:
        session: whose engine and journal are asked.
        launch: the launch.
        send_off: carries decided launches out, one after the other.

    Raises:
        EngineProblem: the engine did not tell what the tasks have now.
    """
    why = why_no_undo(session, launch)
    if launch is None or why:
        return why
    session.say("Looking at what the tasks have now …")
    undo, selected_tasks = await _look_at(session, launch)
    if not undo.count:
        return f"Nothing can be restored: {_left_alone(undo)}."

    async def send(session: Session) -> Report:
        # A launch may have begun while this was being looked at.
        if why := why_no_undo(session, launch):
            return Report(why, "warning", changed=False)
        send_off(_decided(session, launch, undo, selected_tasks))
        return Report("")

    return Order(f"Undo launch {launch.id}?", undo_sentences(launch, undo), "Restore", send, undo.count)


def why_no_undo(session: Session, launch: Launch | None) -> str:
    """Why this launch cannot be undone now; empty where it can."""
    if launch is None:
        return "There is no launch."
    if busy := session.why_no_launch():
        return busy
    if launch.state in ("preparing", "refused", "unsent", "not_carried_out"):
        return "This launch has changed nothing."
    if not launch.listed:
        return "What its tasks had before is not known: there were too many to be read."
    view = session.known_batches.get(launch.batch_id or "")
    if view is not None and not view.ended:
        return f"Batch {short(view.id)} still runs and would set them again: delete it first, or let it end."
    return ""


def undo_sentences(launch: Launch, undo: Undo) -> list[str]:
    """What an undo means, in sentences."""
    back = ", ".join(f"{count(len(ids))} to {retries}" for retries, ids in sorted(undo.back.items()))
    sentences = [
        f"{things(undo.count, 'task')} still {'has' if undo.count == 1 else 'have'} {launch.retries} and "
        f"{'gets back what it' if undo.count == 1 else 'get back what they'} had: {back}.",
        f"It is done by {things(len(undo.back), 'batch', 'batches')}.",
    ]
    if launch.state in ("sent", "unknown", "unknowable"):
        sentences.append("It is not known whether this launch was carried out: somebody else may have set them.")
    elif launch.probable:
        sentences.append(f"Batch {short(launch.batch_id)} is probably its own; nothing proves it yet.")
    if undo.back.get(0):
        sentences.append("With 0 retries no worker gets them, and each gets an incident again.")
    if undo.left_alone:
        sentences.append(f"Left alone: {_left_alone(undo)}.")
    return sentences


async def pieces_of(session: Session, launch: Launch, *, named: bool | None = None) -> AsyncIterator[list[TaskBefore]]:
    """The tasks of a launch in pieces; none where the journal is gone or cannot be read.

    Args:
        session: whose journal it is.
        launch: the launch.
        named: only those that its request named by id, or only the others; all of them where that is not said.
    """
    if session.journal is None:
        return
    try:
        async for piece in session.journal.all_tasks(launch, named=named):
            yield piece
    except journal_problem():
        return


async def _look_at(session: Session, launch: Launch) -> tuple[Undo, SelectedTasks]:
    """Compare what the tasks had before with what they have now, piece by piece."""
    undo, all_of_them = Undo(launch.retries), SelectedTasks(datetime.now(UTC))
    async for piece in pieces_of(session, launch):
        selected_tasks = await _read(session, Marked(frozenset(task.task_id for task in piece)))
        last = await journal_answers.launched(session, selected_tasks.retries)
        later = {id for id, other in last.items() if other.launch_id > launch.id}
        undo.look_at(piece, selected_tasks.retries, selected_tasks.held, later)
        all_of_them.retries |= selected_tasks.retries
    return undo, all_of_them


async def _read(session: Session, selection: Marked) -> SelectedTasks:
    selected_tasks = await session.ask(lambda client: read_selected_tasks(client, selection))
    assert selected_tasks is not None, "nothing limits this reading"
    return selected_tasks


def _decided(session: Session, launch: Launch, undo: Undo, selected_tasks: SelectedTasks) -> Iterator[DecidedLaunch]:
    """One batch for each former value."""
    for retries, ids in sorted(undo.back.items()):
        part = selected_tasks.only(ids)
        said = f"undo of launch {launch.id}: {things(len(ids), 'task')} back to {retries}"
        plan = LaunchPlan(Marked(frozenset(ids), said), retries, part.facts(), part, frozenset({"lowered"}))
        if session.follower is not None and launch.batch_id is not None:
            session.follower.undone(launch.batch_id, ids)
        yield DecidedLaunch(plan, f"undo of launch {launch.id}", launch.id)


def _left_alone(undo: Undo) -> str:
    """What an undo leaves alone, in words."""
    parts = (
        (undo.never, "had never failed, which cannot be set"),
        (undo.gone, "ended"),
        (undo.changed, f"no longer at {undo.launched}"),
        (undo.later, "launched again since"),
        (undo.locked, "locked by a worker"),
        (undo.same, f"had {undo.launched} before"),
    )
    return "; ".join(f"{count(number)} {what}" for number, what in parts if number)
