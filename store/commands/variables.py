"""Write variables."""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.commands.operators import NOBODY, Operator
from store.commands.typed import is_transient, typed
from store.contract.deployments import ChangeVariables
from store.contract.errors import ContractError, null_value
from store.contract.records import VariableValue
from store.database import new_id
from store.queries.conditions import one_of
from store.queries.variables import columns_of
from store.tables import ProcessInstance, Variable
from store.tables.types import Name, TooLong, check_length, col

_V = Variable


async def set_variables(
    connection: AsyncConnection,
    instance_id: str,
    values: Mapping[str, VariableValue],
    execution_id: str | None = None,
    *,
    local: bool = False,
) -> None:
    """Set variables of an instance. Transient ones are not stored.

    Args:
        connection: the caller's transaction, which holds the instance's row or has just made it.
        instance_id: the instance.
        values: new values by name.
        execution_id: where the writer stands: a name that its execution has is set there, all others at the instance.
        local: set all of them at the execution.
    """
    stored = {name: value for name, value in values.items() if not is_transient(value)}
    if not stored:
        return
    here = set(stored) if local else await _names_at(connection, instance_id, execution_id)
    scopes = {name: execution_id if name in here else None for name in stored}
    await delete_variables(connection, instance_id, [name for name, scope in scopes.items() if scope is None])
    await delete_variables(connection, instance_id, [name for name in stored if scopes[name]], execution_id)
    rows = [
        {
            "id": new_id(),
            "process_instance_id": instance_id,
            "execution_id": scopes[name],
            "name": name,
            **columns_of(value),
        }
        for name, value in stored.items()
    ]
    await connection.execute(insert(_V), rows)


def check_variables(values: Mapping[str, VariableValue]) -> None:
    """Check that variables could be stored.

    Raises:
        TooLong: a name or a text is longer than the engine keeps.
    """
    for name, value in values.items():
        if not is_transient(value):
            check_length(name, Name.most)
            columns_of(value)


async def _names_at(connection: AsyncConnection, instance_id: str, execution_id: str | None) -> set[str]:
    if execution_id is None:
        return set()
    statement = select(col(_V.name)).where(
        col(_V.process_instance_id) == instance_id, col(_V.execution_id) == execution_id
    )
    return set((await connection.execute(statement)).scalars())


async def delete_variables(
    connection: AsyncConnection, instance_id: str, names: Collection[str], execution_id: str | None = None
) -> None:
    """Delete variables of one scope; names that it has not are passed over."""
    if not names:
        return
    at = col(_V.execution_id).is_(None) if execution_id is None else col(_V.execution_id) == execution_id
    await connection.execute(
        delete(_V).where(col(_V.process_instance_id) == instance_id, at, one_of(col(_V.name), list(names)))
    )


async def forget_scopes(connection: AsyncConnection, instance_id: str, executions: Collection[str]) -> None:
    """Delete the variables of executions that have ended."""
    await connection.execute(
        delete(_V).where(col(_V.process_instance_id) == instance_id, one_of(col(_V.execution_id), list(executions)))
    )


async def hold_instance(connection: AsyncConnection, instance_id: str) -> None:
    """Keep other writers off a running instance until the transaction ends.

    Raises:
        ContractError: 500, no instance with that id is running.
    """
    statement = (
        select(col(ProcessInstance.id))
        .where(col(ProcessInstance.id) == instance_id, col(ProcessInstance.end_time).is_(None))
        .with_for_update()
    )
    if (await connection.execute(statement)).one_or_none() is None:
        raise null_value(f"execution {instance_id} doesn't exist: execution is null")


async def change_variables(
    connection: AsyncConnection,
    instance_id: str,
    order: ChangeVariables,
    by: Operator = NOBODY,
    operation: str = "ModifyVariable",
) -> None:
    """Set some variables of a running instance and delete others.

    Args:
        connection: the caller's transaction.
        instance_id: the instance.
        order: what to set and what to delete.
        by: who gives the order.
        operation: how the user operation log calls it.

    Raises:
        ContractError: 400 a value that is not of its type or too long, 500 no instance with that id is running.
    """
    values = typed(order.modifications)
    await hold_instance(connection, instance_id)
    try:
        await set_variables(connection, instance_id, values)
    except TooLong:
        raise ContractError(400, "BadUserRequestException", "Variable value is too long", 0) from None
    await delete_variables(connection, instance_id, [name for name in order.deletions or () if name is not None])
    await by.note(connection, operation, "Variable", about=await by.about_instance(connection, instance_id))
