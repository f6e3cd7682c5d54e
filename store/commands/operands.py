"""Variables as the expressions of a process see them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from retriage.store.bpmn import Foreign
from retriage.store.contract.records import VariableValue
from retriage.store.contract.values import parse_moment

_PLAIN = frozenset({"Boolean", "Short", "Integer", "Long", "Double", "String"})
_CLASSES = {"Bytes": "[B", "File": "java.io.ByteArrayInputStream", "Object": "java.lang.Object"}
_DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def operands(values: Mapping[str, VariableValue]) -> dict[str, Any]:
    """Each value as what it is compared as: a text, a number, a boolean, null, or something foreign."""
    return {name: _operand(value) for name, value in values.items()}


def _operand(value: VariableValue) -> Any:
    if value.type == "Double" and isinstance(value.value, str):
        return float(value.value)
    if value.value is None or value.type in _PLAIN:
        return value.value
    if value.type == "Date":
        at = parse_moment(str(value.value))
        return Foreign("java.util.Date", _java_date(at), at)
    java = _CLASSES.get(str(value.type), "java.lang.String")
    return Foreign(java, f"{java}@0")


def _java_date(moment: datetime) -> str:
    """A moment as Java writes it."""
    at = moment.astimezone(UTC)
    return f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} UTC {at.year:04}"
