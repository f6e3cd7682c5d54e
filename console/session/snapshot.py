"""A picture of a subject, and how much it can be trusted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot(Generic[T]):
    """What a poller knows.

    Attributes:
        value: the last answer, ``None`` before the first.
        at: when it came, ``None`` before the first.
        problem: one sentence when the last attempt failed, ``None`` when it did not.
        stale_since: when the first of the failures in a row was noticed; the value is from before.
    """

    value: T | None = None
    at: datetime | None = None
    problem: str | None = None
    stale_since: datetime | None = None

    @property
    def stale(self) -> bool:
        """The value is older than the last attempt to renew it."""
        return self.stale_since is not None

    def same_picture(self, other: "Snapshot[T]") -> bool:
        """Nothing differs that a screen would show: the value and the problem, not when it was looked at."""
        return self.problem == other.problem and self.value == other.value and (self.at is None) == (other.at is None)
