"""Variables: of an instance, of an execution, and of many tasks at once."""

import base64
import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.contract.errors import ContractError, invalid, missing, null_value
from retriage.store.contract.records import VariableValue
from retriage.store.contract.values import format_moment, parse_moment, shown_double
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.tables import Execution, ProcessInstance, Variable
from retriage.store.tables.types import EPOCH, LONGEST_TEXT, Rows, check_length, col

_V = Variable
_TEXTS = frozenset({"String", "Date", "Json", "Xml", "Object", "Bytes", "File"})
_WHOLES = frozenset({"Boolean", "Short", "Integer", "Long"})
BINARY = frozenset({"Bytes", "File"})

VALUE_COLUMNS = ("type", "text_value", "long_value", "double_value", "value_info")

Place = tuple[str, str]
"""A process instance and one of its executions, by id."""


def columns_of(value: VariableValue) -> dict[str, Any]:
    """The columns that hold a value; see the table.

    Raises:
        TooLong: a text is longer than the engine keeps.
    """
    kind, content = str(value.type), value.value
    columns: dict[str, Any] = {"type": kind, "text_value": None, "long_value": None, "double_value": None}
    columns["value_info"] = json.dumps(value.value_info) if value.value_info else None
    for text in _kept_short(value):
        check_length(text, LONGEST_TEXT)
    if content is None:
        return columns
    if kind in _TEXTS:
        columns["text_value"] = content
    if kind in _WHOLES:
        columns["long_value"] = int(content)
    if kind == "Double":
        number = float(content)
        # SQLite takes NaN for null.
        columns |= {"text_value": content} if math.isnan(number) else {"double_value": number}
    if kind == "Date":
        columns["long_value"] = (parse_moment(content) - EPOCH) // timedelta(milliseconds=1)
    return columns


def _kept_short(value: VariableValue) -> list[str]:
    """The texts of a value that the engine keeps in columns, not as files: texts, and names and types of files."""
    if value.type == "String" and value.value is not None:
        return [value.value]
    if value.type != "File":
        return []
    name, *about = (value.value_info.get(part) or "" for part in ("filename", "mimeType", "encoding"))
    return [name, "#".join(about)]


def value_of(row: Any) -> VariableValue:
    """A row as the contract shows it. The content of a file is never shown."""
    info = json.loads(row.value_info) if row.value_info else {}
    content: Any = row.text_value
    if row.type in _WHOLES:
        content = row.long_value
    if row.type == "Boolean" and content is not None:
        content = bool(content)
    if row.type == "Double" and row.double_value is not None:
        content = shown_double(row.double_value)
    if row.type == "Date" and row.long_value is not None:
        content = format_moment(EPOCH + timedelta(milliseconds=row.long_value))
    if row.type == "File":
        content = None
    return VariableValue(type=row.type, value=content, value_info=info)


SHOWN = (
    col(_V.name),
    col(_V.type),
    col(_V.text_value),
    col(_V.long_value),
    col(_V.double_value),
    col(_V.value_info),
)
"""The columns that ``value_of`` and ``content_of`` read."""

_ROWS: Rows = select(col(_V.process_instance_id), col(_V.execution_id), *SHOWN).where(col(_V.deleted).is_(False))


async def of_instance(
    connection: AsyncConnection, instance_id: str, names: Collection[str] | None = None
) -> dict[str, VariableValue]:
    """Variables at the scope of an instance, all or those of these names. Empty for an unknown instance."""
    statement = _ROWS.where(col(_V.process_instance_id) == instance_id, col(_V.execution_id).is_(None))
    if names is not None:
        statement = statement.where(one_of(col(_V.name), list(names)))
    rows = await connection.execute(statement.order_by(col(_V.name)))
    return {row.name: value_of(row) for row in rows}


