"""Records of the contract as rows of the store's tables.

Not kept are jobs of processes, which nothing carries out in a copy, and what a store has no column for: instances that
call one another, removal times, incidents that were caused by others.
"""

from datetime import datetime
from typing import Any

from retriage.store.contract.records import (
    Batch,
    BatchStatistics,
    ExternalTask,
    HistoricBatch,
    HistoricProcessInstance,
    Incident,
    Job,
    JobDefinition,
    ProcessDefinition,
    ProcessInstance,
    VariableValue,
)
from retriage.store.contract.states import ACTIVE, OPEN, SUSPENDED
from retriage.store.database import new_id
from retriage.store.queries.variables import columns_of

Row = dict[str, Any]

_OF_TASK = (
    "id", "topic_name", "process_instance_id", "process_definition_id", "execution_id", "activity_id",
    "activity_instance_id", "worker_id", "lock_expiration_time", "create_time", "retries", "error_message", "priority",
    "suspended", "tenant_id",
)  # fmt: skip
_OF_DEFINITION = (
    "id", "key", "version", "name", "category", "description", "version_tag", "history_time_to_live", "deployment_id",
    "resource", "suspended", "tenant_id", "startable_in_tasklist",
)  # fmt: skip
_OF_INCIDENT = (
    "id", "incident_type", "configuration", "incident_message", "process_instance_id", "process_definition_id",
    "execution_id", "activity_id", "failed_activity_id", "job_definition_id", "tenant_id", "annotation",
)  # fmt: skip
_OF_BATCH = (
    "id", "type", "total_jobs", "batch_jobs_per_seed", "invocations_per_batch_job", "seed_job_definition_id",
    "monitor_job_definition_id", "batch_job_definition_id", "tenant_id", "create_user_id", "start_time",
    "execution_start_time",
)  # fmt: skip
_OF_JOB = ("id", "retries", "due_date", "suspended", "priority", "exception_message")
_OF_JOB_DEFINITION = ("id", "job_type", "job_configuration", "suspended", "overriding_job_priority", "deployment_id")


def _taken(record: object, names: tuple[str, ...]) -> Row:
    return {name: getattr(record, name) for name in names}


def task_row(task: ExternalTask) -> Row:
    """An external task."""
    return _taken(task, _OF_TASK)


def execution_row(task: ExternalTask) -> Row:
    """The token that waits at an external task."""
    return {
        "id": task.execution_id,
        "process_instance_id": task.process_instance_id,
        "activity_id": task.activity_id,
        "activity_instance_id": task.activity_instance_id,
    }


def definition_row(definition: ProcessDefinition) -> Row:
    """A version of a process."""
    return _taken(definition, _OF_DEFINITION)


def instance_row(instance: ProcessInstance, past: HistoricProcessInstance | None, begun: datetime) -> Row:
    """A running process instance.

    Args:
        instance: as it runs.
        past: what the history tells of it, if it does.
        begun: when it began, where the history tells nothing.
    """
    return {
        "id": instance.id,
        "process_definition_id": instance.definition_id,
        "business_key": instance.business_key,
        "tenant_id": instance.tenant_id,
        "case_instance_id": instance.case_instance_id,
        "state": SUSPENDED if instance.suspended else ACTIVE,
        "start_time": past.start_time if past else begun,
        "start_activity_id": past.start_activity_id if past else None,
        "start_user_id": past.start_user_id if past else None,
    }


def incident_row(incident: Incident) -> Row:
    """An open incident."""
    return _taken(incident, _OF_INCIDENT) | {"state": OPEN, "create_time": incident.incident_timestamp}


def running_batch_row(batch: BatchStatistics | Batch) -> Row:
    """A running batch. What it sets is not told by the contract; nothing carries it out here."""
    more = {"jobs_created": batch.jobs_created, "suspended": batch.suspended, "end_time": None}
    return _taken(batch, _OF_BATCH) | more | _unknown_of(batch)


def ended_batch_row(batch: HistoricBatch) -> Row:
    """A batch that has ended."""
    more = {"jobs_created": batch.total_jobs, "suspended": False}
    return _taken(batch, (*_OF_BATCH, "end_time", "removal_time")) | more | _unknown_of(batch)


def _unknown_of(batch: BatchStatistics | Batch | HistoricBatch) -> Row:
    elements = batch.total_jobs * batch.invocations_per_batch_job
    return {"job_retries": 3, "elements": elements, "seeded": 0}


def job_definition_row(definition: JobDefinition) -> Row:
    """What the jobs of one kind in a batch share."""
    return _taken(definition, _OF_JOB_DEFINITION)


def job_row(job: Job, batch_id: str, job_type: str, created: datetime) -> Row:
    """A job of a batch.

    Args:
        job: as the contract tells it.
        batch_id: its batch.
        job_type: of its definition.
        created: when it was made, where the engine does not tell.
    """
    more = {"batch_id": batch_id, "job_type": job_type, "job_definition_id": job.job_definition_id}
    return _taken(job, _OF_JOB) | more | {"create_time": job.create_time or created}


def variable_row(instance_id: str, name: str, value: VariableValue) -> Row:
    """A variable at the scope of an instance."""
    return {"id": new_id(), "process_instance_id": instance_id, "name": name, **columns_of(value)}
