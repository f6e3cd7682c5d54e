"""Modify process instances: start tokens anywhere in their process, and cancel others."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import How, Kind, Move, Process
from retriage.store.commands.operators import NOBODY, Operator, in_bulk
from retriage.store.commands.processes import process_of
from retriage.store.commands.tokens import Running, end_instances, place, take_away, tokens_of
from retriage.store.commands.typed import is_transient, typed
from retriage.store.commands.variables import end_scopes, set_variables
from retriage.store.contract.errors import ContractError, engine_error, invalid
from retriage.store.contract.modification import Instruction, ModifyInstance, ModifyInstances
from retriage.store.contract.records import VariableValue
from retriage.store.contract.states import EXTERNALLY_TERMINATED, INTERNALLY_TERMINATED, SUSPENDED
from retriage.store.database import new_id, now
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.queries.of_definition import PRESENT
from retriage.store.tables import Execution, ExternalTask, Job, ProcessDefinition, ProcessInstance, Variable
from retriage.store.tables.types import Rows, col

NOT_THERE = "ENGINE-13036 Process instance '{}' cannot be modified. The process instance does not exist"
NO_INSTANCES = "Process instance ids cannot be empty: Process instance ids is empty"
OPERATION = ("ModifyProcessInstance", "ProcessInstance")
"""The order and what it is given to, as the user operation log calls them."""

_TARGETS = {
    "startBeforeActivity": "activityId",
    "startAfterActivity": "activityId",
    "startTransition": "transitionId",
    "cancel": "activityId",
}
_E = Execution


def _not_valid(message: str) -> ContractError:
    return ContractError(400, "NotValidException", f"Cannot perform instruction: {message}", 0)


def check_instructions(instructions: Sequence[Instruction], *, bulk: bool) -> None:
    """Check that each instruction says what it needs.

    Args:
        instructions: as they were sent.
        bulk: they are for many instances, where tokens are named by their activities only.

    Raises:
        ContractError: 400.
    """
    for one in instructions:
        if one.type not in _TARGETS:
            kinds = ", ".join(_TARGETS)
            raise invalid(f"The field 'type' of an instruction must be one of {kinds}.")
    for one in instructions:
        target = one.transition_id if one.type == "startTransition" else one.activity_id
        given = [one.activity_id, one.activity_instance_id, one.transition_instance_id]
        if one.type == "cancel" and not bulk:
            if sum(name is not None for name in given) != 1:
                raise invalid(
                    "For instruction type 'cancel': exactly one, 'activityId', 'activityInstanceId', or "
                    "'transitionInstanceId', is required"
                )
        elif target is None:
            raise invalid(f"For instruction type '{one.type}': '{_TARGETS[str(one.type)]}' must be set")


async def modify_one(
    connection: AsyncConnection, instance_id: str, order: ModifyInstance, by: Operator = NOBODY
) -> None:
    """Modify one instance. Without instructions nothing happens, also to an unknown one.

    Raises:
        ContractError: 400 or 500; nothing must be committed then.
    """
    instructions = order.instructions or []
    check_instructions(instructions, bulk=False)
    variables = [typed(one.variables) for one in instructions]
    if not instructions:
        return
    about = await by.about_instance(connection, instance_id) | {"annotation": order.annotation}
    await modify(connection, instance_id, instructions, variables=variables, end=EXTERNALLY_TERMINATED)
    await by.note(connection, *OPERATION, about=about)


def check_instances(order: ModifyInstances) -> tuple[str, list[Rows]]:
    """Check an order to many instances, as far as that needs no database.

    Returns:
        The definition that they must have, and selects of the ids that its queries find.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    if order.process_definition_id is None:
        raise invalid("processDefinitionId is null")
    instructions = order.instructions or []
    check_instructions(instructions, bulk=True)
    if not instructions:
        raise invalid("Modification instructions cannot be empty is empty")
    try:
        queries = instances_of_queries(order)
    except ContractError as refusal:
        raise invalid(refusal.message) if refusal.status == 400 else refusal from None
    if not order.process_instance_ids and not queries:
        raise invalid(NO_INSTANCES)
    if None in (order.process_instance_ids or ()):
        raise invalid("Process instance ids cannot be null: Process instance ids contains null value")
    return order.process_definition_id, queries


async def check_definition(connection: AsyncConnection, definition_id: str) -> None:
    """Check that there is a definition.

    Raises:
        ContractError: 400, there is none.
    """
    statement = select(col(ProcessDefinition.id)).where(PRESENT, col(ProcessDefinition.id) == definition_id)
    if (await connection.execute(statement)).one_or_none() is None:
        raise invalid(
            f"no deployed process definition found with id '{definition_id}': processDefinition is null",
        )


