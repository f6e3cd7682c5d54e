"""What the console knows about batches: the running ones, those it saw end, and how ended ones ended."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from console.batches.batch_end import BatchEnd, end_of
from console.batches.batch_view import BatchView, ended, running
from console.batches.progress import Progress, Speed
from console.batches.timeline import Sample, Timeline
from console.engine.errors import NotThere
from store.contract.queries import BatchStatisticsQuery

if TYPE_CHECKING:
    from console.batches.batch_events import BatchEvent
    from console.batches.outcome_counts import OutcomeCounts
    from console.engine.client import EngineClient
    from store.contract.records import HistoricBatch

MOST = 200
"""Most running batches that are read at once, the newest."""
ENDS_AT_ONCE = 8
"""So many ended batches are looked into at once: it takes a few questions each."""
REMEMBERED = 60
"""So many events of a batch are kept."""


class KnownBatches:
    """Batches by id, the newest first."""

    def __init__(self) -> None:
        self._views: dict[str, BatchView] = {}
        self._expected: set[str] = set()
        self._speeds: dict[str, Speed] = {}
        self._batch_ends: dict[str, BatchEnd] = {}
        self._wanted: dict[str, HistoricBatch] = {}
        self._works: dict[str, OutcomeCounts] = {}
        self._work_speeds: dict[str, Speed] = {}
        self._timelines: dict[str, Timeline] = {}
        self.incidents: int | None = None
        """Open incidents of the engine, when they were counted last."""
        self._events: dict[str, deque[BatchEvent]] = {}
        self.wake: Callable[[], None] = lambda: None
        """Called when there are ended batches to look into."""
        self.keeps_history = True
        """As far as is known the engine remembers batches that have ended."""
        self.read_once = False
        """The batches are known."""
        self._read_at = -inf

    def expect(self, batch_id: str) -> None:
        """A batch was launched here; it is looked for even if it ends before it is seen running."""
        self._expected.add(batch_id)

    def get(self, batch_id: str) -> BatchView | None:
        """A batch by its id."""
        view = self._views.get(batch_id)
        return None if view is None else self._with_work(view)

    def all(self) -> tuple[BatchView, ...]:
        """The batches that run, and those that ended while the console was looking, the newest first."""
        ordered = sorted(self._views.values(), key=lambda view: (not view.ended, view.start), reverse=True)
        return tuple(map(self._with_work, ordered))

    def _with_work(self, view: BatchView) -> BatchView:
        """With what became of its tasks."""
        speed = self._work_speeds.get(view.id)
        return replace(
            view,
            work=self._works.get(view.id),
            work_per_second=speed.per_second() if speed is not None else None,
            work_seconds_left=speed.seconds_left() if speed is not None else None,
        )

    def timeline(self, batch_id: str) -> Timeline | None:
        """How it went, as far as that was seen."""
        return self._timelines.get(batch_id)

    def _go_on(self, view: BatchView) -> None:
        """One more sample of how it goes: of its tasks where they are known, else of its jobs."""
        work = self._works.get(view.id)
        if work is None:
            sample = Sample(view.completed + view.failed, view.completed, view.failed, self.incidents)
        elif work.of("unknown") == work.total:
            return
        else:
            again = work.of("again")
            sample = Sample(work.set, work.through - again, again, self.incidents)
        timeline = self._timelines.get(view.id)
        if timeline is None or timeline.of_tasks != (work is not None):
            # A job that is done has set a task, which is not done by that: the two are never in one picture.
            timeline = self._timelines[view.id] = Timeline(view.start, of_tasks=work is not None)
        timeline.note(datetime.now(UTC), sample)

    def running(self) -> tuple[BatchView, ...]:
        """Those that run."""
        return tuple(view for view in self.all() if not view.ended)

    def forgotten(self) -> tuple[BatchView, ...]:
        """Those that ended while the console was looking and that the history does not know."""
        return tuple(view for view in self.all() if view.unrecorded)

    def events(self, batch_id: str) -> tuple[BatchEvent, ...]:
        """What was seen to happen to a batch, in the order of time."""
        return tuple(self._events.get(batch_id, ()))

    def note(self, batch_id: str, happened: list[BatchEvent]) -> None:
        """Something has happened to a batch."""
        if happened:
            self._events.setdefault(batch_id, deque(maxlen=REMEMBERED)).extend(happened)

    def note_work(self, batch_id: str, tally: OutcomeCounts) -> list[BatchEvent]:
        """What has become of its tasks; answers what is news about them."""
        from console.batches.batch_events import work_events  # 18 ms

        news = work_events(self._works.get(batch_id), tally, datetime.now(UTC))
        self._works[batch_id] = tally
        if not tally.of("unknown"):
            speed = self._work_speeds.setdefault(batch_id, Speed())
            speed.note(time.monotonic(), Progress(tally.total, tally.set, tally.through, 0, tally.open, False))
        view = self._views.get(batch_id)
        if view is not None:
            self._go_on(view)
        self.note(batch_id, news)
        return news

    def expire(self) -> None:
        """What was read is not good enough any more, however new it is."""
        self._read_at = -inf

    async def read_unless(self, client: EngineClient, seconds: float) -> tuple[BatchView, ...]:
        """Read the batches again, unless somebody has done so less than so many seconds ago.

        Raises:
            EngineProblem: the engine refused, or did not answer.
        """
        return self.all() if time.monotonic() - self._read_at < seconds else await self.read(client)

    async def read(self, client: EngineClient) -> tuple[BatchView, ...]:
        """Read the batches again.

        Raises:
            EngineProblem: the engine refused, or did not answer.
        """
        query = BatchStatisticsQuery(sort_by="startTime", sort_order="desc")
        views = {record.id: self._timed(running(record)) for record in await client.batches(query, 0, MOST)}
        self._expected -= views.keys()
        waited_for = {view.id for view in self._views.values() if not view.ended} | self._expected
        for batch_id in sorted(waited_for - views.keys()):
            view = await self._end(client, batch_id)
            if view is not None:
                views[batch_id] = view
        kept = {view.id: self._told(view) for view in self._views.values() if view.ended and view.id not in views}
        self._views = kept | views
        self.read_once = True
        self._read_at = time.monotonic()
        return self.all()

    def of_history(self, records: list[HistoricBatch]) -> list[BatchView]:
        """Ended batches as far as it is known how they ended; what is not is found out with the next readings."""
        self._wanted = {record.id: record for record in records if record.id not in self._batch_ends}
        if self._wanted:
            self.wake()
        return [
            self._with_work(ended(record, self._batch_ends.get(record.id), self._views.get(record.id)))
            for record in records
        ]

    async def learn(self, client: EngineClient) -> int:
        """Look into a few of the ended batches that are in sight; answers how many have been looked into by now.

        Raises:
            EngineProblem: the engine did not answer.
        """
        for record in list(self._wanted.values())[:ENDS_AT_ONCE]:
            await self._batch_end(client, record)
            self._wanted.pop(record.id, None)
        return len(self._batch_ends)

    async def open(self, client: EngineClient, view: BatchView) -> BatchView:
        """An ended batch of the history is looked at in full: it is kept, and how it ended is found out now."""
        if view.ended and view.record is not None:
            view = ended(view.record, await self._batch_end(client, view.record), view)
            self._views.setdefault(view.id, view)
        return self.get(view.id) or view

    def _told(self, view: BatchView) -> BatchView:
        """With how it ended, if that is known meanwhile."""
        batch_end = self._batch_ends.get(view.id)
        return view if batch_end is None or view.record is None else ended(view.record, batch_end, view)

    def _timed(self, view: BatchView) -> BatchView:
        """With its speed, as far as it was seen."""
        from console.batches.batch_events import progress_events  # 18 ms

        speed = self._speeds.setdefault(view.id, Speed())
        speed.note(time.monotonic(), view.progress)
        before = self._views.get(view.id)
        if before is not None and not before.ended:
            self.note(view.id, progress_events(before.progress, view.progress, datetime.now(UTC)))
        self._go_on(view)
        return replace(
            view,
            per_second=speed.per_second(),
            seconds_left=speed.seconds_left(),
            standing=speed.moved_ago(),
            watched=speed.watched(),
        )

    async def _end(self, client: EngineClient, batch_id: str) -> BatchView | None:
        """A batch that does not run any more."""
        before = self._views.get(batch_id)
        try:
            record = await client.historic_batch(batch_id)
        except NotThere:
            self._expected.discard(batch_id)
            if before is None:
                return None
            batch_end = self._batch_ends[batch_id] = BatchEnd("gone" if self.keeps_history else "untold")
            return replace(before, batch_end=batch_end)
        if record.end_time is None:
            return before
        self._expected.discard(batch_id)
        return ended(record, await self._batch_end(client, record), before)

    async def _batch_end(self, client: EngineClient, record: HistoricBatch) -> BatchEnd:
        """How it ended. That does not change any more, so it is asked once."""
        if record.id not in self._batch_ends:
            self._batch_ends[record.id] = await end_of(client, record)
        return self._batch_ends[record.id]
