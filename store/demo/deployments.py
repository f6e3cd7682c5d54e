"""Deploying the processes of the demo world, as if it had been done over the last weeks."""

from random import Random

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands.deployments import deploy
from retriage.store.demo.bpmn_xml import draw
from retriage.store.demo.ids import Ids
from retriage.store.demo.process_versions import Version
from retriage.store.demo.processes import RELEASES, Release
from retriage.store.demo.times import moment
from retriage.store.tables import Deployment, DeploymentResource, ProcessDefinition
from retriage.store.tables.types import col


async def deploy_releases(connection: AsyncConnection, random: Random, now: int) -> list[Version]:
    """Deploy all releases, and give them the ids and the times of the demo world. ``now`` in milliseconds."""
    ids = Ids(random)
    versions: list[Version] = []
    for release in RELEASES:
        versions += await _release(connection, release, ids, now - release.age)
    return versions


async def _release(connection: AsyncConnection, release: Release, ids: Ids, at: int) -> list[Version]:
    resources = {f"{process.key}.bpmn": draw(process) for process in release.processes}
    deployed = await deploy(connection, release.name, resources, source="retriage demo", tenant_id=release.tenant_id)
    old, new = deployed.deployment.id, ids.at(at)
    owner = col(DeploymentResource.deployment_id)
    await connection.execute(
        update(Deployment).where(col(Deployment.id) == old).values(id=new, deployment_time=moment(at))
    )
    await connection.execute(update(DeploymentResource).where(owner == old).values(deployment_id=new))
    made = {definition.key: definition for definition in deployed.definitions}
    versions = []
    for process in release.processes:
        definition = made[process.key]
        definition_id = f"{process.key}:{definition.version}:{ids.at(at)}"
        await connection.execute(
            update(ProcessDefinition)
            .where(col(ProcessDefinition.id) == definition.id)
            .values(id=definition_id, deployment_id=new)
        )
        versions.append(Version(definition_id, process, at, release.tenant_id))
    return versions
