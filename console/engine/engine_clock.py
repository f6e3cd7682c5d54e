"""The engine's clock as it is known here: by the ``Date`` headers of its answers, which a proxy may have written by a
clock of its own, held against times in its records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_WHOLE = timedelta(seconds=2)
"""A header knows whole seconds: less than this apart is the same time."""
_RECORD = timedelta(milliseconds=50)
"""A failure writes its incident and its log entry in one go, each with a time of its own: no record of the newest
failure is newer than the newest incident and this."""
_SHORT = timedelta(seconds=30)
"""So far from the lock that disproves its headers a clock is taken to be: longer than that is believed."""


class EngineClock:
    """How much the engine's clock is ahead of ours, and its time."""

    def __init__(self) -> None:
        self._told = timedelta()
        self._least = timedelta.min
        self._most = timedelta.max

    @property
    def difference(self) -> timedelta:
        """How much the engine's clock is ahead of ours; zero for less than two seconds, which no header tells."""
        found = min(max(self._told, self._least), self._most)
        return found if abs(found) > _WHOLE else timedelta()

    @property
    def disproved(self) -> bool:
        """Its headers tell another time than its records, by more than two seconds."""
        return self._told - _WHOLE > self._most or self._told + _WHOLE < self._least

    def now(self) -> datetime:
        """The time by the engine's clock; ours before the first answer."""
        ahead = min(max(self._told, self._least), self._most)
        if self._told - _WHOLE > self._most:
            # Only that a lock had not ended is known: it has not as long as the clock is not held against times again.
            ahead = max(self._most - _SHORT, self._least)
        return datetime.now(UTC) + ahead

    def told(self, date: datetime) -> None:
        """A header of an answer that came right now."""
        ahead = date - datetime.now(UTC)
        self._told = ahead if abs(ahead) > _WHOLE else timedelta()

    def reached(self, moment: datetime) -> None:
        """By an answer that came right now, the engine's clock is beyond the records of this moment."""
        self._least = max(self._least, moment + _RECORD - datetime.now(UTC))
        self._most = max(self._most, self._least)  # it was set since: what was known last holds

    def short_of(self, moment: datetime, asked_at: datetime) -> None:
        """By the answer to a question of ``asked_at``, by our clock, the engine's clock had not reached this moment."""
        self._most = min(self._most, moment - asked_at)
        self._least = min(self._least, self._most)
