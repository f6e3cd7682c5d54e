"""Set the retries of external tasks, with the rule that ties retries and incidents together.

From null or above 0 to 0 an incident is raised, with the task's current error message; from 0 to above 0 it is
resolved; 0 to 0 does nothing. Lock, worker, error message and suspension are not touched.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import func, insert, literal, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands import incidents
from retriage.store.commands.operators import NOBODY, Change, Operator, in_bulk
from retriage.store.commands.selected_rows import settled
from retriage.store.contract.errors import ContractError, invalid, missing, no_external_task, null_value
from retriage.store.contract.orders import SetExternalTaskRetries, SetRetries
from retriage.store.contract.records import FAILED_EXTERNAL_TASK
from retriage.store.contract.states import OPEN, LogState
from retriage.store.database import IdRun, keep, now
from retriage.store.queries.conditions import json_texts, one_of
from retriage.store.queries.external_tasks import external_task_conditions
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.queries.sorting import sort_keys
from retriage.store.tables import ExternalTask, ExternalTaskLog, Incident
from retriage.store.tables.types import Rows, UtcTime, col

NO_RETRIES = "The number of retries cannot be null."
NEGATIVE = "The number of retries cannot be negative: retries is not greater than or equal to 0"
SET_RETRIES = "SetExternalTaskRetries"
"""The operation, as the user operation log calls it."""

_T = ExternalTask


async def set_retries(connection: AsyncConnection, tasks: Rows, retries: int) -> int:
    """Set the retries of a set of tasks.

    Args:
        connection: the caller's transaction.
        tasks: a select of task ids; ids without a task are passed over.
        retries: attempts that are left, 0 or more.

    Returns:
        How many tasks had another value before.
    """
    await keep(connection, col(_T.id), col(_T.id).in_(tasks))
    if retries == 0:
        await _raise_incidents(connection, tasks)
    else:
        zero = select(col(_T.id)).where(col(_T.id).in_(tasks), col(_T.retries) == 0)
        await incidents.resolve(connection, zero, now())
    changed = await connection.execute(
        update(_T)
        .where(col(_T.id).in_(tasks), or_(col(_T.retries).is_(None), col(_T.retries) != retries))
        .values(retries=retries)
    )
    return changed.rowcount


async def _raise_incidents(connection: AsyncConnection, tasks: Rows) -> None:
    """One incident for each of the tasks that has retries left."""
    ids = IdRun().column(func.row_number().over(order_by=col(_T.id)))
    last_failure = (
        select(func.max(col(ExternalTaskLog.id)))
        .where(col(ExternalTaskLog.external_task_id) == col(_T.id), col(ExternalTaskLog.state) == LogState.FAILED)
        .scalar_subquery()
    )
    values: dict[str, Any] = {
        "id": ids,
        "incident_type": literal(FAILED_EXTERNAL_TASK),
        "state": literal(OPEN),
        "create_time": literal(now(), UtcTime),
        "configuration": col(_T.id),
        "incident_message": col(_T.error_message),
        "process_instance_id": col(_T.process_instance_id),
        "process_definition_id": col(_T.process_definition_id),
        "execution_id": col(_T.execution_id),
        "activity_id": col(_T.activity_id),
        "failed_activity_id": null(),
        "tenant_id": col(_T.tenant_id),
        "history_configuration": last_failure,
    }
    rows = select(*values.values()).where(col(_T.id).in_(tasks), or_(col(_T.retries).is_(None), col(_T.retries) > 0))
    await connection.execute(insert(Incident).from_select(list(values), rows))


async def set_retries_of_one(
    connection: AsyncConnection, task_id: str, order: SetRetries, by: Operator = NOBODY
) -> None:
    """Set the retries of one task.

    Raises:
        ContractError: 400 null or negative retries, 404 no such task.
    """
    if order.retries is None:
        raise invalid(NO_RETRIES)
    if order.retries < 0:
        raise ContractError(400, "BadUserRequestException", NEGATIVE, 0)
    one = select(col(_T.id)).where(col(_T.id) == task_id)
    await keep(connection, col(_T.id), col(_T.id) == task_id)
    before = (await connection.execute(one.with_only_columns(col(_T.retries)))).one_or_none()
    if before is None:
        raise no_external_task(task_id, 0)
    await set_retries(connection, one, order.retries)
    change = Change("retries", order.retries, before.retries)
    about = await by.about_task(connection, task_id)
    await by.note(connection, SET_RETRIES, "ExternalTask", change, about=about)


def sources_of(order: SetExternalTaskRetries) -> Callable[[], list[Rows]]:
    """What an order names beside its explicit task ids.

    The three queries are checked at once, before anything else of the order is looked at; the instance ids only when
    the answer is called, which gives selects of task ids. That is the engine's order of checks.

    Raises:
        ContractError: a query that the contract refuses; when called, 500 for a null among the instance ids.
    """
    ids = select(col(_T.id))
    instance = col(_T.process_instance_id)
    found: list[Rows] = []
    if order.external_task_query is not None:
        found.append(ids.where(*external_task_conditions(order.external_task_query, nested=True)))
        sort_keys(order.external_task_query)
    found += [ids.where(instance.in_(instances)) for instances in instances_of_queries(order)]

    def sources() -> list[Rows]:
        if not order.process_instance_ids:
            return found
        if any(value is None for value in order.process_instance_ids):
            raise null_value("processInstanceIdIn contains null value")
        return [*found, ids.where(one_of(instance, order.process_instance_ids))]

    return sources


def explicit_ids(order: SetExternalTaskRetries) -> list[str]:
    """The explicit task ids of an order, each once, in the order of their first appearance.

    Raises:
        ContractError: 400, a null is among them.
    """
    ids = order.external_task_ids or []
    # There may be a million of them, and the event loop waits.
    if None in ids:
        raise invalid("External task id cannot be null: externalTaskIds contains null value")
    return list(dict.fromkeys(cast(list[str], ids)))


async def set_retries_in_bulk(connection: AsyncConnection, order: SetExternalTaskRetries, by: Operator = NOBODY) -> int:
    """Set the retries of many tasks at once: all or none.

    Returns:
        How many tasks had another value before.

    Raises:
        ContractError: 400 null or negative retries or nothing named, 404 an id without a task.
    """
    given = sources_of(order)
    if order.retries is None:
        raise invalid(NO_RETRIES)
    ids = explicit_ids(order)
    sources = given()
    named = bool(ids)
    for source in sources:
        named = named or (await connection.execute(source.limit(1))).first() is not None
    if not named:
        raise invalid("externalTaskIds is empty")
    if order.retries < 0:
        raise invalid(NEGATIVE)
    unknown = await first_unknown(connection, ids)
    if unknown is not None:
        raise missing(f"Cannot find external task with id {unknown}: externalTask is null")
    parts = [select(col(_T.id)).where(one_of(col(_T.id), ids)), *sources]
    everything = or_(*(col(_T.id).in_(part) for part in parts))
    tasks = select(col(_T.id)).where(everything)
    tasks = await settled(connection, col(_T.id), tasks)
    # Counted first: the queries that name the tasks may ask for their retries.
    named_tasks = select(func.count()).select_from(tasks.subquery())
    count = 0 if by.user is None else (await connection.execute(named_tasks)).scalar_one()
    changed = await set_retries(connection, tasks, order.retries)
    await by.note(connection, SET_RETRIES, "ExternalTask", *in_bulk(count, later=False, retries=order.retries))
    return changed


async def first_unknown(connection: AsyncConnection, ids: Sequence[str]) -> str | None:
    """The first of these ids that names no task, none if all do."""
    if not ids:
        return None
    given = json_texts(ids)
    known = select(given.c.value).join(_T, col(_T.id) == given.c.value)
    present = set((await connection.execute(known)).scalars())
    return next((task_id for task_id in ids if task_id not in present), None)
