"""The undo of a launch or a run as an order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.orders.order import Order, Report
from retriage.console.text.words import short

if TYPE_CHECKING:
    from retriage.console.launch.decided_launch import DecidedLaunch
    from retriage.console.launch.undo import Undo
    from retriage.console.session.session import Session
    from retriage.console.session.watch import Watch
    from retriage.store.journal import Launch


async def undo_order(
    session: Session,
    look: Callable[[], Awaitable[Undo]],
    send_off: Callable[[Iterable[DecidedLaunch]], None],
    doubts: Sequence[str] = (),
    end_run: Callable[[], Awaitable[str]] | None = None,
) -> Order | str:
    """Prepare an order that gives tasks back the retries they had before, or say in a sentence why there is none.

    Args:
        session: whose engine and journal are read.
        look: compares what the tasks had with what they have now.
        send_off: sends decided launches, one after the other.
        doubts: further sentences for who confirms it.
        end_run: ends the run that is undone; returns why that failed, empty where it did not.

    Raises:
        EngineProblem: the engine did not answer.
    """
    if busy := session.connection.why_no_launch():
        return busy
    session.news.say("Looking at what the tasks have now …", "muted")
    try:
        undo = await look()
    except journal_problem() as problem:
        return f"The journal cannot be read: {said_by_driver(problem)}"
    if undo.why_not:
        return undo.why_not

    async def send(session: Session) -> Report:
        # A launch may have begun since.
        if why := session.connection.why_no_launch():
            return Report(why, "warning", changed=False)
        if undo.ends and end_run is not None and (why := await end_run()):
            return Report(why, "warning", changed=False)
        send_off(_noted(session.watch, undo))
        return Report("")

    return Order(f"Undo {undo.name}?", [*undo.sentences(), *doubts], "Restore", send, undo.count)


def _noted(watch: Watch, undo: Undo) -> Iterator[DecidedLaunch]:
    """The launches of an undo; each is noted with the batches that it undoes as it goes out."""
    for order in undo.launches():
        by_batch: dict[str, list[str]] = {}
        for id in order.plan.ids:
            if batch_id := undo.batch_of.get(id):
                by_batch.setdefault(batch_id, []).append(id)
        for batch_id, ids in by_batch.items():
            watch.undone(batch_id, ids)
        yield order


def doubts_of(launch: Launch) -> list[str]:
    """Sentences where it is not certain that the launch has set what its tasks have now."""
    if launch.state in ("sent", "unknown", "unknowable"):
        return ["It is not known whether this launch was carried out: somebody else may have set them."]
    if launch.probable:
        return [f"Batch {short(launch.batch_id)} is probably its own; nothing proves it yet."]
    return []
