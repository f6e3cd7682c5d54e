"""In which order a list is read that is read to its end, and shown in another one.

Rows must not move while they are read. They do where the list is sorted by what changes, as locks do, and where equal
rows come in any order, as they do in a list that takes one sort key only. Such a list is read in the order of ids, and
put into the wanted order here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from retriage.console.engine.total_order import LISTS, in_order_of_ids, sort_keys
from retriage.store.contract.queries import Query

R = TypeVar("R")

MOVING = frozenset({
    "lockExpirationTime", "taskPriority", "jobRetries", "jobDueDate", "jobPriority", "endTime", "duration",
})  # fmt: skip
"""Sort keys whose values change while a row lives."""

_FIELDS = {
    "instanceId": "id",
    "jobId": "id",
    "incidentId": "id",
    "batchId": "id",
    "taskPriority": "priority",
    "jobRetries": "retries",
    "jobDueDate": "due_date",
    "jobPriority": "priority",
    "duration": "duration_in_millis",
}
"""Sort key -> field of the record, where that has another name."""


@dataclass(frozen=True)
class ReadingOrder:
    """How a list is read to its end.

    Attributes:
        query: what to ask, in an order in which no row moves.
        keys: sort keys with ``asc`` or ``desc`` that the rows are put in the order of here; none where they come so.
    """

    query: Query
    keys: tuple[tuple[str, str], ...] = ()

    def arranged(self, rows: Sequence[R]) -> Sequence[R]:
        """Rows in the wanted order; those without a value come before those with one."""
        if not self.keys:
            return rows
        found = list(rows)
        for key, order in reversed(self.keys):
            found.sort(key=lambda row: _value(row, key), reverse=order == "desc")
        return found


def reading_order(query: Query) -> ReadingOrder:
    """How the rows of this query are read to their end."""
    keys, known = sort_keys(query), LISTS.get(type(query))
    if not keys or known is None or known.id is None:
        return ReadingOrder(query)
    if known.id == keys[0][0] or (known.several and MOVING.isdisjoint(key for key, _ in keys)):
        return ReadingOrder(query)
    return ReadingOrder(in_order_of_ids(query), tuple(keys))


def _value(row: Any, key: str) -> tuple[bool, Any]:
    value = getattr(row, _FIELDS.get(key) or re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", key), None)
    return (False, 0) if value is None else (True, value)
