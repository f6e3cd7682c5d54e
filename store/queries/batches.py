"""Batches: running, with their progress, and in history."""

from typing import Any

from sqlalchemy import ColumnElement, exists, func, not_, select

from retriage.store.contract.queries import BatchQuery, BatchStatisticsQuery, HistoricBatchQuery
from retriage.store.contract.records import Batch as Record
from retriage.store.contract.records import BatchStatistics, HistoricBatch
from retriage.store.queries.conditions import Condition, Conditions, among, equals, flag
from retriage.store.queries.listing import Listing
from retriage.store.tables import Batch, Job
from retriage.store.tables.types import col

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
_HISTORY_ROWS = select(*_COMMON, col(_B.end_time), col(_B.removal_time)).select_from(_B)


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


_TENANTS = ("tenant_id_in", "without_tenant_id")

BATCHES = Listing(
    query=BatchQuery,
    shape=Record,
    rows=_ROWS,
    key=_ID,
    conditions=BATCH_CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(RUNNING,),
    wins=(_TENANTS,),
    unknown="Batch with id '{}' does not exist",
)


def _statistics(row: Any) -> BatchStatistics:
    values = dict(row._mapping)
    remaining = values.pop("existing") + values["total_jobs"] - values["jobs_created"]
    return BatchStatistics(**values, remaining_jobs=remaining, completed_jobs=values["total_jobs"] - remaining)


STATISTICS = Listing(
    query=BatchStatisticsQuery,
    shape=BatchStatistics,
    rows=_STATISTICS_ROWS,
    key=_ID,
    conditions=STATISTICS_CONDITIONS,
    sort_columns=SORT_COLUMNS,
    always=(RUNNING,),
    wins=(_TENANTS, ("without_failures", "with_failures")),
    build=_statistics,
)
"""Running batches with their progress. Deleted jobs count as completed."""

HISTORIC_BATCHES = Listing(
    query=HistoricBatchQuery,
    shape=HistoricBatch,
    rows=_HISTORY_ROWS,
    key=_ID,
    conditions=HISTORY_CONDITIONS,
    sort_columns=SORT_COLUMNS,
    wins=(_TENANTS,),
    unknown="Historic batch with id '{}' does not exist",
)
"""Batches, running or ended."""
