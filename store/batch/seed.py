"""The seed job: cut the next ids of a batch into batch jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, insert, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from retriage.store.batch.acquire import Acquired, release
from retriage.store.batch.jobs import finish, insert_job
from retriage.store.batch.types import BATCH_TYPES
from retriage.store.commands.job_log import moment
from retriage.store.contract.errors import null_value
from retriage.store.contract.records import MONITOR_JOB, SEED_JOB
from retriage.store.contract.states import LogState
from retriage.store.database import IdRun, Kept, keep, now
from retriage.store.tables import Batch, BatchElement, BatchGroup, Job, JobDefinition, JobLog
from retriage.store.tables.types import col


async def run_seed(connection: AsyncConnection, acquired: Acquired, most_jobs: int) -> int:
    """Carry out the seed job of a batch that an acquisition holds.

    One execution of a seed job creates at most ``batch_jobs_per_seed`` jobs and never crosses a group. Several
    executions are carried out at once here, as many as give ``most_jobs`` jobs; the seed jobs between the first and
    the last are born and done inside this transaction, and leave their entries in the log.

    Args:
        connection: the caller's transaction.
        acquired: the acquisition.
        most_jobs: stop after about so many jobs, but not before one execution.

    Returns:
        How many jobs were created; 0 if the seed job was suspended or lost since, and it is given back.

    Raises:
        ContractError: the batch does not exist.
    """
    mine, batch_id = acquired.held(), acquired.batch_id
    await keep(connection, col(Batch.id), col(Batch.id) == batch_id, how=Kept.CHANGED)
    await keep(connection, col(Job.id), mine)
    if (await connection.execute(select(col(Job.id)).where(mine))).first() is None:
        await release(connection, acquired)
        return 0
    at = now()
    batch = await _batch(connection, batch_id)
    group = await _group(connection, batch_id, batch.seeded)
    per_seed = batch.batch_jobs_per_seed * batch.invocations_per_batch_job
    left = group.past - batch.seeded
    executions = min(acquired.seeds or max(1, most_jobs // batch.batch_jobs_per_seed), -(-left // per_seed))
    end = min(batch.seeded + executions * per_seed, group.past)
    created: int = -(-(end - batch.seeded) // batch.invocations_per_batch_job)
    await _create_jobs(connection, batch, group, end, at)
    await _log_inner_seeds(connection, batch, executions - 1, at)
    await connection.execute(
        update(Batch)
        .where(col(Batch.id) == batch_id)
        .values(seeded=end, jobs_created=col(Batch.jobs_created) + created)
    )
    await finish(connection, mine, at)
    await insert_job(connection, batch_id, SEED_JOB if end < batch.elements else MONITOR_JOB, at)
    return created


async def _batch(connection: AsyncConnection, batch_id: str) -> Any:
    statement = select(Batch.__table__).where(  # type: ignore[attr-defined]
        col(Batch.id) == batch_id, col(Batch.end_time).is_(None)
    )
    batch = (await connection.execute(statement)).one_or_none()
    if batch is None:
        raise null_value(f"Batch with id '{batch_id}' cannot be found: batch is null")
    return batch


async def _group(connection: AsyncConnection, batch_id: str, ordinal: int) -> Any:
    statement = select(BatchGroup.__table__).where(  # type: ignore[attr-defined]
        col(BatchGroup.batch_id) == batch_id, col(BatchGroup.first) <= ordinal, col(BatchGroup.past) > ordinal
    )
    return (await connection.execute(statement)).one()


async def _create_jobs(connection: AsyncConnection, batch: Any, group: Any, end: int, at: datetime) -> None:
    """One batch job for every ``invocations_per_batch_job`` ids from the cursor up to ``end``, with its log entry."""
    ordinal = col(BatchElement.ordinal)
    size = batch.invocations_per_batch_job
    first_of_job = and_(
        col(BatchElement.batch_id) == batch.id,
        ordinal >= batch.seeded,
        ordinal < end,
        (ordinal - group.first) % size == 0,
    )
    definition = (
        await connection.execute(
            select(JobDefinition.__table__).where(  # type: ignore[attr-defined]
                col(JobDefinition.id) == batch.batch_job_definition_id
            )
        )
    ).one()
    ids = IdRun().column(ordinal)
    priority = literal(definition.overriding_job_priority or 0)
    values: dict[str, Any] = {
        "id": ids,
        "job_type": literal(batch.type),
        "job_definition_id": literal(definition.id),
        "batch_id": literal(batch.id),
        "deployment_id": literal(group.deployment_id) if group.deployment_id else null(),
        "first": ordinal,
        "past": case((ordinal + size < group.past, ordinal + size), else_=group.past),
        "retries": literal(batch.job_retries),
        "suspended": literal(bool(definition.suspended)),
        "priority": priority,
        "create_time": moment(at),
    }
    of_instance = {}
    if BATCH_TYPES[batch.type].of_instance:
        alone = values["past"] == ordinal + 1
        of_instance["process_instance_id"] = case((alone, col(BatchElement.element_id)))
    values |= of_instance
    await connection.execute(insert(Job).from_select(list(values), select(*values.values()).where(first_of_job)))
    entry: dict[str, Any] = {
        "id": IdRun().column(ordinal),
        "timestamp": moment(at),
        "state": literal(int(LogState.CREATED)),
        "job_id": ids,
        **{name: values[name] for name in ("job_type", "job_definition_id", "batch_id", "deployment_id")},
        "job_retries": values["retries"],
        "job_priority": priority,
        **of_instance,
    }
    await connection.execute(insert(JobLog).from_select(list(entry), select(*entry.values()).where(first_of_job)))


async def _log_inner_seeds(connection: AsyncConnection, batch: Any, count: int, at: datetime) -> None:
    """The seed jobs that began and ended within this transaction: a creation and a success each."""
    if not count:
        return
    definition = col(JobDefinition.id) == batch.seed_job_definition_id
    seed = (
        await connection.execute(select(JobDefinition.__table__).where(definition))  # type: ignore[attr-defined]
    ).one()
    jobs, entries = IdRun(), IdRun()
    rows = [
        {
            "id": entries.next(),
            "timestamp": at,
            "state": int(state),
            "job_id": jobs.at(number),
            "job_type": SEED_JOB,
            "job_definition_id": seed.id,
            "batch_id": batch.id,
            "deployment_id": seed.deployment_id,
            "job_retries": batch.job_retries,
            "job_priority": seed.overriding_job_priority or 0,
        }
        for number in range(count)
        for state in (LogState.CREATED, LogState.SUCCESSFUL)
    ]
    await connection.execute(insert(JobLog), rows)
