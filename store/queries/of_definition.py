"""The process definition of a row: conditions on it, its columns, and when the row's history may be removed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, select, type_coerce

from retriage.store.queries.conditions import Condition
from retriage.store.tables import ProcessDefinition, ProcessInstance
from retriage.store.tables.types import UtcTime, col

PRESENT: Condition = col(ProcessDefinition.removed).is_(False)
"""Its deployment is still there."""

DAY = 24 * 60 * 60 * 1000
"""Milliseconds."""


@dataclass(frozen=True)
class OfDefinition:
    """The definition that a column of another table names."""

    id: ColumnElement[Any]

    def fulfils(self, condition: Condition | None) -> Condition | None:
        """It fulfils a condition; none for none."""
        if condition is None:
            return None
        return self.id.in_(select(col(ProcessDefinition.id)).where(condition))

    def column(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """One of its columns, to sort by."""
        of_row = select(column).where(col(ProcessDefinition.id) == self.id)
        return of_row.correlate(self.id.table).scalar_subquery()


def removal_time() -> ColumnElement[Any]:
    """When the history of an instance may be removed: its end and the days that its definition lets history live.

    Null while the instance runs, and where the definition sets no time. Both tables must be joined.
    """
    return type_coerce(type_coerce(col(ProcessInstance.end_time), BigInteger) + time_to_live() * DAY, UtcTime)


def time_to_live() -> ColumnElement[int]:
    """The days that a definition lets history live, as a number that can be multiplied."""
    return cast(col(ProcessDefinition.history_time_to_live), BigInteger)
