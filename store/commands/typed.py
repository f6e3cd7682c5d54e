"""Variables as clients send them: ``{"value": …, "type": …, "valueInfo": {…}}`` to a value with its type.

A missing type is guessed from the JSON value. A given type reads the value's text as Java writes it: ``5`` and
``"5"`` are Integers, ``1.7`` is not, ``1e30`` is the String ``1.0E30`` and ``{"a": [1]}`` the String ``{a=[1]}``
(observed on Camunda 7.24.0).
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from retriage.store.contract.errors import ContractError, engine_error, invalid
from retriage.store.contract.records import VariableValue
from retriage.store.contract.values import (
    INT_MAX,
    LONG_MAX,
    SHORT_MAX,
    format_moment,
    is_absent,
    parse_moment,
    shown_double,
)

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
}
_SERIALIZED = ("Object", "Json", "Xml")
_FILE_INFO = {"filename": None, "mimeType": "mime type", "encoding": "encoding"}
_OBJECT_INFO = ("objectTypeName", "serializationDataFormat")
_JAVA_OBJECTS = "application/x-java-serialized-object"
_SPECIAL = {"NaN": "NaN", "INF": "Infinity", "Infinity": "Infinity", "-INF": "-Infinity", "-Infinity": "-Infinity"}
"""Doubles that JSON has no number for, as they are read and as they are shown: as texts."""
_BASE64 = re.compile(r"[\0- ]*(?:[A-Za-z0-9+/]{4}[\0- ]*)*(?:[A-Za-z0-9+/]{2,3}={1,2}[\0- ]*)?")


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
        ContractError: 400, an unknown type, or a value that is not of its type; 500, a file without what belongs to it.
    """
    if not isinstance(given, dict):
        raise invalid(f"Cannot read variable '{name}': an object is needed")
    kind, value, info = given.get("type"), given.get("value"), given.get("valueInfo")
    if not isinstance(info, dict | None):
        raise invalid(f"Cannot read variable '{name}': its valueInfo must be an object")
    if not isinstance(kind, str | None):
        raise invalid(f"Cannot read variable '{name}': its type must be a string")
    made = _read(kind[0].upper() + kind[1:], kind, value, info) if kind else _guessed(value)
    if info is not None and info.get("transient") is True:
        made.value_info["transient"] = True
    return made


def check_format(name: str, value: VariableValue) -> None:
    """Check that a variable may be set.

    Raises:
        ContractError: 500, it is an object of Java's own format.
    """
    if value.type == "Object" and value.value_info.get("serializationDataFormat") == _JAVA_OBJECTS:
        raise engine_error(
            f"ENGINE-17007 Cannot set variable with name {name}. Java serialization format is prohibited"
        )


def is_transient(value: VariableValue) -> bool:
    """Whether a variable lives for the request only and is never stored."""
    return value.value_info.get("transient") is True


def transient(values: Mapping[str, VariableValue]) -> dict[str, VariableValue]:
    """Those of the variables that live for the request only, as they are shown."""
    found = {name: value for name, value in values.items() if is_transient(value)}
    return {
        name: value.model_copy(update={"value": None}) if value.type == "File" else value
        for name, value in found.items()
    }


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
        return VariableValue(type="Double", value=shown_double(value))
    if isinstance(value, str):
        return VariableValue(type="String", value=value)
    java = "java.util.ArrayList" if isinstance(value, list) else "java.util.LinkedHashMap"
    info = {"objectTypeName": java, "serializationDataFormat": "application/json"}
    return VariableValue(type="Object", value=json.dumps(value, ensure_ascii=False), value_info=info)


def _read(kind: str, written: str, value: Any, given: dict[str, Any] | None) -> VariableValue:
    info = given or {}
    no_flag = "transient" in info and not isinstance(info["transient"], bool)
    if no_flag and (kind in _SERIALIZED or kind == "File"):
        raise _illegal("The property 'transient' should have a value of type 'boolean'.")
    if kind in _SERIALIZED:
        if value is not None and not isinstance(value, str):
            raise invalid(f"Must provide 'null' or String value for value of SerializableValue type '{written}'.")
        texts = {name: info[name] for name in _OBJECT_INFO if isinstance(info.get(name), str)}
        return VariableValue(type=kind, value=value, value_info=texts)
    if kind == "File":
        return _file(value, given)
    if kind not in _JAVA:
        raise ContractError(400, "RestException", f"Unsupported value type '{written}'")
    if no_flag:
        raise _not_convertible(value, written)
    made = VariableValue(type=kind)
    if value is not None:
        try:
            made.value = _READERS[kind](_text(value))
        except (ValueError, OverflowError):
            raise _not_convertible(value, written) from None
    return made


