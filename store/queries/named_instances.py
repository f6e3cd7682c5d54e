"""Process instances that an order names by queries."""

from sqlalchemy import select

from retriage.store.contract.orders import NamesInstances, SetExternalTaskRetries, SetInstancesJobsRetries
from retriage.store.queries.historic_process_instances import historic_process_instance_conditions
from retriage.store.queries.process_instances import process_instance_conditions
from retriage.store.queries.sorting import sort_keys
from retriage.store.tables import ProcessInstance
from retriage.store.tables.types import Rows, col


def instances_of_queries(order: NamesInstances | SetExternalTaskRetries | SetInstancesJobsRetries) -> list[Rows]:
    """A select of instance ids for each query of an order; the order of the rows is of no account.

    Raises:
        ContractError: a filter or sort key that the contract refuses.
    """
    found: list[Rows] = []
    ids = select(col(ProcessInstance.id))
    if order.process_instance_query is not None:
        found.append(ids.where(*process_instance_conditions(order.process_instance_query, nested=True)))
        sort_keys(order.process_instance_query)
    if order.historic_process_instance_query is not None:
        asked = historic_process_instance_conditions(order.historic_process_instance_query, nested=True)
        found.append(ids.where(*asked))
        sort_keys(order.historic_process_instance_query)
    return found
