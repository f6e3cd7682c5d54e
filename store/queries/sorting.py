"""Sort keys of a query, and the contract's words when they do not fit.

No tie-break is promised by the contract; the store always appends the id, so that paging is stable.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from store.contract.errors import ContractError, invalid
from store.contract.queries import Query

ONE_WITHOUT_THE_OTHER = "Only a single sorting parameter specified. sortBy and sortOrder required"


def check_get_sorting(query: Query) -> None:
    """Check ``sortBy`` and ``sortOrder`` of a query string.

    Raises:
        ContractError: 400 for an unknown value, or one without the other.
    """
    if query.sort_by is not None and query.sort_by not in query.SORT_KEYS:
        raise invalid(f"Cannot set query parameter 'sortBy' to value '{query.sort_by}'")
    if query.sort_order is not None and query.sort_order not in ("asc", "desc"):
        raise invalid(f"Cannot set query parameter 'sortOrder' to value '{query.sort_order}'")
    if (query.sort_by is None) != (query.sort_order is None):
        raise invalid(ONE_WITHOUT_THE_OTHER)


def sort_keys(query: Query) -> list[tuple[str, bool]]:
    """The sort keys of a query with whether they descend, the most significant first.

    Raises:
        ContractError: 400, in the words that the engine has for each mistake.
    """
    keys: list[tuple[str, bool]] = []
    if query.sort_by is not None or query.sort_order is not None:
        if query.sort_by is not None and query.sort_by not in query.SORT_KEYS:
            raise invalid("")
        if query.sort_order is not None and query.sort_order not in ("asc", "desc"):
            raise invalid("")
        if query.sort_by is None or query.sort_order is None:
            raise invalid(ONE_WITHOUT_THE_OTHER)
        keys.append((query.sort_by, query.sort_order == "desc"))
    for entry in query.sorting or ():
        if entry.sort_by not in query.SORT_KEYS:
            if entry.sort_order is None:
                continue
            raise _not_valid(
                "Invalid query: can specify only one direction desc() or asc() for an ordering constraint: "
                "direction is not null"
                if keys
                else "You should call any of the orderBy methods first before specifying a direction: "
                "currentOrderingProperty is null"
            )
        if entry.sort_order not in ("asc", "desc"):
            raise _not_valid("Invalid query: call asc() or desc() after using orderByXX(): direction is null")
        keys.append((str(entry.sort_by), entry.sort_order == "desc"))
    return keys


def _not_valid(message: str) -> ContractError:
    return ContractError(400, "NotValidException", message, 0)


def order_by(
    query: Query, columns: Mapping[str, ColumnElement[Any]], tie_break: ColumnElement[Any]
) -> Sequence[ColumnElement[Any]]:
    """The ORDER BY of a query: its keys, then the id. Where null sorts is the database's choice, as in the contract."""
    order: list[ColumnElement[Any]] = []
    for key, descends in sort_keys(query):
        column = columns[key]
        order.append(column.desc() if descends else column.asc())
    order.append(tie_break.asc())
    return order
