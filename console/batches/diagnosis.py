"""Why a batch does not move, from facts that the contract tells. Pure: see ``diagnosis_facts``.

Rules of the job executor that matter (observed on Camunda 7.24.0): it takes jobs that have retries, are due, not
suspended and not locked; it locks them for five minutes; when it found none it looks again within 60 seconds.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from retriage.console.batches.progress import POLL, Progress
from retriage.console.text.ink import Ink

LOCK = timedelta(minutes=5)
"""``lockTimeInMillis`` of an executor that was not told otherwise: a job is locked for so long."""

IDLE = 60.0
"""``maxWait``: seconds after which an executor that found no job looks again at the latest."""

STANDING = 10.0
"""Seconds without any change after which a batch is said to stand."""

NOT_NEEDED = "not needed"
"""About the job executor, where no executor would help."""


@dataclass(frozen=True)
class Hitch:
    """What keeps a seed or monitor job from running.

    Attributes:
        failed: its message, when it has no retries left; ``None`` when it has.
        due: when it is due, ``None`` when at once.
        suspended: it is suspended.
        id: the job.
        gone: there is none, though the batch needs it: somebody deleted it.
        locked: an executor has taken it.
    """

    failed: str | None = None
    due: datetime | None = None
    suspended: bool = False
    id: str = ""
    gone: bool = False
    locked: bool = False


@dataclass(frozen=True)
class Ahead:
    """Another batch that the job executor works on.

    Attributes:
        id: the batch.
        left: its jobs to go.
    """

    id: str
    left: int


@dataclass(frozen=True)
class DiagnosisFacts:
    """Facts about a running batch at a moment.

    Attributes:
        progress: its statistics.
        now: the moment.
        standing: seconds since anything about it changed, ``None`` as long as that is not known.
        seed: its seed job, where jobs are still to be made.
        monitor: its monitor job, where all others are through.
        locked: its jobs that an executor has taken.
        locked_since: when they were first seen locked, without any progress since.
        ready: its jobs that an executor could take now.
        suspended: its jobs that are suspended, though the batch is not.
        later: its jobs that are due later.
        due: when the first of those is.
        locked_elsewhere: jobs that an executor has taken and that are none of this batch, neither its seed nor its
            monitor job.
        tells_locks: the engine can tell which jobs an executor has taken.
        ahead: another batch, some job of which an executor has taken.
    """

    progress: Progress
    now: datetime
    standing: float | None = None
    seed: Hitch | None = None
    monitor: Hitch | None = None
    locked: int = 0
    locked_since: datetime | None = None
    ready: int = 0
    suspended: int = 0
    later: int = 0
    due: datetime | None = None
    locked_elsewhere: int = 0
    tells_locks: bool = True
    ahead: Ahead | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor says.

    Attributes:
        name: of the case, for tests and for whoever wants to act on it.
        sentence: for the operator, with what he can do about it.
        runner: about the job executor, in a few words.
        ink: how bad it is.
    """

    name: str
    sentence: str
    runner: str
    ink: Ink = ""
    job: str = field(default="", compare=False)
    """The seed or monitor job that needs help, where it is one."""


def diagnose(signs: DiagnosisFacts) -> Diagnosis:
    """Why the batch does not move, or that it does."""
    return _held(signs) or _closing(signs) or _working(signs) or _standing(signs)


def _held(signs: DiagnosisFacts) -> Diagnosis | None:
    """Something that no job executor gets past."""
    seen = signs.progress
    if signs.seed is not None and signs.seed.gone:
        made = f"{seen.created:,} of {seen.total:,} jobs are made and no more will be"
        sentence = f"Its seed job was deleted, {made}: it will never end. Delete the batch (D); what is set stays set."
        return Diagnosis("seed gone", sentence, NOT_NEEDED, "failed")
    if signs.monitor is not None and signs.monitor.gone:
        sentence = "All jobs are done, but its monitor job was deleted: it will never close. Delete the batch (D)."
        return Diagnosis("monitor gone", sentence, NOT_NEEDED, "failed")
    if seen.suspended:
        return Diagnosis("suspended", "It is suspended: S resumes it.", NOT_NEEDED, "warning")
    if signs.seed is not None and signs.seed.failed is not None:
        made = f"{seen.created:,} of {seen.total:,} jobs are made"
        sentence = f"Its seed job has failed, {made} and no more will be: {signs.seed.failed} (T tries it again)"
        return Diagnosis("seed failed", sentence, NOT_NEEDED, "failed", signs.seed.id)
    if seen.stuck:
        what = "The one job left has failed" if seen.failed == 1 else f"All {seen.failed:,} jobs left have failed"
        sentence = f"{what}: open until retried (T) or dropped (D)."
        return Diagnosis("all failed", sentence, NOT_NEEDED, "failed")
    if signs.suspended and not signs.ready and not signs.locked:
        sentence = f"{_jobs(signs.suspended)} suspended on their own, though the batch is not: S twice wakes them."
        return Diagnosis("jobs suspended", sentence, NOT_NEEDED, "warning")
    if signs.seed is not None and signs.seed.suspended:
        return Diagnosis("seed suspended", "Its seed job is suspended on its own, though the batch is not: S twice "
                         "wakes it.", NOT_NEEDED, "warning")  # fmt: skip
    return None


