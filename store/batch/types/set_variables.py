"""Batches that set variables of process instances, in the scope of each instance.

The values wait as rows of the batch, so that they can be looked at; they go with it.
"""

from functools import partial
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import INSTANCES, BatchType, Ordered, Plan
from retriage.store.commands.selected_rows import kept_ids
from retriage.store.commands.typed import check_format, is_transient, typed
from retriage.store.commands.variables import set_variable_of_instances
from retriage.store.contract.errors import PERSISTENCE, ContractError, invalid
from retriage.store.contract.orders import SetInstancesVariables
from retriage.store.contract.records import SET_VARIABLES, VariableValue
from retriage.store.database import new_id
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.queries.process_instances import RUNNING_BY_ID
from retriage.store.queries.variables import columns_of, waiting_variables
from retriage.store.tables import ProcessInstance, Variable
from retriage.store.tables.types import LONGEST_NAME, Rows, TooLong, check_length, col

_ID = col(ProcessInstance.id)


async def _work(connection: AsyncConnection, ids: Rows, ordered: Ordered) -> None:
    running = await kept_ids(connection, _ID, _ID.in_(ids), RUNNING_BY_ID)
    for name, columns in await waiting_variables(connection, ordered.batch_id):
        await set_variable_of_instances(connection, running, name, columns)


VARIABLES = BatchType(SET_VARIABLES, INSTANCES, _work, known_only=True, of_instance=True)


def plan_variables(order: SetInstancesVariables) -> Plan:
    """The batch that sets variables of the running instances that an order names; others are left out.

    Args:
        order: the union of its sources is taken.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    if order.variables is None:
        raise invalid("variables is null")
    try:
        values = typed(order.variables)
    except ContractError as refusal:
        if refusal.status != 400:
            raise
        raise invalid(f"Cannot set variables: {refusal.message}") from None
    queries = instances_of_queries(order)
    if not values:
        raise ContractError(400, "BadUserRequestException", "variables is empty", 0)
    if order.process_instance_ids is None and not queries:
        raise invalid("No process instances found.")
    unkept, rows = _rows(values)
    return Plan(
        VARIABLES,
        {},
        [name for name in dict.fromkeys(order.process_instance_ids or ()) if name is not None],
        lambda: queries,
        empty=ContractError(400, "BadUserRequestException", "processInstanceIds is empty", 0),
        operation=("SetVariables", "ProcessInstance"),
        logged={"nrOfVariables": len(values)},
        refusal=unkept,
        write_more=partial(_write, rows=rows),
    )


def _rows(values: dict[str, VariableValue]) -> tuple[ContractError | None, list[dict[str, Any]]]:
    """The values as the batch keeps them, or why they can not be kept."""
    rows = []
    for name, value in values.items():
        if is_transient(value):
            what = f"transient variable '{name}' asynchronously is currently not supported."
            return ContractError(400, "BadUserRequestException", f"ENGINE-13044 Setting {what}", 0), []
        try:
            check_format(name, value)
            check_length(name, LONGEST_NAME)
            rows.append({"name": name, **columns_of(value)})
        except TooLong:
            return invalid(PERSISTENCE), []
        except ContractError as refusal:
            return invalid(refusal.message), []
    return None, rows


async def _write(connection: AsyncConnection, batch_id: str, rows: list[dict[str, Any]]) -> None:
    waits = {"process_instance_id": "", "batch_id": batch_id}
    await connection.execute(insert(Variable), [{"id": new_id(), **waits, **row} for row in rows])
