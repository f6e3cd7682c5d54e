"""Remove what has ended, and deployments with what came of them."""

from sqlalchemy import delete, exists, func, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.instances import delete_instances
from retriage.store.commands.operators import NOBODY, Change, Operator, Place, in_bulk
from retriage.store.contract.errors import engine_error, missing
from retriage.store.database import keep
from retriage.store.queries.of_definition import removal_time
from retriage.store.queries.operations import OF_INSTANCE
from retriage.store.tables import (
    Deployment,
    DeploymentResource,
    ExternalTaskLog,
    Incident,
    JobDefinition,
    JobLog,
    ProcessDefinition,
    ProcessInstance,
    UserOperation,
    Variable,
)
from retriage.store.tables.types import Rows, col

_P = ProcessInstance
_ID = col(_P.id)


async def remove_instance(
    connection: AsyncConnection, instance_id: str, *, fail_if_not_exists: bool = True, by: Operator = NOBODY
) -> None:
    """Remove an ended instance with its history.

    Raises:
        ContractError: 404, it is running, or, unless that is no fault, there is none with that id.
    """
    instance = select(_ID, col(_P.end_time)).where(_ID == instance_id)
    found = (await connection.execute(instance.with_for_update())).one_or_none()
    if found is None and not fail_if_not_exists:
        await by.note(connection, "DeleteHistory", "ProcessInstance", *in_bulk(0, later=False))
        return
    if found is None or found.end_time is None:
        raise missing(f"Historic process instance with id {instance_id} does not exist", 0)
    await remove_instances(connection, select(_ID).where(_ID == instance_id))
    await by.note(connection, "DeleteHistory", "ProcessInstance", *in_bulk(1, later=False))


async def remove_instances(connection: AsyncConnection, instances: Rows) -> None:
    """Remove ended instances, chosen by their ids, with their history."""
    # What operators did to them is told longer than they are.
    until = (
        select(removal_time())
        .select_from(_P)
        .join(ProcessDefinition, col(ProcessDefinition.id) == col(_P.process_definition_id))
        .where(_ID == col(UserOperation.process_instance_id))
        .scalar_subquery()
    )
    of_them = col(UserOperation.process_instance_id).in_(instances)
    await connection.execute(update(UserOperation).where(of_them, OF_INSTANCE).values(removal_time=until))
    of_tokens = (col(JobLog.process_instance_id).in_(instances), col(JobLog.execution_id).is_not(None))
    await connection.execute(delete(JobLog).where(*of_tokens))
    for table in (ExternalTaskLog, Incident, Variable):
        await connection.execute(delete(table).where(col(table.process_instance_id).in_(instances)))
    await connection.execute(delete(_P).where(_ID.in_(instances)))


async def remove_deployment(
    connection: AsyncConnection, deployment_id: str, *, cascade: bool = False, by: Operator = NOBODY
) -> None:
    """Remove a deployment with its definitions. The history of ended instances remains, with the key of its definition.

    Args:
        connection: the caller's transaction.
        deployment_id: which one.
        cascade: remove running instances too, and all the history; without it, running ones are a reason to refuse.
        by: who gives the order.

    Raises:
        ContractError: 404 no such deployment, 500 there are running instances.
    """
    deployment = select(col(Deployment.id)).where(col(Deployment.id) == deployment_id).with_for_update()
    if (await connection.execute(deployment)).one_or_none() is None:
        raise missing(f"Deployment with id '{deployment_id}' do not exist")
    of_it = col(ProcessDefinition.deployment_id) == deployment_id
    await keep(connection, col(ProcessDefinition.id), of_it)
    definitions = select(col(ProcessDefinition.id)).where(of_it)
    of_them = select(_ID).where(col(_P.process_definition_id).in_(definitions))
    await keep(connection, _ID, col(_P.process_definition_id).in_(definitions))
    if cascade:
        await delete_instances(connection, of_them.where(col(_P.end_time).is_(None)))
        await remove_instances(connection, of_them)
    else:
        await _refuse_running(connection, definitions)
    of_definitions = col(JobDefinition.process_definition_id).in_(definitions)
    await connection.execute(delete(JobDefinition).where(of_definitions))
    has_history = exists().where(col(_P.process_definition_id) == col(ProcessDefinition.id))
    await connection.execute(delete(ProcessDefinition).where(of_it, not_(has_history)))
    await connection.execute(update(ProcessDefinition).where(of_it).values(removed=True, name=None))
    await connection.execute(delete(DeploymentResource).where(col(DeploymentResource.deployment_id) == deployment_id))
    await connection.execute(delete(Deployment).where(col(Deployment.id) == deployment_id))
    about: Place = {"deployment_id": deployment_id}
    await by.note(connection, "Delete", "Deployment", Change("cascade", cascade), about=about)


async def _refuse_running(connection: AsyncConnection, definitions: Rows) -> None:
    definition = col(_P.process_definition_id)
    running = (
        select(definition, func.count().label("instances"))
        .where(definition.in_(definitions), col(_P.end_time).is_(None))
        .group_by(definition)
        .order_by(definition)
        .limit(1)
    )
    found = (await connection.execute(running)).one_or_none()
    if found is not None:
        raise engine_error(
            "ENGINE-03076 Deletion of process definition without cascading failed. Process definition with id: "
            f"{found[0]} can't be deleted, because there are {found.instances} dependent process instances."
        )
