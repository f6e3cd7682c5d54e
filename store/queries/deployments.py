"""Deployments: which, how many, one."""

from typing import Any

from sqlalchemy import ColumnElement, select

from retriage.store.contract.deployments import Deployment as Record
from retriage.store.contract.deployments import DeploymentQuery
from retriage.store.contract.errors import invalid
from retriage.store.queries.conditions import Condition, Conditions, conditions, equals, flag, like
from retriage.store.queries.definitions import tenants
from retriage.store.queries.listing import Listing
from retriage.store.tables import Deployment
from retriage.store.tables.types import Rows, col

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
    if query.without_source and query.source is not None:
        raise invalid('The query parameters "withoutSource" and "source" cannot be used in combination.')
    found = conditions(query, CONDITIONS)
    if query.without_tenant_id:  # wins over names
        return found
    of_tenants = tenants(col(_D.tenant_id), query.tenant_id_in, query.include_deployments_without_tenant_id)
    return found if of_tenants is None else [*found, of_tenants]


DEPLOYMENTS = Listing(
    query=DeploymentQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    where=_conditions,
    unknown="Deployment with id '{}' does not exist",
)
