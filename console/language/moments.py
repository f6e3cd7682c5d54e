"""Times in a filter line: durations (``90m``, ``1h30m``, ``2d``) and dates in UTC (``2026-03-01T09:15``)."""

import re
from datetime import UTC, datetime, timedelta

from retriage.store.contract.values import parse_moment

_DURATION = re.compile(r"(-?)((?:\d{1,9}(?:ms|[smhdw]))+)", re.ASCII)
_STEP = re.compile(r"(\d+)(ms|[smhdw])", re.ASCII)
_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)


def duration(text: str) -> timedelta | None:
    """A duration, ``None`` if the text is none (or is one of more than time itself)."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    try:
        whole = sum((int(count) * _UNITS[unit] for count, unit in _STEP.findall(found[2])), timedelta())
    except OverflowError:
        return None
    return -whole if found[1] else whole


def date(text: str) -> datetime | None:
    """A date, with or without a time of day, ``None`` if the text is none. Without an offset it is UTC."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    day, clock, second, fraction, zone = found.groups()
    try:
        strict = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{second or '00'}")
        return parse_moment(f"{strict:%Y-%m-%dT%H:%M:%S}.{fraction or '0'}{(zone or 'Z').upper()}")
    except (ValueError, OverflowError):
        return None


def shifted(now: datetime, by: timedelta) -> datetime | None:
    """``now + by``, ``None`` where the calendar ends."""
    try:
        return now + by
    except OverflowError:
        return None


def written(moment: datetime) -> str:
    """A moment as a date of the filter line, to the millisecond."""
    at = moment.astimezone(UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
