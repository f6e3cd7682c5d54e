"""Create a batch that sets the retries of external tasks, or of jobs."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.collect import collect
from store.batch.jobs import insert_job
from store.batch.subjects import EXTERNAL_TASKS, JOBS, Subject
from store.commands.operators import NOBODY, Operator, in_bulk
from store.commands.retries import NEGATIVE, NO_RETRIES, SET_RETRIES, explicit_ids, first_unknown, sources_of
from store.contract.errors import engine_error, invalid, no_external_task
from store.contract.orders import SetExternalTaskRetries, SetJobsRetries
from store.contract.records import MONITOR_JOB, SEED_JOB
from store.contract.records import Batch as Record
from store.database import new_id, now
from store.queries.batches import BATCHES
from store.queries.jobs import job_ids
from store.settings import StoreSettings
from store.tables import Batch, BatchGroup, JobDefinition
from store.tables.types import Rows, col


async def set_retries_async(
    connection: AsyncConnection, order: SetExternalTaskRetries, settings: StoreSettings, by: Operator = NOBODY
) -> Record:
    """Collect the tasks that an order names and create the batch that will set their retries.

    Unknown ids are accepted, as the engine does it, and their jobs fail; with ``settings.strict`` the first of them is
    refused instead. Negative retries are always refused, as the reference page of the REST API promises.

    Args:
        connection: the caller's transaction; nothing is stored when it is rolled back.
        order: the six fields of the request; the union of its sources is taken.
        settings: how the batch is cut into jobs.
        by: who gives the order.

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
    made = _Made(EXTERNAL_TASKS, retries)
    batch = await _create(connection, made, explicit, sources(), settings, by)
    if batch is None:
        raise invalid("externalTaskIds is empty")
    count = in_bulk(made.elements, later=True, retries=retries)
    await by.note(connection, SET_RETRIES, "ExternalTask", *count)
    return batch


async def set_job_retries_async(
    connection: AsyncConnection, order: SetJobsRetries, settings: StoreSettings, by: Operator = NOBODY
) -> Record:
    """Collect the jobs that an order names and create the batch that will set their retries.

    Unknown ids are accepted, and their jobs fail.

    Args:
        connection: the caller's transaction; nothing is stored when it is rolled back.
        order: the union of ids and query is taken.
        settings: how the batch is cut into jobs.
        by: who gives the order.

    Returns:
        The batch, with no job created yet.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    retries = order.retries
    if retries is None:
        raise invalid("retries is null")
    sources = [] if order.job_query is None else [job_ids(order.job_query)]
    if not order.job_ids and not sources:
        raise engine_error("ENGINE-13050 You must specify at least one of jobIds or jobQuery.")
    if any(job_id is None for job_id in order.job_ids or ()):
        raise invalid("Job id cannot be null: jobIds contains null value")
    explicit = list(dict.fromkeys(str(job_id) for job_id in order.job_ids or ()))
    made = _Made(JOBS, retries)
    if "due_date" in order.model_fields_set:
        made.due = {"due_date": order.due_date, "sets_due_date": True}
    batch = await _create(connection, made, explicit, sources, settings, by)
    if batch is None:
        raise invalid("jobIds is empty")
    if retries < 0:
        raise engine_error("Retries count is not greater than or equal to 0")
    await by.note(connection, "SetJobRetries", "Job", *in_bulk(made.elements, later=True, retries=retries))
    return batch


@dataclass(slots=True)
class _Made:
    """What a batch in the making is to do, and to how many things."""

    subject: Subject
    retries: int
    due: dict[str, Any] = field(default_factory=dict)
    elements: int = 0


async def _create(
    connection: AsyncConnection,
    made: _Made,
    explicit: list[str],
    sources: list[Rows],
    settings: StoreSettings,
    by: Operator,
) -> Record | None:
    """Write a batch; none if nothing is named."""
    batch_id = new_id()
    made.elements = await collect(connection, batch_id, made.subject, explicit, sources)
    if not made.elements:
        return None
    await _write(connection, batch_id, made, settings, by)
    return await BATCHES.get(connection, batch_id)


async def _write(
    connection: AsyncConnection, batch_id: str, made: _Made, settings: StoreSettings, by: Operator
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
        {"id": work, "job_type": made.subject.batch_type, "deployment_id": None},
    ]
    await connection.execute(
        insert(JobDefinition), [{**one, "job_configuration": batch_id, "suspended": False} for one in definitions]
    )
    per_job = settings.invocations_per_batch_job
    await connection.execute(
        insert(Batch).values(
            id=batch_id,
            type=made.subject.batch_type,
            retries=made.retries,
            **made.due,
            job_retries=settings.default_number_of_retries,
            elements=made.elements,
            seeded=0,
            total_jobs=-(-made.elements // per_job),
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
