"""Write variables."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.operators import NOBODY, Operator
from retriage.store.commands.selected_rows import listed
from retriage.store.commands.typed import check_format, is_transient, typed
from retriage.store.contract.deployments import ChangeVariables
from retriage.store.contract.errors import ContractError, engine_error, null_value
from retriage.store.contract.records import VariableValue
from retriage.store.database import IdRun, new_id
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.queries.variables import VALUE_COLUMNS, Holder, columns_of
from retriage.store.tables import Execution, ProcessInstance, Variable
from retriage.store.tables.types import TooLong, col

_V = Variable

_TABLE = _V.__table__  # type: ignore[attr-defined]
_CHANGE = (
    update(_TABLE).where(_TABLE.c.id == bindparam("known")).values({name: bindparam(name) for name in VALUE_COLUMNS})
)
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
    made, changed = [], []
    for scope in {scopes[name] for name in stored}:
        names = [name for name in stored if scopes[name] == scope]
        present = select(col(_V.name), col(_V.id)).where(_at(instance_id, scope), one_of(col(_V.name), names))
        known = {row.name: row.id for row in await connection.execute(present)}
        for name in names:
            if name in known:
                changed.append({"known": known[name], **columns_of(stored[name])})
            else:
                place = {"process_instance_id": instance_id, "execution_id": scope, "name": name}
                made.append({"id": new_id(), **place, **columns_of(stored[name])})
    if changed:
        await connection.execute(_CHANGE, changed)
    if made:
        await connection.execute(insert(_V), made)


async def set_variable_of_instances(
    connection: AsyncConnection, instances: Sequence[str], name: str, columns: Mapping[str, Any]
) -> None:
    """Set one variable of many instances, in the scope of each: one statement for those that have it, and one for the
    others, if there are any.

    Args:
        connection: the caller's transaction, which keeps the instances.
        instances: the ids of running instances, each once.
        name: of the variable.
        columns: its value, as ``columns_of`` gives it.
    """
    of_instance = and_(col(_V.execution_id).is_(None), col(_V.name) == name, col(_V.deleted).is_(False))
    these = listed(instances)
    changed = await connection.execute(
        update(_V).where(col(_V.process_instance_id).in_(these), of_instance).values(**columns)
    )
    if changed.rowcount == len(instances):
        return
    wanted = these.subquery("wanted")
    has_it = exists().where(col(_V.process_instance_id) == wanted.c.id, of_instance)
    values: dict[str, Any] = {
        "id": IdRun().column(func.row_number().over(order_by=wanted.c.id)),
        "process_instance_id": wanted.c.id,
        "name": literal(name, _TABLE.c.name.type),
        **{column: literal(value, _TABLE.c[column].type) for column, value in columns.items()},
        "deleted": literal(False),
    }
    await connection.execute(insert(_V).from_select(list(values), select(*values.values()).where(~has_it)))


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


async def _hold(connection: AsyncConnection, holder: Holder, holder_id: str) -> tuple[str, str | None]:
    """The instance and the execution that variables stand at; others are kept off the instance until the transaction
    ends. An execution may be an instance itself: then there is none beside it.

    Raises:
        ContractError: 500, nothing with that id is running.
    """
    of_execution = select(col(Execution.process_instance_id)).where(col(Execution.id) == holder_id)
    executions: list[str | None] = [holder_id, None] if holder == "execution" else [None]
    for execution in executions:
        wanted = literal(holder_id) if execution is None else of_execution.scalar_subquery()
        held = select(col(ProcessInstance.id)).where(
            col(ProcessInstance.id) == wanted, col(ProcessInstance.end_time).is_(None)
        )
        instance = (await connection.execute(held.with_for_update())).scalar_one_or_none()
        # Whoever kept the instance before may have ended the execution.
        if instance is not None and (execution is None or (await connection.execute(of_execution)).first()):
            return instance, execution
    raise null_value(f"execution {holder_id} doesn't exist: execution is null")


async def change_variables(
    connection: AsyncConnection,
    holder: Holder,
    holder_id: str,
    order: ChangeVariables,
    by: Operator = NOBODY,
    operation: str = "ModifyVariable",
) -> None:
    """Set some variables of a running instance, or of an execution alone, and delete others. The history keeps them.

    Args:
        connection: the caller's transaction.
        holder: what has the variables.
        holder_id: which one.
        order: what to set and what to delete; a name in both is deleted, one that is not there is passed over.
        by: who gives the order.
        operation: how the user operation log calls it.

    Raises:
        ContractError: 400 a value that is not of its type or too long, 500 nothing with that id is running.
    """
    values = typed(order.modifications)
    instance_id, execution_id = await _hold(connection, holder, holder_id)
    try:
        await set_variables(connection, instance_id, values, execution_id, local=True)
    except TooLong:
        raise ContractError(400, "BadUserRequestException", "Variable value is too long", 0) from None
    names = [name for name in order.deletions or () if name is not None]
    if names:
        await _mark_deleted(connection, _at(instance_id, execution_id), one_of(col(_V.name), names))
    await by.note(connection, operation, "Variable", about=await by.about_instance(connection, instance_id))
