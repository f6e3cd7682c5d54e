"""Scalar types of the contract: how the engine reads a JSON value, and how it writes one.

The reading rules are those of the engine's JSON library, observed on Camunda 7.24.0: numbers may be sent as
text, text may be sent as numbers, decimals are cut to whole numbers, an empty text counts as absent.
"""

import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_TRUE_OR_FALSE = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

SHORT_MAX = 2**15 - 1
INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1

_EPOCH = datetime.fromtimestamp(0, UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_MOMENT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?(Z|[+-]\d\d:?\d\d)")


class BeyondTime(ValueError):
    """A date that the calendar of the store does not reach."""

    def __init__(self, value: str | int, nearest: datetime) -> None:
        super().__init__(f"{_named(value)} lies beyond the years 1 to 9999")
        self.nearest = nearest


def parse_moment(value: str) -> datetime:
    """Read a date of the contract, ``2026-03-01T09:15:00.000+0100``, as an aware UTC time.

    Overflowing fields roll over (``2026-02-30`` is 2 March) and text after the date is ignored, as the engine
    does it; ``Z``, ``+01:00`` and missing milliseconds are accepted too.

    Raises:
        BeyondTime: the date lies outside the years 1 to 9999.
        ValueError: the text does not begin with such a date.
    """
    if len(value) == 28 and value[7] == "-" and value[10] == "T" and value[19] == "." and value[23] in "+-":
        # As engines write it. A page of the log holds a thousand, and fields that overflow are none of these.
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(value).astimezone(UTC)
    found = _MOMENT.match(value)
    if found is None:
        raise ValueError(f"'{value}' is not a date like 2026-03-01T09:15:00.000+0100")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    months = year * 12 + month - 1
    offset = found[8]
    zone: timezone = UTC
    if offset != "Z":
        minutes = int(offset[1:3]) * 60 + int(offset[-2:])
        zone = timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
    rest = timedelta(
        days=day - 1,
        hours=hour,
        minutes=minute,
        seconds=second,
        milliseconds=int((found[7] or "0").ljust(3, "0")),
    )
    try:
        return (datetime(months // 12, months % 12 + 1, 1, tzinfo=zone) + rest).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BeyondTime(value, _LAST if year > 1 else _FIRST) from None


def nearest_moment(value: str | int) -> datetime:
    """The moment of a date of the contract or of milliseconds since 1970; where it lies beyond the years 1 to 9999,
    the first or the last that there is: what is compared with it comes out the same.

    Raises:
        ValueError: the text does not begin with a date, or the number is beyond 64 bits.
    """
    try:
        return parse_moment(value) if isinstance(value, str) else _after_epoch(value)
    except BeyondTime as beyond:
        return beyond.nearest


def _after_epoch(milliseconds: int) -> datetime:
    if not -LONG_MAX - 1 <= milliseconds <= LONG_MAX:
        raise ValueError(f"{milliseconds} is out of range for a date")
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise BeyondTime(milliseconds, _LAST if milliseconds > 0 else _FIRST) from None


def format_moment(value: datetime) -> str:
    """Write a time as the contract does: three millisecond digits, an offset without a colon, never ``Z``.

    The store's zone is UTC, so the offset is always ``+0000``.
    """
    at = value.astimezone(UTC)
    return f"{at.year:04}-{at:%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def shown_double(value: float) -> float | str:
    """A Double as the contract shows it: a text where JSON has no number."""
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _named(value: Any) -> str:
    """A JSON value as a sentence names it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'"
    return {dict: "an object", list: "a list", type(None): "null"}.get(type(value), str(value))


def is_absent(value: Any) -> bool:
    """Whether a value counts as absent where no text is wanted: null, a blank text, or the text ``null``."""
    return value is None or (isinstance(value, str) and value.strip() in ("", "null"))


def _whole(value: Any, limit: int, name: str) -> Any:
    if is_absent(value):
        return None
    if isinstance(value, bool):
        raise ValueError(f"{_named(value)} is not {name}")
    if isinstance(value, str):
        try:
            value = int(value.strip())
        except ValueError:
            raise ValueError(f"'{value}' is not {name}") from None
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value} is not {name}")
        value = int(value)
    if not isinstance(value, int):
        raise ValueError(f"{_named(value)} is not {name}")
    if not -limit - 1 <= value <= limit:
        raise ValueError(f"{value} is out of range for {name}")
    return value


def _int(value: Any) -> Any:
    return _whole(value, INT_MAX, "an integer")


def _long(value: Any) -> Any:
    return _whole(value, LONG_MAX, "a long integer")


def _bool(value: Any) -> Any:
    if is_absent(value):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    if isinstance(value, str) and value.strip() in _TRUE_OR_FALSE:
        return _TRUE_OR_FALSE[value.strip()]
    raise ValueError(f"{_named(value)} is not true or false")


def _text(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"{_named(value)} is not a string")


def _texts(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError("a list is needed")
    if all(type(item) is str for item in value):
        return value
    return [_text(item) for item in value]


def _moment(value: Any) -> Any:
    if is_absent(value) or isinstance(value, datetime):
        return value if isinstance(value, datetime) else None
    if isinstance(value, str | int) and not isinstance(value, bool):
        return nearest_moment(value)
    raise ValueError(f"{_named(value)} is not a date")


Int = Annotated[int | None, BeforeValidator(_int)]
"""A whole number of 32 bits, or absent."""

Long = Annotated[int | None, BeforeValidator(_long)]
"""A whole number of 64 bits, or absent."""

Bool = Annotated[bool | None, BeforeValidator(_bool)]
"""True, false, or absent."""

Flag = Annotated[bool, BeforeValidator(lambda value: _bool(value) or False)]
"""True or false; absent is false."""

Text = Annotated[str | None, BeforeValidator(_text)]
"""A text, or absent."""

Texts = Annotated[list[str | None] | None, BeforeValidator(_texts)]
"""A list of texts, or absent. The contract allows ``null`` inside and says at each place what it means there."""

_WRITTEN = PlainSerializer(format_moment, return_type=str, when_used="json-unless-none")
_SCHEMA = WithJsonSchema(
    {
        "type": "string",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}$",
        "examples": ["2026-03-01T09:15:00.000+0000"],
    }
)
"""No ``date-time``: the offset has no colon."""

Moment = Annotated[datetime, BeforeValidator(_moment), _WRITTEN, _SCHEMA]
"""A point in time with millisecond precision, always aware."""

MaybeMoment = Annotated[datetime | None, BeforeValidator(_moment), _WRITTEN, _SCHEMA]
"""A point in time, or absent."""
