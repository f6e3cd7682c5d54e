"""Deployments: which, how many, one."""

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.deployments import Deployment as Record
from store.contract.deployments import DeploymentQuery
from store.contract.errors import missing
from store.queries.conditions import Condition, Conditions, conditions, count_of, equals, flag, like, page_of
from store.queries.definitions import tenants
from store.queries.sorting import order_by
from store.tables import Deployment
from store.tables.types import Rows, col

_D = Deployment
_ID: ColumnElement[Any] = col(_D.id)

CONDITIONS: Conditions = {
    "id": equals(_ID),
    "name": equals(col(_D.name)),
    "name_like": like(col(_D.name)),
    "source": equals(col(_D.source)),
    "without_source": flag(lambda: col(_D.source).is_(None)),
    "before": lambda value: col(_D.deployment_time) < value,
    "after": lambda value: col(_D.deployment_time) > value,
    "tenant_id_in": lambda _value: None,  # has a modifier: see below
    "without_tenant_id": flag(lambda: col(_D.tenant_id).is_(None)),
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "id": _ID,
    "name": col(_D.name),
    "deploymentTime": col(_D.deployment_time),
    "tenantId": col(_D.tenant_id),
}

_ROWS: Rows = select(_ID, col(_D.name), col(_D.source), col(_D.deployment_time), col(_D.tenant_id)).select_from(_D)


def _conditions(query: DeploymentQuery) -> list[Condition]:
    of_tenants = tenants(col(_D.tenant_id), query.tenant_id_in, query.include_deployments_without_tenant_id)
    found = conditions(query, CONDITIONS)
    return found if of_tenants is None else [*found, of_tenants]


async def list_deployments(
    connection: AsyncConnection, query: DeploymentQuery, first: int = 0, size: int | None = None
) -> list[Record]:
    """One page of the deployments that match.

    Raises:
        ContractError: a filter or sort key that the contract refuses.
    """
    order = order_by(query, SORT_COLUMNS, _ID)
    rows = await page_of(connection, _ROWS, _ID, _conditions(query), order, first, size)
    return [Record(**row._mapping) for row in rows]


async def count_deployments(connection: AsyncConnection, query: DeploymentQuery) -> int:
    """How many deployments match."""
    order_by(query, SORT_COLUMNS, _ID)
    return await count_of(connection, _ID, _conditions(query))


async def get_deployment(connection: AsyncConnection, deployment_id: str) -> Record:
    """One deployment.

    Raises:
        ContractError: 404, there is none with that id.
    """
    row = (await connection.execute(_ROWS.where(_ID == deployment_id))).one_or_none()
    if row is None:
        raise missing(f"Deployment with id '{deployment_id}' does not exist")
    return Record(**row._mapping)
