"""What every query offers: a page of records, how many match, one by its id."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import ContractError, missing
from retriage.store.contract.model import Shape
from retriage.store.contract.queries import Query
from retriage.store.queries.conditions import Condition, Conditions, Pairs, all_of, conditions, count_of, page_of
from retriage.store.queries.sorting import check_sort_words, order_by
from retriage.store.tables.types import Rows

QueryT = TypeVar("QueryT", bound=Query)
RecordT = TypeVar("RecordT", bound=Shape)


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[QueryT, RecordT]):
    """One query of the contract over one table.

    Args:
        query: the filters, as the contract declares them.
        shape: what is answered.
        rows: its columns with all their joins, labelled by its field names, without condition and order.
        key: the id column of the table that is filtered.
        conditions: the condition of each filter, on that table.
        sort_columns: the column of each sort key.
        unknown: the sentence, or the refusal, for an id that names nothing; ``{}`` stands for the id.
        always: conditions that every row fulfils, whatever is asked for.
        always_by_id: the same conditions, written for rows that are picked in the order of their ids.
        wins: pairs of filters; where the first is set the second is not looked at.
        ranges: pairs of filters, lower bound and upper bound; where they cross nothing matches.
        where: makes all the conditions of a query, where the table and the pairs do not say everything.
        build: makes a record of a row, where a record is more than its columns.
    """

    query: type[QueryT]
    shape: type[RecordT]
    rows: Rows
    key: ColumnElement[Any]
    conditions: Conditions
    sort_columns: Mapping[str, ColumnElement[Any]]
    unknown: str | Callable[[str], ContractError] = ""
    always: tuple[Condition, ...] = ()
    always_by_id: tuple[Condition, ...] | None = None
    wins: Pairs = ()
    ranges: Pairs = ()
    where: Callable[[QueryT], list[Condition]] | None = None
    build: Callable[[Row[Any]], RecordT] | None = None

    async def page(
        self, connection: AsyncConnection, query: QueryT, first: int = 0, size: int | None = None
    ) -> list[RecordT]:
        """The records that match.

        Args:
            connection: where to ask.
            query: filters and sort keys.
            first: records to skip.
            size: records to give, none for all.

        Raises:
            ContractError: a filter or sort key that the contract refuses.
        """
        where = self._where(query)
        order = order_by(query, self.sort_columns, self.key)
        if len(order) == 1 and self.always_by_id is not None:
            where[: len(self.always)] = self.always_by_id
        rows = await page_of(connection, self.rows, self.key, where, order, first, size)
        return [self._record(row) for row in rows]

    async def count(self, connection: AsyncConnection, query: QueryT) -> int:
        """How many records match.

        Raises:
            ContractError: a filter or sort key that the contract refuses.
        """
        where = self._where(query)
        order_by(query, self.sort_columns, self.key)
        return await count_of(connection, self.key, where)

    async def find(self, connection: AsyncConnection, identity: str) -> RecordT | None:
        """The record with this id, if there is one."""
        row = (await connection.execute(self.rows.where(self.key == identity, *self.always))).one_or_none()
        return None if row is None else self._record(row)

    async def get(self, connection: AsyncConnection, identity: str) -> RecordT:
        """The record with this id.

        Raises:
            ContractError: there is none; mostly 404.
        """
        found = await self.find(connection, identity)
        if found is None:
            raise missing(self.unknown.format(identity)) if isinstance(self.unknown, str) else self.unknown(identity)
        return found

    def _where(self, query: QueryT) -> list[Condition]:
        check_sort_words(query)
        made = (
            self.where(query) if self.where else conditions(query, self.conditions, wins=self.wins, ranges=self.ranges)
        )
        return [*self.always, *all_of(made)]

    def _record(self, row: Row[Any]) -> RecordT:
        if self.build is not None:
            return self.build(row)
        return cast(RecordT, self.shape.model_construct(**row._mapping))


async def text_of(
    connection: AsyncConnection,
    key: ColumnElement[Any],
    text: ColumnElement[Any],
    identity: str,
    unknown: ContractError,
) -> str | None:
    """A long text of one row, none if it has none.

    Args:
        connection: where to ask.
        key: the id column of the table.
        text: the column, or a subquery about that table's row.
        identity: which row.
        unknown: the refusal where no row has that id.

    Raises:
        ContractError: ``unknown``.
    """
    row = (await connection.execute(select(key, text.label("text")).where(key == identity))).one_or_none()
    if row is None:
        raise unknown
    found: str | None = row.text
    return found
