"""The store's one clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, cut to the contract's milliseconds."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
