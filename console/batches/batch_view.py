"""A batch as the screens show it, running or ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from retriage.console.batches.progress import Progress, progress

if TYPE_CHECKING:
    from retriage.console.batches.batch_end import BatchEnd
    from retriage.console.batches.outcome_counts import OutcomeCounts
    from retriage.store.contract.records import BatchStatistics, HistoricBatch

Phase = Literal["seed", "execute", "close", "failed", "suspended", "ended", "deleted", "gone"]


@dataclass(frozen=True)
class BatchView:
    """One batch: its record, how far it is, and what is known beyond that."""

    id: str
    type: str
    progress: Progress
    """Of a running one; of an ended one as far as its job log, or the last look at it, tells."""
    start: datetime
    execution_start: datetime | None
    end: datetime | None
    user: str | None
    jobs_per_seed: int
    seed_definition: str
    batch_definition: str
    monitor_definition: str
    batch_end: BatchEnd | None = None
    """How it ended, once that was found out."""
    work: OutcomeCounts | None = None
    """What became of its tasks, where they are known."""
    seconds_left: float | None = None
    """Until all jobs are done, as far as the last two minutes tell; none as long as that would be a guess."""
    per_second: float | None = None
    work_per_second: float | None = None
    """Tasks that are through per second, done or failed again, over the last two minutes."""
    work_seconds_left: float | None = None
    """Until its tasks are through, as far as the last two minutes tell."""
    standing: float | None = None
    """Seconds since its numbers last changed; none before that was seen."""
    watched: float = 0.0
    """Seconds since it was first seen."""
    record: HistoricBatch | None = field(default=None, compare=False)
    """Its record in the history, of an ended one."""
    at: datetime | None = field(default=None, compare=False)
    """When the figures of its jobs were read; ``None`` where they come from a list of ended batches."""

    def model_dump(self, **how: object) -> dict[str, object]:
        """What a file of rows holds of it, by the contract's names as far as it has them; what became of the jobs of an
        ended batch is null where that is not known."""
        done = self.completed if self.counted else None
        moments = {"startTime": self.start, "executionStartTime": self.execution_start, "endTime": self.end}
        return {
            "id": self.id,
            "type": self.type,
            "phase": self.phase,
            "totalJobs": self.total,
            "jobsCreated": self.progress.created,
            "completedJobs": done,
            "remainingJobs": self.remaining if self.counted else None,
            "failedJobs": self.failed if self.counted else None,
            "suspended": self.suspended,
            **{name: moment.isoformat() if moment is not None else None for name, moment in moments.items()},
            "createUserId": self.user,
            "batchJobsPerSeed": self.jobs_per_seed,
            "seedJobDefinitionId": self.seed_definition,
            "batchJobDefinitionId": self.batch_definition,
            "monitorJobDefinitionId": self.monitor_definition,
        }

    @property
    def total(self) -> int:
        """Jobs of the whole batch."""
        return self.progress.total

    @property
    def completed(self) -> int:
        """Jobs that are through."""
        return self.progress.completed

    @property
    def failed(self) -> int:
        """Jobs that have failed for good; of a deleted batch those that had failed when it was."""
        return self.batch_end.failed if self.batch_end is not None else self.progress.failed

    @property
    def suspended(self) -> bool:
        """It is suspended."""
        return self.progress.suspended and not self.ended

    @property
    def ended(self) -> bool:
        """It does not run any more."""
        return self.end is not None or self.deleted or self.unrecorded

    @property
    def unrecorded(self) -> bool:
        """It does not run any more, and the history does not know it."""
        return self.batch_end is not None and self.batch_end.how in ("gone", "untold", "unseen")

    @property
    def deleted(self) -> bool:
        """Somebody deleted it."""
        return self.batch_end is not None and self.batch_end.how == "deleted"

    @property
    def remaining(self) -> int:
        """Jobs still to be done, made or not."""
        return self.progress.left

    @property
    def counted(self) -> bool:
        """How many jobs were done is known."""
        return not self.ended or (self.batch_end is not None and self.batch_end.done is not None)

    @property
    def work_at(self) -> datetime | None:
        """When its tasks were looked at, if that was another moment than that of its jobs: nothing where the figures
        of both agree, or say themselves that not all tasks were looked at."""
        work = self.work
        if work is None or work.settled or not self.counted or work.jobs_done in (None, self.completed):
            return None
        return work.at

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        return self.completed / self.total if self.total else 1.0

    @property
    def phase(self) -> Phase:
        """Where it is, or how it ended, in one word."""
        if not self.ended:
            return self.progress.word
        if self.batch_end is not None and self.batch_end.how in ("deleted", "gone"):
            return "deleted" if self.deleted else "gone"
        return "ended"


def running(record: BatchStatistics) -> BatchView:
    """A running batch."""
    return BatchView(
        id=record.id,
        type=record.type,
        progress=progress(record),
        start=record.start_time,
        execution_start=record.execution_start_time,
        end=None,
        user=record.create_user_id,
        jobs_per_seed=record.batch_jobs_per_seed,
        seed_definition=record.seed_job_definition_id,
        batch_definition=record.batch_job_definition_id,
        monitor_definition=record.monitor_job_definition_id,
    )


def ended(record: HistoricBatch, batch_end: BatchEnd | None, last: BatchView | None = None) -> BatchView:
    """A batch of the history.

    Args:
        record: its record.
        batch_end: how it ended, where that is known.
        last: the last look at it while it ran.
    """
    total = max(record.total_jobs, 0)
    if batch_end is not None and batch_end.done is not None:
        done = min(batch_end.done, total)
        progress = Progress(total, total, done, 0, total - done, False)
    else:
        progress = last.progress if last is not None else Progress(total, 0, 0, 0, total, False)
    return BatchView(
        id=record.id,
        type=record.type,
        progress=progress,
        start=record.start_time,
        execution_start=record.execution_start_time,
        end=record.end_time,
        user=record.create_user_id,
        jobs_per_seed=record.batch_jobs_per_seed,
        seed_definition=record.seed_job_definition_id,
        batch_definition=record.batch_job_definition_id,
        monitor_definition=record.monitor_job_definition_id,
        batch_end=batch_end,
        record=record,
    )
