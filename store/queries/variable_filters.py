"""Comparisons with process variables.

A number is compared with every numeric type into which it converts without loss, a text with String, true and false
with Boolean, a date with Date; null equals a variable whose value is null. ``neq`` and ``notLike`` hold where a
variable of that name exists and the positive comparison does not.
"""

import math
import operator
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Float, String, Text, and_, cast, false, func, not_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from retriage.store.contract.errors import ContractError, engine_error, invalid
from retriage.store.contract.queries import VariableFilter
from retriage.store.contract.values import INT_MAX, LONG_MAX, SHORT_MAX, is_absent, nearest_moment
from retriage.store.database import check_wanted, folded
from retriage.store.queries.conditions import Condition, any_of, escapes_nothing, json_items, one_of
from retriage.store.tables import Variable
from retriage.store.tables.types import col

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gteq": operator.ge,
    "lt": operator.lt,
    "lteq": operator.le,
}
_POSITIVE = {"neq": "eq", "notLike": "like"}
_ORDER_WORDS = {
    "gt": "greater than",
    "gteq": "greater than or equal",
    "lt": "less than",
    "lteq": "less than or equal",
}
MOST_APART = 8
"""Filters of one query that are conditions of their own. Each of the others would cost a millisecond to write."""

_WHOLE = {"Short": SHORT_MAX, "Integer": INT_MAX, "Long": LONG_MAX}
_EPOCH = datetime.fromtimestamp(0, UTC)


class VariableRules:
    """How one kind of query words and judges its variable filters."""

    def __init__(self, label: str, operators: frozenset[str], status: int) -> None:
        self.label = label
        self.operators = operators
        self.status = status

    def refuse(self, message: str, type_: str) -> ContractError:
        """The refusal of a filter by the engine."""
        return (
            engine_error(message, type_) if self.status == 500 else ContractError(400, "NotValidException", message, 0)
        )


EXTERNAL_TASK = VariableRules("process variable", frozenset({*_COMPARE, "like", "notLike"}), 500)
INSTANCE = VariableRules("variable", frozenset({*_COMPARE, "like"}), 400)


class _Reading(NamedTuple):
    """How the filters of one query are read; see ``variable_conditions``."""

    names_ignore_case: bool
    values_ignore_case: bool
    dates: bool
    exact: bool


class _Operand(NamedTuple):
    """What a variable is compared with: the value of one filter, or columns of many that are alike.

    ``kind`` is the type of the variable, or ``number`` of one of the ``types``, ``pattern`` of a text, ``null``, or
    ``never`` where nothing matches. A Double is compared with ``real``, other numbers with ``whole``.
    """

    kind: str
    types: tuple[str, ...] = ()
    text: Any = None
    whole: Any = None
    real: Any = None


class _by_scope(GenericFunction[str]):
    """The name of a variable, by which no index is chosen: SQLite would read all variables of a name once for each
    row that is asked for, where the few of the row's own instance suffice.
    """

    type = String()
    inherit_cache = True
    name = "retriage_by_scope"


