"""What an operator may do to job definitions, and to all the jobs of one."""

from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.job_retries import checked_retries
from retriage.store.commands.operators import NOBODY, Change, Operator, Place, suspension
from retriage.store.contract.errors import invalid, missing
from retriage.store.contract.orders import SetDefinitionPriority, SetDefinitionSuspended, SetJobsSuspended, SetRetries
from retriage.store.database import keep, now
from retriage.store.queries.conditions import Condition
from retriage.store.tables import Job, JobDefinition, ProcessDefinition
from retriage.store.tables.types import col

_SELECTORS = ("job_definition_id", "process_instance_id", "process_definition_id", "process_definition_key")


async def set_jobs_suspended(connection: AsyncConnection, order: SetJobsSuspended, by: Operator = NOBODY) -> None:
    """Suspend or activate the jobs of one job definition, process instance or process definition.

    Raises:
        ContractError: 400, not exactly one selector is given.
    """
    if order.job_id is not None:
        raise invalid(
            "Either jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey can be set to "
            "update the suspension state."
        )
    given = [name for name in _SELECTORS if getattr(order, name) is not None]
    if len(given) != 1:
        raise invalid(
            f"{'Only one of' if given else 'Either'} jobId, jobDefinitionId, processInstanceId, processDefinitionId or "
            "processDefinitionKey should be set to update the suspension state."
        )
    (selector,) = given
    named: str = getattr(order, selector)
    jobs: Condition
    if selector == "process_definition_key":
        of_key = select(col(ProcessDefinition.id)).where(col(ProcessDefinition.key) == named)
        jobs = col(Job.process_definition_id).in_(of_key)
    else:
        jobs = col(getattr(Job, selector)) == named
    await _suspend(connection, jobs, order.suspended)
    word = "SuspendJob" if order.suspended else "ActivateJob"
    about = await _about(connection, selector, named, by)
    await by.note(connection, word, "Job", suspension(order.suspended), about=about)


async def _about(connection: AsyncConnection, selector: str, named: str, by: Operator) -> Place:
    """What the log says of such an order: of unknown instances and process definitions nothing, as the engine does."""
    if selector == "process_instance_id":
        about = await by.about_instance(connection, named)
        return about if "process_definition_id" in about else {}
    if selector == "process_definition_id":
        return await by.about_definition(connection, named)
    return {selector: named}


async def set_definition_suspended(
    connection: AsyncConnection, definition_id: str, order: SetDefinitionSuspended, by: Operator = NOBODY
) -> None:
    """Suspend or activate a job definition, so that its later jobs are born so. Nothing happens to an unknown one.

    Raises:
        ContractError: 400, the date is none, or it lies in the future: there are no timers here.
    """
    _check_date(definition_id, order)
    await connection.execute(
        update(JobDefinition).where(col(JobDefinition.id) == definition_id).values(suspended=order.suspended)
    )
    if order.include_jobs:
        await _suspend(connection, _jobs_of(definition_id), order.suspended)
    word = "SuspendJobDefinition" if order.suspended else "ActivateJobDefinition"
    about: Place = {"job_definition_id": definition_id}
    await by.note(connection, word, "JobDefinition", suspension(order.suspended), about=about)


def _check_date(definition_id: str, order: SetDefinitionSuspended) -> None:
    if not order.execution_date:
        return
    try:
        moment = datetime.fromisoformat(order.execution_date)
    except ValueError:
        raise invalid(
            f"The suspension state of Job Definition with id {definition_id} could not be updated due to: "
            f'Invalid format: "{order.execution_date}"'
        ) from None
    if (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > now():
        raise invalid("An executionDate in the future is not supported: send the order when it is to be carried out.")


async def set_definition_priority(
    connection: AsyncConnection, definition_id: str, order: SetDefinitionPriority, by: Operator = NOBODY
) -> None:
    """Set the priority of a job definition and of its jobs, or reset that of the definition alone.

    The jobs that exist are set whatever ``includeJobs`` says, observed on Camunda 7.24.0.

    Raises:
        ContractError: 404 no such definition; 400 jobs are included and there is no priority.
    """
    if order.priority is None and order.include_jobs:
        raise invalid(f"Cannot reset priority for job definition {definition_id} with includeJobs=true")
    this = col(JobDefinition.id) == definition_id
    found = select(col(JobDefinition.overriding_job_priority)).where(this)
    before = (await connection.execute(found)).one_or_none()
    if before is None:
        raise missing(f"Job definition with id '{definition_id}' does not exist: jobDefinition is null")
    await connection.execute(update(JobDefinition).where(this).values(overriding_job_priority=order.priority))
    about: Place = {"job_definition_id": definition_id}
    change = Change("overridingPriority", order.priority, before.overriding_job_priority)
    await by.note(connection, "SetPriority", "JobDefinition", change, about=about)
    if order.priority is not None:
        jobs = _jobs_of(definition_id)
        await keep(connection, col(Job.id), jobs)
        await connection.execute(update(Job).where(jobs).values(priority=order.priority))
        await by.note(connection, "SetPriority", "Job", Change("priority", order.priority), about=about)


async def set_definition_retries(
    connection: AsyncConnection, definition_id: str, order: SetRetries, by: Operator = NOBODY
) -> int:
    """Set the retries of all jobs of a definition that have none left.

    Their incidents stay open until the jobs succeed, and are reused when they fail again.

    Returns:
        How many jobs were set; an unknown definition has none.

    Raises:
        ContractError: 500 for null or negative retries.
    """
    retries = checked_retries(order.retries)
    due = {"due_date": order.due_date} if "due_date" in order.model_fields_set else {}
    changes = [Change("retries", retries), *(Change("dueDate", moment) for moment in due.values())]
    jobs = _jobs_of(definition_id) & (col(Job.retries) == 0)
    await keep(connection, col(Job.id), jobs)
    changed = await connection.execute(
        update(Job).where(jobs).values(retries=retries, **due, lock_owner=None, lock_expiration_time=None)
    )
    await by.note(connection, "SetJobRetries", "Job", *changes, about={"job_definition_id": definition_id})
    return changed.rowcount


def _jobs_of(definition_id: str) -> Condition:
    return col(Job.job_definition_id) == definition_id


async def _suspend(connection: AsyncConnection, jobs: Condition, suspended: bool) -> None:
    await keep(connection, col(Job.id), jobs)
    await connection.execute(update(Job).where(jobs).values(suspended=suspended))
