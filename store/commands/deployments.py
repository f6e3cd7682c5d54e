"""Deploy files, and remove deployments."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.bpmn import Node, NotSupported, Pause, Problem, Process, parse
from retriage.store.commands.operators import NOBODY, Change, Operator
from retriage.store.commands.processes import remember
from retriage.store.commands.refusals import can_not_parse
from retriage.store.contract.deployments import Deployment as Record
from retriage.store.contract.records import ASYNC_JOB, TIMER_JOB
from retriage.store.contract.records import ProcessDefinition as DefinitionRecord
from retriage.store.database import elsewhere, new_id, now
from retriage.store.queries.conditions import one_of
from retriage.store.queries.of_definition import PRESENT
from retriage.store.tables import Deployment, DeploymentResource, JobDefinition, ProcessDefinition
from retriage.store.tables.types import Rows, col

BPMN_SUFFIXES = (".bpmn", ".bpmn20.xml")
"""Files with these names are read as BPMN; all others are only kept."""

_DEPLOYS = 0x726574726961
"""Number of the lock under which PostgreSQL lets one deployment at a time count versions."""


_NO_SOURCE = "process application"
"""The source that stands for none, or an empty one, where duplicates are looked for (observed on Camunda 7.24.0)."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment, and the definitions that this order made: none when nothing had changed."""

    deployment: Record
    definitions: list[DefinitionRecord]


async def deploy(
    connection: AsyncConnection,
    name: str | None,
    resources: Mapping[str, bytes],
    *,
    source: str | None = None,
    tenant_id: str | None = None,
    filter_duplicates: bool = False,
    changed_only: bool = False,
    by: Operator = NOBODY,
) -> Deployed:
    """Store files and make a new version of each executable process in them.

    Args:
        connection: the caller's transaction.
        name: name of the deployment; duplicates are looked for among deployments of this name, without one nowhere.
        resources: content by file name.
        source: free text; duplicates are looked for among deployments of the same source.
        tenant_id: owner of the definitions.
        filter_duplicates: deploy nothing if the newest files of these names are the same.
        changed_only: deploy the files that differ from the newest of their names.
        by: who gives the order.

    Raises:
        ContractError: 400 ``ParseException`` with ``details``: a file is no BPMN, or more than the store runs. Nothing
            is stored then.
    """
    filtered = filter_duplicates or changed_only
    changes = [Change("duplicateFilterEnabled", filtered)]
    if filtered:
        changes.append(Change("deployChangedOnly", changed_only))
    if name is not None and filtered:
        known = await _newest(connection, name, resources, source, tenant_id)
        changed = {file: content for file, content in resources.items() if known.get(file) != content}
        if not changed and (latest := await _latest(connection, name)) is not None:
            await by.note(connection, "Create", "Deployment", *changes, about={"deployment_id": latest.id})
            return Deployed(latest, [])
        resources = changed if changed_only else resources
    processes = await elsewhere(_parse_all, resources)
    deployment = Record(id=new_id(), name=name, source=source, deployment_time=now(), tenant_id=tenant_id)
    await connection.execute(insert(Deployment).values(deployment.model_dump(exclude={"links"})))
    if resources:
        rows = [
            {"deployment_id": deployment.id, "name": file, "content": content} for file, content in resources.items()
        ]
        await connection.execute(insert(DeploymentResource), rows)
    made = Deployed(deployment, await _define(connection, deployment, processes))
    await by.note(connection, "Create", "Deployment", *changes, about={"deployment_id": deployment.id})
    return made


def _parse_all(resources: Mapping[str, bytes]) -> list[tuple[str, Process]]:
    """The processes of all files with the name of their file."""
    found: list[tuple[str, Process]] = []
    refusals: list[NotSupported] = []
    keys: set[str] = set()
    for file, content in resources.items():
        if not file.endswith(BPMN_SUFFIXES):
            continue
        try:
            processes = parse(content, file)
        except NotSupported as refusal:
            refusals.append(refusal)
            continue
        for process in processes:
            if process.key in keys:
                sentence = (
                    f"The deployment contains definitions with the same key '{process.key}' (id attribute), "
                    "this is not allowed"
                )
                refusals.append(NotSupported(file, [Problem(sentence, elements=(process.key,))]))
            keys.add(process.key)
            found.append((file, process))
    if refusals:
        raise can_not_parse(refusals)
    return found


