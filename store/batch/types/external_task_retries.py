"""Batches that set the retries of external tasks."""

from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import TASKS, BatchType, Ordered, Plan
from retriage.store.commands.retries import (
    NEGATIVE,
    NO_RETRIES,
    SET_RETRIES,
    explicit_ids,
    first_unknown,
    set_retries,
    sources_of,
)
from retriage.store.contract.errors import invalid, no_external_task
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.records import SET_EXTERNAL_TASK_RETRIES
from retriage.store.settings import StoreSettings
from retriage.store.tables.types import Rows


async def _work(connection: AsyncConnection, ids: Rows, ordered: Ordered) -> None:
    await set_retries(connection, ids, ordered.configuration["retries"])


EXTERNAL_TASK_RETRIES = BatchType(
    SET_EXTERNAL_TASK_RETRIES, TASKS, _work, unknown="Cannot find external task with id {}: externalTask is null"
)


def plan_task_retries(order: SetExternalTaskRetries, settings: StoreSettings) -> Plan:
    """The batch that sets the retries of the external tasks that an order names.

    Unknown ids are accepted, as the engine does it, and their jobs fail; with ``settings.strict`` the first of them is
    refused instead. Negative retries are always refused, as the reference page of the REST API promises.

    Args:
        order: the six fields of the request; the union of its sources is taken.
        settings: whether unknown ids are refused.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    sources = sources_of(order)
    if order.retries is None:
        raise invalid(NO_RETRIES)
    explicit = explicit_ids(order)
    if order.retries < 0:
        raise invalid(NEGATIVE)
    return Plan(
        EXTERNAL_TASK_RETRIES,
        {"retries": order.retries},
        explicit,
        sources,
        empty=invalid("externalTaskIds is empty"),
        operation=(SET_RETRIES, "ExternalTask"),
        logged={"retries": order.retries},
        check=partial(_check_known, explicit=explicit) if settings.strict else None,
    )


async def _check_known(connection: AsyncConnection, explicit: list[str]) -> None:
    unknown = await first_unknown(connection, explicit)
    if unknown is not None:
        raise no_external_task(unknown)
