"""Timers: when a token that waits at one may go on, and when a job that failed may be tried again."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from retriage.store.bpmn.expressions import Foreign, variable_of
from retriage.store.bpmn.problems import CanNotGoOn

_NUMBER = r"([0-9]{1,9})"
_DURATION = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}(?:\.([0-9]{{1,9}}))?S)?)?"
)
_CYCLE = re.compile(r"R([0-9]{0,9})/(P[^/]*)")
LONGEST = 2**31 - 1
"""Attempts of a job that is tried for ever."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A moment, or a duration from when the token arrives; either may stand in a variable.

    Attributes:
        kind: ``DATE`` or ``DURATION``.
        text: as it is drawn, without blanks around it.
    """

    kind: str
    text: str

    @property
    def variable(self) -> str | None:
        """The variable that holds it, if one does."""
        return variable_of(self.text)

    def due(self, variables: Mapping[str, Any], at: datetime) -> datetime:
        """When a token that arrives at this moment may go on.

        Raises:
            CanNotGoOn: there is no such variable, or what it holds is neither a moment nor a duration.
        """
        value: Any = self.text
        if self.variable is not None:
            if self.variable not in variables:
                raise CanNotGoOn(
                    f"Unknown property used in expression: {self.text}. Cause: Cannot resolve identifier "
                    f"'{self.variable}'"
                )
            value = variables[self.variable]
        if isinstance(value, Foreign) and value.moment is not None:
            return value.moment
        if not isinstance(value, str):
            raise CanNotGoOn("Due date could not be resolved: it is neither a text nor a date.")
        try:
            if value.startswith("P") or self.kind == "DURATION":
                return _after(at, value)
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            sentence = f"ENGINE-09027 Exception while resolving duedate '{value}': Invalid format: \"{value}\""
            raise CanNotGoOn(sentence) from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RetryCycle:
    """How often a job is tried, and how long it rests after each failure (``camunda:failedJobRetryTimeCycle``).

    Attributes:
        retries: attempts of a new job.
        pauses: ISO 8601 durations after the first failure, the second, …; the last one holds for all that follow.
    """

    retries: int
    pauses: tuple[str, ...]

    def due(self, left: int, at: datetime) -> datetime:
        """When a job that had so many attempts left, and failed at this moment, may be tried again."""
        place = len(self.pauses) + 1 - left
        return _after(at, self.pauses[min(max(place, 0), len(self.pauses) - 1)])


def retry_cycle(text: str) -> RetryCycle | None:
    """What a text of the forms ``R3/PT10M``, ``R/PT10M`` or ``PT1M,PT10M`` says; the engine takes any other for none
    (observed on Camunda 7.24.0).
    """
    found = _CYCLE.fullmatch(text.strip())
    if found is None:
        pauses = tuple(part.strip() for part in text.split(","))
        retries = len(pauses) + 1
    else:
        retries = int(found[1] or LONGEST)
        pauses = (found[2] if retries else "PT0S",)
    try:
        for pause in pauses:
            _after(datetime.now(UTC), pause)
    except (ValueError, OverflowError):
        return None
    return RetryCycle(max(1, retries), pauses)


def _after(at: datetime, text: str) -> datetime:
    """A moment and an ISO 8601 duration after it; years and months are those of the calendar.

    Raises:
        ValueError: the text is no duration.
        OverflowError: it is too long.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text[-1] in "PT":
        raise ValueError(text)
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[:-1])
    fraction = float(f"0.{found[8] or 0}")
    year, month = divmod(at.year * 12 + at.month - 1 + years * 12 + months, 12)
    if year > datetime.max.year:
        raise OverflowError(text)
    moved = at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
    return moved + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds + fraction)
