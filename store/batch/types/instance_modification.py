"""Batches that modify process instances: each starts and cancels tokens of its own."""

from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import INSTANCES, BatchType, Ordered, Plan
from retriage.store.commands.modification import (
    NOT_THERE,
    OPERATION,
    check_definition,
    check_instances,
    check_instructions,
    modify,
)
from retriage.store.commands.operators import Operator, Place
from retriage.store.commands.typed import typed
from retriage.store.contract.errors import engine_error, invalid
from retriage.store.contract.modification import Instruction, ModifyInstance, ModifyInstances
from retriage.store.contract.records import INSTANCE_MODIFICATION
from retriage.store.database import keep
from retriage.store.queries.process_instances import RUNNING, RUNNING_BY_ID
from retriage.store.tables import ProcessDefinition, ProcessInstance
from retriage.store.tables.types import Rows, col

_ID = col(ProcessInstance.id)


async def _work(connection: AsyncConnection, ids: Rows, ordered: Ordered) -> None:
    await keep(connection, _ID, _ID.in_(ids), RUNNING_BY_ID)
    instructions = [Instruction.model_validate(one) for one in ordered.configuration["instructions"]]
    definition_id = ordered.configuration["processDefinitionId"]
    for instance_id in sorted((await connection.execute(ids)).scalars()):
        await modify(connection, instance_id, instructions, definition_id=definition_id)


MODIFICATION = BatchType(INSTANCE_MODIFICATION, INSTANCES, _work, unknown=NOT_THERE)


def plan_modifications(order: ModifyInstances, by: Operator) -> Plan:
    """The batch that modifies the instances that an order names. The jobs of unknown and ended ones fail.

    Args:
        order: the union of its sources is taken.
        by: who gives it.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    definition_id, queries = check_instances(order)
    about = partial(by.about_definition, definition_id=definition_id)
    deployment = select(col(ProcessDefinition.deployment_id)).where(col(ProcessDefinition.id) == definition_id)
    return Plan(
        # Unknown ids are of the group of the others.
        replace(MODIFICATION, target=replace(INSTANCES, deployment=deployment.scalar_subquery())),
        _configuration(order, definition_id),
        [str(name) for name in dict.fromkeys(order.process_instance_ids or ())],
        lambda: queries,
        empty=invalid("Process instance ids cannot be empty: Process instance ids is empty"),
        operation=OPERATION,
        about=partial(_annotated, about, order.annotation),
        check=partial(check_definition, definition_id=definition_id),
    )


def plan_modification(instance_id: str, order: ModifyInstance, by: Operator) -> Plan:
    """The batch that modifies one instance. Variables of the instructions are not set (observed on Camunda 7.24.0).

    Raises:
        ContractError: 400.
    """
    if not order.instructions:
        raise invalid("The provided instuctions are invalid.")  # the engine's spelling
    check_instructions(order.instructions, bulk=False)
    for one in order.instructions:
        typed(one.variables)
    return Plan(
        MODIFICATION,
        _configuration(order, None),
        [instance_id],
        list,
        empty=engine_error(NOT_THERE.format(instance_id)),
        operation=OPERATION,
        counted=False,
        about=partial(_annotated, partial(by.about_instance, instance_id=instance_id), order.annotation),
        check=partial(_check_instance, instance_id),
    )


def _configuration(order: ModifyInstance, definition_id: str | None) -> dict[str, Any]:
    kept = [one.model_dump(by_alias=True, exclude={"variables"}) for one in order.instructions or ()]
    return {"processDefinitionId": definition_id, "instructions": kept}


async def _annotated(about: Any, annotation: str | None, connection: AsyncConnection) -> Place:
    place: Place = await about(connection)
    return place | {"annotation": annotation}


async def _check_instance(instance_id: str, connection: AsyncConnection) -> None:
    statement = select(_ID).where(_ID == instance_id, RUNNING)
    if (await connection.execute(statement)).one_or_none() is None:
        raise engine_error(NOT_THERE.format(instance_id))
