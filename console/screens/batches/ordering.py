"""Orders to a batch, the same in the list and in the detail: suspend or resume, retry failed jobs, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING

from console.batches.batch_view import BatchView
from console.screens.base import ConsoleScreen, ordering
from console.screens.dialogs.confirm import Confirm
from console.screens.orders import carry_out
from console.text.words import short, things

if TYPE_CHECKING:
    from console.engine.client import EngineClient


class BatchOrders(ConsoleScreen):
    """A screen with a batch that orders go to."""

    def chosen(self) -> BatchView | None:
        """The batch that an order would go to."""
        raise NotImplementedError

    def places(self) -> tuple[str, ...]:
        """Without the orders where there is no batch that could be changed."""
        view = self.chosen() if self.is_mounted else None
        alive = view is not None and not view.ended
        return tuple(place for place in super().places() if alive or place != "batches")

    def hint_labels(self) -> dict[str, str]:
        """``S`` says which way it goes."""
        view = self.chosen() if self.is_mounted else None
        labels = super().hint_labels()
        if view is not None and view.suspended:
            labels["batches.suspend"] = "resume"
        return labels

    def idle(self) -> Collection[str]:
        """No job has failed: none can be retried."""
        view = self.chosen() if self.is_mounted else None
        nothing = view is None or not view.failed
        return {*super().idle(), *(("batches.retry-jobs",) if nothing else ())}

    def _alive(self) -> BatchView | None:
        view = self.chosen()
        if view is None:
            known = self.session.book.read_once and not self.session.stale
            sentence = "There is no batch." if known else "The batches are not known: the engine has not told them."
            self.session.say(sentence, "warning")
            return None
        view = self.session.book.get(view.id) or view
        if view.ended:
            self.session.say(f"Batch {short(view.id)} has ended; nothing can be changed about it.", "warning")
            return None
        return view

    def action_suspend(self) -> None:
        """Suspend the batch, or let it go on."""
        view = self._alive()
        if view is None:
            return
        stop = not view.suspended
        what = "Suspend" if stop else "Resume"
        effect = "No job of it is done until it is resumed. Tasks that are set stay set." if stop else "It goes on."
        question = Confirm(
            f"{what} this batch?", [f"Batch {view.id}: {things(view.remaining, 'job')} left.", effect], what, "L"
        )
        said = f"Batch {short(view.id)} is {'suspended' if stop else 'going on'}."
        self._order(question, said, lambda client: client.suspend_batch(view.id, stop))

    def action_retry_jobs(self) -> None:
        """Let the failed jobs try again."""
        view = self._alive()
        if view is None:
            return
        if not view.failed:
            self.session.say(f"Batch {short(view.id)} has no failed jobs.", "warning")
            return
        self.retry_all(view)

    def retry_all(self, view: BatchView) -> None:
        """Ask, and let all failed jobs of the batch try again."""
        sentences = [f"{things(view.failed, 'failed job')} of batch {view.id} get 1 retry each and are done again."]
        question = self.question("Retry the failed jobs?", sentences, "Retry", view.failed)
        said = f"{things(view.failed, 'failed job')} of batch {short(view.id)} will be tried again."
        self._order(question, said, lambda client: client.retry_jobs(view.batch_definition, 1))

    def action_delete(self) -> None:
        """Delete the batch."""
        view = self._alive()
        if view is None:
            return
        sentences = [
            f"Batch {view.id}: {things(view.remaining, 'job')} left are dropped.",
            "Tasks that are set stay set; the others keep the retries they have.",
        ]
        question = self.question("Delete this batch?", sentences, "Delete", view.remaining)

        async def delete(client: EngineClient) -> None:
            await client.delete_batch(view.id)
            self.session.launched.discard(view.id)

        self._order(question, f"Batch {short(view.id)} is deleted.", delete)

    def question(self, title: str, sentences: list[str], label: str, number: int) -> Confirm:
        """A question about so many jobs; where the environment is guarded their number has to be typed."""
        typed = str(number) if number and self.session.safety.guarded else ""
        return Confirm(title, sentences, label, "L", typed=typed)

    @ordering("batches.order")
    async def _order(self, question: Confirm, said: str, order: Callable[[EngineClient], Awaitable[None]]) -> None:
        if await carry_out(self.app, self.session, question, said, order) and self.session.follower is not None:
            await self.session.follower.look()
            if self.is_attached:
                self.ordered()

    def ordered(self) -> None:
        """An order was carried out."""