def _closing(signs: DiagnosisFacts) -> Diagnosis | None:
    """All jobs are through."""
    if signs.progress.left or signs.progress.created < signs.progress.total:
        return None
    monitor = signs.monitor
    if monitor is None:
        return Diagnosis("closing", f"All jobs are done: the monitor job closes it within {POLL} s.", "active", "good")
    if monitor.failed is not None:
        sentence = f"All jobs are done, but its monitor job has failed: {monitor.failed} (T tries it again)"
        return Diagnosis("monitor failed", sentence, NOT_NEEDED, "failed", monitor.id)
    if monitor.suspended:
        return Diagnosis("monitor suspended", "All jobs are done, but its monitor job is suspended on its own: S twice "
                         "wakes it.", NOT_NEEDED, "warning")  # fmt: skip
    wait = (monitor.due - signs.now).total_seconds() if monitor.due is not None else 0.0
    if wait > 0:
        sentence = f"All jobs are done: its monitor job is due in {round(wait)} s and closes it then."
        return Diagnosis("closing", sentence, "waits for the monitor job", "good")
    if signs.standing is not None and signs.standing >= IDLE:
        sentence = f"All jobs are done, but nobody has run its monitor job for {_ago(signs.standing)}: {_INACTIVE}"
        return Diagnosis("not active", sentence, "NOT ACTIVE", "failed")
    return Diagnosis("closing", "All jobs are done: its monitor job is due and closes it.", "active", "good")


def _working(signs: DiagnosisFacts) -> Diagnosis | None:
    """It moves, or is about to."""
    if signs.seed is not None and signs.seed.locked and not _abandoned(signs):
        made = f"{signs.progress.created:,} of {signs.progress.total:,} jobs are made so far"
        return Diagnosis("seeding", f"Its seed job is at work: {made}.", "active, makes jobs", "good")
    if signs.standing is not None and signs.standing < STANDING and signs.progress.created:
        last = "last job now" if signs.standing < 1 else f"last job {_ago(signs.standing)} ago"
        return Diagnosis("moving", "It moves.", f"active, {last}", "good")
    if signs.locked and not _abandoned(signs):
        return Diagnosis("at work", f"{_jobs(signs.locked)} running.", f"active, has {_count(signs.locked)}",
                         "good")  # fmt: skip
    return None


def _abandoned(signs: DiagnosisFacts) -> bool:
    return signs.standing is not None and signs.standing >= IDLE


def _standing(signs: DiagnosisFacts) -> Diagnosis:
    """Nothing about it changes: who is it that does not work?"""
    idle = "" if signs.standing is None or signs.standing < 1 else f" for {_ago(signs.standing)}"
    if signs.locked:
        until = _clock((signs.locked_since or signs.now) + LOCK, signs.now)
        sentence = (
            f"{_jobs(signs.locked)} locked by a job executor that has finished none{idle}. If it is dead, the locks "
            f"end at {until} at the latest, and another one takes them."
        )
        return Diagnosis("dead runner", sentence, f"holds {_count(signs.locked)}, finishes none", "warning")
    if signs.later and not signs.ready:
        first = f", the first at {_clock(signs.due, signs.now)}" if signs.due is not None else ""
        return Diagnosis("due later", f"{_jobs(signs.later)} due later{first}: nothing happens before.",
                         "waits for due jobs", "")  # fmt: skip
    if signs.standing is None and signs.progress.created:
        seen = signs.progress
        done = (
            f"{seen.completed:,} of {seen.total:,} jobs are done" if seen.completed else f"{_jobs(seen.created)} made"
        )
        return Diagnosis("first look", f"{done}; the next look shows whether it moves.", "looking …", "")
    if signs.locked_elsewhere:
        which = "other jobs of the engine"
        if signs.ahead is not None:
            which = f"other jobs, among them batch {signs.ahead.id} with {signs.ahead.left:,} to go"
        sentence = f"The job executor works on {which}: this batch waits for its turn."
        return Diagnosis("others first", sentence, "busy with other jobs", "")
    if not signs.tells_locks:
        sentence = (
            f"None of its jobs has run{idle}. This engine does not show which jobs an executor has taken: it "
            "may be at work on a long one or on other jobs, or may not be active."
        )
        return Diagnosis("waiting", sentence, "not shown by this engine", "")
    if signs.standing is not None and signs.standing >= IDLE:
        sentence = f"None of its jobs has been taken{idle}, and no other job of the engine is: {_INACTIVE}"
        return Diagnosis("not active", sentence, "NOT ACTIVE", "failed")
    sentence = f"None of its jobs has been taken{idle or ' yet'}; the job executor looks at least every {IDLE:.0f} s."
    return Diagnosis("waiting", sentence, f"no job taken{idle}" if idle else "not seen at work yet", "")


_INACTIVE = "the job executor is not active."


def _count(number: int) -> str:
    return "1 job" if number == 1 else f"{number:,} jobs"


def _jobs(number: int) -> str:
    return "1 job is" if number == 1 else f"{number:,} jobs are"


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds // 60:.0f} min"


def _clock(moment: datetime, now: datetime) -> str:
    """A time of day, or with the day when that is another one."""
    told = moment.astimezone(UTC)
    return f"{told:%H:%M:%S}Z" if told.date() == now.astimezone(UTC).date() else f"{told:%Y-%m-%d %H:%M}Z"
