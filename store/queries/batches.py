"""Batches: running, with their progress, and in history."""

from typing import Any

from sqlalchemy import ColumnElement, exists, func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from store.contract.errors import missing
from store.contract.queries import BatchQuery, BatchStatisticsQuery, HistoricBatchQuery
from store.contract.records import Batch as Record
from store.contract.records import BatchStatistics, HistoricBatch
from store.queries.conditions import Condition, Conditions, among, conditions, count_of, equals, flag, page_of
from store.queries.sorting import order_by
from store.tables import Batch, Job
from store.tables.types import col

_B = Batch
_ID: ColumnElement[Any] = col(_B.id)
RUNNING: Condition = col(_B.end_time).is_(None)


def _jobs(*more: Condition) -> Condition:
    return exists().where(col(Job.job_definition_id) == col(_B.batch_job_definition_id), *more)


def _with_failures() -> Condition:
    return _jobs(col(Job.retries) == 0)


BATCH_CONDITIONS: Conditions = {
    "batch_id": equals(_ID),
    "type": equals(col(_B.type)),
    "tenant_id_in": among(col(_B.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_B.tenant_id).is_(None)),
    "suspended": lambda value: col(_B.suspended).is_(value),
}

STATISTICS_CONDITIONS: Conditions = {
    **BATCH_CONDITIONS,
    "created_by": equals(col(_B.create_user_id)),
    "started_before": lambda value: col(_B.start_time) <= value,
    "started_after": lambda value: col(_B.start_time) >= value,
    "with_failures": flag(_with_failures),
    "without_failures": flag(lambda: not_(_with_failures())),
}

HISTORY_CONDITIONS: Conditions = {
    "batch_id": equals(_ID),
    "type": equals(col(_B.type)),
    "completed": lambda value: col(_B.end_time).is_not(None) if value else RUNNING,
    "tenant_id_in": among(col(_B.tenant_id), "tenantIds"),
    "without_tenant_id": flag(lambda: col(_B.tenant_id).is_(None)),
}

SORT_COLUMNS: dict[str, ColumnElement[Any]] = {
    "batchId": _ID,
    "tenantId": col(_B.tenant_id),
    "startTime": col(_B.start_time),
    "endTime": col(_B.end_time),
}

_COMMON = (
    _ID,
    col(_B.type),
    col(_B.total_jobs),
    col(_B.batch_jobs_per_seed),
    col(_B.invocations_per_batch_job),
    col(_B.seed_job_definition_id),
    col(_B.monitor_job_definition_id),
    col(_B.batch_job_definition_id),
    col(_B.tenant_id),
    col(_B.create_user_id),
    col(_B.start_time),
    col(_B.execution_start_time),
)
_ROWS = select(*_COMMON, col(_B.jobs_created), col(_B.suspended)).select_from(_B)
_HISTORY_ROWS = select(*_COMMON, col(_B.end_time)).select_from(_B)


def _count_jobs(*more: Condition) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(Job)
        .where(col(Job.job_definition_id) == col(_B.batch_job_definition_id), *more)
        .scalar_subquery()
    )


_STATISTICS_ROWS = _ROWS.add_columns(
    _count_jobs().label("existing"), _count_jobs(col(Job.retries) == 0).label("failed_jobs")
)


def _conditions(query: BatchQuery | HistoricBatchQuery, table: Conditions) -> list[Condition]:
    """Of the two tenant filters ``tenantIdIn`` wins, of the two on failures ``withoutFailures``."""
    chosen = query.model_copy()
    if chosen.tenant_id_in:
        chosen.without_tenant_id = None
    if isinstance(chosen, BatchStatisticsQuery) and chosen.without_failures:
        chosen.with_failures = None
    return conditions(chosen, table)


async def list_batches(
    connection: AsyncConnection, query: BatchQuery, first: int = 0, size: int | None = None
) -> list[Record]:
    """One page of the running batches that match."""
    where = [RUNNING, *_conditions(query, BATCH_CONDITIONS)]
    order = order_by(query, SORT_COLUMNS, _ID)
    return [Record(**row._mapping) for row in await page_of(connection, _ROWS, _ID, where, order, first, size)]


async def count_batches(connection: AsyncConnection, query: BatchQuery) -> int:
    """How many running batches match."""
    order_by(query, SORT_COLUMNS, _ID)
    return await count_of(connection, _ID, [RUNNING, *_conditions(query, BATCH_CONDITIONS)])


async def get_batch(connection: AsyncConnection, batch_id: str) -> Record:
    """One running batch.

    Raises:
        ContractError: 404, no batch with that id is running.
    """
    row = (await connection.execute(_ROWS.where(_ID == batch_id, RUNNING))).one_or_none()
    if row is None:
        raise missing(f"Batch with id '{batch_id}' does not exist")
    return Record(**row._mapping)


def _statistics(row: Any) -> BatchStatistics:
    values = dict(row._mapping)
    remaining = values.pop("existing") + values["total_jobs"] - values["jobs_created"]
    return BatchStatistics(**values, remaining_jobs=remaining, completed_jobs=values["total_jobs"] - remaining)


async def list_statistics(
    connection: AsyncConnection, query: BatchStatisticsQuery, first: int = 0, size: int | None = None
) -> list[BatchStatistics]:
    """One page of the running batches that match, with their progress. Deleted jobs count as completed."""
    where = [RUNNING, *_conditions(query, STATISTICS_CONDITIONS)]
    order = order_by(query, SORT_COLUMNS, _ID)
    return [_statistics(row) for row in await page_of(connection, _STATISTICS_ROWS, _ID, where, order, first, size)]


async def count_statistics(connection: AsyncConnection, query: BatchStatisticsQuery) -> int:
    """How many running batches match."""
    order_by(query, SORT_COLUMNS, _ID)
    return await count_of(connection, _ID, [RUNNING, *_conditions(query, STATISTICS_CONDITIONS)])


async def list_historic_batches(
    connection: AsyncConnection, query: HistoricBatchQuery, first: int = 0, size: int | None = None
) -> list[HistoricBatch]:
    """One page of the batches that match, running or ended."""
    where = _conditions(query, HISTORY_CONDITIONS)
    order = order_by(query, SORT_COLUMNS, _ID)
    rows = await page_of(connection, _HISTORY_ROWS, _ID, where, order, first, size)
    return [HistoricBatch(**row._mapping) for row in rows]


async def count_historic_batches(connection: AsyncConnection, query: HistoricBatchQuery) -> int:
    """How many batches match, running or ended."""
    order_by(query, SORT_COLUMNS, _ID)
    return await count_of(connection, _ID, _conditions(query, HISTORY_CONDITIONS))


async def get_historic_batch(connection: AsyncConnection, batch_id: str) -> HistoricBatch:
    """One batch, running or ended.

    Raises:
        ContractError: 404, there is none with that id.
    """
    row = (await connection.execute(_HISTORY_ROWS.where(_ID == batch_id))).one_or_none()
    if row is None:
        raise missing(f"Historic batch with id '{batch_id}' does not exist")
    return HistoricBatch(**row._mapping)
