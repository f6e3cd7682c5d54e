"""Column types that every table shares, and the types that statements over them have."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Dialect, Select
from sqlalchemy.types import TypeDecorator
from sqlmodel import col as _col

T = TypeVar("T")

EPOCH = datetime.fromtimestamp(0, UTC)
_MILLISECOND = timedelta(milliseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """A moment, kept as whole milliseconds since the epoch.

    The contract's clock has millisecond precision, and a number sorts, compares and travels the same way in SQLite
    and PostgreSQL; ``DateTime(timezone=True)`` comes back from SQLite without its zone.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Aware time to milliseconds.

        Raises:
            ValueError: the time carries no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times in the store carry a zone")
        return (value - EPOCH) // _MILLISECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Milliseconds to aware UTC time."""
        return None if value is None else EPOCH + timedelta(milliseconds=value)


Rows: TypeAlias = "Select[*tuple[Any, ...]]"
"""A select of any columns."""


def col(attribute: T) -> "ColumnElement[T]":
    """The column behind a field of a table class, typed as the expression that Core statements take."""
    return _col(attribute)  # type: ignore[return-value]