async def _define(
    connection: AsyncConnection, deployment: Record, processes: list[tuple[str, Process]]
) -> list[DefinitionRecord]:
    if not processes:
        return []
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_DEPLOYS)))
    versions = await _versions(connection, [process.key for _, process in processes], deployment.tenant_id)
    made = []
    for file, process in processes:
        version = versions.get(process.key, 0) + 1
        definition = DefinitionRecord(
            id=f"{process.key}:{version}:{new_id()}",
            key=process.key,
            category=process.category,
            description=process.description,
            name=process.name,
            version=version,
            resource=file,
            deployment_id=deployment.id,
            suspended=False,
            tenant_id=deployment.tenant_id,
            version_tag=process.version_tag,
            history_time_to_live=process.history_time_to_live,
            startable_in_tasklist=process.startable_in_tasklist,
        )
        remember(definition.id, process)
        made.append(definition)
    rows = [definition.model_dump(exclude={"diagram"}) for definition in made]
    await connection.execute(insert(ProcessDefinition), rows)
    jobs = [
        _job_definition(definition, node, pause)
        for definition, (_, process) in zip(made, processes, strict=True)
        for node, pause in process.jobs()
    ]
    if jobs:
        await connection.execute(insert(JobDefinition), jobs)
    return made


def _job_definition(definition: DefinitionRecord, node: Node, pause: Pause) -> dict[str, object]:
    timer = node.timer if pause is Pause.TIMER else None
    return {
        "id": new_id(),
        "job_type": TIMER_JOB if timer else ASYNC_JOB,
        "job_configuration": f"{timer.kind}: {timer.text}" if timer else pause.value,
        "suspended": False,
        "process_definition_id": definition.id,
        "activity_id": node.id,
        "tenant_id": definition.tenant_id,
    }


async def _versions(connection: AsyncConnection, keys: list[str], tenant_id: str | None) -> dict[str, int]:
    key = col(ProcessDefinition.key)
    statement = (
        select(key, func.max(col(ProcessDefinition.version)))
        .where(PRESENT, one_of(key, keys), col(ProcessDefinition.tenant_id).is_not_distinct_from(tenant_id))
        .group_by(key)
    )
    return {row[0]: row[1] for row in await connection.execute(statement)}


async def _newest(
    connection: AsyncConnection,
    name: str,
    resources: Mapping[str, bytes],
    source: str | None,
    tenant_id: str | None,
) -> dict[str, bytes]:
    """The last deployed content of each file, among the deployments of this name, source and tenant."""
    of_source = col(Deployment.source) == (source or _NO_SOURCE)
    if not source:
        of_source = or_(col(Deployment.source).is_(None), of_source)
    of_tenant = col(Deployment.tenant_id).is_not_distinct_from(tenant_id)
    found = {}
    for file in resources:
        content: Rows = (
            select(col(DeploymentResource.content))
            .join(Deployment, col(Deployment.id) == col(DeploymentResource.deployment_id))
            .where(col(DeploymentResource.name) == file, of_source, of_tenant)
        )
        row = (await connection.execute(_last(content, name))).one_or_none()
        if row is not None:
            found[file] = row.content
    return found


async def _latest(connection: AsyncConnection, name: str) -> Record | None:
    """The last deployment of this name, whatever its source and tenant are (observed on Camunda 7.24.0)."""
    columns = (getattr(Deployment, field) for field in Record.model_fields if field != "links")
    row = (await connection.execute(_last(select(*columns), name))).one_or_none()
    return None if row is None else Record(**row._mapping)


def _last(statement: Rows, name: str) -> Rows:
    """The row of the last deployment of this name."""
    order = (col(Deployment.deployment_time).desc(), col(Deployment.id).desc())
    return statement.where(col(Deployment.name) == name).order_by(*order).limit(1)