def _file(value: Any, info: dict[str, Any] | None) -> VariableValue:
    """A file. What is no Base64 in its content is passed over (observed on Camunda 7.24.0)."""
    if info is None:
        raise _illegal("Cannot create file without valueInfo.")
    if info.get("filename") is None:
        raise _illegal("Cannot create file without filename! Please set a name into ValueInfo with key filename")
    for name, word in _FILE_INFO.items():
        if word is not None and name in info and info[name] is None:
            key = "filename" if name == "mimeType" else name  # the engine's own slip
            raise _illegal(f"The provided {word} is null. Set a non-null value info property with key '{key}'")
    if not isinstance(value, str):
        raise _illegal("Provided value is not of File, InputStream or byte[] type.")
    letters = re.sub("[^A-Za-z0-9+/]", "", value.partition("=")[0].translate(_URL_SAFE))
    whole = letters[:-1] if len(letters) % 4 == 1 else letters
    content = base64.b64encode(base64.b64decode(whole + "=" * (-len(whole) % 4))).decode()
    texts = {name: _text(info[name]) for name in _FILE_INFO if name in info}
    return VariableValue(type="File", value=content, value_info=texts)


def _illegal(message: str) -> ContractError:
    return ContractError(500, "IllegalArgumentException", message)


def _text(value: Any) -> str:
    """A JSON value as Java writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double_text(value)
    if isinstance(value, list):
        return f"[{', '.join(_text(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}={_text(one)}' for name, one in value.items())}}}"
    return str(value)


def _double_text(value: float) -> str:
    if not math.isfinite(value):
        return str(shown_double(value))
    if not value or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = (str(digit) for digit in digits)
    return f"{'-' if sign else ''}{first}.{''.join(rest) or '0'}E{Decimal(repr(value)).adjusted()}"


def _not_convertible(value: Any, kind: str) -> ContractError:
    java = _JAVA[kind[0].upper() + kind[1:]]
    return invalid(f"Cannot convert value '{_text(value)[:1000]}' of type '{kind}' to java type {java}")


def _whole(limit: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        if is_absent(text):
            return None
        if "_" in text:
            raise ValueError(text)
        number = int(text)
        if not -limit - 1 <= number <= limit:
            raise ValueError(text)
        return number

    return read


def _double(text: str) -> float | str | None:
    if is_absent(text):
        return None
    if text in _SPECIAL:
        return _SPECIAL[text]
    if "_" in text or not text.isascii() or not any(letter.isdigit() for letter in text):
        raise ValueError(text)
    return shown_double(float(text))


def _boolean(text: str) -> bool | None:
    if is_absent(text):
        return None
    known = {"true": True, "false": False}
    if text.strip().lower() not in known:
        raise ValueError(text)
    return known[text.strip().lower()]


def _date(text: str) -> str | None:
    return None if is_absent(text) else format_moment(parse_moment(text))


def _bytes(text: str) -> str:
    if _BASE64.fullmatch(text) is None:
        raise ValueError(text)
    bare = re.sub("[\0- ]", "", text)
    try:
        base64.b64decode(bare, validate=True)
    except binascii.Error:
        raise ValueError(text) from None
    return bare


def _nothing(text: str) -> None:
    raise ValueError(text)


_URL_SAFE = str.maketrans("-_", "+/")
_READERS: dict[str, Callable[[str], Any]] = {
    "Boolean": _boolean,
    "Bytes": _bytes,
    "Short": _whole(SHORT_MAX),
    "Integer": _whole(INT_MAX),
    "Long": _whole(LONG_MAX),
    "Double": _double,
    "Date": _date,
    "String": str,
    "Null": _nothing,
}
