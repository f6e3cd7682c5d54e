"""Moments as whole milliseconds since the epoch, and back."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime.fromtimestamp(0, UTC)


def milliseconds(at: datetime) -> int:
    """Milliseconds of an aware time."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def moment(milliseconds: int) -> datetime:
    """The aware time of these milliseconds."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
