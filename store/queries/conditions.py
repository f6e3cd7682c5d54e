"""From the filters of a query to SQL conditions, and from a condition to a page of rows."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Subquery,
    Text,
    UnaryExpression,
    cast,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeEngine

from retriage.store.contract.errors import null_value
from retriage.store.contract.queries import Query
from retriage.store.database import check_wanted, folded
from retriage.store.tables.types import Rows

Condition = ColumnElement[bool]
Conditions = Mapping[str, Callable[[Any], Condition | None]]
"""For each filter of a query, by field name: its value to a condition, or none where that value filters nothing."""

SHORT_LIST = 100
"""Up to here a list is bound value by value, which every planner understands; longer ones travel as one JSON text."""


Pairs = Sequence[tuple[str, str]]
"""Two filters of a query that have to do with each other, by field name."""


def conditions(query: Query, table: Conditions, *, wins: Pairs = (), ranges: Pairs = ()) -> list[Condition]:
    """The conditions of all filters that are set; all must hold.

    Args:
        query: what is asked for.
        table: the condition of each filter.
        wins: where the first of a pair is set (a flag: true; a list: not empty), the second is not looked at.
        ranges: a lower and an upper bound; where they cross nothing matches.
    """
    check_wanted()
    beaten = {loser for winner, loser in wins if getattr(query, winner)}
    found = (table[name](value) for name, value in query.chosen().items() if name not in beaten)
    made = [condition for condition in found if condition is not None]
    return [*made, false()] if any(_crossed(query, *bounds) for bounds in ranges) else made


def _crossed(query: Query, lower: str, upper: str) -> bool:
    low, high = getattr(query, lower), getattr(query, upper)
    return low is not None and high is not None and bool(low > high)


def equals(column: ColumnElement[Any]) -> Callable[[Any], Condition]:
    """The value, exactly."""
    return lambda value: column == value


def escapes_nothing(pattern: str) -> bool:
    """Whether a pattern ends with a backslash that escapes nothing: it matches no text (observed on Camunda 7.24.0)."""
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1


def like(column: ColumnElement[Any], *, ignore_case: bool = False) -> Callable[[str], Condition]:
    """SQL LIKE: ``%`` and ``_`` are wildcards, backslash escapes what follows, the whole text must match."""

    def condition(pattern: str) -> Condition:
        if escapes_nothing(pattern):
            return false()
        text, wanted = (folded(column), folded(pattern)) if ignore_case else (column, pattern)
        return text.like(wanted, escape="\\")

    return condition


def flag(condition: Callable[[], Condition | None]) -> Callable[[bool], Condition | None]:
    """A condition that only true switches on."""
    return lambda value: condition() if value else None


def never(value: Any) -> Condition | None:
    """A filter on something that does not exist here: nothing matches. A false flag, or an empty list, is no filter."""
    return None if value is False or value == [] else false()


def among(column: ColumnElement[Any], refuse_null: str | None = None) -> Callable[[Sequence[Any]], Condition | None]:
    """One of a list; an empty list is no condition.

    Args:
        column: what is compared.
        refuse_null: name for the refusal of a list with a null in it; without one, null matches nothing.

    Raises (when the condition is made):
        ContractError: 500, the list holds a null that is not allowed.
    """

    def condition(values: Sequence[Any]) -> Condition | None:
        if not values:
            return None
        return one_of(column, _without_null(values, refuse_null))

    return condition


def _without_null(values: Sequence[Any], name: str | None) -> list[Any]:
    if name is not None and any(value is None for value in values):
        raise null_value(f"{name} contains null value")
    return [value for value in values if value is not None]


def one_of(column: ColumnElement[Any], values: Sequence[Any]) -> Condition:
    """One of a list of any length; nothing for an empty list."""
    if len(values) <= SHORT_LIST:
        return column.in_(values)
    texts = json_texts(values)
    return column.in_(select(texts.c.value))


def json_texts(values: Sequence[str]) -> Any:
    """A list of texts as a table with the column ``value``, bound as one JSON text."""
    encoded = literal(json.dumps(list(values), ensure_ascii=False), Text)
    return _json_texts(encoded).table_valued("value")


class _json_texts(GenericFunction[str]):
    """The elements of a JSON list of texts."""

    type = Text()
    inherit_cache = True
    name = "retriage_json_texts"


@compiles(_json_texts, "sqlite")
def _json_texts_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_json_texts, "postgresql")
def _json_texts_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **kw)} AS json))"


def json_items(rows: Sequence[Sequence[str | int | None]], *types: TypeEngine[Any]) -> Subquery:
    """Rows as a table with the columns ``c0``, ``c1``, …, bound as one JSON text and read once for a statement."""
    value = json_texts([json.dumps(row) for row in rows]).c.value
    columns = (
        cast(_json_item(value, literal_column(str(number))), type_).label(f"c{number}")
        for number, type_ in enumerate(types)
    )
    return select(*columns).offset(0).subquery()


class _json_item(GenericFunction[str]):
    """An element of a JSON list, by its position."""

    type = Text()
    inherit_cache = True
    name = "retriage_json_item"


@compiles(_json_item, "sqlite")
def _json_item_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    row, position = (compiler.process(part, **kw) for part in element.clauses)
    return f"json_extract({row}, '$[' || {position} || ']')"


@compiles(_json_item, "postgresql")
def _json_item_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    row, position = (compiler.process(part, **kw) for part in element.clauses)
    return f"(CAST({row} AS json) ->> {position})"


def any_of(parts: Sequence[Condition]) -> Condition | None:
    """At least one holds; none if there are none."""
    if len(parts) > SHORT_LIST:
        return _any_of(*parts)
    return or_(*parts) if parts else None


def all_of(parts: list[Condition]) -> list[Condition]:
    """The same conditions, few of them: all must hold."""
    return [_all_of(*parts)] if len(parts) > SHORT_LIST else parts


class _Tree(GenericFunction[bool]):
    """Conditions in a balanced tree. A row of many is a tree as deep as it is long, which SQLite bounds at 1000.

    It stands among other conditions as it is. What SQLAlchemy makes of a function there, ``(…) = 1``, is a value that
    SQLite has to know, so that it looks at every part of every row where one would have decided.
    """

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Itself: it is written with its parentheses."""
        return self

    def _negate(self) -> Any:
        return UnaryExpression(self, operator=operators.inv, type_=self.type)


