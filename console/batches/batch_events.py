"""What has happened to a batch, as a list of sentences with times: from its records, its job log, and what was seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from console.batches.batch_end import BatchEnd
from console.batches.outcome_counts import OutcomeCounts
from console.batches.progress import Progress
from store.contract.history import HistoricJobLog

Tone = Literal["plain", "good", "warning", "failed"]


@dataclass(frozen=True)
class BatchEvent:
    """One event. The sentence may hold texts of the engine and of workers: it is not harmless yet."""

    at: datetime
    sentence: str
    tone: Tone = "plain"


def seen(before: Progress, now: Progress, at: datetime) -> list[BatchEvent]:
    """What has changed between two looks at a running batch."""
    found: list[BatchEvent] = []
    if now.suspended != before.suspended:
        found.append(
            BatchEvent(at, "suspended" if now.suspended else "goes on", "warning" if now.suspended else "good")
        )
    if before.created < before.total <= now.created:
        found.append(BatchEvent(at, f"the seed job has made all {_jobs(now.total)}"))
    if now.failed > before.failed:
        found.append(BatchEvent(at, f"{_jobs(now.failed - before.failed)} failed for good", "failed"))
    if now.failed < before.failed:
        found += _no_longer_failed(before, now, at)
    if now.stuck and not before.stuck:
        found.append(BatchEvent(at, f"only failed jobs are left: {now.failed:,}", "failed"))
    if before.completed < before.total <= now.completed and now.total:
        found.append(BatchEvent(at, "no job is left", "good"))
    return found


def _no_longer_failed(before: Progress, now: Progress, at: datetime) -> list[BatchEvent]:
    """Jobs that had failed. Only new retries make more jobs wait; what is through may have been deleted as well."""
    fewer = before.failed - now.failed
    again = min(max(now.waiting - before.waiting, 0), fewer)
    found: list[BatchEvent] = []
    if again:
        found.append(BatchEvent(at, f"{_jobs(again)} that had failed {'has' if again == 1 else 'have'} retries again"))
    if fewer > again:
        found.append(BatchEvent(at, f"{_jobs(fewer - again)} that had failed: done at another try, or deleted"))
    return found


def heard(before: OutcomeCounts | None, now: OutcomeCounts, at: datetime) -> list[BatchEvent]:
    """What has changed between two looks at the tasks of a batch: failures that are news."""
    old = before.new_causes if before is not None else ()
    causes = [cause for cause in now.new_causes if cause not in old]
    if not causes:
        return []
    more = now.new - (before.new if before is not None else 0)
    tasks = "1 task" if more == 1 else f"{max(more, 1):,} tasks"
    return [BatchEvent(at, f"{tasks} failed again with a NEW error: {', '.join(causes[:3])}", "failed")]


def recorded(
    total: int, user: str | None, start: datetime, first: datetime | None, end: datetime | None, fate: BatchEnd | None
) -> list[BatchEvent]:
    """What the record of the batch tells: start, first job, end."""
    by = f" by {user}" if user else ""
    found = [BatchEvent(start, f"started{by}: {_jobs(total)}")]
    if first is not None:
        found.append(BatchEvent(first, "the first job was done"))
    if end is not None:
        found.append(BatchEvent(end, *ending(total, fate)))
    return found


def ending(total: int, fate: BatchEnd | None) -> tuple[str, Tone]:
    """How the batch ended, in one sentence."""
    if fate is None or fate.how == "unknown" or fate.done is None:
        if fate is not None and fate.how == "gone":
            return "gone: neither running nor in the history", "warning"
        if fate is not None and fate.how == "untold":
            return "ended; the engine keeps no history of batches: how is not known, its tasks show it", "warning"
        return "ended; the engine keeps no job log that tells how", "plain"
    if fate.how == "deleted":
        failed = f", {_jobs(fate.failed)} failed" if fate.failed else ""
        return f"deleted by {fate.by or 'somebody'} at {fate.done:,} of {total:,}{failed}", "warning"
    if fate.dropped:
        failed = f", {fate.failed:,} of them failed" if fate.failed else ""
        dropped = (
            f"{fate.dropped:,} dropped{failed}" if fate.failed < fate.dropped else f"{fate.failed:,} failed dropped"
        )
        return f"ended: {fate.done:,} jobs done, {dropped}", "warning"
    return f"ended: all {_jobs(total)} done", "good"


def given_up(entries: Sequence[HistoricJobLog]) -> list[BatchEvent]:
    """Jobs that failed for good: attempts after which no retries were left."""
    return [
        BatchEvent(entry.timestamp, f"a batch job failed: {entry.job_exception_message or 'no message'}", "failed")
        for entry in entries
        if entry.failure_log and entry.job_retries <= 1
    ]


def _jobs(number: int) -> str:
    return "1 job" if number == 1 else f"{number:,} jobs"
