"""Values of variables as they are typed, sent and read back. Pure.

An engine converts a value to the type that is named beside it and takes the type of the JSON where none is (observed on
Camunda 7.24.0): an integer is an Integer, over 32 bits a Long, a fraction a Double. A list or an object without a type
would become a serialized Java object that no other language reads, so it is refused here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

BITS: Mapping[str, int] = {"Short": 16, "Integer": 32, "Long": 64}
TEXTS = ("String", "Json", "Xml")
TYPES = (*TEXTS, *BITS, "Double", "Boolean", "Date", "Null")
"""What can be set, and put back."""
DATE = "%Y-%m-%dT%H:%M:%S.%f%z"
_NAME = r"(?P<name>[^:=\s][^:=]*)"
_FORMS = (re.compile(rf"{_NAME}:=(?P<json>.*)", re.DOTALL), re.compile(
    rf"{_NAME}(?::(?P<type>[A-Za-z]+))?=(?P<text>.*)", re.DOTALL
))  # fmt: skip


class VariableMistake(ValueError):
    """What was typed cannot be set.

    Args:
        sentence: why not, for the operator. It names the variable, never a value.
        unknown_name: no instance has a variable of that name, which may be meant.
    """

    def __init__(self, sentence: str, unknown_name: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.unknown_name = unknown_name

    @property
    def alone(self) -> str:
        """The sentence as it begins where nothing stands before it."""
        return self.sentence[0].upper() + self.sentence[1:]


@dataclass(frozen=True)
class TypedVariable:
    """A variable as the operator typed it.

    Attributes:
        name: of the variable.
        type: the type that was typed; empty for that of the existing one, or for what the value means.
        text: the value in JSON.
        plain: it was typed as text, not as JSON.
    """

    name: str
    type: str
    text: str
    plain: bool


@dataclass(frozen=True, order=True)
class SetValue:
    """A variable with a value. Two are the same where names, types and texts are.

    Attributes:
        name: of the variable.
        type: one of ``TYPES``.
        text: the value in JSON.
    """

    name: str
    type: str
    text: str

    @property
    def wire(self) -> dict[str, Any]:
        """As it is sent."""
        return {"value": json.loads(self.text), "type": self.type}


Had = dict[str, SetValue | None]
"""Names -> what an instance or an execution has, ``None`` where it has no such variable, or one that cannot be kept."""
Hiders = dict[str, Had]
"""Executions of tasks, or of scopes around them -> what they have themselves, which hides that of the instance."""
HIDERS = ""
"""Key of those among the names of variables, none of which is empty."""


def written(had: Had, hiders: Hiders | None = None) -> str:
    """What an instance has as the journal keeps it, with what hides it from its tasks."""
    told: dict[str, Any] = _plain(had)
    return json.dumps(told | ({HIDERS: {id: _plain(hiders[id]) for id in sorted(hiders)}} if hiders else {}))


def had_of(was: str) -> Had:
    """What an instance had, as it was written down."""
    told = json.loads(was) if was else {}
    return {name: SetValue(name, *one) if one else None for name, one in told.items() if name != HIDERS}


def hiders_of(was: str) -> Hiders:
    """What hid it from its tasks, as it was written down."""
    told = json.loads(was).get(HIDERS, {}) if was else {}
    return {id: had_of(json.dumps(one)) for id, one in told.items()}


def _plain(had: Had) -> dict[str, list[str] | None]:
    return {name: [one.type, one.text] if one else None for name, one in sorted(had.items())}


def typed(text: str) -> TypedVariable:
    """``NAME=TEXT``, ``NAME:TYPE=TEXT`` or ``NAME:=JSON``.

    Raises:
        VariableMistake: it is none of them.
    """
    for form in _FORMS:
        if found := form.fullmatch(text):
            break
    else:
        raise VariableMistake("write it like NAME=TEXT, NAME:TYPE=TEXT or NAME:=JSON.")
    name, parts = found["name"].strip(), found.groupdict()
    if (written := parts.get("json")) is not None:
        try:
            value = json.loads(written)
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise VariableMistake(f"{name} is not JSON behind :=; a text needs double quotes there.") from None
        if isinstance(value, list | dict):
            raise VariableMistake(f"{name} is a list or an object, which would become a serialized Java object.")
        return TypedVariable(name, "", json.dumps(value), False)
    type = next((one for one in TYPES if one.lower() == (parts["type"] or "").lower()), "")
    if parts["type"] and not type:
        raise VariableMistake(f"{name} cannot be of type {parts['type']}; these can be set: {', '.join(TYPES)}.")
    given = TypedVariable(name, type, json.dumps(parts["text"]), True)
    if type:
        resolved(given, "")
    return given


def resolved(given: TypedVariable, existing: str) -> SetValue:
    """The value that is sent.

    Args:
        given: as it was typed.
        existing: the type that the variable has; empty where it has none.

    Raises:
        VariableMistake: the value is none of that type.
    """
    value = json.loads(given.text)
    if given.plain:
        return _converted(given.name, given.type or existing or "String", value)
    if value is None:
        return SetValue(given.name, existing or "Null", "null")
    if isinstance(value, bool):
        return SetValue(given.name, "Boolean", given.text)
    if isinstance(value, int | float):
        kept = existing if existing in (*BITS, "Double") else ""
        return _converted(given.name, kept or _type_of(given.name, value), value)
    return _converted(given.name, existing if existing in (*TEXTS, "Date") else "String", value)


def value_of(name: str, type: str | None, value: Any) -> SetValue | None:
    """A variable as an engine tells it; ``None`` where it could not be put back: an object, a file, bytes."""
    if type not in TYPES:
        return None
    if type == "Date" and isinstance(value, str):
        return _converted(name, type, value)
    return SetValue(name, type, json.dumps(float(value) if type == "Double" and value is not None else value))


def _type_of(name: str, value: float) -> str:
    if isinstance(value, float):
        return "Double"
    for type in ("Integer", "Long"):
        if _fits(value, type):
            return type
    raise VariableMistake(f"{name} is too large for a Long.")


def _fits(value: float, type: str) -> bool:
    most: int = 1 << (BITS[type] - 1)
    return -most <= value < most


def _converted(name: str, type: str, value: Any) -> SetValue:
    """A text or a number as a value of this type."""
    wrong = VariableMistake(f"the value of {name} is no {type}.")
    if type in TEXTS:
        return SetValue(name, type, json.dumps(value if isinstance(value, str) else json.dumps(value)))
    try:
        if type in BITS:
            number = int(value) if isinstance(value, int | str) else value
            if not isinstance(number, int) or not _fits(number, type):
                raise wrong
            return SetValue(name, type, json.dumps(number))
        if type == "Double":
            return SetValue(name, type, json.dumps(float(value), allow_nan=False))
        if type == "Boolean":
            return SetValue(name, type, json.dumps({"true": True, "false": False}[str(value).strip().lower()]))
        if type == "Date":
            at = datetime.strptime(value, DATE)
            # By moment: an engine answers in its own time zone.
            return SetValue(name, type, json.dumps(_written(at)))
    except (ValueError, KeyError, TypeError):
        raise wrong from None
    if value != "":
        raise VariableMistake(f"{name} is Null, which has no value.")
    return SetValue(name, type, "null")


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}+0000"
