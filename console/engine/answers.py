"""JSON of an engine into records of the contract, whatever version of the engine wrote it.

Older and newer engines leave fields out or add some. Unknown fields are ignored; a field that is missing, or that
holds something else than the contract says, becomes null where the record allows it, and otherwise the empty value of
its type. A time that the record needs and the engine does not tell is :data:`UNKNOWN_TIME`. The key of a process
definition that is left out is read from the definition's id.
"""

import asyncio
import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from retriage.console.engine.errors import Unintelligible
from retriage.store.contract.model import Shape

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands where the contract promises a time and the engine is too old to tell it (a batch's start before 7.20)."""

SLICE = 100
"""So many records are made in a turn of the event loop."""

_KEYS = (("definitionKey", "definitionId"), ("processDefinitionKey", "processDefinitionId"))
_DEFINITION_ID = re.compile(r"([^:]+):\d+:[^:]+")
"""Key, version and a unique part: observed on Camunda 7.21.0 to 7.24.0. An id that would be longer than 64 characters
is the unique part alone."""

R = TypeVar("R", bound=Shape)


def read_json(content: bytes) -> Any:
    """The value of a JSON text. Half surrogate pairs, which no terminal can show, become ``\ufffd``.

    Raises:
        Unintelligible: it is no JSON.
    """
    try:
        value = json.loads(content.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError) as problem:
        raise Unintelligible(f"The address answered, but not like an engine ({_start(content)}).") from problem
    return _paired(value) if b"\\ud" in content or b"\\uD" in content else value


def record(kind: type[R], value: Any) -> R:
    """One JSON object as a record.

    Raises:
        Unintelligible: it is no object.
    """
    if not isinstance(value, dict):
        raise Unintelligible(f"The engine answered with something other than {_article(kind)}.")
    value = _with_key(kind, value)
    try:
        return kind.model_validate(value)
    except (ValidationError, OverflowError):
        return cast(R, kind.model_construct(None, **{name: _field(kind, name, value) for name in kind.model_fields}))


def records(kind: type[R], value: Any) -> list[R]:
    """A JSON list of objects as records.

    Raises:
        Unintelligible: it is no list of objects.
    """
    if not isinstance(value, list):
        raise Unintelligible(f"The engine answered with something other than a list where {_article(kind)} belongs.")
    return [record(kind, item) for item in value]


async def records_by_slices(kind: type[R], value: Any) -> list[R]:
    """The same; a page of a thousand takes 13 ms of a processor, and a key that is pressed meanwhile is answered.

    Raises:
        Unintelligible: it is no list of objects.
    """
    found = records(kind, value[:SLICE] if isinstance(value, list) else value)
    while len(found) < len(value):
        await asyncio.sleep(0)
        found += records(kind, value[len(found) : len(found) + SLICE])
    return found


def number(value: Any) -> int:
    """The ``count`` of a count answer.

    Raises:
        Unintelligible: there is none.
    """
    count = value.get("count") if isinstance(value, dict) else None
    if not isinstance(count, int) or isinstance(count, bool):
        raise Unintelligible("The engine answered with something other than a count.")
    return count


def _with_key(kind: type[Shape], row: dict[str, Any]) -> dict[str, Any]:
    """The row with the key of its process definition: Camunda 7.21.0 leaves it out of process instances."""
    for alias, id in _keys_of(kind):
        if alias not in row and isinstance(row.get(id), str) and (found := _DEFINITION_ID.fullmatch(row[id])):
            return {**row, alias: found[1]}
    return row


@cache
def _keys_of(kind: type[Shape]) -> tuple[tuple[str, str], ...]:
    """Those of :data:`_KEYS` that a record of this kind has."""
    aliases = {info.alias or name for name, info in kind.model_fields.items()}
    return tuple(pair for pair in _KEYS if pair[0] in aliases)


def _field(kind: type[Shape], name: str, row: dict[str, Any]) -> Any:
    alias = kind.model_fields[name].alias or name
    if alias in row:
        try:
            return _adapter(kind, name).validate_python(row[alias])
        except (ValidationError, OverflowError):
            pass
    return _blank(kind, name)


def _blank(kind: type[Shape], name: str) -> Any:
    field = kind.model_fields[name]
    if not field.is_required():
        return field.get_default(call_default_factory=True)
    empties: tuple[Any, ...] = (None, UNKNOWN_TIME, "", 0, False, {}, [])
    for empty in empties:
        try:
            _adapter(kind, name).validate_python(empty, strict=True)
        except ValidationError:
            continue
        return empty
    raise Unintelligible(f"The engine left {name} out of {_article(kind)}.")  # pragma: no cover - no such field exists


@cache
def _adapter(kind: type[Shape], name: str) -> TypeAdapter[Any]:
    field = kind.model_fields[name]
    told: Any = field.annotation
    for entry in field.metadata:
        told = Annotated[told, entry]
    return TypeAdapter(told)


def _article(kind: type[Shape]) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _start(content: bytes) -> str:
    head = content[:200].lstrip()
    if not head:
        return "an empty answer"
    return "a web page" if head.startswith(b"<") else "no JSON"


def _paired(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_paired(item) for item in value]
    if isinstance(value, dict):
        return {_paired(key): _paired(item) for key, item in value.items()}
    return value
