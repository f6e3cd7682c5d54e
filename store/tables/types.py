"""Column types that every table shares, and the types that statements over them have."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeAlias, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Dialect, Select, String, Text
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import col as _col

from retriage.store.contract.errors import PERSISTENCE, ContractError

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


LONGEST_TEXT = 4000
"""Characters of the longest texts that the engine keeps in a column, such as values of String variables."""

LONGEST_NAME = 255
"""Characters of the longest names."""

_TOO_LONG = 10002
"""The engine's code of a text that is longer than its column."""


class TooLong(ContractError, DontWrapMixin):
    """500, a text is longer than its column. Nothing of the transaction must be committed."""

    def __init__(self) -> None:
        super().__init__(500, "ProcessEnginePersistenceException", PERSISTENCE, _TOO_LONG)


def check_length(text: str, most: int) -> None:
    """Check that a text is not longer than its column. Characters beyond the first 65536 count twice, as in Java.

    Raises:
        TooLong: it is longer.
    """
    size = len(text)
    if size <= most // 2:
        return
    if size > most or size + sum(letter > "\uffff" for letter in text) > most:
        raise TooLong


class _Bounded(TypeDecorator[str]):
    """A text that the engine keeps in a column of so many characters. A longer one is refused when it is written.

    The columns here take any text: not to store what an engine would not is a matter of the contract. Comparing with a
    longer text is no fault, it only finds nothing.
    """

    impl = String
    cache_ok = True
    most: ClassVar[int]

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text itself.

        Raises:
            TooLong: it is longer.
        """
        if value is not None:
            check_length(value, self.most)
        return value

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """What the column is compared with has any length."""
        return self.impl_instance


class Name(_Bounded):
    """A name: of a deployment, a worker, a variable; a business key."""

    cache_ok = True
    most = LONGEST_NAME


class Tag(_Bounded):
    """A version tag, or a tenant."""

    cache_ok = True
    most = 64


class Note(_Bounded):
    """What a person writes beside a thing."""

    impl = Text
    cache_ok = True
    most = LONGEST_TEXT


Rows: TypeAlias = "Select[*tuple[Any, ...]]"
"""A select of any columns."""


def col(attribute: T) -> "ColumnElement[T]":
    """The column behind a field of a table class, typed as the expression that Core statements take."""
    return _col(attribute)  # type: ignore[return-value]
