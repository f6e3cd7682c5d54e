"""Variables as clients send them: ``{"value": …, "type": …, "valueInfo": {…}}`` to a value with its type.

A missing type is guessed from the JSON value. A given type reads the value's text: ``5`` and ``"5"`` are Integers,
``1.7`` is not (observed on Camunda 7.24.0).
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from store.contract.errors import ContractError, invalid
from store.contract.records import VariableValue
from store.contract.values import INT_MAX, LONG_MAX, SHORT_MAX, format_moment, parse_moment

_JAVA = {
    "Boolean": "java.lang.Boolean",
    "Bytes": "[B",
    "Short": "java.lang.Short",
    "Integer": "java.lang.Integer",
    "Long": "java.lang.Long",
    "Double": "java.lang.Double",
    "Date": "java.util.Date",
    "String": "java.lang.String",
    "Null": "javax.lang.model.type.NullType",
    "File": "[B",
}
_SERIALIZED = ("Object", "Json", "Xml")
_FILE_INFO = ("filename", "mimeType", "encoding")
_OBJECT_INFO = ("objectTypeName", "serializationDataFormat")


def typed(given: Mapping[str, Any] | None) -> dict[str, VariableValue]:
    """The variables of a request; none for none.

    Raises:
        ContractError: 400, an unknown type, or a value that is not of its type.
    """
    return {name: typed_value(value, name) for name, value in (given or {}).items()}


def typed_value(given: Any, name: str = "") -> VariableValue:
    """One variable of a request.

    Args:
        given: what the client has sent.
        name: the variable's name, for the refusal.

    Raises:
        ContractError: 400, an unknown type, or a value that is not of its type.
    """
    if not isinstance(given, dict):
        raise invalid(f"Cannot read variable '{name}': an object is needed")
    kind, value, info = given.get("type"), given.get("value"), given.get("valueInfo") or {}
    if not isinstance(info, dict):
        raise invalid(f"Cannot read variable '{name}': its valueInfo must be an object")
    if not isinstance(kind, str | None):
        raise invalid(f"Cannot read variable '{name}': its type must be a text")
    made = _read(kind[0].upper() + kind[1:], kind, value, info) if kind else _guessed(value)
    if info.get("transient") is True:
        made.value_info["transient"] = True
    return made


def is_transient(value: VariableValue) -> bool:
    """Whether a variable lives for the request only and is never stored."""
    return value.value_info.get("transient") is True


def _guessed(value: Any) -> VariableValue:
    if value is None:
        return VariableValue(type="Null")
    if isinstance(value, bool):
        return VariableValue(type="Boolean", value=value)
    if isinstance(value, int):
        if not -LONG_MAX - 1 <= value <= LONG_MAX:
            raise _not_convertible(value, "Long")
        return VariableValue(type="Integer" if -INT_MAX - 1 <= value <= INT_MAX else "Long", value=value)
    if isinstance(value, float):
        return VariableValue(type="Double", value=value)
    if isinstance(value, str):
        return VariableValue(type="String", value=value)
    java = "java.util.ArrayList" if isinstance(value, list) else "java.util.LinkedHashMap"
    info = {"objectTypeName": java, "serializationDataFormat": "application/json"}
    return VariableValue(type="Object", value=json.dumps(value, ensure_ascii=False), value_info=info)


def _read(kind: str, written: str, value: Any, info: dict[str, Any]) -> VariableValue:
    if kind in _SERIALIZED:
        if value is not None and not isinstance(value, str):
            raise invalid(f"Must provide 'null' or String value for value of SerializableValue type '{written}'.")
        return VariableValue(type=kind, value=value, value_info=_some(info, _OBJECT_INFO))
    if kind not in _JAVA:
        raise ContractError(400, "RestException", f"Unsupported value type '{written}'")
    if kind == "File" and not isinstance(info.get("filename"), str):
        raise invalid("A variable of the type 'File' needs a 'filename' in its valueInfo.")
    made = VariableValue(type=kind, value_info=_some(info, _FILE_INFO) if kind == "File" else {})
    if value is not None:
        try:
            made.value = _READERS[kind](_text(value))
        except (ValueError, OverflowError):
            raise _not_convertible(value, written) from None
    return made


def _some(info: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: info[name] for name in names if isinstance(info.get(name), str)}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError("a list or an object is no text")


def _not_convertible(value: Any, kind: str) -> ContractError:
    shown = _text(value) if isinstance(value, str | bool | int | float) else json.dumps(value)
    java = _JAVA[kind[0].upper() + kind[1:]]
    return invalid(f"Cannot convert value '{shown[:1000]}' of type '{kind}' to java type {java}")


def _whole(limit: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        if not text.strip():
            return None
        if "_" in text:
            raise ValueError(text)
        number = int(text)
        if not -limit - 1 <= number <= limit:
            raise ValueError(text)
        return number

    return read


def _double(text: str) -> float | None:
    if not text.strip():
        return None
    number = float(text)
    if "_" in text or number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _boolean(text: str) -> bool | None:
    known = {"true": True, "false": False, "": None}
    if text.strip().lower() not in known:
        raise ValueError(text)
    return known[text.strip().lower()]


def _bytes(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(text) from None
    return text


def _nothing(text: str) -> None:
    raise ValueError(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "Boolean": _boolean,
    "Bytes": _bytes,
    "Short": _whole(SHORT_MAX),
    "Integer": _whole(INT_MAX),
    "Long": _whole(LONG_MAX),
    "Double": _double,
    "Date": lambda text: format_moment(parse_moment(text)),
    "String": str,
    "Null": _nothing,
    "File": _bytes,
}