class _all_of(_Tree):
    """Conditions that must all hold."""

    inherit_cache = True
    name = "retriage_all_of"


class _any_of(_Tree):
    """Conditions of which one must hold."""

    inherit_cache = True
    name = "retriage_any_of"


class likely(_Tree):
    """A condition that most rows fulfil. SQLite, which counts no rows beforehand, takes an ``IS NULL`` of an index for
    one that leaves a handful, and reads and sorts all that fulfil it (https://www.sqlite.org/lang_corefunc.html#likely).
    """

    inherit_cache = True
    name = "retriage_likely"


@compiles(likely)
def _likely_anywhere(element: Any, compiler: Any, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)})"


@compiles(likely, "sqlite")
def _likely_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"likely({compiler.process(element.clauses, **kw)})"


@compiles(_all_of)
@compiles(_any_of)
def _tree(element: Any, compiler: Any, **kw: Any) -> str:
    word = "AND" if isinstance(element, _all_of) else "OR"
    parts = []
    for part in element.clauses:
        check_wanted()
        parts.append(f"({compiler.process(part, **kw)})")
    return _balanced(parts, f" {word} ")


def _balanced(parts: Sequence[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_balanced(parts[:middle], word)}{word}{_balanced(parts[middle:], word)})"


async def page_of(
    connection: AsyncConnection,
    rows: Rows,
    key: ColumnElement[str],
    where: Sequence[Condition],
    order: Sequence[ColumnElement[Any]],
    first: int = 0,
    size: int | None = None,
) -> Sequence[Any]:
    """One page of rows.

    The ids of the page are picked first and joined afterwards, so that skipped rows cost an index step and no join.

    Args:
        connection: where to ask.
        rows: the columns with all their joins, without condition and order.
        key: the id column of the table that is filtered.
        where: conditions on that table.
        order: sort columns of that table, the id last.
        first: rows to skip.
        size: rows to give, none for all.
    """
    picked = select(key.label("id")).where(*where)
    if first or size is not None:
        picked = picked.order_by(*order).limit(size if size is not None else 2**62).offset(first)
    page = picked.subquery("page")
    return (await connection.execute(rows.join(page, page.c.id == key).order_by(*order))).all()


async def count_of(connection: AsyncConnection, key: ColumnElement[str], where: Sequence[Condition]) -> int:
    """How many rows match."""
    return (await connection.execute(select(func.count()).select_from(key.table).where(*where))).scalar_one()
