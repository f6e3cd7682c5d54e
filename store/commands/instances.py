"""Process instances: start, delete, suspend and activate."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import How, Move, Process
from retriage.store.commands.news import jobs_made
from retriage.store.commands.operators import NOBODY, Operator, Place, in_bulk, suspension
from retriage.store.commands.processes import process_of
from retriage.store.commands.selected_rows import settled
from retriage.store.commands.tokens import Running, go_on, take_away
from retriage.store.commands.typed import is_transient
from retriage.store.commands.variables import end_scopes, set_variables
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.errors import ContractError, invalid, missing, null_value
from retriage.store.contract.records import ProcessInstance as Record
from retriage.store.contract.records import VariableValue
from retriage.store.contract.states import ACTIVE, EXTERNALLY_TERMINATED, SUSPENDED
from retriage.store.database import keep, new_id, now
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.queries.of_definition import PRESENT
from retriage.store.queries.process_instances import RUNNING, RUNNING_BY_ID
from retriage.store.tables import (
    Execution,
    ExternalTask,
    Job,
    ProcessDefinition,
    ProcessInstance,
    Variable,
)
from retriage.store.tables.types import Rows, col

_P = ProcessInstance
_ID = col(_P.id)
OF_TOKEN = col(Job.execution_id).is_not(None)
"""A job that a token waits for; those of batches that set variables of one instance belong to it too."""

_DEFINITION = (
    select(col(ProcessDefinition.key), col(ProcessDefinition.tenant_id), col(ProcessDefinition.suspended))
    .where(PRESENT, col(ProcessDefinition.id) == bindparam("definition"))
    .with_for_update(read=True, key_share=True)
)
_INSTANCE_OF_TASK = (
    select(_ID, col(_P.process_definition_id), col(_P.tenant_id))
    .where(
        _ID
        == select(col(ExternalTask.process_instance_id))
        .where(col(ExternalTask.id) == bindparam("task"))
        .scalar_subquery(),
        RUNNING,
    )
    .with_for_update()
)


async def start(
    connection: AsyncConnection,
    definition_id: str,
    *,
    business_key: str | None = None,
    case_instance_id: str | None = None,
    variables: Mapping[str, VariableValue] = {},
    user: str | None = None,
    by: Operator = NOBODY,
) -> Record:
    """Start an instance and go on until all its tokens wait, for a worker or for a job.

    Args:
        connection: the caller's transaction; it must not be committed when this raises.
        definition_id: the definition.
        business_key: the caller's own name for the instance.
        case_instance_id: a case that the caller says it belongs to; there are none here.
        variables: first variables, with their types; those marked transient are not stored.
        user: who starts it, where that is not the one who gives the order.
        by: who gives the order.

    Raises:
        ContractError: 500 no such definition, or a token can take no way; 400 the definition is suspended.
    """
    definition = await _definition(connection, definition_id)
    process = await process_of(connection, definition_id)
    instance = Running(new_id(), definition_id, definition.tenant_id)
    starter = user or by.user
    await connection.execute(insert(_P), _row(instance, process, business_key, starter, case_instance_id))
    about = await by.about_instance(connection, instance.id)
    if process.initiator is not None:
        variables = {process.initiator: _starter(starter), **variables}
    await set_variables(connection, instance.id, variables)
    transient = {name: value for name, value in variables.items() if is_transient(value)}
    ended = await go_on(connection, instance, Move(How.ENTER, process.start), transient, new=True)
    await by.note(connection, "Create", "ProcessInstance", about=about)
    return Record(
        id=instance.id,
        definition_id=definition_id,
        definition_key=definition.key,
        business_key=business_key,
        case_instance_id=case_instance_id,
        ended=ended,
        suspended=False,
        tenant_id=instance.tenant_id,
    )


def _starter(user: str | None) -> VariableValue:
    return VariableValue(type="Null" if user is None else "String", value=user)


def _row(
    instance: Running, process: Process, business_key: str | None, user: str | None, case_instance_id: str | None
) -> dict[str, object]:
    return {
        "id": instance.id,
        "process_definition_id": instance.definition_id,
        "business_key": business_key,
        "case_instance_id": case_instance_id,
        "tenant_id": instance.tenant_id,
        "state": ACTIVE,
        "start_time": now(),
        "start_activity_id": process.start,
        "start_user_id": user,
    }


async def _definition(connection: AsyncConnection, definition_id: str) -> Row[str, str | None, bool]:
    """A definition that may be started. Nobody can remove it until the transaction ends."""
    row = (await connection.execute(_DEFINITION, {"definition": definition_id})).one_or_none()
    if row is None:
        raise null_value(f"no deployed process definition found with id '{definition_id}': processDefinition is null")
    if row.suspended:
        message = f"ENGINE-03043 Process Definition with id '{definition_id}' is suspended."
        raise ContractError(400, "SuspendedEntityInteractionException", message, 0)
    return row


async def hold_of_task(connection: AsyncConnection, task_id: str) -> Running | None:
    """The running instance of a task, kept from other writers until the transaction ends; none without such a task.

    Read the task afterwards: whoever kept the instance before may have taken or changed it.
    """
    row = (await connection.execute(_INSTANCE_OF_TASK, {"task": task_id})).one_or_none()
    return None if row is None else Running(row.id, row.process_definition_id, row.tenant_id)


async def delete_instance(
    connection: AsyncConnection,
    instance_id: str,
    *,
    fail_if_not_exists: bool = True,
    reason: str | None = None,
    by: Operator = NOBODY,
) -> None:
    """Delete a running instance: tasks and jobs go with an entry in the log, its incidents end as deleted.

    Raises:
        ContractError: 404, no instance with that id is running.
    """
    statement = select(_ID).where(_ID == instance_id, RUNNING).with_for_update()
    if (await connection.execute(statement)).one_or_none() is not None:
        about = await by.about_instance(connection, instance_id)
        await delete_instances(connection, select(_ID).where(_ID == instance_id, RUNNING), reason)
        await by.note(connection, "Delete", "ProcessInstance", about=about)
    elif fail_if_not_exists:
        raise missing(f"No process instance found for id '{instance_id}': processInstance is null", 0)


async def delete_instances(connection: AsyncConnection, instances: Rows, reason: str | None = None) -> int:
    """Delete a set of running instances; see ``delete_instance``.

    Args:
        connection: the caller's transaction.
        instances: a select of ids of running instances, by what this order does not change but their end.
        reason: kept with the instances.

    Returns:
        How many instances.
    """
    at = now()
    tasks = col(ExternalTask.process_instance_id).in_(instances)
    jobs = and_(col(Job.process_instance_id).in_(instances), OF_TOKEN)
    await keep(connection, _ID, _ID.in_(instances))
    await keep(connection, col(ExternalTask.id), tasks)
    await keep(connection, col(Job.id), jobs)
    await take_away(connection, tasks, jobs, at)
    await connection.execute(delete(Execution).where(col(Execution.process_instance_id).in_(instances)))
    variables = col(Variable.process_instance_id).in_(instances)
    await end_scopes(connection, variables, col(Variable.execution_id).is_not(None))
    ended = await connection.execute(
        update(_P)
        .where(_ID.in_(instances), RUNNING_BY_ID)
        .values(state=EXTERNALLY_TERMINATED, end_time=at, delete_reason=reason)
    )
    return ended.rowcount


async def set_suspended(connection: AsyncConnection, instances: Rows, suspended: bool) -> int:
    """Suspend or activate a set of running instances, their external tasks and their jobs. Locks are kept.

    Args:
        connection: the caller's transaction.
        instances: a select of instance ids.
        suspended: what they become.

    Returns:
        How many instances were in the other state.
    """
    instances = await settled(connection, _ID, instances)
    # The tasks first: the select may ask for the state of instances, which the second statement changes.
    tasks = col(ExternalTask.process_instance_id).in_(instances)
    other = col(ExternalTask.suspended).is_(not suspended)
    await keep(connection, col(ExternalTask.id), tasks, other)
    await connection.execute(update(ExternalTask).where(tasks, other).values(suspended=suspended))
    jobs = and_(col(Job.process_instance_id).in_(instances), OF_TOKEN)
    await keep(connection, col(Job.id), jobs)
    await connection.execute(update(Job).where(jobs).values(suspended=suspended))
    if not suspended:
        jobs_made(connection)
    state = SUSPENDED if suspended else ACTIVE
    changed = await connection.execute(
        update(_P).where(_ID.in_(instances), RUNNING_BY_ID, col(_P.state) != state).values(state=state)
    )
    return changed.rowcount


async def set_suspended_of_one(
    connection: AsyncConnection, instance_id: str, suspended: bool, by: Operator = NOBODY
) -> None:
    """Suspend or activate an instance. Nothing happens to an unknown one."""
    await set_suspended(connection, select(_ID).where(_ID == instance_id), suspended)
    about = await by.about_instance(connection, instance_id)
    await by.note(connection, _word(suspended), "ProcessInstance", suspension(suspended), about=about)


def _word(suspended: bool) -> str:
    """How the user operation log calls it."""
    return "Suspend" if suspended else "Activate"


async def set_suspended_in_bulk(
    connection: AsyncConnection, order: SetInstancesSuspended, by: Operator = NOBODY
) -> int:
    """Suspend or activate the instances of a definition, or those that ids and queries name.

    Returns:
        How many instances were in the other state.

    Raises:
        ContractError: 400, both ways are used or none, or nothing is named.
    """
    by_definition = _of_definition(order)
    named = _named(order)
    if by_definition is not None and named is not None:
        raise invalid(
            "Choose either a single processInstance with processDefinitionId or processDefinitionKey or a group of "
            "processInstances with processInstanceIds, procesInstanceQuery or historicProcessInstanceQuery."
        )
    if by_definition is not None:
        changed = await set_suspended(connection, select(_ID).where(by_definition), order.suspended)
        about: Place = {"process_definition_key": order.process_definition_key}
        if order.process_definition_id is not None:
            about = await by.about_definition(connection, order.process_definition_id)
        change = suspension(order.suspended)
        await by.note(connection, _word(order.suspended), "ProcessInstance", change, about=about)
        return changed
    if named is None:
        raise invalid(
            "Either processDefinitionId or processDefinitionKey should be set to update the suspension state."
        )
    if not order.process_instance_ids and not await _any(connection, named):
        message = "No process instance ids given: Process Instance ids is empty"
        raise ContractError(400, "BadUserRequestException", message, 0)
    instances = select(_ID).where(or_(*named))
    if by.user is not None:
        instances = await settled(connection, _ID, instances)
        # Written first: the queries that name the instances may ask for their state.
        count = (await connection.execute(select(func.count()).select_from(instances.subquery()))).scalar_one()
        unknown = await _unknown(connection, order.process_instance_ids or [])
        word = f"{_word(order.suspended)}Job"  # the engine's own word, for instances too
        await by.note(connection, word, "ProcessInstance", *in_bulk(count + len(unknown), later=False))
        await by.note_instances(connection, _word(order.suspended), instances, suspension(order.suspended), unknown)
    return await set_suspended(connection, instances, order.suspended)


async def _unknown(connection: AsyncConnection, ids: Sequence[str | None]) -> list[str]:
    """Those ids that no instance has, each once."""
    known = set((await connection.execute(select(_ID).where(one_of(_ID, ids)))).scalars())
    return [name for name in dict.fromkeys(ids) if name is not None and name not in known]


def _of_definition(order: SetInstancesSuspended) -> Condition | None:
    if order.process_definition_id is not None and order.process_definition_key is not None:
        raise invalid(
            "Only one of processDefinitionId or processDefinitionKey should be set to update the suspension state."
        )
    if order.process_definition_id is not None:
        return and_(RUNNING, col(_P.process_definition_id) == order.process_definition_id)
    if order.process_definition_key is None:
        return None
    definitions = select(col(ProcessDefinition.id)).where(col(ProcessDefinition.key) == order.process_definition_key)
    if order.process_definition_tenant_id is not None:
        definitions = definitions.where(col(ProcessDefinition.tenant_id) == order.process_definition_tenant_id)
    elif order.process_definition_without_tenant_id:
        definitions = definitions.where(col(ProcessDefinition.tenant_id).is_(None))
    return and_(RUNNING, col(_P.process_definition_id).in_(definitions))


def _named(order: SetInstancesSuspended) -> list[Condition] | None:
    """One condition for each source that names instances; none where no source is given."""
    given = (order.process_instance_ids, order.process_instance_query, order.historic_process_instance_query)
    if all(source is None for source in given):
        return None
    found: list[Condition] = [_ID.in_(instances) for instances in instances_of_queries(order)]
    if order.process_instance_ids is not None:
        ids = [name for name in order.process_instance_ids if name is not None]
        if len(ids) < len(order.process_instance_ids):
            message = "Cannot be null.: Process Instance ids contains null value"
            raise ContractError(400, "BadUserRequestException", message, 0)
        found.append(one_of(_ID, ids))
    return found


async def _any(connection: AsyncConnection, conditions: list[Condition]) -> bool:
    return (await connection.execute(select(_ID).where(or_(*conditions)).limit(1))).first() is not None
