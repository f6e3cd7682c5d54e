"""What the console watches all the time, whatever screen is in front: the batches, and how many rows each view has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.words import short, things

if TYPE_CHECKING:
    from console.screens.batches.book import BatchView
    from console.screens.session import Session
    from console.watch import Poller, Snapshot

BATCHES_EVERY = 2.0
COUNTS_EVERY = 10.0


class Follower:
    """Keeps the batch book and the counts of a session up to date. Made when the engine is open."""

    def __init__(self, session: Session) -> None:
        from console.watch import Poller

        self._session = session
        self._batches: Poller[tuple[BatchView, ...]] = Poller(
            lambda: session.ask(session.book.read), self._show_batches, interval=BATCHES_EVERY
        )
        self._counts: Poller[dict[str, int]] = Poller(self._count, self._show_counts, interval=COUNTS_EVERY)

    def start(self) -> None:
        """Begin to look."""
        self._batches.start()
        self._counts.start()

    async def stop(self) -> None:
        """Look no more."""
        await self._batches.stop()
        await self._counts.stop()

    def heed_pause(self) -> None:
        """Rest while the session is paused."""
        for poller in (self._batches, self._counts):
            if poller.paused != self._session.paused:
                (poller.pause if self._session.paused else poller.resume)()

    async def look(self) -> None:
        """Read the batches now."""
        if self._batches.running:
            await self._batches.refresh()

    async def launched(self, batch_id: str) -> None:
        """A batch was launched here: it is looked for until it has ended."""
        self._session.launched.add(batch_id)
        self._session.book.expect(batch_id)
        await self.look()

    def _show_batches(self, snapshot: Snapshot[tuple[BatchView, ...]]) -> None:
        views = snapshot.value
        if views is None:
            return
        running = {view.id for view in views if not view.ended}
        for batch_id in sorted(self._session.launched - running):
            self._ended(batch_id)
        self._session.count(batches=len(running))
        self._counts.every(BATCHES_EVERY if self._session.launched else COUNTS_EVERY)
        self._session.news.publish("batches")

    def _ended(self, batch_id: str) -> None:
        view = self._session.book.get(batch_id)
        if view is not None and view.ended:
            self._session.launched.discard(batch_id)
            if not view.deleted:
                self._session.say(f"Batch {short(batch_id)} has ended: {things(view.total, 'job')} done.", "good")

    async def _count(self) -> dict[str, int]:
        """Rows of each view. One request after another: an engine has better things to do than to count."""
        from store.contract.queries import ExternalTaskQuery, IncidentQuery, JobQuery, ProcessInstanceQuery

        ask = self._session.ask
        return {
            "tasks": await ask(lambda client: client.count_external_tasks(ExternalTaskQuery())),
            "incidents": await ask(lambda client: client.count_incidents(IncidentQuery())),
            "instances": await ask(lambda client: client.count_process_instances(ProcessInstanceQuery())),
            "jobs": await ask(lambda client: client.count_jobs(JobQuery(no_retries_left=True))),
        }

    def _show_counts(self, snapshot: Snapshot[dict[str, int]]) -> None:
        if snapshot.value is not None:
            self._session.count(**snapshot.value)
