"""Create a batch, of whatever type."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import Plan
from retriage.store.batch.collect import collect
from retriage.store.batch.jobs import insert_job
from retriage.store.commands.operators import NOBODY, Operator, in_bulk
from retriage.store.contract.records import MONITOR_JOB, SEED_JOB
from retriage.store.contract.records import Batch as Record
from retriage.store.database import new_id, now
from retriage.store.queries.batches import BATCHES
from retriage.store.settings import StoreSettings
from retriage.store.tables import Batch, BatchGroup, JobDefinition
from retriage.store.tables.types import col


async def create(connection: AsyncConnection, plan: Plan, settings: StoreSettings, by: Operator = NOBODY) -> Record:
    """Collect the ids of a batch and create it, in the caller's transaction.

    Args:
        connection: the caller's transaction; nothing is stored when it is rolled back.
        plan: what it is to do.
        settings: how it is cut into jobs.
        by: who gives the order.

    Returns:
        The batch, with no job created yet.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks, 404 in strict mode.
    """
    if plan.check is not None:
        await plan.check(connection)
    batch_id = new_id()
    elements = await collect(connection, batch_id, plan.type, plan.explicit, plan.sources())
    plan.check_count(elements)
    return await write_batch(connection, batch_id, plan, elements, settings, by)


async def write_batch(
    connection: AsyncConnection, batch_id: str, plan: Plan, elements: int, settings: StoreSettings, by: Operator
) -> Record:
    """The batch over elements and groups that are there: its row, its three job definitions, the first seed job, and
    the entry in the user operation log.
    """
    first_group = select(col(BatchGroup.deployment_id)).where(
        col(BatchGroup.batch_id) == batch_id, col(BatchGroup.first) == 0
    )
    deployment_id = (await connection.execute(first_group)).scalar_one()
    seed, monitor, work = new_id(), new_id(), new_id()
    definitions = [
        {"id": seed, "job_type": SEED_JOB, "deployment_id": deployment_id},
        {"id": monitor, "job_type": MONITOR_JOB, "deployment_id": None},
        {"id": work, "job_type": plan.type.name, "deployment_id": None},
    ]
    await connection.execute(
        insert(JobDefinition), [{**one, "job_configuration": batch_id, "suspended": False} for one in definitions]
    )
    per_job = settings.invocations_of(plan.type.name)
    await connection.execute(
        insert(Batch).values(
            id=batch_id,
            type=plan.type.name,
            configuration=plan.written,
            job_retries=settings.default_number_of_retries,
            elements=elements,
            seeded=0,
            total_jobs=-(-elements // per_job),
            jobs_created=0,
            batch_jobs_per_seed=settings.batch_jobs_per_seed,
            invocations_per_batch_job=per_job,
            seed_job_definition_id=seed,
            monitor_job_definition_id=monitor,
            batch_job_definition_id=work,
            suspended=False,
            create_user_id=by.user,
            start_time=now(),
        )
    )
    await insert_job(connection, batch_id, SEED_JOB, now())
    if plan.write_more is not None:
        await plan.write_more(connection, batch_id)
    changes = in_bulk(elements, later=True, **plan.logged) if plan.counted else []
    about = None if plan.about is None else await plan.about(connection)
    await by.note(connection, *plan.operation, *changes, about=about)
    return await BATCHES.get(connection, batch_id)
