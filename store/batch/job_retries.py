"""Set the retries of jobs, with the rule that ties retries and incidents together.

From above 0 to 0 an incident is raised, with the job's last message; from 0 to above 0 it is resolved, and a lock that
is left from an executor that died is cleared.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.commands import incidents
from retriage.store.contract.errors import ContractError, null_value
from retriage.store.contract.states import LogState
from retriage.store.database import keep, now
from retriage.store.queries.conditions import Condition, one_of
from retriage.store.queries.logs import of_state
from retriage.store.tables import Job, JobLog
from retriage.store.tables.types import col

NO_JOB = "ENGINE-13053 No job found with id '{}'.'"  # the quotation marks are the engine's own


def checked_retries(retries: int | None) -> int:
    """Retries that an order for one job, or for the jobs of a definition, names.

    Raises:
        ContractError: 500, they are missing or negative; observed on Camunda 7.24.0.
    """
    if retries is None:
        raise null_value("retries is null")
    if retries < 0:
        raise ContractError(
            500,
            "InvalidRequestException",
            "ENGINE-13054 The number of job retries must be a non-negative Integer, "
            f"but '{retries}' has been provided.",
        )
    return retries


async def set_retries_of_jobs(
    connection: AsyncConnection, job_ids: Sequence[str], retries: int, due: dict[str, datetime | None]
) -> None:
    """Set the retries of a set of jobs.

    Args:
        connection: the caller's transaction.
        job_ids: the jobs; ids without a job are passed over.
        retries: attempts that are left, 0 or more.
        due: empty, or the jobs' new ``due_date``.
    """
    these = one_of(col(Job.id), job_ids)
    await keep(connection, col(Job.id), these)
    values: dict[str, Any] = {"retries": retries, **due}
    if retries == 0:
        not_yet_spent = await _ids(connection, these, col(Job.retries) > 0)
        await connection.execute(update(Job).where(these).values(**values))
        failures = await _last_failures(connection, not_yet_spent)
        await incidents.raise_for_jobs(connection, one_of(col(Job.id), not_yet_spent), failures)
        return
    spent = one_of(col(Job.id), await _ids(connection, these, col(Job.retries) == 0))
    await incidents.resolve(connection, select(col(Job.id)).where(spent), now())
    await connection.execute(update(Job).where(spent).values(lock_owner=None, lock_expiration_time=None))
    await connection.execute(update(Job).where(these).values(**values))


async def _ids(connection: AsyncConnection, *where: Condition) -> list[str]:
    return list((await connection.execute(select(col(Job.id)).where(*where))).scalars())


async def _last_failures(connection: AsyncConnection, job_ids: Sequence[str]) -> dict[str, str]:
    """The last failure of those jobs that have failed: the entry of the log, by the id of the job."""
    failed = await _ids(connection, one_of(col(Job.id), job_ids), col(Job.exception_message).is_not(None))
    if not failed:
        return {}
    last = (
        select(col(JobLog.job_id), func.max(col(JobLog.id)))
        .where(of_state(col(JobLog.state), LogState.FAILED), one_of(col(JobLog.job_id), failed))
        .group_by(col(JobLog.job_id))
    )
    return {row[0]: row[1] for row in await connection.execute(last)}
