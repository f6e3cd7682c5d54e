"""Batches that delete running process instances."""

from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import INSTANCES, BatchType, Ordered, Plan
from retriage.store.commands.instances import delete_instances
from retriage.store.commands.selected_rows import kept_ids, listed
from retriage.store.contract.errors import invalid
from retriage.store.contract.orders import DeleteInstances
from retriage.store.contract.records import INSTANCE_DELETION
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.queries.process_instances import RUNNING_BY_ID
from retriage.store.tables import ProcessInstance
from retriage.store.tables.types import Rows, col

_ID = col(ProcessInstance.id)


async def _work(connection: AsyncConnection, ids: Rows, ordered: Ordered) -> None:
    running = await kept_ids(connection, _ID, _ID.in_(ids), RUNNING_BY_ID)
    await delete_instances(connection, listed(running), ordered.configuration["deleteReason"])


DELETION = BatchType(INSTANCE_DELETION, INSTANCES, _work)


def plan_deletion(order: DeleteInstances, *, historic: bool = False) -> Plan:
    """The batch that deletes the instances that an order names. The job of an unknown id has nothing to do.

    Args:
        order: the union of its sources is taken.
        historic: the historic query is one of them. Without, the order ignores it (observed on Camunda 7.24.0).

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    if not historic:
        order = order.model_copy(update={"historic_process_instance_query": None})
    if None in (order.process_instance_ids or ()):
        raise invalid("Process instance id cannot be null: processInstanceIds contains null value")
    queries = instances_of_queries(order)
    return Plan(
        DELETION,
        {"deleteReason": order.delete_reason},
        [str(name) for name in dict.fromkeys(order.process_instance_ids or ())],
        lambda: queries,
        empty=invalid("processInstanceIds is empty"),
        operation=("Delete", "ProcessInstance"),
        logged={"deleteReason": order.delete_reason},
    )
