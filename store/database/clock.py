"""The store's one clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_STOPPED: ContextVar[datetime | None] = ContextVar("stopped", default=None)


def now() -> datetime:
    """This moment, cut to the contract's milliseconds; where the clock is stopped, the moment at which it stands."""
    at = _STOPPED.get() or datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


@contextmanager
def stopped_clock(at: datetime) -> Iterator[None]:
    """Inside, and in what is begun there, the clock stands: a snapshot is asked as of the moment when it was taken."""
    before = _STOPPED.set(at)
    try:
        yield
    finally:
        _STOPPED.reset(before)
