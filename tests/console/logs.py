"""The logs of the small engine: entries as a real engine leaves them when a batch ends or is deleted."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from retriage.store.contract.history import HistoricExternalTaskLog, HistoricJobLog
from retriage.store.contract.records import BatchStatistics, ExternalTask, Job

Entry = HistoricJobLog | HistoricExternalTaskLog
L = TypeVar("L", HistoricJobLog, HistoricExternalTaskLog)
EVENTS = ("deletion_log", "success_log", "failure_log", "creation_log")
"""Which one counts when several are asked for."""


def happened(one: Entry, query: Any) -> bool:
    """The entry is of the kind that is asked for."""
    wanted = next((event for event in EVENTS if getattr(query, event)), None)
    return wanted is None or bool(getattr(one, wanted))


def fits(one: HistoricJobLog, query: Any) -> bool:
    """The entry matches the filters that the console uses."""
    return (
        query.job_definition_id in (None, one.job_definition_id)
        and query.job_definition_configuration in (None, one.job_definition_configuration)
        and happened(one, query)
    )


def ordered(found: list[L], query: Any) -> list[L]:
    """In the order that is asked for; ``timestamp`` or ``jobRetries``."""
    for key in query.sorting or []:
        field = {"timestamp": "timestamp", "jobRetries": "job_retries"}[key.sort_by]
        return sorted(found, key=lambda one: getattr(one, field), reverse=key.sort_order == "desc")
    return found


def job_entry(
    batch: str, definition: str, job: str, event: str, at: datetime, *, retries: int = 3,
    message: str | None = None,
) -> HistoricJobLog:  # fmt: skip
    """One entry of the job log; ``event`` is creation, failure, success or deletion."""
    return HistoricJobLog(
        **{f"{kind}_log": kind == event for kind in ("creation", "failure", "success", "deletion")},
        id=f"log-{job}-{event}-{retries}",
        timestamp=at,
        job_id=job,
        job_due_date=None,
        job_retries=retries,
        job_priority=0,
        job_exception_message=message,
        job_definition_id=definition,
        job_definition_type="set-external-task-retries",
        job_definition_configuration=batch,
        deployment_id=None,
        hostname="node-1$default",
        batch_id=batch,
    )


def of_end(batch: BatchStatistics, jobs: Iterable[Job], at: datetime, *, deleted: bool) -> list[HistoricJobLog]:
    """What a batch leaves in the log that ended by itself or was deleted: see the contract of the job log."""
    definition, monitor = batch.batch_job_definition_id, batch.monitor_job_definition_id
    made = [job_entry(batch.id, definition, f"{batch.id}-{n}", "success", at) for n in range(batch.completed_jobs)]
    if not deleted:
        rest = range(batch.completed_jobs, batch.total_jobs)
        made += [job_entry(batch.id, definition, f"{batch.id}-{n}", "success", at) for n in rest]
        return [*made, job_entry(batch.id, monitor, f"{batch.id}-monitor", "success", at)]
    failed = [job for job in jobs if job.job_definition_id == definition and job.retries == 0]
    for job in failed:
        made.append(job_entry(batch.id, definition, job.id, "failure", at, retries=1, message=job.exception_message))
        made.append(job_entry(batch.id, definition, job.id, "deletion", at, retries=0))
    left = range(batch.completed_jobs + len(failed), batch.jobs_created)
    made += [job_entry(batch.id, definition, f"{batch.id}-{n}", "deletion", at) for n in left]
    last = monitor if batch.jobs_created >= batch.total_jobs else batch.seed_job_definition_id
    return [*made, job_entry(batch.id, last, f"{batch.id}-last", "deletion", at)]


def task_entry(task: ExternalTask, event: str, at: datetime, *, message: str | None = None) -> HistoricExternalTaskLog:
    """One entry of the log of external tasks."""
    return HistoricExternalTaskLog(
        **{f"{kind}_log": kind == event for kind in ("creation", "failure", "success", "deletion")},
        id=f"log-{task.id}-{event}-{at.isoformat()}",
        timestamp=at,
        removal_time=None,
        external_task_id=task.id,
        topic_name=task.topic_name,
        worker_id=task.worker_id,
        priority=task.priority,
        retries=task.retries,
        error_message=message,
        activity_id=task.activity_id,
        activity_instance_id=task.activity_instance_id,
        execution_id=task.execution_id,
        process_instance_id=task.process_instance_id,
        process_definition_id=task.process_definition_id,
        process_definition_key=task.process_definition_key,
        tenant_id=task.tenant_id,
        root_process_instance_id=task.process_instance_id,
    )
