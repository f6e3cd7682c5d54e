"""Failed batch jobs by cause: what the cause means, and the one sensible thing to do about it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from retriage.console.causes.fold import HOLE, fold

Advice = Literal["drop", "retry", "look"]


@dataclass(frozen=True)
class Remedy:
    """What to do about failed jobs.

    Attributes:
        advice: *drop* the jobs, let them *retry*, or *look* at one first.
        meaning: why they failed, in plain words.
    """

    advice: Advice
    meaning: str


@dataclass(frozen=True)
class FailedJobs:
    """Failed jobs of one cause.

    Attributes:
        cause: their folded message.
        jobs: their ids.
        remedy: what to do.
    """

    cause: str
    jobs: tuple[str, ...]
    remedy: Remedy


GONE = Remedy("drop", "gone: ended elsewhere")
IMPOSSIBLE = Remedy("drop", "can never be set")
TEMPORARY = Remedy("retry", "temporary")
UNKNOWN = Remedy("look", "not known")

_KNOWN: tuple[tuple[re.Pattern[str], Remedy], ...] = (
    (re.compile(r"cannot find external task with id|external task .* does not exist", re.I), GONE),
    (re.compile(r"number of retries cannot be negative", re.I), IMPOSSIBLE),
    (
        re.compile(
            r"ENGINE-03005|optimistic ?lock|updated by another transaction|deadlock|lock wait timeout"
            r"|could not serialize|connection|time[d -]*out|temporarily|too many|unavailable|being shut down"
            r"|ORA-00060|40001|40P01",
            re.I,
        ),
        TEMPORARY,
    ),
)
"""Messages of the engine and of databases. The first one that fits counts."""

_ID = re.compile(r"\b(task with id )[^\s:]+")
"""The engine names the task by its id, which may be anything."""


def remedy(message: str | None) -> Remedy:
    """What to do about a job that failed with this message."""
    if message:
        for pattern, known in _KNOWN:
            if pattern.search(message):
                return known
    return UNKNOWN


def by_cause(jobs: Iterable[tuple[str, str | None]]) -> list[FailedJobs]:
    """Failed jobs (id and message) in groups, the largest first."""
    members: dict[str, list[str]] = {}
    words: dict[str, str | None] = {}
    for job, message in jobs:
        cause = fold(_ID.sub(r"\1" + HOLE, message) if message else message)
        members.setdefault(cause, []).append(job)
        words.setdefault(cause, message)
    order = Counter({cause: len(ids) for cause, ids in members.items()})
    return [FailedJobs(cause, tuple(members[cause]), remedy(words[cause])) for cause, _ in order.most_common()]


def total(groups: Sequence[FailedJobs]) -> int:
    """Jobs in all groups together."""
    return sum(len(group.jobs) for group in groups)
