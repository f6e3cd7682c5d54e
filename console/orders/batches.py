"""Orders to a batch: suspend it or let it go on, let its failed jobs try again, delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.orders.order import Order, Report, sent
from retriage.console.text.inert import inert
from retriage.console.text.words import short, things

if TYPE_CHECKING:
    from retriage.console.batches.batch_view import BatchView
    from retriage.console.session.session import Session


def suspension(view: BatchView) -> Order:
    """The batch is suspended; one that is goes on."""
    stop = not view.suspended
    what = "Suspend" if stop else "Resume"
    effect = "None of its jobs runs until it is resumed. Tasks that are set stay set." if stop else "Its jobs go on."
    said = f"Batch {_short(view)} is {'suspended' if stop else 'resumed'}."
    return Order(
        f"{what} this batch?",
        [f"Batch {inert(view.id)}: {things(view.remaining, 'job')} left.", effect],
        what,
        sent(said, lambda client: client.suspend_batch(view.id, stop)),
    )


def retry(view: BatchView) -> Order | str:
    """All of its failed jobs get one retry, or why none does."""
    if not view.failed:
        return f"Batch {_short(view)} has no failed jobs."
    jobs = things(view.failed, "failed job")
    return Order(
        "Retry the failed jobs?",
        [f"{jobs} of batch {inert(view.id)} get 1 retry each and are tried again."],
        "Retry",
        sent(f"{jobs} of batch {_short(view)} will be tried again.",
             lambda client: client.retry_jobs(view.batch_definition, 1)),
        view.failed,
    )  # fmt: skip


def deletion(view: BatchView) -> Order:
    """The batch is deleted, and its jobs that are left with it."""

    async def send(session: Session) -> Report:
        await session.connection.ask(lambda client: client.delete_batch(view.id))
        session.watch.unfollow(view.id)
        return Report(f"Batch {_short(view)} is deleted.")

    sentences = [
        f"Batch {inert(view.id)}: {things(view.remaining, 'job')} left are dropped.",
        "Tasks that are set stay set; the others keep the retries they have.",
    ]
    return Order("Delete this batch?", sentences, "Delete", send, view.remaining)


def _short(view: BatchView) -> str:
    return inert(short(view.id))