async def modify_many(connection: AsyncConnection, order: ModifyInstances, by: Operator = NOBODY) -> None:
    """Modify many instances of one definition in one transaction.

    Raises:
        ContractError: 400 or 500; nothing must be committed then.
    """
    definition_id, queries = check_instances(order)
    ids = {str(name) for name in order.process_instance_ids or ()}
    for query in queries:
        ids |= set((await connection.execute(query)).scalars())
    if not ids:
        raise invalid(NO_INSTANCES)
    await check_definition(connection, definition_id)
    try:
        for instance_id in sorted(ids):
            await modify(connection, instance_id, order.instructions or [], definition_id=definition_id)
    except ContractError as refusal:
        raise invalid(refusal.message) if refusal.status == 400 else refusal from None
    about = await by.about_definition(connection, definition_id) | {"annotation": order.annotation}
    await by.note(connection, *OPERATION, *in_bulk(len(ids), later=False), about=about)


async def modify(
    connection: AsyncConnection,
    instance_id: str,
    instructions: Sequence[Instruction],
    *,
    definition_id: str | None = None,
    variables: Sequence[dict[str, VariableValue]] = (),
    end: str = INTERNALLY_TERMINATED,
) -> None:
    """Carry out instructions at one instance, one after the other. It ends where no token is left after the last.

    Args:
        connection: the caller's transaction.
        instance_id: which instance.
        instructions: what to do; they were checked.
        definition_id: the definition that it must have.
        variables: those of each instruction.
        end: the state of an instance whose last token is cancelled.

    Raises:
        ContractError: 400 or 500; nothing must be committed then.
    """
    statement = select(col(ProcessInstance.process_definition_id), col(ProcessInstance.tenant_id), _STATE).where(
        col(ProcessInstance.id) == instance_id, col(ProcessInstance.end_time).is_(None)
    )
    found = (await connection.execute(statement.with_for_update())).one_or_none()
    if found is None:
        raise engine_error(NOT_THERE.format(instance_id))
    if definition_id not in (None, found.process_definition_id):
        raise engine_error(
            f"ENGINE-13037 Process instance '{instance_id}' cannot be modified. Its process definition "
            f"'{found.process_definition_id}' does not match given process definition '{definition_id}'"
        )
    instance = Running(instance_id, found.process_definition_id, found.tenant_id)
    process = await process_of(connection, instance.definition_id)
    work = _Modification(connection, instance, process, found.state == SUSPENDED)
    if definition_id is not None and any(one.cancel_current_active_activity_instances for one in instructions):
        work.before = await work.executions()
    for number, one in enumerate(instructions):
        if one.type == "cancel":
            await work.cancel(one)
        else:
            await work.start(one, variables[number] if variables else {})
    if not (await tokens_of(connection, instance)).count:
        await end_instances(connection, [instance_id], now())
        if not work.completed:
            this = update(ProcessInstance).where(col(ProcessInstance.id) == instance_id)
            await connection.execute(this.values(state=end))


_STATE = col(ProcessInstance.state)


