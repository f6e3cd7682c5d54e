"""A plain world, written straight into the tables: many tasks that differ in nothing but their topic."""

from sqlalchemy import insert

from retriage.store.database import Database, new_id, now
from retriage.store.tables import Deployment, Execution, ExternalTask, ProcessDefinition, ProcessInstance

SLICE = 5000


async def plain_world(
    database: Database, tasks: int, *, retries: int | None = 3, deployments: int = 1, topics: int = 10
) -> None:
    """Write ``tasks`` instances with one external task each, spread evenly over versions and topics."""
    at = now()
    async with database.writing() as connection:
        for number in range(deployments):
            await connection.execute(insert(Deployment).values(id=f"dep-{number}", deployment_time=at))
            await connection.execute(
                insert(ProcessDefinition).values(
                    id=f"plain:{number + 1}:def",
                    key="plain",
                    version=number + 1,
                    deployment_id=f"dep-{number}",
                    resource="plain.bpmn",
                    suspended=False,
                )
            )
    for start in range(0, tasks, SLICE):
        instances = [
            {
                "id": new_id(),
                "process_definition_id": f"plain:{number % deployments + 1}:def",
                "business_key": f"key-{number}",
                "state": "ACTIVE",
                "start_time": at,
            }
            for number in range(start, min(start + SLICE, tasks))
        ]
        executions = [
            {
                "id": new_id(),
                "process_instance_id": instance["id"],
                "activity_id": "work",
                "activity_instance_id": f"work:{number}",
            }
            for number, instance in enumerate(instances, start)
        ]
        rows = [
            {
                "id": new_id(),
                "topic_name": f"topic-{number % topics}",
                "process_instance_id": instance["id"],
                "process_definition_id": instance["process_definition_id"],
                "execution_id": execution["id"],
                "activity_id": "work",
                "activity_instance_id": execution["activity_instance_id"],
                "create_time": at,
                "retries": retries,
                "error_message": f"failure number {number}",
                "priority": 0,
                "suspended": False,
            }
            for number, (instance, execution) in enumerate(zip(instances, executions, strict=True), start)
        ]
        async with database.writing() as connection:
            await connection.execute(insert(ProcessInstance), instances)
            await connection.execute(insert(Execution), executions)
            await connection.execute(insert(ExternalTask), rows)
