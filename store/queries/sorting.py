"""Sort keys of a query, and the contract's words when they do not fit.

No tie-break is promised by the contract; the store always appends the id, so that paging is stable.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, null

from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.queries import Query

_DIRECTIONS = ("asc", "desc")
NO_VALUE: ColumnElement[Any] = cast(null(), Text)
"""Column of a sort key that no row has a value for; it sorts nothing."""

ONE_WITHOUT_THE_OTHER = "Only a single sorting parameter specified. sortBy and sortOrder required"


def check_sort_values(query: Query) -> None:
    """Check the values of ``sortBy`` and ``sortOrder`` in a query string, which are read before any filter.

    Raises:
        ContractError: 400 for an unknown value.
    """
    if query.sort_by is not None and query.sort_by not in query.SORT_KEYS:
        raise invalid(f"Cannot set query parameter 'sortBy' to value '{query.sort_by}'")
    if query.sort_order is not None and query.sort_order not in _DIRECTIONS:
        raise invalid(f"Cannot set query parameter 'sortOrder' to value '{query.sort_order}'")


def check_sort_words(query: Query) -> None:
    """Check the values of ``sortBy`` and ``sortOrder`` in a body: they belong to its form, which is read before any
    filter is looked at.

    Raises:
        ContractError: 400 without a word for an unknown value.
    """
    if query.sort_by is not None and query.sort_by not in query.SORT_KEYS:
        raise invalid("")
    if query.sort_order is not None and query.sort_order not in _DIRECTIONS:
        raise invalid("")


def sort_keys(query: Query) -> list[tuple[str, bool]]:
    """The sort keys of a query with whether they descend, the most significant first.

    Key and direction of an entry are taken one after the other and words that are not known are passed over, so that a
    direction may also stand in the entry after its key (observed on Camunda 7.24.0).

    Raises:
        ContractError: 400, in the words that the engine has for each mistake.
    """
    check_sort_words(query)
    if (query.sort_by is None) != (query.sort_order is None):
        raise invalid(ONE_WITHOUT_THE_OTHER)
    keys: list[tuple[str, bool | None]] = []
    for entry in (query, *(query.sorting or ())):
        if entry.sort_by in query.SORT_KEYS:
            keys.append((str(entry.sort_by), None))
        if entry.sort_order in _DIRECTIONS:
            keys[-1:] = [_directed(keys, entry.sort_order == "desc")]
    return [_whole(key, descends) for key, descends in keys]


def _directed(keys: Sequence[tuple[str, bool | None]], descends: bool) -> tuple[str, bool]:
    """The last key with a direction."""
    if not keys:
        raise _not_valid(
            "You should call any of the orderBy methods first before specifying a direction: "
            "currentOrderingProperty is null"
        )
    key, known = keys[-1]
    if known is not None:
        raise _not_valid(
            "Invalid query: can specify only one direction desc() or asc() for an ordering constraint: "
            "direction is not null"
        )
    return key, descends


def _whole(key: str, descends: bool | None) -> tuple[str, bool]:
    if descends is None:
        raise _not_valid("Invalid query: call asc() or desc() after using orderByXX(): direction is null")
    return key, descends


def _not_valid(message: str) -> ContractError:
    return ContractError(400, "NotValidException", message, 0)


def order_by(
    query: Query, columns: Mapping[str, ColumnElement[Any]], tie_break: ColumnElement[Any]
) -> Sequence[ColumnElement[Any]]:
    """The ORDER BY of a query: its keys, then the id. Where null sorts is the database's choice, as in the contract."""
    directions: dict[str, bool] = {}
    for key, descends in sort_keys(query):
        # A key that comes again says nothing more.
        directions.setdefault(key, descends)
    sorted_by = [(columns[key], descends) for key, descends in directions.items() if columns[key] is not NO_VALUE]
    if all(column is not tie_break for column, _ in sorted_by):
        sorted_by.append((tie_break, False))
    return [column.desc() if descends else column.asc() for column, descends in sorted_by]
