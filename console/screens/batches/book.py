"""What the console knows about batches: the running ones, and those that ended while it was looking.

The engine forgets a running batch when it ends and keeps it in its history. An operator wants to see what he
launched until he leaves, so the book looks ended batches up there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from console.engine.errors import NotThere

if TYPE_CHECKING:
    from console.engine.client import EngineClient
    from console.triage.batch_progress import Progress, Speed
    from store.contract.records import BatchStatistics, HistoricBatch

MOST = 200
"""Most running batches that are read at once, the newest."""


@dataclass(frozen=True)
class BatchView:
    """A batch as the screens show it."""

    id: str
    type: str
    total: int
    created: int
    """Jobs that the seed job has made."""
    completed: int
    """Jobs that are gone: done or deleted. Clamped to 0..total."""
    failed: int
    suspended: bool
    start: datetime
    execution_start: datetime | None
    end: datetime | None
    deleted: bool
    user: str | None
    jobs_per_seed: int
    seed_definition: str
    batch_definition: str
    monitor_definition: str
    seconds_left: float | None = None
    """Until all jobs are done, as far as the last two minutes tell; none as long as that would be a guess."""
    per_second: float | None = None

    @property
    def progress(self) -> Progress:
        """The phases in numbers and sentences."""
        from console.triage.batch_progress import Progress

        failed = min(self.failed, self.remaining)
        return Progress(
            self.total, min(self.created, self.total), self.completed, failed, self.remaining - failed, self.suspended
        )

    @property
    def ended(self) -> bool:
        """It is in the engine's history only."""
        return self.end is not None

    @property
    def remaining(self) -> int:
        """Jobs still to be done, made or not."""
        return max(self.total - self.completed, 0)

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return 1.0 if self.ended and not self.deleted else self.completed / self.total if self.total else 1.0

    @property
    def phase(self) -> str:
        """seed, execute, close, ended, deleted, suspended or failed, as one word."""
        if self.ended:
            return "deleted" if self.deleted else "ended"
        if self.suspended:
            return "suspended"
        if self.remaining and self.remaining <= self.failed:
            return "failed"
        if self.created < self.total:
            return "seed"
        return "execute" if self.remaining else "close"


def running(record: BatchStatistics) -> BatchView:
    """A running batch."""
    return BatchView(
        id=record.id,
        type=record.type,
        total=record.total_jobs,
        created=record.jobs_created,
        completed=max(0, min(record.completed_jobs, record.total_jobs)),
        failed=record.failed_jobs,
        suspended=record.suspended,
        start=record.start_time,
        execution_start=record.execution_start_time,
        end=None,
        deleted=False,
        user=record.create_user_id,
        jobs_per_seed=record.batch_jobs_per_seed,
        seed_definition=record.seed_job_definition_id,
        batch_definition=record.batch_job_definition_id,
        monitor_definition=record.monitor_job_definition_id,
    )


def ended(record: HistoricBatch) -> BatchView:
    """A batch of the history."""
    return BatchView(
        id=record.id,
        type=record.type,
        total=record.total_jobs,
        created=record.total_jobs,
        completed=record.total_jobs,
        failed=0,
        suspended=False,
        start=record.start_time,
        execution_start=record.execution_start_time,
        end=record.end_time,
        deleted=False,
        user=record.create_user_id,
        jobs_per_seed=record.batch_jobs_per_seed,
        seed_definition=record.seed_job_definition_id,
        batch_definition=record.batch_job_definition_id,
        monitor_definition=record.monitor_job_definition_id,
    )


class BatchBook:
    """Batches by id, the newest first."""

    def __init__(self) -> None:
        self._views: dict[str, BatchView] = {}
        self._deleted: set[str] = set()
        self._expected: set[str] = set()
        self._speeds: dict[str, Speed] = {}

    def expect(self, batch_id: str) -> None:
        """A batch was launched here; it is looked for even if it ends before it is seen running."""
        self._expected.add(batch_id)

    def will_delete(self, batch_id: str) -> None:
        """The operator deletes this batch, so its end is not a completion."""
        self._deleted.add(batch_id)

    def get(self, batch_id: str) -> BatchView | None:
        """A batch by its id."""
        return self._views.get(batch_id)

    def all(self) -> tuple[BatchView, ...]:
        """All batches: the running ones, then the ended ones, the newest first."""
        return tuple(sorted(self._views.values(), key=lambda view: (not view.ended, view.start), reverse=True))

    async def read(self, client: EngineClient) -> tuple[BatchView, ...]:
        """Bring the book up to date.

        Raises:
            EngineProblem: the engine refused, or did not answer.
        """
        from store.contract.queries import BatchStatisticsQuery

        query = BatchStatisticsQuery(sort_by="startTime", sort_order="desc")
        views = {record.id: self._timed(running(record)) for record in await client.batches(query, 0, MOST)}
        self._expected -= views.keys()
        waited_for = {view.id for view in self._views.values() if not view.ended} | self._expected
        for batch_id in sorted(waited_for - views.keys()):
            view = await self._end(client, batch_id)
            if view is not None:
                views[batch_id] = view
        kept = {view.id: view for view in self._views.values() if view.ended and view.id not in views}
        self._views = kept | views
        return self.all()

    def ended(self) -> tuple[BatchView, ...]:
        """Batches that ended while the console was looking, the newest first."""
        return tuple(view for view in self.all() if view.ended)

    def _timed(self, view: BatchView) -> BatchView:
        """With its speed, as far as it was seen."""
        from console.triage.batch_progress import Speed

        speed = self._speeds.setdefault(view.id, Speed())
        speed.note(time.monotonic(), view.progress)
        return replace(view, per_second=speed.per_second(), seconds_left=speed.seconds_left())

    async def _end(self, client: EngineClient, batch_id: str) -> BatchView | None:
        """A batch that does not run any more; nothing if the history forgot it too."""
        before = self._views.get(batch_id)
        try:
            view = ended(await client.historic_batch(batch_id))
        except NotThere:
            self._expected.discard(batch_id)
            return None
        if not view.ended:
            return before
        self._expected.discard(batch_id)
        if batch_id in self._deleted and before is not None:
            return replace(before, end=view.end, deleted=True)
        return view
