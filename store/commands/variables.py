"""Write variables."""

from collections.abc import Collection, Mapping

from sqlalchemy import and_, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from store.commands.operators import NOBODY, Operator
from store.commands.typed import check_format, is_transient, typed
from store.contract.deployments import ChangeVariables
from store.contract.errors import ContractError, engine_error, null_value
from store.contract.records import VariableValue
from store.database import new_id
from store.queries.conditions import Condition, one_of
from store.queries.variables import columns_of
from store.tables import ProcessInstance, Variable
from store.tables.types import TooLong, col

_V = Variable

_END_SCOPE = (
    update(_V)
    .where(
        col(_V.process_instance_id) == bindparam("instance"),
        col(_V.execution_id) == bindparam("execution"),
        col(_V.deleted).is_(False),
    )
    .values(deleted=True)
)


async def set_variables(
    connection: AsyncConnection,
    instance_id: str,
    values: Mapping[str, VariableValue],
    execution_id: str | None = None,
    *,
    local: bool = False,
) -> None:
    """Set variables of an instance. Transient ones are not stored, and none may take the place of a stored one.

    Args:
        connection: the caller's transaction, which holds the instance's row or has just made it.
        instance_id: the instance.
        values: new values by name.
        execution_id: where the writer stands: a name that its execution has is set there, all others at the instance.
        local: set all of them at the execution.

    Raises:
        ContractError: 500, a transient variable has the name of a stored one, or an object has Java's own format.
    """
    for name, value in values.items():
        check_format(name, value)
    if not values:
        return
    here = set(values) if local or execution_id is None else await _stored(connection, instance_id, execution_id)
    scopes = {name: execution_id if name in here else None for name in values}
    stored = {name: value for name, value in values.items() if not is_transient(value)}
    await _check_transient(connection, instance_id, {name: scopes[name] for name in values if name not in stored})
    if not stored:
        return
    for scope in {scopes[name] for name in stored}:
        names = [name for name in stored if scopes[name] == scope]
        await connection.execute(delete(_V).where(_at(instance_id, scope), one_of(col(_V.name), names)))
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


async def _check_transient(connection: AsyncConnection, instance_id: str, scopes: Mapping[str, str | None]) -> None:
    for scope in set(scopes.values()):
        taken = await _stored(connection, instance_id, scope)
        for name in scopes:
            if scopes[name] == scope and name in taken:
                what = f"transient variable with name {name} to non-transient variable and vice versa"
                raise engine_error(f"ENGINE-17006 Cannot set {what}.")


async def _stored(connection: AsyncConnection, instance_id: str, execution_id: str | None) -> set[str]:
    """The names of the variables of one scope."""
    statement = select(col(_V.name)).where(_at(instance_id, execution_id))
    return set((await connection.execute(statement)).scalars())


def _at(instance_id: str, execution_id: str | None) -> Condition:
    """Of the scope of an execution; of the instance, where there is none."""
    own = col(_V.execution_id).is_(None) if execution_id is None else col(_V.execution_id) == execution_id
    return and_(col(_V.process_instance_id) == instance_id, own, col(_V.deleted).is_(False))


async def delete_variables(connection: AsyncConnection, instance_id: str, names: Collection[str]) -> None:
    """Delete variables of an instance; names that it has not are passed over. The history keeps them."""
    if names:
        await _mark_deleted(connection, _at(instance_id, None), one_of(col(_V.name), list(names)))


async def end_scopes(connection: AsyncConnection, of_instance: Condition, of_execution: Condition) -> None:
    """Delete the variables of executions that have ended. The history keeps them.

    Args:
        connection: the caller's transaction.
        of_instance: a condition on the instance of a variable.
        of_execution: a condition on its execution.
    """
    await _mark_deleted(connection, of_instance, of_execution, col(_V.deleted).is_(False))


async def end_scope(connection: AsyncConnection, instance_id: str, execution_id: str) -> None:
    """Delete the variables of one execution of an instance. The history keeps them."""
    await connection.execute(_END_SCOPE, {"instance": instance_id, "execution": execution_id})


async def _mark_deleted(connection: AsyncConnection, *which: Condition) -> None:
    await connection.execute(update(_V).where(*which).values(deleted=True))


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
