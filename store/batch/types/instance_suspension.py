"""Batches that suspend or activate process instances."""

from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import INSTANCES, BatchType, Ordered, Plan
from retriage.store.commands.instances import set_suspended
from retriage.store.contract.deployments import SetInstancesSuspended
from retriage.store.contract.errors import ContractError, invalid
from retriage.store.contract.records import INSTANCE_SUSPENSION
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.tables.types import Rows


async def _work(connection: AsyncConnection, ids: Rows, ordered: Ordered) -> None:
    await set_suspended(connection, ids, ordered.configuration["suspended"])


SUSPENSION = BatchType(INSTANCE_SUSPENSION, INSTANCES, _work)


def plan_suspension(order: SetInstancesSuspended) -> Plan:
    """The batch that suspends or activates the instances that an order names. The job of an unknown id has nothing to
    do.

    Args:
        order: the union of its sources is taken; what it says of a process definition is ignored.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    try:
        queries = instances_of_queries(order)
    except ContractError as refusal:
        raise invalid(refusal.message) if refusal.status == 400 else refusal from None
    if order.process_instance_ids is None and not queries:
        raise invalid(
            "Either processInstanceIds, processInstanceQuery or historicProcessInstanceQuery should be set to update "
            "the suspension state."
        )
    if None in (order.process_instance_ids or ()):
        raise invalid("Cannot be null.: Process Instance ids contains null value")
    return Plan(
        SUSPENSION,
        {"suspended": order.suspended},
        [str(name) for name in dict.fromkeys(order.process_instance_ids or ())],
        lambda: queries,
        empty=invalid("No process instance ids given: process Instance Ids is empty"),
        operation=("SuspendJob" if order.suspended else "ActivateJob", "ProcessInstance"),
    )