async def waiting_variables(connection: AsyncConnection, batch_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The variables that a batch sets: name, and the columns that hold the value; see ``columns_of``."""
    rows = await connection.execute(_ROWS.where(col(_V.batch_id) == batch_id).order_by(col(_V.name)))
    return [(row.name, {name: getattr(row, name) for name in VALUE_COLUMNS}) for row in rows]


async def of_tasks(
    connection: AsyncConnection, places: Collection[Place], names: Collection[str] | None = None
) -> dict[Place, tuple[dict[str, VariableValue], dict[str, VariableValue]]]:
    """Variables that many tasks see, in one statement.

    Args:
        connection: where to ask.
        places: instance and execution of each task.
        names: only these; all without.

    Returns:
        For each place the variables of the instance, and those of the execution alone.
    """
    instances = list(dict.fromkeys(instance for instance, _ in places))
    executions = list(dict.fromkeys(execution for _, execution in places))
    scope = or_(col(_V.execution_id).is_(None), one_of(col(_V.execution_id), executions))
    statement = _ROWS.where(and_(one_of(col(_V.process_instance_id), instances), scope))
    if names is not None:
        statement = statement.where(one_of(col(_V.name), list(names)))
    rows = (await connection.execute(statement.order_by(col(_V.name)))).all() if places else []
    return _by_place(rows, places)


def _by_place(
    rows: Iterable[Any], places: Iterable[Place]
) -> dict[Place, tuple[dict[str, VariableValue], dict[str, VariableValue]]]:
    scopes: dict[tuple[str, str | None], dict[str, VariableValue]] = {}
    for row in rows:
        scopes.setdefault((row.process_instance_id, row.execution_id), {})[row.name] = value_of(row)
    return {place: (scopes.get((place[0], None), {}), scopes.get((place[0], place[1]), {})) for place in places}


Holder = Literal["process instance", "execution"]
"""What variables are asked of. An instance is an execution too: the one at whose scope its variables stand."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a Bytes or File variable holds, and what is known of the file: ``filename``, ``mimeType``, ``encoding``."""

    data: bytes
    info: dict[str, str]


async def _scope(connection: AsyncConnection, holder: Holder, holder_id: str) -> Condition:
    """Which variables stand at an instance, or at an execution alone.

    Raises:
        ContractError: 500, it is not running.
    """
    if holder == "execution":
        statement = select(col(Execution.process_instance_id)).where(col(Execution.id) == holder_id)
        instance_id = (await connection.execute(statement)).scalar_one_or_none()
        if instance_id is not None:
            return and_(col(_V.process_instance_id) == instance_id, col(_V.execution_id) == holder_id)
    statement = select(col(ProcessInstance.id)).where(
        col(ProcessInstance.id) == holder_id, col(ProcessInstance.end_time).is_(None)
    )
    if (await connection.execute(statement)).one_or_none() is None:
        raise null_value(f"execution {holder_id} doesn't exist: execution is null")
    return and_(col(_V.process_instance_id) == holder_id, col(_V.execution_id).is_(None))


async def get_variables(connection: AsyncConnection, holder: Holder, holder_id: str) -> dict[str, VariableValue]:
    """All variables of a running instance, or those of an execution alone.

    Raises:
        ContractError: 500, nothing with that id is running.
    """
    scope = await _scope(connection, holder, holder_id)
    rows = await connection.execute(_ROWS.where(scope).order_by(col(_V.name)))
    return {row.name: value_of(row) for row in rows}


async def get_variable(connection: AsyncConnection, holder: Holder, holder_id: str, name: str) -> VariableValue:
    """One variable of a running instance, or of an execution alone.

    Raises:
        ContractError: 404 no such variable, 500 nothing with that id is running.
    """
    return value_of(await _row(connection, holder, holder_id, name))


async def get_content(connection: AsyncConnection, holder: Holder, holder_id: str, name: str) -> Content:
    """The content of a Bytes or File variable; see ``get_variable``.

    Raises:
        ContractError: 400, the variable is of another type.
    """
    # A refusal names the holder, not the variable (observed on Camunda 7.24.0).
    return content_of(await _row(connection, holder, holder_id, name), holder_id)


def content_of(row: Any, identity: str) -> Content:
    """What a row of a Bytes or File variable holds; ``identity`` is named by a refusal.

    Raises:
        ContractError: 400, the variable is of another type.
    """
    if row.type not in BINARY:
        raise invalid(f"Value of variable with id {identity} is not a binary value.")
    return Content(base64.b64decode(row.text_value or ""), json.loads(row.value_info) if row.value_info else {})


async def _row(connection: AsyncConnection, holder: Holder, holder_id: str, name: str) -> Any:
    try:
        scope = await _scope(connection, holder, holder_id)
    except ContractError as refusal:
        message = f"Cannot get {holder} variable {name}: {refusal.message}"
        raise ContractError(500, "RestException", message, 0) from None
    row = (await connection.execute(_ROWS.where(scope, col(_V.name) == name))).one_or_none()
    if row is None:
        raise missing(f"{holder} variable with name {name} does not exist")
    return row
