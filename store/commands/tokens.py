"""Tokens of an instance: the executions where it waits, and the external tasks that belong to them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.bpmn import CanNotGoOn, Kind, Process, Steps, leave
from store.commands.news import fetchable
from store.commands.operands import operands
from store.commands.processes import process_of
from store.contract.errors import engine_error
from store.contract.records import VariableValue
from store.contract.states import COMPLETED, LogState
from store.database import new_id, now
from store.queries.variables import of_instance
from store.tables import Execution, ExternalTask, ExternalTaskLog, ProcessInstance
from store.tables.types import col


@dataclass(frozen=True, slots=True)
class Running:
    """The instance that tokens move in."""

    id: str
    definition_id: str
    tenant_id: str | None


_WAITING = (
    select(col(Execution.activity_id), func.count())
    .where(col(Execution.process_instance_id) == bindparam("instance"))
    .group_by(col(Execution.activity_id))
)
_END = (
    update(ProcessInstance)
    .where(col(ProcessInstance.id) == bindparam("instance"))
    .values(state=COMPLETED, end_time=bindparam("at"))
)

LOGGED = (
    "topic_name",
    "priority",
    "activity_id",
    "activity_instance_id",
    "execution_id",
    "process_instance_id",
    "process_definition_id",
    "tenant_id",
)
"""Columns that an entry of the log takes over from its task."""


async def go_on(
    connection: AsyncConnection,
    instance: Running,
    node: str | None,
    transient: Mapping[str, VariableValue],
    *,
    new: bool = False,
) -> bool:
    """Let a token leave a node that its execution has already left, and end the instance after its last token.

    Args:
        connection: the caller's transaction, which holds the instance's row.
        instance: where the token moves.
        node: id of the node that it leaves; none for a token that has come to its end.
        transient: variables of this request that are not stored.
        new: the instance has just been made, and has no other tokens.

    Returns:
        Whether the instance has ended.

    Raises:
        ContractError: 500, the token can take no way. The caller's transaction must not be committed.
    """
    process = await process_of(connection, instance.definition_id)
    stored = await of_instance(connection, instance.id, process.reads) if process.reads else {}
    waiting = Counter[str]() if new else await _waiting(connection, instance.id)
    joins = {name: count for name, count in waiting.items() if process.nodes[name].kind is Kind.FORK}
    try:
        values = operands(stored | dict(transient))
        steps = Steps(waiting=joins) if node is None else leave(process, node, values, joins)
        tasks = await place_tasks(connection, instance, process, steps, values)
    except CanNotGoOn as reason:
        raise engine_error(str(reason)) from None
    await _place_at_joins(connection, instance.id, joins, steps.waiting)
    left = sum(waiting.values()) - sum(joins.values()) + sum(steps.waiting.values()) + tasks
    if not left:
        await end_instance(connection, instance.id, now())
    return not left


async def _waiting(connection: AsyncConnection, instance_id: str) -> Counter[str]:
    """Tokens of an instance by the node where they wait."""
    return Counter({row[0]: row[1] for row in await connection.execute(_WAITING, {"instance": instance_id})})


async def place_tasks(
    connection: AsyncConnection, instance: Running, process: Process, steps: Steps, values: Mapping[str, Any]
) -> int:
    """Make the external tasks that tokens have reached, each with its execution and its entry in the log.

    Returns:
        How many.

    Raises:
        CanNotGoOn: the priority of a task is no whole number.
    """
    at = now()
    tasks = [_task(instance, process, name, values, at) for name in steps.tasks]
    fetchable(connection, (row["topic_name"] for row in tasks))
    if not tasks:
        return 0
    executions = [
        _execution(instance.id, row["execution_id"], row["activity_id"], row["activity_instance_id"]) for row in tasks
    ]
    await connection.execute(insert(Execution), executions)
    await connection.execute(insert(ExternalTask), tasks)
    log = [
        {
            "id": new_id(),
            "timestamp": at,
            "state": LogState.CREATED,
            "external_task_id": row["id"],
            **{name: row[name] for name in LOGGED},
        }
        for row in tasks
    ]
    await connection.execute(insert(ExternalTaskLog), log)
    return len(tasks)


def _task(instance: Running, process: Process, name: str, values: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    node = process.nodes[name]
    return {
        "id": new_id(),
        "topic_name": node.topic,
        "process_instance_id": instance.id,
        "process_definition_id": instance.definition_id,
        "execution_id": new_id(),
        "activity_id": name,
        "activity_instance_id": f"{name}:{new_id()}",
        "create_time": at,
        "priority": node.priority.of(values),
        "suspended": False,
        "tenant_id": instance.tenant_id,
    }


def _execution(instance_id: str, execution_id: str, node: str, activity_instance_id: str) -> dict[str, Any]:
    return {
        "id": execution_id,
        "process_instance_id": instance_id,
        "activity_id": node,
        "activity_instance_id": activity_instance_id,
    }


async def _place_at_joins(
    connection: AsyncConnection, instance_id: str, before: Mapping[str, int], after: Mapping[str, int]
) -> None:
    """Bring the executions at joins to the new numbers. Those at one join are alike: which ones go does not matter."""
    whole = [name for name, count in before.items() if not after[name]]
    if whole:
        await connection.execute(
            delete(Execution).where(
                col(Execution.process_instance_id) == instance_id, col(Execution.activity_id).in_(whole)
            )
        )
    rows = [
        _execution(instance_id, new_id(), name, f"{name}:{new_id()}")
        for name, count in after.items()
        for _ in range(count - before.get(name, 0))
    ]
    if rows:
        await connection.execute(insert(Execution), rows)


async def end_instance(connection: AsyncConnection, instance_id: str, at: datetime) -> None:
    """The last token is gone."""
    await connection.execute(_END, {"instance": instance_id, "at": at})
