"""What the console knows about batches: the running ones, those it saw end, and how ended ones ended."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from retriage.console.batches.batch_end import BatchEnd, end_of
from retriage.console.batches.batch_view import BatchView, ended, running
from retriage.console.batches.progress import Progress, Speed
from retriage.console.batches.timeline import Sample, Timeline
from retriage.console.engine.errors import NotThere
from retriage.store.contract.queries import BatchStatisticsQuery

if TYPE_CHECKING:
    from retriage.console.batches.batch_end import Unrecorded
    from retriage.console.batches.batch_events import BatchEvent
    from retriage.console.batches.launched_tasks import LaunchedTasks
    from retriage.console.batches.outcome import Outcome
    from retriage.console.batches.outcome_counts import OutcomeCounts
    from retriage.console.engine.client import EngineClient
    from retriage.store.contract.records import HistoricBatch

MOST = 200
"""Most running batches that are read at once, the newest."""
ENDS_AT_ONCE = 8
"""So many ended batches are looked into at once: it takes a few questions each."""
REMEMBERED = 60
"""So many events of a batch are kept."""


class KnownBatch:
    """One batch, as far as it was followed.

    Attributes:
        view: its newest figures, each with its own moment. What a page shows is a ``BatchLook``, all of one moment.
        launched_tasks: the tasks it was launched for; ``None`` until they were looked up.
        timeline: samples of its tasks where they are known, else of its jobs; ``None`` before the first.
        events: what was seen to happen, oldest first.
        on_page: its own page reads its tasks, so nobody else has to.
        reading_tasks: held while its tasks are read: two readings at once would take each other's turn.
    """

    def __init__(self, view: BatchView) -> None:
        self.view = view
        self.launched_tasks: LaunchedTasks | None = None
        self.timeline: Timeline | None = None
        self.events: deque[BatchEvent] = deque(maxlen=REMEMBERED)
        self.on_page = False
        self.reading_tasks = asyncio.Lock()
        self._speed = Speed()
        self._work_speed = Speed()

    @property
    def outcome(self) -> Outcome | None:
        """What became of its tasks one by one, where they are known."""
        return self.launched_tasks.outcome if self.launched_tasks is not None else None

    def is_ours(self, task_id: str) -> bool:
        """Whether the batch was launched for this task, as far as its tasks are known."""
        return self.outcome is not None and self.outcome.state(task_id) is not None

    def note_running(self, view: BatchView, at: datetime, incidents: int | None) -> None:
        """Take in new statistics.

        Args:
            view: the statistics.
            at: when they were read, by the engine's clock.
            incidents: the open ones of the engine, ``None`` where they were not counted.
        """
        from retriage.console.batches.batch_events import progress_events  # 18 ms

        self._speed.note(time.monotonic(), view.progress)
        if not self.view.ended:
            self.events.extend(progress_events(self.view.progress, view.progress, at))
        self.view = replace(
            self.with_tasks(view),
            at=at,
            per_second=self._speed.per_second(),
            seconds_left=self._speed.seconds_left(),
            standing=self._speed.moved_ago(),
            watched=self._speed.watched(),
        )
        self._sample(at, incidents)

    def note_end(self, view: BatchView) -> None:
        """It has ended, or more is known of how it did."""
        self.view = self.with_tasks(view)

    def note_work(self, tally: OutcomeCounts, at: datetime, incidents: int | None) -> list[BatchEvent]:
        """Take in what has become of its tasks, seen at ``at`` by the engine's clock; returns what is news about
        them."""
        from retriage.console.batches.batch_events import work_events  # 18 ms

        news = work_events(self.view.work, tally, at)
        if not tally.of("unknown"):
            now = Progress(tally.total, tally.set, tally.through, 0, tally.open, False)
            self._work_speed.note(time.monotonic(), now)
        self.view = replace(
            self.view,
            work=tally,
            work_per_second=self._work_speed.per_second(),
            work_seconds_left=self._work_speed.seconds_left(),
        )
        self.events.extend(news)
        self._sample(at, incidents)
        return news

    def with_tasks(self, view: BatchView) -> BatchView:
        """Other figures of it, with what is known of its tasks."""
        known = self.view
        return replace(
            view, work=known.work, work_per_second=known.work_per_second, work_seconds_left=known.work_seconds_left
        )

    def _sample(self, at: datetime, incidents: int | None) -> None:
        view, work = self.view, self.view.work
        if work is None:
            sample = Sample(view.completed + view.failed, view.completed, view.failed, incidents)
        elif work.of("unknown") == work.total:
            return
        else:
            sample = Sample(work.set, work.of("done"), work.of("again"), incidents, work.other)
        if self.timeline is None or self.timeline.of_tasks != (work is not None):
            # A job that is done has set a task, which is not done by that: the two are never in one picture.
            self.timeline = Timeline(view.start, of_tasks=work is not None)
        self.timeline.note(at, sample)


class KnownBatches:
    """Batches by id.

    Args:
        unrecorded: what it means of an ended batch that the history does not know it, as far as that was found out.
        wake: called when there are ended batches to look into.
    """

    def __init__(
        self, unrecorded: Callable[[], Unrecorded] = lambda: "gone", wake: Callable[[], None] = lambda: None
    ) -> None:
        self._unrecorded = unrecorded
        self._wake = wake
        self._batches: dict[str, KnownBatch] = {}
        self._ends: dict[str, BatchEnd] = {}
        """How batches ended, also of those that are only listed. That does not change, so it is asked once."""
        self._expected: set[str] = set()
        self._wanted: dict[str, HistoricBatch] = {}
        self.incidents: int | None = None
        """Open incidents of the engine, when they were counted last."""
        self.read_once = False
        """The batches are known."""
        self._read_at = -inf

    def expect(self, batch_id: str) -> None:
        """A batch was launched here; it is looked for even if it ends before it is seen running."""
        self._expected.add(batch_id)

    def of(self, batch_id: str) -> KnownBatch | None:
        """All that is known of a batch."""
        return self._batches.get(batch_id)

    def get(self, batch_id: str) -> BatchView | None:
        """The newest figures of a batch."""
        batch = self._batches.get(batch_id)
        return None if batch is None else batch.view

    def put(self, view: BatchView) -> KnownBatch:
        """Keep a batch that is not known yet."""
        return self._batches.setdefault(view.id, KnownBatch(view))

    def batches(self) -> list[KnownBatch]:
        """The batches that run, and those that ended while the console was looking, the newest first."""
        return sorted(self._batches.values(), key=lambda one: (not one.view.ended, one.view.start), reverse=True)

    def all(self) -> tuple[BatchView, ...]:
        """Their newest figures, in the same order."""
        return tuple(batch.view for batch in self.batches())

    def running(self) -> tuple[BatchView, ...]:
        """Those that run."""
        return tuple(view for view in self.all() if not view.ended)

    def forgotten(self) -> tuple[BatchView, ...]:
        """Those that ended while the console was looking and that the history does not know."""
        return tuple(view for view in self.all() if view.unrecorded)

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
        records = await client.batches(query, 0, MOST)
        at = client.engine_now()
        seen = {record.id for record in records}
        for record in records:
            view = running(record)
            self.put(view).note_running(view, at, self.incidents)
        waited_for = {id for id, batch in self._batches.items() if not batch.view.ended} | self._expected
        for batch_id in sorted(waited_for - seen):
            await self._read_end(client, batch_id)
        # Not before all answers are in: after a failure what was seen now is expected still.
        self._expected -= seen
        self.read_once = True
        self._read_at = time.monotonic()
        return self.all()

    def of_history(self, records: list[HistoricBatch]) -> list[BatchView]:
        """Ended batches as far as it is known how they ended; what is not is found out with the next readings."""
        self._wanted = {record.id: record for record in records if record.id not in self._ends}
        if self._wanted:
            self._wake()
        return [self._listed(record) for record in records]

    def _listed(self, record: HistoricBatch) -> BatchView:
        batch, end = self._batches.get(record.id), self._ends.get(record.id)
        return ended(record, end) if batch is None else batch.with_tasks(ended(record, end, batch.view))

    async def learn(self, client: EngineClient) -> int:
        """Look into a few of the ended batches that are in sight; returns how many have been looked into by now.

        Raises:
            EngineProblem: the engine did not answer.
        """
        for record in list(self._wanted.values())[:ENDS_AT_ONCE]:
            await self._end_of(client, record)
            self._wanted.pop(record.id, None)
        return len(self._ends)

    async def open(self, client: EngineClient, view: BatchView) -> KnownBatch:
        """Keep a batch whose page is opened; how an ended one of the history ended is found out now.

        Raises:
            EngineProblem: the engine did not answer.
        """
        batch = self.put(view)
        if batch.view.ended and batch.view.record is not None:
            await self._end_of(client, batch.view.record)
        return batch

    async def _read_end(self, client: EngineClient, batch_id: str) -> None:
        """A batch that does not run any more."""
        batch = self._batches.get(batch_id)
        try:
            record = await client.historic_batch(batch_id)
        except NotThere:
            self._expected.discard(batch_id)
            if batch is not None:
                end = self._ends[batch_id] = BatchEnd(self._unrecorded())
                batch.note_end(replace(batch.view, batch_end=end))
            return
        if record.end_time is not None:
            view = ended(record, await self._end_of(client, record), batch.view if batch is not None else None)
            self.put(view).note_end(view)
            self._expected.discard(batch_id)

    async def _end_of(self, client: EngineClient, record: HistoricBatch) -> BatchEnd:
        if record.id not in self._ends:
            self._ends[record.id] = await end_of(client, record)
        end, batch = self._ends[record.id], self._batches.get(record.id)
        if batch is not None and batch.view.ended:
            batch.note_end(ended(record, end, batch.view))
        return end
