"""The expressions that the store understands: ``${name}`` for priorities, ``${name == literal}`` for conditions.

Comparisons convert their sides as the engine's expression language does: a number on one side makes the other a
number, a decimal both decimals; null equals only null and is neither less nor greater than anything (Jakarta
Expression Language 1.8, "Coercion Rules" and "Relational Operators").
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from store.bpmn.problems import CanNotGoOn

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
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"true": True, "false": False, "null": None}
_KEYWORDS = frozenset({"true", "false", "null", "empty", "not", "and", "or", "eq", "ne", "lt", "gt", "le", "ge"})
_LONG = range(-(2**63), 2**63)


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


def priority(text: str) -> Priority | None:
    """Read a priority; None when it is neither a whole number nor ``${variable}``."""
    found = _VARIABLE.fullmatch(text)
    if found is not None:
        return None if found[1] in _KEYWORDS else Priority(variable=found[1])
    if _WHOLE.fullmatch(text) is None:
        return None
    number = int(text)
    return Priority(number) if number in _LONG else None


def _compare(left: Any, sign: str, right: Any) -> bool:
    if sign in ("==", "!="):
        return _equal(left, right) == (sign == "==")
    if left is None or right is None:
        return left is right and "=" in sign
    if isinstance(left, bool) or isinstance(right, bool):
        raise ValueError("Cannot compare booleans")
    convert = _common(left, right)
    return _RELATIONS[sign](convert(left), convert(right))


def _equal(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    convert = _common(left, right)
    return bool(convert(left) == convert(right))


def _common(left: Any, right: Any) -> Callable[[Any], Any]:
    for side in (left, right):
        if not isinstance(side, bool | int | float | str):
            raise ValueError(f"Cannot compare a value of this type: {type(side).__name__}")
    numbers = [side for side in (left, right) if isinstance(side, int | float) and not isinstance(side, bool)]
    if any(isinstance(side, float) for side in numbers):
        return _double
    if numbers:
        return _long
    if isinstance(left, bool) or isinstance(right, bool):
        return _boolean
    return str


def _double(value: Any) -> float:
    return float(_number(value, "java.lang.Double", float))


def _long(value: Any) -> int:
    return int(_number(value, "java.lang.Long", int))


def _number(value: Any, java: str, read: Callable[[str], int | float]) -> int | float:
    if isinstance(value, bool):
        raise ValueError(f"Cannot coerce from class java.lang.Boolean to class {java}")
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
    return value if isinstance(value, bool) else str(value).lower() == "true"
