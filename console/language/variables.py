"""``var.amount>100``: comparisons with process variables.

A bare number, true, false or null is that; everything else, and whatever stands in quotes, is text. The engine compares
a number with numbers and a text with texts only.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retriage.console.language.like import contained, containing
from retriage.console.language.tokens import VARIABLE, Token, Value, quote, quoted
from retriage.console.language.words import Reading, Wrong, single, within
from retriage.store.contract.queries import Query, VariableFilter

_OPERATORS = {":": "eq", "=": "eq", "!=": "neq", ">": "gt", ">=": "gteq", "<": "lt", "<=": "lteq"}
_SIGNS = {"eq": "=", "neq": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "like": "~~"}
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,400}(?:\.\d{1,400})?(?:[eE][+-]?\d{1,4})?", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Variables:
    """The word ``var.name``.

    Attributes:
        field: field that takes the comparisons.
        not_like: the engine can exclude by a pattern (it can for external tasks, not for process instances).
    """

    field: str
    not_like: bool
    name: str = "var"
    aliases: tuple[str, ...] = ()

    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def read(self, token: Token, reading: Reading) -> None:
        if not token.variable or token.operator is None:
            raise Wrong("A variable is compared like this: var.amount>100, var.name=x or var.name~part.")
        if token.negated:
            raise Wrong(f"Write var.{token.variable}!=value instead of a minus.")
        value = single(token, f"var.{token.variable}{token.operator}")
        operator, compared = self._comparison(token.operator, value, reading)
        reading.add(self.field, VariableFilter(name=token.variable, operator=operator, value=compared))

    def write(self, query: Query) -> Iterator[str]:
        for entry in getattr(query, self.field) or ():
            plain = VARIABLE.fullmatch(entry.name) is not None
            yield f"var.{entry.name if plain else quoted(entry.name)}{_said(entry)}"

    def forms(self) -> tuple[str, ...]:
        return ("var.",)

    def choices(self) -> tuple[str, ...]:
        return ()

    def _comparison(self, sign: str, value: Value, reading: Reading) -> tuple[str, Any]:
        if sign in _OPERATORS:
            compared = _value(value)
            if sign not in (":", "=", "!=") and (compared is None or isinstance(compared, bool)):
                raise Wrong(f"{value.text} cannot be compared with < or >; use = or !=.")
            return _OPERATORS[sign], compared
        if sign == "!~" and not self.not_like:
            raise Wrong(f"The engine cannot exclude {reading.things} by a part of a variable.")
        return ("notLike" if sign == "!~" else "like"), value.text if sign == "~~" else containing(value.text)


def _value(value: Value) -> Any:
    text = value.text
    if value.quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return within(int(text), "a variable")
    if _DECIMAL.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise Wrong("That number is too large for a variable.")
        return number
    return text


def _said(entry: VariableFilter) -> str:
    operator, value = entry.operator or "eq", entry.value
    if operator in ("like", "notLike"):
        text = contained(value)
        if text is not None:
            return f"{'!~' if operator == 'notLike' else '~'}{quote(text)}"
    if operator == "notLike":
        raise ValueError(f"the filter line cannot say 'not like {value}'")
    if not isinstance(value, str):
        return f"{_SIGNS[operator]}{_number(value)}"
    ambiguous = value in _WORDS or _DECIMAL.fullmatch(value) is not None
    return f"{_SIGNS[operator]}{quoted(value) if ambiguous else quote(value)}"


def _number(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower() if value is not None else "null"
    return repr(value)
