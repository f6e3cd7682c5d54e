"""Process definitions: which, how many, one, its file."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from retriage.store.contract.deployments import ProcessDefinitionQuery, ProcessDefinitionXml
from retriage.store.contract.errors import ContractError, engine_error, missing
from retriage.store.contract.records import ProcessDefinition as Record
from retriage.store.queries.conditions import Condition, Conditions, among, conditions, equals, flag, like
from retriage.store.queries.listing import Listing
from retriage.store.queries.of_definition import PRESENT
from retriage.store.tables import Deployment, DeploymentResource, Incident, ProcessDefinition
from retriage.store.tables.types import Rows, col

_D = ProcessDefinition
_ID: ColumnElement[Any] = col(_D.id)
_DEPLOY_TIME: ColumnElement[Any] = (
    select(col(Deployment.deployment_time)).where(col(Deployment.id) == col(_D.deployment_id)).scalar_subquery()
)


def _latest() -> Condition:
    newer = aliased(_D)
    return not_(
        exists().where(
            col(newer.key) == col(_D.key),
            col(newer.tenant_id).is_not_distinct_from(col(_D.tenant_id)),
            col(newer.version) > col(_D.version),
            col(newer.removed).is_(False),
        )
    )


_INCIDENT_FILTERS: Conditions = {
    "incident_id": equals(col(Incident.id)),
    "incident_type": equals(col(Incident.incident_type)),
    "incident_message": equals(col(Incident.incident_message)),
    "incident_message_like": like(col(Incident.incident_message)),
}


def _version(value: int) -> Condition:
    if value <= 0:
        raise engine_error("version is not greater than 0")
    return col(_D.version) == value


CONDITIONS: Conditions = {
    "process_definition_id": equals(_ID),
    "process_definition_id_in": among(_ID),
    "key": equals(col(_D.key)),
    "key_like": like(col(_D.key)),
    "keys_in": among(col(_D.key)),
    "name": equals(col(_D.name)),
    "name_like": like(col(_D.name), ignore_case=True),
    "version": _version,
    "latest_version": flag(_latest),
    "version_tag": equals(col(_D.version_tag)),
    "version_tag_like": like(col(_D.version_tag)),
    "without_version_tag": flag(lambda: col(_D.version_tag).is_(None)),
    "category": equals(col(_D.category)),
    "category_like": like(col(_D.category)),
    "resource_name": equals(col(_D.resource)),
    "resource_name_like": like(col(_D.resource)),
    "deployment_id": equals(col(_D.deployment_id)),
    "deployed_after": lambda value: _DEPLOY_TIME > value,
    "deployed_at": lambda value: _DEPLOY_TIME == value,
    "active": flag(lambda: col(_D.suspended).is_(False)),
    "suspended": flag(lambda: col(_D.suspended).is_(True)),
    **{name: lambda _value: None for name in _INCIDENT_FILTERS},  # one incident must fulfil all: see below
    "tenant_id_in": lambda _value: None,  # has a modifier: see below
    "without_tenant_id": flag(lambda: col(_D.tenant_id).is_(None)),
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "category": col(_D.category),
    "key": col(_D.key),
    "id": _ID,
    "name": col(_D.name),
    "version": col(_D.version),
    "deploymentId": col(_D.deployment_id),
    "deployTime": _DEPLOY_TIME,
    "tenantId": col(_D.tenant_id),
    "versionTag": col(_D.version_tag),
}

_ROWS: Rows = select(
    _ID,
    col(_D.key),
    col(_D.category),
    col(_D.description),
    col(_D.name),
    col(_D.version),
    col(_D.resource),
    col(_D.deployment_id),
    col(_D.suspended),
    col(_D.tenant_id),
    col(_D.version_tag),
    col(_D.history_time_to_live),
    col(_D.startable_in_tasklist),
).select_from(_D)


def tenants(column: ColumnElement[Any], names: list[str | None] | None, or_none: bool | None) -> Condition | None:
    """One of these tenants, or none at all where ``or_none`` says so; no condition for no names."""
    condition = among(column, "tenantIds")(names or [])
    return or_(condition, column.is_(None)) if condition is not None and or_none else condition


def _conditions(query: ProcessDefinitionQuery) -> list[Condition]:
    one = (query.process_definition_id, query.version, query.deployment_id)
    if query.latest_version and any(value is not None for value in one):
        raise engine_error(
            "Calling latest() can only be used in combination with key(String) and keyLike(String) "
            "or name(String) and nameLike(String)"
        )
    found = conditions(query, CONDITIONS, wins=(("suspended", "active"),))
    values = query.chosen()
    same = [make(values[name]) for name, make in _INCIDENT_FILTERS.items() if name in values]
    if same:
        open_here = (col(Incident.process_definition_id) == _ID, col(Incident.end_time).is_(None))
        found.append(exists().where(*open_here, *(condition for condition in same if condition is not None)))
    if query.without_tenant_id:  # wins over names
        return found
    of_tenants = tenants(col(_D.tenant_id), query.tenant_id_in, query.include_process_definitions_without_tenant_id)
    return found if of_tenants is None else [*found, of_tenants]


def _no_definition(definition_id: str) -> ContractError:
    return missing(f"No matching definition with id {definition_id}", 0)


DEFINITIONS = Listing(
    query=ProcessDefinitionQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(PRESENT,),
    where=_conditions,
    unknown=_no_definition,
)


_LATEST = (
    select(_ID)
    .where(PRESENT, col(_D.key) == bindparam("key"), col(_D.tenant_id).is_not_distinct_from(bindparam("tenant")))
    .order_by(col(_D.version).desc())
    .limit(1)
)


async def latest_definition_id(connection: AsyncConnection, key: str, tenant_id: str | None = None) -> str:
    """The id of the highest version of a key, of one tenant or of none.

    Raises:
        ContractError: 404, there is none.
    """
    found: str | None = (await connection.execute(_LATEST, {"key": key, "tenant": tenant_id})).scalar_one_or_none()
    if found is None:
        owner = "no tenant-id" if tenant_id is None else f"tenant-id: {tenant_id}"
        raise ContractError(404, "RestException", f"No matching process definition with key: {key} and {owner}")
    return found


async def definition_content(connection: AsyncConnection, definition_id: str) -> bytes | None:
    """The file that a definition was read from, none if there is no such definition."""
    statement = (
        select(col(DeploymentResource.content))
        .join(
            _D,
            (col(_D.deployment_id) == col(DeploymentResource.deployment_id))
            & (col(_D.resource) == col(DeploymentResource.name)),
        )
        .where(_ID == definition_id)
    )
    content: bytes | None = (await connection.execute(statement)).scalar_one_or_none()
    return content


async def definition_xml(connection: AsyncConnection, definition_id: str) -> ProcessDefinitionXml:
    """The drawing of a definition.

    Raises:
        ContractError: 404, there is none with that id.
    """
    content = await definition_content(connection, definition_id)
    if content is None:
        raise _no_definition(definition_id)
    return ProcessDefinitionXml(id=definition_id, bpmn20_xml=content.decode("utf-8", "replace"))