@dataclass(slots=True)
class _Modification:
    """Instructions at one instance. ``completed`` says that its last token, if it is gone, was not cancelled;
    ``before`` are the executions that were there at first, where that matters.
    """

    connection: AsyncConnection
    instance: Running
    process: Process
    suspended: bool
    completed: bool = False
    before: Collection[str] = field(default_factory=set)

    async def executions(self, *where: Condition) -> set[str]:
        """The executions of the instance."""
        mine = select(col(_E.id)).where(col(_E.process_instance_id) == self.instance.id, *where)
        return set((await self.connection.execute(mine)).scalars())

    async def start(self, one: Instruction, variables: dict[str, VariableValue]) -> None:
        """Start a token.

        Raises:
            ContractError: 400 there is no such place, or the instance is suspended; 500 the token can not go on, or not
                from there.
        """
        move = self._move(one)
        await self._check_ancestor(one)
        if self.suspended:
            # The execution is a new one, of no use to anybody (observed on Camunda 7.24.0).
            message = f"ENGINE-03043 Execution with id '{new_id()}' is suspended."
            raise ContractError(400, "SuspendedEntityInteractionException", message, 0)
        if move.how is How.ENTER:
            await self._interrupt(move.place)
        given = one.variables or {}
        there = await self.executions()
        local = {name: value for name, value in variables.items() if there and given[name].get("local") is True}
        shared = {name: value for name, value in variables.items() if name not in local}
        await set_variables(self.connection, self.instance.id, shared)
        seen = {name: value for name, value in variables.items() if name in local or is_transient(value)}
        tokens = await tokens_of(self.connection, self.instance)
        await place(self.connection, self.instance, move, seen, tokens)
        if local:
            # On an engine they stand at the branch of the new token, which has no execution of its own here.
            for execution in await self.executions() - there:
                await set_variables(self.connection, self.instance.id, local, execution, local=True)
        self.completed = True

    def _move(self, one: Instruction) -> Move:
        if one.type == "startTransition":
            flow = str(one.transition_id)
            if self.process.flow(flow) is None:
                raise self._no_element(f"Start transition '{flow}'", flow)
            return Move(How.TAKE, flow)
        place = str(one.activity_id)
        node = self.process.nodes.get(place)
        if one.type == "startBeforeActivity":
            if node is None:
                raise self._no_element(_described(one), place)
            return Move(How.ENTER, place)
        if node is None:
            raise _not_valid(f"{_described(one)}; Activity '{place}' does not exist: activity is null")
        if len(node.outgoing) != 1:
            ways = "more than one outgoing sequence flow" if node.outgoing else "no outgoing sequence flow to take"
            raise engine_error(f"Cannot start after activity {place}; activity has {ways}")
        return Move(How.TAKE, node.outgoing[0].id)

    def _no_element(self, instruction: str, name: str) -> ContractError:
        definition = self.instance.definition_id
        return _not_valid(f"{instruction}; Element '{name}' does not exist in process '{definition}': element is null")

    async def _check_ancestor(self, one: Instruction) -> None:
        """There is no scope but the instance itself."""
        ancestor = one.ancestor_activity_instance_id
        if ancestor in (None, self.instance.id):
            return
        if not await self.executions(col(_E.activity_instance_id) == ancestor, col(_E.in_transition).is_(False)):
            missing = f"Ancestor activity instance '{ancestor}' does not exist: ancestorInstance is null"
            raise _not_valid(f"{_described(one)}; {missing}")
        place = one.activity_id or one.transition_id
        raise _not_valid(
            f"{_described(one)}; Scope execution for '{ancestor}' cannot be found in parent hierarchy of flow element "
            f"'{place}'"
        )

    async def _interrupt(self, name: str) -> None:
        """A boundary event that is entered cancels the activity that it sits on."""
        node = self.process.nodes[name]
        if node.kind is not Kind.BOUNDARY:
            return
        hosts = await self.executions(col(_E.activity_id) == node.attached, col(_E.in_transition).is_(False))
        if len(hosts) > 1:
            raise engine_error(f"Executions for activity Activity({node.attached}) ambiguous")
        await self._remove(hosts)

    async def cancel(self, one: Instruction) -> None:
        """Cancel tokens: all that are at an activity, or wait for a job there, or one.

        Raises:
            ContractError: 400, there is no activity instance, or transition instance, with that id.
        """
        if one.activity_id is not None:
            found = await self.executions(col(_E.activity_id) == one.activity_id)
            if self.before and one.cancel_current_active_activity_instances:
                found &= set(self.before)
        elif one.activity_instance_id is not None:
            found = await self._of_activity_instance(one.activity_instance_id)
        else:
            name = str(one.transition_instance_id)
            found = await self.executions(col(_E.id) == name, col(_E.in_transition).is_(True))
            if not found:
                kind = f"Cancel transition instance '{name}'; Transition instance '{name}'"
                raise _not_valid(f"{kind} does not exist: transitionInstance is null")
        if found:
            await self._remove(found)
            self.completed = False

    async def _of_activity_instance(self, name: str) -> set[str]:
        if name == self.instance.id:
            return await self.executions()
        found = await self.executions(col(_E.activity_instance_id) == name, col(_E.in_transition).is_(False))
        if not found:
            kind = f"Cancel activity instance '{name}'; Activity instance '{name}'"
            raise _not_valid(f"{kind} does not exist: activityInstance is null")
        return found

    async def _remove(self, executions: Collection[str]) -> None:
        """Remove tokens with their tasks, jobs and variables."""
        if not executions:
            return
        names = sorted(executions)
        tasks, jobs = (
            and_(col(table.process_instance_id) == self.instance.id, one_of(col(table.execution_id), names))
            for table in (ExternalTask, Job)
        )
        await take_away(self.connection, tasks, jobs, now())
        mine = col(Variable.process_instance_id) == self.instance.id
        await end_scopes(self.connection, mine, one_of(col(Variable.execution_id), names))
        await self.connection.execute(delete(_E).where(one_of(col(_E.id), names)))


def _described(one: Instruction) -> str:
    """An instruction that starts a token at an activity, as the engine's refusals call it."""
    word = "before" if one.type == "startBeforeActivity" else "after"
    described = f"Start {word} activity '{one.activity_id}'"
    if one.type == "startTransition":
        described = f"Start transition '{one.transition_id}'"
    if one.ancestor_activity_instance_id is not None:
        described += f" with ancestor activity instance '{one.ancestor_activity_instance_id}'"
    return described
