"""Takes locks off tasks whose worker has died, and retry times off those that wait, one order after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.orders.each import order_each
from retriage.console.orders.order import Order, Report
from retriage.console.reading.locks import MOST, holders, lock_states, locked, still_locked
from retriage.console.text.inert import inert
from retriage.console.text.words import clock, count, things

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from retriage.console.reading.lock_states import LockState
    from retriage.console.reading.selection import Everything, Marked
    from retriage.console.session.session import Session
    from retriage.store.contract.records import ExternalTask

MOST_WORKERS = 3
"""So many workers are named."""


async def unlock(session: Session, meant: Marked | Everything | None) -> Order | str:
    """An order that takes locks and retry times off the tasks that are meant, or why there is none.

    Raises:
        EngineProblem: the engine did not tell who holds them.
    """
    if meant is None:
        return "There is no task to unlock."
    tasks = await session.connection.ask(lambda client: locked(client, meant))
    if not tasks:
        return "No lock or retry time holds this."
    if len(tasks) > MOST:
        return f"More than {count(MOST)} are locked: narrow the filter first."
    states = await session.connection.ask(lambda client: lock_states(client, tasks))
    sentences = [*_held(tasks, states), _fetchable(tasks, any(state != "retry time" for state in states.values()))]
    return Order(
        f"Unlock {things(len(tasks), 'task')}?",
        sentences,
        "Unlock",
        lambda session: _unlocked(session, tasks),
        len(tasks),
    )


def _held(tasks: Sequence[ExternalTask], states: Mapping[str, LockState]) -> list[str]:
    """Who holds the tasks, or that nobody does, and until when."""
    kinds: dict[LockState, str] = {
        "worker": "Held by {workers}; the last lock expires by itself at {last}.",
        "retry time": "Nobody holds {tasks}: the last retry time ends by itself at {last}.",
        "either": "Held by their retry time, or by {workers}: {tasks}, the last until {last}.",
    }
    sentences = []
    for kind, sentence in kinds.items():
        if some := [task for task in tasks if states[task.id] == kind]:
            workers = holders(some)
            named = [f"{inert(worker)} ({count(number)})" for worker, number in list(workers.items())[:MOST_WORKERS]]
            more = [things(len(workers) - MOST_WORKERS, "more worker")] if len(workers) > MOST_WORKERS else []
            last = max(task.lock_expiration_time for task in some if task.lock_expiration_time is not None)
            said = {"workers": ", ".join(named + more), "tasks": things(len(some), "task"), "last": clock(last)}
            sentences.append(sentence.format(**said))
    return sentences


def _fetchable(tasks: Sequence[ExternalTask], worked_on: bool) -> str:
    """Whether other workers get the tasks then, and what becomes of a worker that is still at one."""
    held = [task for task in tasks if task.retries == 0 or task.suspended]
    able, one = len(tasks) - len(held), len(held) == 1
    reasons = (
        f"{'has' if one else 'have'} no retries left" if any(task.retries == 0 for task in held) else "",
        f"{'is' if one else 'are'} suspended" if any(task.suspended for task in held) else "",
    )
    why = (" and " if one else " or ").join(filter(None, reasons))
    it, they = ("it", "it") if len(tasks) == 1 else ("them", "they")
    on = " A worker that is alive after all goes on" if worked_on else ""
    if not able:
        on += ", and what it answers is refused." if on else ""
        return f"No worker can fetch {it} then: {they} {why}.{on}"
    which = f"{count(able)} of them at once; {count(len(held))} {why}" if held else f"{it} at once"
    on += ": its work may be done twice, and what it answers is refused." if on else ""
    return f"{'Other workers' if worked_on else 'Workers'} can fetch {which}.{on}"


async def _unlocked(session: Session, tasks: Sequence[ExternalTask]) -> Report:
    """Take the locks off that are still those that were asked about."""
    ids = await session.connection.ask(lambda client: still_locked(client, tasks))
    outcome = await order_each(
        session,
        ids,
        lambda client, id: client.unlock(id),
        lambda done: session.news.say(f"{count(done)} of {things(len(ids), 'task')} are unlocked …"),
    )
    parts = [
        f"{things(len(tasks) - len(ids), 'task')} left alone: unlocked, ended or locked again meanwhile"
        if len(ids) < len(tasks) else "",
        f"{things(outcome.refused, 'task')} refused: {outcome.sentence.rstrip('.')}" if outcome.refused else "",
        f"{things(outcome.unknown, 'task')} not known: {outcome.sentence.rstrip('.')}" if outcome.unknown else "",
        f"{things(outcome.left, 'task')} not tried: the engine does not answer" if outcome.left else "",
    ]  # fmt: skip
    rest = "".join(f"; {part}" for part in parts if part)
    verb = "is" if outcome.done == 1 else "are"
    return Report(f"{things(outcome.done, 'task')} {verb} unlocked{rest}.", "warning" if rest else "good")
