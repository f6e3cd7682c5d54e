"""Create a batch that sets the retries of external tasks."""

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.collect import collect
from store.batch.jobs import insert_job
from store.commands.retries import NEGATIVE, NO_RETRIES, explicit_ids, first_unknown, sources_of
from store.contract.errors import invalid, no_external_task
from store.contract.orders import SetExternalTaskRetries
from store.contract.records import MONITOR_JOB, SEED_JOB, SET_EXTERNAL_TASK_RETRIES
from store.contract.records import Batch as Record
from store.database import new_id, now
from store.queries.batches import get_batch
from store.settings import StoreSettings
from store.tables import Batch, BatchGroup, JobDefinition
from store.tables.types import col


async def set_retries_async(
    connection: AsyncConnection, order: SetExternalTaskRetries, settings: StoreSettings, user: str | None = None
) -> Record:
    """Collect the tasks that an order names and create the batch that will set their retries.

    Unknown ids are accepted, as the engine does it, and their jobs fail; with ``settings.strict`` the first of them is
    refused instead. Negative retries are always refused, as the reference page of the REST API promises.

    Args:
        connection: the caller's transaction; nothing is stored when it is rolled back.
        order: the six fields of the request; the union of its sources is taken.
        settings: how the batch is cut into jobs.
        user: who is authenticated, if anybody.

    Returns:
        The batch, with no job created yet.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks, 404 in strict mode.
    """
    sources = sources_of(order)
    retries = order.retries
    if retries is None:
        raise invalid(NO_RETRIES)
    explicit = explicit_ids(order)
    if retries < 0:
        raise invalid(NEGATIVE)
    if settings.strict:
        unknown = await first_unknown(connection, explicit)
        if unknown is not None:
            raise no_external_task(unknown)
    batch_id = new_id()
    elements = await collect(connection, batch_id, explicit, sources())
    if not elements:
        raise invalid("externalTaskIds is empty")
    await _write(connection, batch_id, retries, elements, settings, user)
    return await get_batch(connection, batch_id)


async def _write(
    connection: AsyncConnection, batch_id: str, retries: int, elements: int, settings: StoreSettings, user: str | None
) -> None:
    """The batch, its three job definitions and the first seed job."""
    first_group = select(col(BatchGroup.deployment_id)).where(
        col(BatchGroup.batch_id) == batch_id, col(BatchGroup.first) == 0
    )
    deployment_id = (await connection.execute(first_group)).scalar_one()
    seed, monitor, work = new_id(), new_id(), new_id()
    definitions = [
        {"id": seed, "job_type": SEED_JOB, "deployment_id": deployment_id},
        {"id": monitor, "job_type": MONITOR_JOB, "deployment_id": None},
        {"id": work, "job_type": SET_EXTERNAL_TASK_RETRIES, "deployment_id": None},
    ]
    await connection.execute(
        insert(JobDefinition), [{**one, "job_configuration": batch_id, "suspended": False} for one in definitions]
    )
    per_job = settings.invocations_per_batch_job
    await connection.execute(
        insert(Batch).values(
            id=batch_id,
            type=SET_EXTERNAL_TASK_RETRIES,
            retries=retries,
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
            create_user_id=user,
            start_time=now(),
        )
    )
    await insert_job(connection, batch_id, SEED_JOB, now())
