"""Batches that set the retries of jobs: of process instances, and those of other batches."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.batch_type import JOBS, BatchType, Ordered, Plan
from retriage.store.batch.job_retries import NO_JOB, set_retries_of_jobs
from retriage.store.contract.errors import engine_error, invalid
from retriage.store.contract.orders import SetInstancesJobsRetries, SetJobsRetries
from retriage.store.contract.records import SET_JOB_RETRIES
from retriage.store.contract.values import format_moment, parse_moment
from retriage.store.queries.conditions import one_of
from retriage.store.queries.jobs import job_ids
from retriage.store.queries.named_instances import instances_of_queries
from retriage.store.tables import Job
from retriage.store.tables.types import Rows, col


async def _work(connection: AsyncConnection, ids: Rows, ordered: Ordered) -> None:
    # Read at once: which ids they are depends on the batch's own jobs, rows of the same table.
    jobs = list((await connection.execute(ids)).scalars())
    due = {}
    if "dueDate" in ordered.configuration:
        text = ordered.configuration["dueDate"]
        due["due_date"] = None if text is None else parse_moment(text)
    await set_retries_of_jobs(connection, jobs, ordered.configuration["retries"], due)


JOB_RETRIES = BatchType(SET_JOB_RETRIES, JOBS, _work, unknown=NO_JOB)


def plan_job_retries(order: SetJobsRetries) -> Plan:
    """The batch that sets the retries of the jobs that an order names. Unknown ids are accepted, and their jobs fail.

    Args:
        order: the union of ids and query is taken.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    if order.retries is None:
        raise invalid("retries is null")
    sources = [] if order.job_query is None else [job_ids(order.job_query)]
    if not order.job_ids and not sources:
        raise engine_error("ENGINE-13050 You must specify at least one of jobIds or jobQuery.")
    if any(job_id is None for job_id in order.job_ids or ()):
        raise invalid("Job id cannot be null: jobIds contains null value")
    return _plan(order, list(dict.fromkeys(str(job_id) for job_id in order.job_ids or ())), sources)


def plan_job_retries_of_instances(order: SetInstancesJobsRetries, *, historic: bool = False) -> Plan:
    """The batch that sets the retries of all jobs of the instances that an order names.

    Args:
        order: the union of ids and query is taken.
        historic: the query for the history is the one that counts, not that for running instances.

    Raises:
        ContractError: 400 or 500 as the contract orders its checks.
    """
    if order.retries is None:
        raise invalid("retries is null")
    ignored = "process_instance_query" if historic else "historic_process_instance_query"
    queries = instances_of_queries(order.model_copy(update={ignored: None}))
    named = [name for name in order.process_instances or () if name is not None]
    if not order.process_instances and not queries:
        raise engine_error(
            "ENGINE-13051 You must specify at least one of or one of processInstanceIds, processInstanceQuery, or "
            "historicProcessInstanceQuery."
        )
    of_instance = col(Job.process_instance_id)
    sources = [select(col(Job.id)).where(of_instance.in_(query)) for query in queries]
    return _plan(order, [], [*sources, select(col(Job.id)).where(one_of(of_instance, named))])


def _plan(order: SetJobsRetries | SetInstancesJobsRetries, explicit: list[str], sources: list[Rows]) -> Plan:
    assert order.retries is not None
    configuration: dict[str, object] = {"retries": order.retries}
    if "due_date" in order.model_fields_set:
        configuration["dueDate"] = None if order.due_date is None else format_moment(order.due_date)
    return Plan(
        JOB_RETRIES,
        configuration,
        explicit,
        lambda: sources,
        empty=invalid("jobIds is empty"),
        operation=("SetJobRetries", "Job"),
        logged={"retries": order.retries},
        refusal=engine_error("Retries count is not greater than or equal to 0") if order.retries < 0 else None,
    )
