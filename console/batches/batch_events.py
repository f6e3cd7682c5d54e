"""What has happened to a batch, from its records, its job log, and what was seen; and the sentence for each event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from retriage.console.batches.batch_end import BatchEnd
from retriage.console.batches.outcome_counts import OutcomeCounts
from retriage.console.batches.progress import Progress
from retriage.console.engine.rights import UNSEEN_ENDS
from retriage.console.text.ink import Ink
from retriage.console.text.words import short, things
from retriage.store.contract.history import HistoricJobLog


@dataclass(frozen=True)
class Started:
    """It was made, with so many jobs to be done, by somebody who may not be known."""

    jobs: int
    by: str


@dataclass(frozen=True)
class AllJobsMade:
    """The seed job has made all of its jobs."""

    jobs: int


@dataclass(frozen=True)
class FirstJobDone:
    """The engine has begun to carry its jobs out."""


@dataclass(frozen=True)
class Suspended:
    """It was suspended."""


@dataclass(frozen=True)
class Resumed:
    """It goes on after it was suspended."""


@dataclass(frozen=True)
class JobsFailed:
    """So many more jobs have no retries left."""

    jobs: int


@dataclass(frozen=True)
class JobFailed:
    """One job has no retries left, with the message of its last failure; ``None`` where there was none."""

    message: str | None


@dataclass(frozen=True)
class JobsRetried:
    """So many jobs that had failed have retries again."""

    jobs: int


@dataclass(frozen=True)
class FailedJobsThrough:
    """So many jobs that had failed were done on another try, or deleted."""

    jobs: int


@dataclass(frozen=True)
class OnlyFailedJobsLeft:
    """Nothing but so many failed jobs is left."""

    jobs: int


@dataclass(frozen=True)
class NoJobLeft:
    """All jobs are through."""


@dataclass(frozen=True)
class NewCauses:
    """Tasks failed again of causes of which none of this launch had failed before.

    Attributes:
        tasks: how many more they are.
        causes: those causes, the most frequent first.
    """

    tasks: int
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """It does not run any more.

    Attributes:
        jobs: of the whole batch.
        end: how it ended, ``None`` where that is not known.
    """

    jobs: int
    end: BatchEnd | None


What = (
    Started
    | AllJobsMade
    | FirstJobDone
    | Suspended
    | Resumed
    | JobsFailed
    | JobFailed
    | JobsRetried
    | FailedJobsThrough
    | OnlyFailedJobsLeft
    | NoJobLeft
    | NewCauses
    | Ended
)
"""The kinds of events."""


@dataclass(frozen=True)
class BatchEvent:
    """One event of a batch: when, and what has happened.

    Attributes:
        at: by the engine's clock.
        what: what has happened.
        seen: no record tells when it happened; that was the look that first showed it.
    """

    at: datetime
    what: What
    seen: bool = False

    @property
    def sentence(self) -> str:
        """What has happened, in words. It may hold texts of the engine and of workers: it is not inert yet."""
        return f"{'seen: ' if self.seen else ''}{sentence_of(self.what)[0]}"

    @property
    def ink(self) -> Ink:
        """How it is written."""
        return sentence_of(self.what)[1]


def newest_first(events: Iterable[BatchEvent]) -> list[BatchEvent]:
    """Events in the order in which they are listed. That no job is left is seen from here at some later look, and the
    engine tells when a batch has ended: nothing has happened to its jobs after that."""
    known = list(events)
    end = min((event.at for event in known if isinstance(event.what, Ended)), default=None)

    def moment(event: BatchEvent) -> tuple[datetime, bool]:
        late = end is not None and isinstance(event.what, NoJobLeft) and event.at > end
        return (end if late and end is not None else event.at), isinstance(event.what, Ended)

    return sorted(known, key=moment, reverse=True)


def sentence_of(what: What) -> tuple[str, Ink]:
    """An event in words, not inert yet, and their ink."""
    match what:
        case Started(jobs, by):
            return f"started{f' by {by}' if by else ''}: {things(jobs, 'job')}", ""
        case AllJobsMade(jobs):
            return f"the seed job has made all {things(jobs, 'job')}", ""
        case FirstJobDone():
            return "the first job was done", ""
        case Suspended():
            return "suspended", "warning"
        case Resumed():
            return "resumed", "good"
        case JobsFailed(jobs):
            return f"{things(jobs, 'job')} failed for good", "failed"
        case JobFailed(message):
            return f"a batch job failed: {message or 'no message'}", "failed"
        case JobsRetried(jobs):
            return f"{things(jobs, 'job')} that had failed {'has' if jobs == 1 else 'have'} retries again", ""
        case FailedJobsThrough(jobs):
            return f"{things(jobs, 'job')} that had failed: done on another try, or deleted", ""
        case OnlyFailedJobsLeft(jobs):
            return f"only failed jobs are left: {jobs:,}", "failed"
        case NoJobLeft():
            return "no job is left", "good"
        case NewCauses(tasks, causes):
            return f"{things(tasks, 'task')} failed again with a NEW error: {', '.join(causes[:3])}", "failed"
        case Ended(jobs, end):
            _, sentence, ink = _ending(jobs, end)
            return sentence, ink


def ending(jobs: int, end: BatchEnd | None) -> tuple[str, Ink]:
    """How a batch of so many jobs ended, in a few words, and their ink."""
    return sentence_of(Ended(jobs, end))


def announcement(batch_id: str, what: What) -> tuple[str, Ink]:
    """An event as a whole sentence about a batch, for whoever looks at something else; not inert yet."""
    sentence, ink = sentence_of(what)
    verb = f" {_ending(what.jobs, what.end)[0]} " if isinstance(what, Ended) else ": "
    return f"Batch {short(batch_id)}{verb}{sentence}.", ink


def _ending(jobs: int, end: BatchEnd | None) -> tuple[str, str, Ink]:
    """The verb that goes before it in a whole sentence, how it ended, and the ink of that."""
    if end is not None and end.how == "gone":
        return "is", "gone: neither running nor in the history", "warning"
    if end is not None and end.how == "untold":
        return "has", "ended, how is not known: the engine keeps no batch history; its tasks show it", "warning"
    if end is not None and end.how == "unseen":
        return "has", f"ended, how is not known: {UNSEEN_ENDS}; its tasks show it", "warning"
    if end is None or end.how == "unknown" or end.done is None:
        return "has", "ended; no job log that this user may read says how", ""
    if end.how == "deleted":
        failed = f", {things(end.failed, 'job')} failed" if end.failed else ""
        return "was", f"deleted by {end.by or 'somebody'} at {end.done:,} of {jobs:,}{failed}", "warning"
    if end.dropped:
        failed = f", {end.failed:,} of them failed" if end.failed else ""
        dropped = f"{end.dropped:,} dropped{failed}" if end.failed < end.dropped else f"{end.failed:,} failed dropped"
        return "has", f"ended: {things(end.done, 'job')} done, {dropped}", "warning"
    return "has", f"ended: all {things(jobs, 'job')} done", "good"


# -- where events come from -------------------------------------------------------------------------------------------


def progress_events(before: Progress, now: Progress, at: datetime) -> list[BatchEvent]:
    """What has changed between two looks at a running batch."""
    found: list[What] = []
    if now.suspended != before.suspended:
        found.append(Suspended() if now.suspended else Resumed())
    if before.created < before.total <= now.created:
        found.append(AllJobsMade(now.total))
    if now.failed > before.failed:
        found.append(JobsFailed(now.failed - before.failed))
    if now.failed < before.failed:
        found += _no_longer_failed(before, now)
    if now.stuck and not before.stuck:
        found.append(OnlyFailedJobsLeft(now.failed))
    if before.completed < before.total <= now.completed and now.total:
        found.append(NoJobLeft())
    return [BatchEvent(at, what, seen=True) for what in found]


def _no_longer_failed(before: Progress, now: Progress) -> list[What]:
    """Jobs that had failed. Only new retries make more jobs wait; what is through may have been deleted as well."""
    fewer = before.failed - now.failed
    again = min(max(now.waiting - before.waiting, 0), fewer)
    found: list[What] = []
    if again:
        found.append(JobsRetried(again))
    if fewer > again:
        found.append(FailedJobsThrough(fewer - again))
    return found


def work_events(before: OutcomeCounts | None, now: OutcomeCounts, at: datetime) -> list[BatchEvent]:
    """What has changed between two looks at the tasks of a batch: failures that are news."""
    old = before.new_causes if before is not None else ()
    causes = tuple(cause for cause in now.new_causes if cause not in old)
    if not causes:
        return []
    more = now.new - (before.new if before is not None else 0)
    return [BatchEvent(at, NewCauses(max(more, 1), causes), seen=True)]


def record_events(
    total: int,
    user: str | None,
    start: datetime,
    first: datetime | None,
    end: datetime | None,
    batch_end: BatchEnd | None,
) -> list[BatchEvent]:
    """What the record of the batch tells: start, first job, end."""
    found = [BatchEvent(start, Started(total, user or ""))]
    if first is not None:
        found.append(BatchEvent(first, FirstJobDone()))
    if end is not None:
        found.append(BatchEvent(end, Ended(total, batch_end)))
    return found


def failed_job_events(entries: Sequence[HistoricJobLog]) -> list[BatchEvent]:
    """Jobs that failed for good: attempts after which no retries were left."""
    return [
        BatchEvent(entry.timestamp, JobFailed(entry.job_exception_message))
        for entry in entries
        if entry.failure_log and entry.job_retries <= 1
    ]
