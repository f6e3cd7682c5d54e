"""The expressions that the store understands: ``${name}`` for priorities, ``${name == literal}`` for conditions.

Comparisons convert their sides as the engine's expression language does: a number on one side makes the other a
number, a decimal both decimals, a text makes it a text; null equals only null and is neither less nor greater than
anything (Jakarta Expression Language 1.8, "Coercion Rules" and "Relational Operators"; observed on Camunda 7.24.0).
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retriage.store.bpmn.problems import CanNotGoOn

_VARIABLE = re.compile(r"\s*[$#]\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\s*")
_COMPARISON = re.compile(
    r"""\s*[$#]\{\s*
    (?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*
    (?P<operator>==|!=|<=|>=|<|>)\s*
    (?: (?P<double>-?[0-9]{1,300}\.[0-9]+)
      | (?P<long>-?[0-9]{1,19})
      | (?P<word>true|false|null)
      | "(?P<quoted>[^"\\]*)"
      | '(?P<single>[^'\\]*)' )
    \s*\}\s*""",
    re.VERBOSE,
)
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_DIGITS = re.compile(r"[+-]?\d{1,40}")
_DECIMAL = re.compile(
    r"""[\0-\x20]*(?:
        (?P<plain>[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))
      | (?P<hex>[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+)
    )(?:(?<=[0-9.])[fFdD])?[\0-\x20]*""",
    re.VERBOSE,
)
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"true": True, "false": False, "null": None}
_KEYWORDS = frozenset({"true", "false", "null", "empty", "not", "and", "or", "eq", "ne", "lt", "gt", "le", "ge"})
_INT = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A value that is no text, number, boolean or null: it only has a class, and a text.

    Attributes:
        java: the name of its class in the engine, as its sentences have it.
        text: what it is compared by with a text.
        moment: what it stands for, where it is a date.
    """

    java: str
    text: str
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of a variable with a literal."""

    text: str
    name: str
    operator: str
    literal: str | int | float | bool | None

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """Whether the comparison is true.

        Raises:
            CanNotGoOn: there is no such variable, or its value can not be converted.
        """
        if self.name not in variables:
            raise CanNotGoOn(
                f"Unknown property used in expression: {self.text}. Cause: Cannot resolve identifier '{self.name}'"
            )
        try:
            return _compare(variables[self.name], self.operator, self.literal)
        except ValueError as error:
            raise CanNotGoOn(f"Error while evaluating expression: {self.text}. Cause: {error}") from None


def condition(text: str) -> Condition | None:
    """Read a condition; None when it is more than a comparison of one variable with one literal."""
    found = _COMPARISON.fullmatch(text)
    if found is None or found["name"] in _KEYWORDS:
        return None
    literal: str | int | float | bool | None
    if found["double"] is not None:
        literal = float(found["double"])
    elif found["long"] is not None:
        literal = int(found["long"])
        if literal not in _LONG:
            return None
    elif found["word"] is not None:
        literal = _WORDS[found["word"]]
    else:
        literal = found["quoted"] if found["quoted"] is not None else found["single"]
    return Condition(text.strip(), found["name"], found["operator"], literal)


@dataclass(frozen=True, slots=True)
class Priority:
    """The priority of a task: a number, or a variable to take it from."""

    number: int = 0
    variable: str | None = None

    def of(self, variables: Mapping[str, Any]) -> int:
        """The priority with these variables; 0 when there is no such variable (observed on Camunda 7.24.0).

        Raises:
            CanNotGoOn: the variable is no whole number.
        """
        if self.variable is None:
            return self.number
        value = variables.get(self.variable, 0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise CanNotGoOn(": Priority value is not an Integer")
        if isinstance(value, float) or value not in _LONG:
            raise CanNotGoOn(": Priority value must be either Short, Integer, or Long")
        return value


def variable_of(text: str) -> str | None:
    """The variable of an expression that is nothing but ``${variable}``."""
    found = _VARIABLE.fullmatch(text)
    return None if found is None or found[1] in _KEYWORDS else found[1]


def is_expression(text: str) -> bool:
    """Whether a text holds an expression, of whatever kind."""
    return "${" in text or "#{" in text


def priority(text: str) -> Priority | None:
    """Read a priority; None when it is neither a whole number of 32 bits nor ``${variable}``."""
    if is_expression(text):
        variable = variable_of(text)
        return None if variable is None else Priority(variable=variable)
    if _WHOLE.fullmatch(text) is None:
        return None
    number = int(text)
    return Priority(number) if number in _INT else None


def _compare(left: Any, sign: str, right: Any) -> bool:
    if sign in ("==", "!="):
        return _equal(left, right) == (sign == "==")
    if left is None or right is None:
        return left is right and "=" in sign
    convert = _numbers(left, right) or _texts(left, right)
    if convert is None and not (isinstance(left, bool) and isinstance(right, bool)):
        raise ValueError(f"class {_java(right)} cannot be cast to class {_java(left)}")
    return _RELATIONS[sign](convert(left), convert(right)) if convert else _RELATIONS[sign](left, right)


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    convert = _numbers(left, right)
    if convert is None and (isinstance(left, bool) or isinstance(right, bool)):
        convert = _boolean
    convert = convert or _texts(left, right)
    return bool(convert(left) == convert(right) if convert else left == right)


def _numbers(left: Any, right: Any) -> Callable[[Any], Any] | None:
    """What makes both sides numbers, if one of them is."""
    numbers = [side for side in (left, right) if isinstance(side, int | float) and not isinstance(side, bool)]
    if any(isinstance(side, float) for side in numbers):
        return _double
    return _long if numbers else None


def _texts(left: Any, right: Any) -> Callable[[Any], Any] | None:
    """What makes both sides texts, if one of them is."""
    return _text if isinstance(left, str) or isinstance(right, str) else None


def _double(value: Any) -> float:
    return float(_number(value, "java.lang.Double", _read_double))


def _long(value: Any) -> int:
    return int(_number(value, "java.lang.Long", _read_long))


def _read_double(text: str) -> float:
    """A text as Java reads a decimal: blanks around do not matter, and ``5d`` is one too."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return float.fromhex(found["hex"]) if found["hex"] else float(found["plain"])


def _read_long(text: str) -> int:
    """A text as Java reads a whole number of 64 bits."""
    number = int(text) if _DIGITS.fullmatch(text) else None
    if number is None or number not in _LONG:
        raise ValueError(text)
    return number


def _number(value: Any, java: str, read: Callable[[str], int | float]) -> int | float:
    if isinstance(value, bool | Foreign):
        raise ValueError(f"Cannot coerce from class {_java(value)} to class {java}")
    if isinstance(value, str):
        if not value:
            return 0
        try:
            return read(value)
        except ValueError:
            raise ValueError(f"Cannot coerce '{value}' to class {java}") from None
    number: int | float = value
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, Foreign):
        raise ValueError(f"Cannot coerce from class {value.java} to class java.lang.Boolean")
    return value if isinstance(value, bool) else str(value).lower() == "true"


def _text(value: Any) -> str:
    if isinstance(value, Foreign):
        return value.text
    return str(value).lower() if isinstance(value, bool) else str(value)


def _java(value: Any) -> str:
    if isinstance(value, Foreign):
        return value.java
    return "java.lang.Boolean" if isinstance(value, bool) else "java.lang.String"
