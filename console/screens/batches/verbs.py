"""What can be done about a batch, from the list and from the page of one: each order is asked for first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from retriage.console.orders.batches import deletion, retry, suspension
from retriage.console.orders.failed_batch_jobs import drop_group, retry_group, retry_vital
from retriage.console.screens.verbs import Verbs, carry_out
from retriage.console.text.inert import inert
from retriage.console.text.words import short, things

if TYPE_CHECKING:
    from retriage.console.batches.batch_view import BatchView
    from retriage.console.batches.failed_jobs import FailedJobs
    from retriage.console.orders.order import Order
    from retriage.console.screens.base import ConsoleScreen


class BatchVerbs(Verbs["ConsoleScreen"]):
    """Orders to a batch, or to some of its failed jobs.

    Args:
        screen: a list of batches, or one batch.
        chosen: the batch under the cursor, or of the page.
        ordered: called after an order was carried out.
        group: the failed jobs under the cursor that an order goes to instead of to the batch; nothing where none are.
        vital: id of the seed or monitor job that has failed; empty if none has.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("batches",)

    def __init__(
        self,
        screen: ConsoleScreen,
        chosen: Callable[[], BatchView | None],
        ordered: Callable[[], object],
        group: Callable[[], FailedJobs | None] = lambda: None,
        vital: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__(screen)
        self._chosen = chosen
        self._ordered = ordered
        self._group = group
        self._vital = vital

    # -- what the keys would do -------------------------------------------------------------------------------------

    def _shown(self) -> BatchView | None:
        return self._chosen() if self.screen.is_mounted else None

    def places(self) -> Collection[str]:
        """Nowhere, where there is no batch that could be changed."""
        view = self._shown()
        return self.PLACES if view is not None and not view.ended else ()

    def hint_labels(self) -> dict[str, str]:
        """``S`` says which way it goes, ``T`` and ``D`` say to how many failed jobs they go."""
        view = self._shown()
        group = self._group() if view is not None else None
        labels = {"batches.suspend": "resume"} if view is not None and view.suspended else {}
        if group is not None:
            jobs = things(len(group.jobs), "job")
            labels |= {"batches.retry-jobs": f"try {jobs} again", "batches.delete": f"drop {jobs}.."}
        return labels

    def idle(self) -> Collection[str]:
        """No job has failed: none can be retried."""
        view = self._shown()
        failed = view is not None and (view.failed or self._vital())
        return () if failed else ("batches.retry-jobs",)

    # -- orders -----------------------------------------------------------------------------------------------------

    def action_suspend(self) -> None:
        """Suspend the batch, or let it go on."""
        self._give(suspension)

    def action_retry_jobs(self) -> None:
        """Let the failed jobs try again: those under the cursor, all of the batch, or its seed or monitor job."""
        self._give(self._retry)

    def action_delete(self) -> None:
        """Drop the failed jobs under the cursor; where none are, delete the batch."""
        group = self._group()
        self._give(deletion if group is None else lambda view: drop_group(view, group))

    def _retry(self, view: BatchView) -> Order | str:
        group, job = self._group(), self._vital()
        if group is not None and len(group.jobs) < view.failed:
            return retry_group(view, group)
        return retry_vital(view, job) if job and not view.failed else retry(view)

    def _give(self, plan: Callable[[BatchView], Order | str]) -> None:
        view = self._alive()
        if view is not None:
            self.order(partial(self._carry_out, view, plan), "batches.order")

    def _alive(self) -> BatchView | None:
        view = self._chosen()
        if view is None:
            known = self.session.watch.known_batches.read_once and not self.session.connection.stale
            sentence = "There is no batch." if known else "The batches are not known: the engine has not shown them."
            self.session.news.say(sentence, "warning")
            return None
        view = self.session.watch.known_batches.get(view.id) or view
        if view.ended:
            gone = f"Batch {inert(short(view.id))} has ended: nothing about it can be changed."
            self.session.news.say(gone, "warning")
            return None
        return view

    async def _carry_out(self, view: BatchView, plan: Callable[[BatchView], Order | str]) -> None:
        async def planned() -> Order | str:
            return plan(view)

        report = await carry_out(self.screen, planned)
        if report is not None and report.changed:
            await self.session.watch.look()
            if self.screen.is_attached:
                self._ordered()