@compiles(_by_scope)
def _by_scope_anywhere(element: Any, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


@compiles(_by_scope, "sqlite")
def _by_scope_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


def variable_conditions(
    filters: Sequence[VariableFilter],
    instance: ColumnElement[Any],
    rules: VariableRules,
    *,
    of_instance_only: bool = False,
    deleted_too: bool = False,
    names_ignore_case: bool = False,
    values_ignore_case: bool = False,
    dates: bool = True,
    exact: bool = False,
    either: bool = False,
) -> list[Condition]:
    """One condition per filter, for all that must hold; or few conditions, of which one holds where any filter does.

    Args:
        filters: the comparisons.
        instance: the id of the process instance of the row that is asked for.
        rules: words and allowed operators of the query.
        of_instance_only: variables of a task's own scope do not count.
        deleted_too: variables that were deleted, or ended with their execution, count with their last value.
        names_ignore_case: names match in any case.
        values_ignore_case: texts match in any case.
        dates: texts that look like a date of the contract are dates, and blank ones null. The engine does so on GET
            and in the bodies of lists and counts, not in queries nested in another body (observed on Camunda 7.24.0).
        exact: a number is compared with the one type that it has as a value: Integer, Long where it is too large for
            that, Double with a fraction point; one beyond 64 bits is an object (observed on Camunda 7.24.0).
        either: one filter suffices. Together they look once at the variables of an instance, not once each.

    Raises:
        ContractError: an unknown operator, a missing name, or a value that cannot be compared that way.
    """
    scope: list[Condition] = [] if deleted_too else [col(Variable.deleted).is_(False)]
    if of_instance_only:
        scope.append(col(Variable.execution_id).is_(None))
    reading = _Reading(names_ignore_case, values_ignore_case, dates, exact)
    checked = [_checked(_as_date(one) if dates else one, rules, reading) for one in filters]
    # Those with an index first: they leave few rows, and an OR that holds is not looked at any further.
    checked.sort(key=lambda one: not _has_index(one, reading))
    if either and len(checked) <= MOST_APART:
        parts = ([one for one in checked if _has_index(one, reading) is indexed] for indexed in (True, False))
        return [_exists(part, instance, scope, reading) for part in parts if part]
    others, many = _alike(checked if either else checked[MOST_APART:], reading)
    single = others if either else [*checked[:MOST_APART], *others]
    found = [_exists([one], instance, scope, reading, apart=len(checked) > MOST_APART) for one in single]
    return found + [_exist(*group, instance, scope, reading, either=either) for group in many.items()]


def own_conditions(
    filters: Sequence[VariableFilter],
    rules: VariableRules,
    *,
    names_ignore_case: bool = False,
    values_ignore_case: bool = False,
) -> list[Condition]:
    """One condition per filter on the rows of variables themselves: name and value; see ``variable_conditions``."""
    reading = _Reading(names_ignore_case, values_ignore_case, dates=True, exact=False)
    found: list[Condition] = []
    for one in filters:
        checked = _checked(_as_date(one), rules, reading)
        name: ColumnElement[Any] = col(Variable.name)
        named = folded(name) == folded(str(checked.name)) if names_ignore_case else name == checked.name
        found += [named, _fulfils(str(checked.operator), _operand(checked, reading), reading)]
    return found


def _as_date(one: VariableFilter) -> VariableFilter:
    """Where texts may be dates, a text that is no value at all is null (observed on Camunda 7.24.0)."""
    return one.model_copy(update={"value": None}) if is_absent(one.value) else one


def _checked(one: VariableFilter, rules: VariableRules, reading: _Reading) -> VariableFilter:
    if one.operator not in rules.operators:
        raise invalid(f"Invalid {rules.label} comparator specified: {one.operator}")
    if one.name is None:
        raise rules.refuse("name is null", "NullValueException")
    if one.operator in _ORDER_WORDS and (one.value is None or isinstance(one.value, bool)):
        raise rules.refuse(
            f"Booleans and null cannot be used in '{_ORDER_WORDS[one.operator]}' condition", "ProcessEngineException"
        )
    no_number = reading.exact and isinstance(one.value, int) and _whole(one.value) is None
    if no_number or isinstance(one.value, list | dict):
        raise engine_error("Object values cannot be used to query", "ProcessEngineException")
    return one


def _has_index(one: VariableFilter, reading: _Reading) -> bool:
    """Whether an index finds the few variables that fulfil a filter."""
    any_case = reading.names_ignore_case or reading.values_ignore_case
    return one.operator == "eq" and isinstance(one.value, str) and not any_case


def _exists(
    filters: Sequence[VariableFilter],
    instance: ColumnElement[Any],
    scope: Sequence[Condition],
    reading: _Reading,
    *,
    apart: bool = False,
) -> Condition:
    """The instance has a variable that fulfils one of these filters: all have an index, or none has one.

    ``apart`` keeps PostgreSQL from making a join of it: to find an order for a hundred of them takes it many seconds.
    """
    check_wanted()
    owner = col(Variable.process_instance_id)
    if _has_index(filters[0], reading):
        # A name with a text finds its few instances by an index, which then find the rows that are asked for.
        name: ColumnElement[Any] = col(Variable.name)
        parts = [and_(name == one.name, _fulfils("eq", _operand(one, reading), reading)) for one in filters]
        owners = select(owner).where(*scope, _one_holds(parts))
        return instance.in_(owners.offset(0) if apart else owners)
    fold: Callable[[Any], Any] = folded if reading.names_ignore_case else str
    named = folded(col(Variable.name)) if reading.names_ignore_case else _by_scope(col(Variable.name))
    parts = [
        and_(named == fold(one.name), _fulfils(str(one.operator), _operand(one, reading), reading)) for one in filters
    ]
    where = [owner == instance, *scope, _one_holds(parts)]
    if len(parts) > 1 and not reading.names_ignore_case:
        # Most variables have none of the names, which is one look into a list, where each part would be one.
        where.insert(-1, one_of(named, list({str(one.name): None for one in filters})))
    variables = select(owner).where(*where)
    return (variables.offset(0) if apart else variables).exists()


def _one_holds(parts: Sequence[Condition]) -> Condition:
    found = any_of(parts)
    assert found is not None
    return found


Row = tuple[str, str | None, int | None, int | None, int | None]
Alike = dict[tuple[str, str, tuple[str, ...]], list[Row]]
"""By operator, kind and types: name, text, whole number, and a Double as a fraction, which no decimal text is."""


def _alike(filters: Sequence[VariableFilter], reading: _Reading) -> tuple[list[VariableFilter], Alike]:
    """The filters that JSON cannot hold exactly, and the others."""
    others: list[VariableFilter] = []
    found: Alike = {}
    for one in filters:
        operand = _operand(one, reading)
        fraction = None, None
        if operand.real is not None and math.isfinite(operand.real):
            fraction = operand.real.as_integer_ratio()
        inexact = operand.real is not None and not all(part is not None and abs(part) <= LONG_MAX for part in fraction)
        if inexact or "\0" in f"{one.name}{operand.text}":
            others.append(one)
            continue
        row = (str(one.name), operand.text, operand.whole, *fraction)
        found.setdefault((str(one.operator), operand.kind, operand.types), []).append(row)
    return others, found


def _exist(
    shape: tuple[str, str, tuple[str, ...]],
    rows: Sequence[Row],
    instance: ColumnElement[Any],
    scope: Sequence[Condition],
    reading: _Reading,
    *,
    either: bool,
) -> Condition:
    """The instance has a variable for each of these filters that are alike, or for one of them: written at the same
    length however many they are."""
    compare, kind, types = shape
    table = json_items(rows, Text(), Text(), BigInteger(), BigInteger(), BigInteger())
    many = table.c
    real = cast(many.c3, Float) / cast(many.c4, Float)
    fulfils = _fulfils(compare, _Operand(kind, types, many.c1, many.c2, real), reading)
    owner, name = col(Variable.process_instance_id), col(Variable.name)
    if either and (compare, kind) == ("eq", "String") and not (reading.names_ignore_case or reading.values_ignore_case):
        return instance.in_(select(owner).where(*scope, name == many.c0, fulfils).offset(0))
    named = folded(name) == folded(many.c0) if reading.names_ignore_case else _by_scope(name) == many.c0
    of_instance = select(owner).where(owner == instance, *scope).correlate(instance.table, table)
    if not either:
        lacks = ~of_instance.where(named, fulfils).exists()
        return ~select(many.c0).where(lacks).offset(0).exists()
    if not reading.names_ignore_case:
        # Most variables have none of the names, which is one look into a list.
        of_instance = of_instance.where(one_of(_by_scope(name), list({row[0]: None for row in rows})))
    fulfilled = select(many.c0).where(named, fulfils).correlate(Variable).exists()
    return of_instance.where(fulfilled).offset(0).exists()


def _fulfils(compare: str, operand: _Operand, reading: _Reading) -> Condition:
    """A variable of the right name fulfils a filter."""
    holds = _holds(_POSITIVE.get(compare, compare), operand, reading)
    return not_(func.coalesce(holds, False)) if compare in _POSITIVE else holds


def _operand(one: VariableFilter, reading: _Reading) -> _Operand:
    value = one.value
    moment = _moment(value) if reading.dates and isinstance(value, str) else None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if _POSITIVE.get(str(one.operator), one.operator) == "like":
        # Null and booleans are texts here, numbers and dates match none (observed on Camunda 7.24.0).
        wanted = "null" if value is None else _as_text(value)
        if moment is not None or number or escapes_nothing(wanted):
            return _Operand("never")
        return _Operand("pattern", text=wanted)
    if value is None:
        return _Operand("null")
    if isinstance(value, bool):
        return _Operand("Boolean", whole=int(value))
    if number:
        types = tuple(_types_of(value, reading.exact))
        return _Operand("number", types, whole=_whole(value), real=_double(value) if "Double" in types else None)
    if moment is not None:
        return _Operand("Date", whole=(moment - _EPOCH) // timedelta(milliseconds=1))
    return _Operand("String", text=value)


def _holds(compare: str, operand: _Operand, reading: _Reading) -> Condition:
    text, whole, real, kind = (
        col(Variable.text_value),
        col(Variable.long_value),
        col(Variable.double_value),
        col(Variable.type),
    )
    if operand.kind == "never":
        return false()
    if operand.kind == "null":
        return and_(text.is_(None), whole.is_(None), real.is_(None))
    if operand.kind == "pattern":
        texts = (folded(text), folded(operand.text)) if reading.values_ignore_case else (text, operand.text)
        return and_(kind == "String", texts[0].like(texts[1], escape="\\"))
    by = _COMPARE[compare]
    if operand.kind == "number":
        wholes = [one for one in operand.types if one != "Double"]
        either = [and_(kind.in_(wholes), by(whole, operand.whole))] if wholes else []
        if "Double" in operand.types:
            either.append(and_(kind == "Double", by(real, operand.real)))
        return or_(*either)
    if operand.kind != "String":
        return and_(kind == operand.kind, by(whole, operand.whole))
    if reading.values_ignore_case:
        return and_(kind == "String", by(folded(text), folded(operand.text)))
    return and_(kind == "String", by(text, operand.text))


def _types_of(value: float, exact: bool) -> list[str]:
    """The numeric types that a number is compared with."""
    whole = _whole(value)
    wide_enough = [] if whole is None else [kind for kind, limit in _WHOLE.items() if -limit - 1 <= whole <= limit]
    if not exact:
        return [*wide_enough, "Double"]
    if isinstance(value, float):
        return ["Double"]
    return ["Integer" if "Integer" in wide_enough else "Long"]


def _whole(value: Any) -> int | None:
    """A number as one of 64 bits; none where it has a fraction or is larger. The Double 2^63, the next one to
    the largest, counts as that (observed on Camunda 7.24.0).
    """
    if isinstance(value, float):
        if not value.is_integer():
            return None
        value = LONG_MAX if value == LONG_MAX + 1 else int(value)
    return value if isinstance(value, int) and -LONG_MAX - 1 <= value <= LONG_MAX else None


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _moment(value: str) -> datetime | None:
    try:
        return nearest_moment(value)
    except ValueError:
        return None


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
