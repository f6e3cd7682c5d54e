"""Create a batch that sets the retries of external tasks, or of jobs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.batch.collect import collect
from store.batch.jobs import insert_job
from store.batch.subjects import EXTERNAL_TASKS, JOBS, Subject
from store.commands.operators import NOBODY, Operator, in_bulk
from store.commands.retries import NEGATIVE, NO_RETRIES, SET_RETRIES, explicit_ids, first_unknown, sources_of
from store.contract.errors import ContractError, engine_error, invalid, no_external_task
from store.contract.orders import SetExternalTaskRetries, SetJobsRetries
from store.contract.records import MONITOR_JOB, SEED_JOB
from store.contract.records import Batch as Record
from store.database import new_id, now
from store.queries.batches import BATCHES
from store.queries.jobs import job_ids
from store.settings import StoreSettings
from store.tables import Batch, BatchGroup, JobDefinition
from store.tables.types import Rows, col


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch that is to be made; all of the order is checked that can be without the database.

    Attributes:
        subject: what its ids name.
        retries: what is set.
        explicit: ids that were given one by one, each once.
        sources: gives selects of further ids; raises what the contract checks last.
        empty: what is said when nothing is named.
        operation: the order and what it is given to, as the user operation log calls them.
        known: every explicit id must name something.
        refusal: raised when something is named.
        due: columns of the batch with the due date that its jobs set.
    """

    subject: Subject
    retries: int
    explicit: list[str]
    sources: Callable[[], list[Rows]]
    empty: str
    operation: tuple[str, str]
    known: bool = False
    refusal: ContractError | None = None
    due: dict[str, Any] = field(default_factory=dict)

    async def check_ids(self, connection: AsyncConnection) -> None:
        """Check that the explicit ids name something, where they must.

        Raises:
            ContractError: 404, the first of them does not.
        """
        unknown = await first_unknown(connection, self.explicit) if self.known else None
        if unknown is not None:
            raise no_external_task(unknown)

    def check_count(self, elements: int) -> None:
        """Check that it has ids and may be made.

        Raises:
            ContractError: 400 or 500.
        """
        if not elements:
            raise invalid(self.empty)
        if self.refusal is not None:
            raise self.refusal


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
    retries = order.retries
    if retries is None:
        raise invalid(NO_RETRIES)
    explicit = explicit_ids(order)
    if retries < 0:
        raise invalid(NEGATIVE)
    return Plan(
        EXTERNAL_TASKS,
        retries,
        explicit,
        sources,
        empty="externalTaskIds is empty",
        operation=(SET_RETRIES, "ExternalTask"),
        known=settings.strict,
    )


def plan_job_retries(order: SetJobsRetries) -> Plan:
    """The batch that sets the retries of the jobs that an order names. Unknown ids are accepted, and their jobs fail.

    Args:
        order: the union of ids and query is taken.

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
    due = {"due_date": order.due_date, "sets_due_date": True} if "due_date" in order.model_fields_set else {}
    return Plan(
        JOBS,
        retries,
        list(dict.fromkeys(str(job_id) for job_id in order.job_ids or ())),
        lambda: sources,
        empty="jobIds is empty",
        operation=("SetJobRetries", "Job"),
        refusal=engine_error("Retries count is not greater than or equal to 0") if retries < 0 else None,
        due=due,
    )


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
    await plan.check_ids(connection)
    batch_id = new_id()
    elements = await collect(connection, batch_id, plan.subject, plan.explicit, plan.sources())
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
        {"id": work, "job_type": plan.subject.batch_type, "deployment_id": None},
    ]
    await connection.execute(
        insert(JobDefinition), [{**one, "job_configuration": batch_id, "suspended": False} for one in definitions]
    )
    per_job = settings.invocations_per_batch_job
    await connection.execute(
        insert(Batch).values(
            id=batch_id,
            type=plan.subject.batch_type,
            retries=plan.retries,
            **plan.due,
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
    count = in_bulk(elements, later=True, retries=plan.retries)
    await by.note(connection, *plan.operation, *count)
    return await BATCHES.get(connection, batch_id)
